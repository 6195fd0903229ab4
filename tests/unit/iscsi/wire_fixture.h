/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection without a daemon. One end of a socket pair is an initiator, for which the test sends every
 * byte. The other end is a connection on a fake loop, which runs when the test calls wire_turn(). The login
 * is a fake that agrees to the values that the test sets. The device server is a fake with one small disk,
 * whose commands end at once or when the test calls wire_complete().
 */
#ifndef WIRE_FIXTURE_H
#define WIRE_FIXTURE_H

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
	struct model_login *login;  /* The login of the session. */
	struct iscsi_params params; /* The parameters to which the next login agrees. */
	int fd;                     /* The initiator's end of the socket pair. */
	bool hold;                  /* If set, commands wait for wire_complete(). */
	unsigned held;
	bool lend;         /* If set, READs are sent from the disk's own memory. */
	unsigned resets;   /* The number of functions that reset a whole LU. */
	unsigned attached; /* The number of attached nexuses. */
	/*
	 * How often a nexus was notified of a changed list of LUNs, and the write protection that the last
	 * nexus was notified of.
	 */
	unsigned luns_changed, luns_reported;
	bool write_protected;
	unsigned buffers;    /* The number of loop buffers that are in use. */
	unsigned no_buffers; /* This many requests for a buffer fail. */
	size_t buffer_limit, buffer_bytes;
	long text_len; /* The length of the answer to a Text Request. */
	uint64_t now_ns;
	uint64_t timer_ns;  /* the delay of the timer that was armed last */
	bool login_goes_on; /* a Login Request is answered, and another one is expected */
	uint8_t disk[DISK_SIZE];
};
extern struct wire wire;

void wire_start(void);
/* Starts in the same way with n LUNs, from 0 on. */
void wire_start_luns(unsigned n);
/* Visits the loop, as after a change of the model. */
void wire_update(void);
void wire_stop(void);               /* Ends the fixture, and checks that nothing is left. */
struct iscsi_conn *wire_conn(void); /* Returns NULL if the connection has ended. */
/*
 * Runs posted and deferred work, and reads and writes as far as the socket allows, until nothing more
 * happens.
 */
void wire_turn(void);
void wire_complete(void); /* Ends the commands that are held. */
void wire_tmf_done(void); /* Answers the functions that were waiting for these commands. */
bool wire_expire(void);   /* Lets the connection's timer expire. Returns false if no timer runs. */

/* Bytes to send, and PDUs that were received. */
struct stream {
	uint8_t bytes[STREAM_MAX];
	size_t len;
};
/* Adds a PDU with header digest and data digest as agreed. */
void stream_add(struct stream *s, const void *bhs, const void *data, uint32_t len);
void stream_login(struct stream *s);
void wire_send(const void *bytes, size_t len);
void wire_send_stream(const struct stream *s);
/* Appends the bytes that have been received. */
void wire_receive(struct stream *s);

/* Functions that make headers. They take cmdsn from wire_cmdsn, which they increase. */
extern uint32_t wire_cmdsn;
struct iscsi_scsi_command wire_command(uint32_t itt, uint8_t flags, uint32_t edtl, uint8_t opcode,
				       uint32_t lba, uint16_t nblocks);
struct iscsi_data_out wire_data(uint32_t itt, uint32_t ttt, uint32_t datasn, uint32_t offset, bool final);
struct iscsi_nop wire_ping(uint32_t itt);
struct iscsi_tmf_request wire_tmf(uint32_t itt, uint8_t function, uint32_t ref);

/* Returns the next received PDU after *at, and checks its digests. Returns false if there is none. */
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
