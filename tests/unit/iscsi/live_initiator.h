/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An initiator over TCP, for tests with a real server. Its functions block, and it can break rules on
 * purpose. Only one thread uses an initiator. All functions return false if the connection has ended.
 */
#ifndef TESTS_LIVE_INITIATOR_H
#define TESTS_LIVE_INITIATOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "iscsi_login/pdu.h"

/* The largest number of outstanding commands of an initiator. */
#define LIVE_WINDOW 8

struct live_initiator {
	int fd;
	/* Part of InitiatorName and of the ISID. */
	unsigned number;
	uint32_t cmdsn, expstatsn, itt;
	/* The last MaxCmdSN that was received. */
	uint32_t max_cmdsn;
	/* The outstanding commands; the index is ITT % LIVE_WINDOW. lun is -1 if there is none. */
	struct {
		int lun;
		uint32_t itt;
		bool is_read;
	} slots[LIVE_WINDOW];
	unsigned outstanding;
	/*
	 * The task management function that is not answered yet: its ITT, or 0 for none; its LUN, or -1 for
	 * all LUNs; and for ABORT TASK the command.
	 */
	uint32_t function_itt, function_ref;
	int function_lun;
	uint8_t function;
	/* The target has asked for a logout. */
	bool asked_to_leave;
	/* Counters of what was received on all connections. */
	unsigned logins, good, no_lun, unit_attentions, protections, aborted, timeouts, others, luns_changed;
};

/* status becomes that of the Login Response, or -1 if there was none. */
bool live_login(struct live_initiator *i, const struct sockaddr_in *portal, const char *target, int *status);
/* Closes the connection without a logout. */
void live_close(struct live_initiator *i);

bool live_test_unit_ready(struct live_initiator *i, unsigned lun);
bool live_read(struct live_initiator *i, unsigned lun, unsigned block, unsigned nblocks);
/* Sends a WRITE without immediate data, so the target must ask for the data. */
bool live_write(struct live_initiator *i, unsigned lun, unsigned block, unsigned nblocks);
/* Sends a task management function; only one at a time. ref is the command that ABORT TASK aborts. */
bool live_function(struct live_initiator *i, int lun, uint8_t function, uint32_t ref);
bool live_logout(struct live_initiator *i);
/*
 * Handles what has been received. With wait, waits until something is received. With answers, sends the data
 * that the target asks for.
 */
bool live_receive(struct live_initiator *i, bool wait, bool answers);
/*
 * Handles what is received until all commands and the function are answered. This works only if no other
 * initiator resets the units.
 */
bool live_finish(struct live_initiator *i);
#endif
