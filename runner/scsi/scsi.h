/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device server: SPC-4 and SBC-4 on a backstore. Pure: no descriptor, socket, mapping or plugin is known here.
 * A front end fills a struct scsi_cmd, calls scsi_parse(), gathers the Data-Out that parse asks for, calls
 * scsi_submit(), and gets ops->done() exactly once.
 */
#ifndef SCSI_SCSI_H
#define SCSI_SCSI_H

#include <stdbool.h>
#include <stdint.h>

#include "backstore/backstore.h"
#include "loop/loop.h"
#include "util/list.h"

#define SCSI_SENSE_MAX 96
#define SCSI_CDB_MAX   260 /* SPC-4 4.2.3: variable length CDBs */
#define SCSI_LEND_MAX  8

struct scsi_cmd;
struct scsi_lu;
struct scsi_op; /* one row of the opcode table, opcodes.h */

/* SAM-5 5.3.1 */
enum scsi_status {
	SCSI_GOOD = 0x00,
	SCSI_CHECK_CONDITION = 0x02,
	SCSI_CONDITION_MET = 0x04,
	SCSI_BUSY = 0x08,
	SCSI_RESERVATION_CONFLICT = 0x18,
	SCSI_TASK_SET_FULL = 0x28,
	SCSI_ACA_ACTIVE = 0x30,
	SCSI_TASK_ABORTED = 0x40,
};

enum scsi_direction { SCSI_NO_DATA, SCSI_DATA_IN, SCSI_DATA_OUT };

/* --- logical units ------------------------------------------------------------------------------------------- */

/* What INQUIRY and VPD say. Strings are copied. */
struct scsi_identity {
	const char *vendor;   /* at most 8 characters; NULL: "LIO-ORG" */
	const char *product;  /* at most 16; NULL: "TCMU device" */
	const char *revision; /* at most 4; NULL: "0002" */
	const char *serial;   /* unit serial number, VPD 80 */
	const uint8_t *naa; /* NAA designator, 16 bytes; NULL: scsi_naa_from_digits() of the serial number */
};

/* LIO's encoding of a unit serial number: the company ID 001405h and the first 25 hexadecimal digits of the text. */
void scsi_naa_from_digits(uint8_t naa[16], const char *serial);

/* Main thread. The LU serves bs, which the caller closes after scsi_lu_free(). NULL with error set. */
struct scsi_lu *scsi_lu_new(struct loop_set *set, struct backstore *bs, const struct scsi_identity *identity,
			    struct error *error);
/* Main thread; no nexus is attached and no command is in flight. */
void scsi_lu_free(struct scsi_lu *lu);
/* Before the first command: another identity, as in struct scsi_identity. */
void scsi_lu_set_serial(struct scsi_lu *lu, const char *serial, const uint8_t *naa);
/* Before the first command: the largest transfer that VPD B0 is to report. */
void scsi_lu_limit_transfer(struct scsi_lu *lu, uint64_t bytes);
/*
 * Any thread. Switches the write cache (WCE) as an administrator does: now and as the default after a reset; raises
 * MODE PARAMETERS CHANGED. What is cached when it goes off is the caller's to flush. 0, or -EOPNOTSUPP when there is
 * no cache to switch on.
 */
int scsi_lu_set_write_cache(struct scsi_lu *lu, bool on);
/* Any thread. WCE as it is now. */
bool scsi_lu_write_cache(struct scsi_lu *lu);
/* Before the first command: fn runs on a loop whenever an initiator has switched the write cache (MODE SELECT), while
 * that command is still in flight. */
void scsi_lu_on_write_cache(struct scsi_lu *lu, void (*fn)(void *arg), void *arg);
/* Before the LU is served: its contents are not those that initiators knew, so each nexus begins with NOT READY TO READY CHANGE,
 * MEDIUM MAY HAVE CHANGED (28h/00h), after POWER ON. */
