/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection without a daemon: one end of a socket pair is an initiator that the test plays byte
 * by byte, the other a connection on a loop double that turns when the test says so. Login is a
 * double that agrees to what the test wants; the device server is a double with one small disk,
 * whose commands end at once or when the test says so.
 */
#ifndef WIRE_H
#define WIRE_H

#include "iscsi/places.h"
#include "iscsi/session.h"
#include "model_fixture.h"

#define DISK_SIZE  (64u << 10)
#define STREAM_MAX (512u << 10)

struct wire {
	struct iscsi_server server;
	/* A target with one TPG, which admits everybody, and a disk at LUN 0. */
	struct fixture *model;
	struct model_object *tpg;
	struct model_login *login;  /* of the session */
	struct iscsi_params params; /* what the next login agrees to */
	int fd;                     /* the initiator's end */
	bool hold;                  /* commands wait for wire_complete() */
	unsigned held;
	bool lend;         /* READs are sent from the disk's own memory */
	unsigned resets;   /* functions for a whole LU */
	unsigned attached; /* nexuses */
	/*
	 * How often a nexus was told of a changed inventory; what the last nexus was told of its protection.
	 */
	unsigned luns_changed, luns_reported;
	bool write_protected;
	unsigned buffers;    /* loop buffers handed out */
	unsigned no_buffers; /* so many requests for a buffer fail */
	size_t buffer_limit, buffer_bytes;
	long text_len; /* of the answer to a Text Request */
	uint64_t now_ns;
	uint64_t timer_ns;  /* the delay of the timer that was armed last */
	bool login_goes_on; /* a Login Request is answered, and another one is expected */
	uint8_t disk[DISK_SIZE];
};
extern struct wire wire;

void wire_start(void);
/* The same with more LUNs, from 0 on. */
void wire_start_luns(unsigned n);
/* The loop is visited after a change of the model. */
void wire_update(void);
void wire_stop(void);               /* asserts that nothing is left */
struct iscsi_conn *wire_conn(void); /* NULL: gone */
/* Runs posted and deferred work, and reads and writes where the socket lets it, until nothing
 * happens. */
void wire_turn(void);
void wire_complete(void); /* ends the commands that are held */
void wire_tmf_done(void); /* answers the functions that waited for them */
bool wire_expire(void);   /* fires the connection's timer; false: there is none */

/* Bytes to send, and PDUs that came back. */
struct stream {
	uint8_t bytes[STREAM_MAX];
	size_t len;
};
/* Adds a PDU with header digest and data digest as agreed; returns its header, to be changed
 * before sealing. */
void stream_add(struct stream *s, const void *bhs, const void *data, uint32_t len);
void stream_login(struct stream *s);
void wire_send(const void *bytes, size_t len);
void wire_send_stream(const struct stream *s);
/* Appends what has come. */
void wire_receive(struct stream *s);

/* Headers. cmdsn: from wire_cmdsn, which counts up. */
extern uint32_t wire_cmdsn;
struct iscsi_scsi_command wire_command(uint32_t itt, uint8_t flags, uint32_t edtl, uint8_t opcode,
				       uint32_t lba, uint16_t nblocks);
struct iscsi_data_out wire_data(uint32_t itt, uint32_t ttt, uint32_t datasn, uint32_t offset, bool final);
struct iscsi_nop wire_ping(uint32_t itt);
struct iscsi_tmf_request wire_tmf(uint32_t itt, uint8_t function, uint32_t ref);

/* The next PDU of what was received after *at; checks its digests. false: none. */
struct reply {
	uint8_t bhs[48];
	const uint8_t *data;
	uint32_t len;
};
bool stream_next(const struct stream *s, size_t *at, struct reply *reply);
/* Skips the Login Response. */
void stream_after_login(const struct stream *s, size_t *at);
void fill_pattern(uint8_t *bytes, size_t len, unsigned seed);
#endif
