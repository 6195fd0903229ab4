/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the measurement of iscsi_load and the two initiators that carry its commands share. An initiator sends
 * the command of a slot, and calls load_command_done() when the command has ended.
 */
#ifndef ISCSI_LOAD_H
#define ISCSI_LOAD_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct load;
struct connection; /* defined by each initiator */

/* One command that is outstanding; the next command of the same session uses it again. */
struct slot {
	struct load *load;
	struct connection *connection;
	unsigned session;      /* index of the session */
	unsigned char *buffer; /* load->bytes long */
	uint64_t started;      /* in nanoseconds */
};

/* An initiator. Each function ends the program with a message when it fails. */
struct initiator {
	/* Logs in as NAME and clears the unit attention conditions of the new session. */
	struct connection *(*connect)(const char *url, const char *name);
	/* READ CAPACITY(16). */
	void (*read_capacity)(struct connection *connection, uint32_t *block_size, uint64_t *blocks);
	/* Sends a READ(16) or WRITE(16) of `blocks` blocks, which make up `bytes` bytes. */
	void (*start)(struct slot *slot, bool write, uint64_t lba, uint32_t blocks, uint32_t bytes);
	/* The descriptor and the events to wait for. */
	struct pollfd (*wait_for)(struct connection *connection);
	/* Sends and receives what the socket takes and has. */
	void (*serve)(struct connection *connection, short events);
	/* Logs out and frees the connection. */
	void (*disconnect)(struct connection *connection);
};

extern const struct initiator raw_initiator;      /* constant data, received data is thrown away */
extern const struct initiator libiscsi_initiator; /* a complete initiator with buffers */

void load_command_done(struct slot *slot);

void load_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