void scsi_lu_set_medium_changed(struct scsi_lu *lu);
/*
 * Any thread. While the LU is blocked, commands that need the medium are answered NOT READY, LOGICAL UNIT NOT READY, MANUAL
 * INTERVENTION REQUIRED (SPC-4 4.5.6, 04h/03h): an administrator has to act first. Commands that were submitted before are
 * served. The end of it raises NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED (28h/00h) for all nexuses.
 */
void scsi_lu_set_blocked(struct scsi_lu *lu, bool blocked);
bool scsi_lu_is_blocked(const struct scsi_lu *lu);
struct backstore *scsi_lu_backstore(const struct scsi_lu *lu);
const char *scsi_lu_name(const struct scsi_lu *lu);

/* --- I_T and I_T_L nexuses ------------------------------------------------------------------------------------- */

/* One I_T nexus, e.g. an iSCSI session; filled by the front end and valid until all its nexuses are detached. */
struct scsi_it_nexus {
	const char *initiator_port; /* "iqn…,i,0x00023d000001" (RFC 7143 4.4.1) */
	const char *target_port;    /* "iqn…,t,0x0001"; the part before ",t," names the target device */
	uint16_t relative_port;     /* relative target port identifier, 1 … */
	uint16_t port_group;        /* target port group, 1 … */
	/* REPORT LUNS: writes up to max LUNs, as 8-byte SAM LUN structures, ascending; returns how many exist. */
	uint32_t (*report_luns)(struct scsi_it_nexus *it, uint8_t (*luns)[8], uint32_t max);
};

/* One I_T_L nexus: an initiator port's relation to one LU. Embedded in the front end's session. */
struct scsi_nexus {
	struct scsi_it_nexus *it;
	struct scsi_lu *lu;
	uint32_t ua_pending; /* atomic set of unit attentions, ua.h; zero on the fast path */
	struct list node;    /* lu's nexuses, under lu's lock */
	uint64_t id;         /* unique for the life of the LU */
};

/* Any loop thread. Attaches and raises POWER ON, RESET, OR BUS DEVICE RESET OCCURRED for this nexus. */
void scsi_nexus_attach(struct scsi_nexus *nexus, struct scsi_it_nexus *it, struct scsi_lu *lu);
/* I_T nexus loss (SAM-5 6.3.4): drops reservations held. No command of the nexus is in flight. */
void scsi_nexus_detach(struct scsi_nexus *nexus);

/* --- commands ---------------------------------------------------------------------------------------------------- */

struct scsi_cmd_ops {
	/*
	 * Room for Data-In: sets cmd->iov, cmd->iovcnt to exactly len bytes, page-aligned where it can. Called at
	 * most once a command, in scsi_submit() or later, on the command's loop. false: no memory (the command
	 * ends with TASK SET FULL). len may exceed what the initiator expects; the front end sends only what it does.
	 */
	bool (*data_in)(struct scsi_cmd *cmd, uint64_t len);
	/* The command is over: status, sense, data_in_len are set. On the command's loop, possibly inside
	 * scsi_submit(). With cmd->aborted set no response goes to the initiator. */
	void (*done)(struct scsi_cmd *cmd);
};

struct scsi_cmd {
	/* front end, before scsi_parse() */
	const struct scsi_cmd_ops *ops;
	struct scsi_lu *lu;       /* NULL: no such LUN */
	struct scsi_nexus *nexus; /* NULL behind the kernel's door, and where lu is NULL */
	struct scsi_it_nexus *it; /* NULL behind the kernel's door */
	struct loop *loop;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, from when on its I/O is not begun any more; 0: none */
	const uint8_t *cdb;   /* cdb_len bytes, valid until done */
	uint16_t cdb_len;
	/* For CDBs that only the handler's scsi() knows (backstore_has_scsi()): what the transport says of their data.
	 * Not used otherwise. */
	enum scsi_direction hint_direction;
	uint64_t hint_len;
	bool may_lend; /* Data-In may be sent from the handler's own memory (iov then points there) */

