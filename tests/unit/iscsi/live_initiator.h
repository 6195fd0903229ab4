/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An initiator over TCP for tests with a real server: it blocks, and it may behave badly on purpose. One
 * thread uses one initiator. All functions return false when the connection is gone.
 */
#ifndef TESTS_LIVE_INITIATOR_H
#define TESTS_LIVE_INITIATOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "iscsi_login/pdu.h"

/* Commands that an initiator has outstanding at most. */
#define LIVE_WINDOW 8

struct live_initiator {
	int fd;
	/* In InitiatorName and ISID. */
	unsigned number;
	uint32_t cmdsn, expstatsn, itt;
	/* The last MaxCmdSN. */
	uint32_t max_cmdsn;
	/* The outstanding commands by ITT % LIVE_WINDOW; lun is -1: none. */
	struct {
		int lun;
		uint32_t itt;
		bool is_read;
	} slots[LIVE_WINDOW];
	unsigned outstanding;
	/*
	 * The task management function that is not answered: its ITT, 0: none; its LUN, -1: all; the command,
	 * for ABORT TASK.
	 */
	uint32_t function_itt, function_ref;
	int function_lun;
	uint8_t function;
	/* The target has asked for a logout. */
	bool asked_to_leave;
	/* What came, over all connections. */
	unsigned logins, good, no_lun, unit_attentions, protections, aborted, timeouts, others, luns_changed;
};

/* status: of the Login Response, or -1 if there was none. */
bool live_login(struct live_initiator *i, const struct sockaddr_in *portal, const char *target, int *status);
/* Closes the connection as it is. */
void live_close(struct live_initiator *i);

bool live_test_unit_ready(struct live_initiator *i, unsigned lun);
bool live_read(struct live_initiator *i, unsigned lun, unsigned block, unsigned nblocks);
/* Without immediate data: the target has to ask for the data. */
bool live_write(struct live_initiator *i, unsigned lun, unsigned block, unsigned nblocks);
/* One at a time. ref: the command that ABORT TASK aborts. */
bool live_function(struct live_initiator *i, int lun, uint8_t function, uint32_t ref);
bool live_logout(struct live_initiator *i);
/*
 * Handles what has come; waits until something has come if wait is set. answers: sends the data that the
 * target asks for.
 */
bool live_receive(struct live_initiator *i, bool wait, bool answers);
/*
 * Handles what comes until all commands and the function are answered. Only where nobody else resets the
 * units.
 */
bool live_finish(struct live_initiator *i);
#endif