	/* Data-Out that the initiator announces (iSCSI: the EDTL of a write); commands that need their exact length
	 * refuse more. 0: not known, e.g. behind the kernel's door, which has checked it. */
	uint64_t expected_out_len;

	/* scsi_parse() */
	const struct scsi_op *op; /* NULL when parse ended the command (status is set; submit completes it) */
	enum scsi_direction direction;
	uint64_t
	    transfer_len; /* bytes of Data-Out that the CDB asks for (Data-In: at most, as the CDB says) */
	uint64_t lba;
	uint32_t nblocks;
	uint32_t gate_seen; /* lu's gate word at parse */

	/* front end, before scsi_submit(), for Data-Out; ops->data_in() or the device server for Data-In. The device
	 * server may shorten the array and its last piece, so a buffer is freed by what the front end remembers. */
	struct iovec *iov;
	uint32_t iovcnt;
	uint64_t
	    data_out_len; /* bytes gathered; may be less than transfer_len when the initiator expects less */

	/* result */
	uint8_t status; /* enum scsi_status */
	uint8_t sense_len;
	bool aborted;
	uint64_t data_in_len;          /* bytes valid in iov */
	uint8_t sense[SCSI_SENSE_MAX]; /* fixed or descriptor format as the LU's D_SENSE says */

	/* device server */
	struct list node; /* in flight for this LU on this loop */
	struct iovec lent[SCSI_LEND_MAX];
	void *state; /* of a command that needs more than one step */
	enum {
		SCSI_HERE,
		SCSI_AT_BACKSTORE,
		SCSI_AT_HANDLER
	} stage; /* which of the two is in flight: bio, bss */
	union {
		struct backstore_io bio;
		struct backstore_scsi bss;
	};
};

/*
 * On the loop. Looks the CDB up, checks it, and says how much Data-Out it wants. Never completes the command and
 * keeps nothing, so a front end may drop the command before submit. Errors found here are reported by scsi_submit();
 * direction is then SCSI_NO_DATA.
 */
void scsi_parse(struct scsi_cmd *cmd);
/* On the loop. ops->done() follows exactly once. */
void scsi_submit(struct scsi_cmd *cmd);
/*
 * On the loop, of a submitted command that has taken too long: what of its I/O has not begun does not begin any more,
 * and where it is writing, no newer I/O is served before that is over. done() follows when it does, not in here.
 * FORMAT UNIT goes on: it keeps others from the medium by itself. Of what a handler's scsi() is doing nothing is known.
 */
void scsi_expire(struct scsi_cmd *cmd);

/* --- task management (SAM-5 7) --------------------------------------------------------------------------------- */

enum scsi_tmf_function {
	SCSI_ABORT_TASK,
	SCSI_ABORT_TASK_SET, /* all tasks of this nexus */
	SCSI_CLEAR_TASK_SET, /* all tasks of the LU */
	SCSI_LU_RESET,
	SCSI_NEXUS_LOSS, /* as ABORT TASK SET, for a connection that is gone */
};

struct scsi_tmf {
	/* caller */
	enum scsi_tmf_function function;
	struct scsi_lu *lu;
	struct scsi_nexus *nexus;
	struct scsi_cmd *task; /* ABORT TASK: a submitted command of this loop */
	struct loop *loop;
	/* On loop, once no affected command is in flight any more on any loop (their done() was called, with aborted
	 * set unless they had already ended). Unit attentions are raised before: of a reset for all nexuses, of
	 * CLEAR TASK SET for the others that lost a command (SAM-5 5.6). */
	void (*done)(struct scsi_tmf *tmf);
	/* device server */
	struct list node;
	struct loop_work work;
	uint32_t epoch;
};
/* On the loop. Always ends in done, possibly inside the call. */
void scsi_tmf_submit(struct scsi_tmf *tmf);
#endif
