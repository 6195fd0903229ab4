/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device server: SPC-4 and SBC-4 on a backstore. It has no descriptors, sockets, mappings or plug-ins. A
 * front end calls scsi_cmd_init() and scsi_parse(), gathers the Data-Out that scsi_parse() demands, and calls
 * scsi_submit(). ops->done() is then called exactly once.
 */
#ifndef SCSI_SCSI_H
#define SCSI_SCSI_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "backstore/backstore.h"
#include "loop/loop.h"
#include "util/list.h"

#define SCSI_SENSE_MAX 96
/* SPC-4 4.2.3: variable length CDBs */
#define SCSI_CDB_MAX  260
#define SCSI_LEND_MAX 8

struct scsi_cmd;
struct scsi_lu;
/* One row of the opcode table, opcodes.h */
struct scsi_op;

/* SAM-5 5.3.1 */
enum scsi_status {
	SCSI_GOOD = 0x00,
	SCSI_CHECK_CONDITION = 0x02,
	SCSI_CONDITION_MET = 0x04,
	SCSI_BUSY = 0x08,
	SCSI_RESERVATION_CONFLICT = 0x18,
	SCSI_TASK_SET_FULL = 0x28,
	SCSI_TASK_ABORTED = 0x40,
};

enum scsi_direction { SCSI_NO_DATA, SCSI_DATA_IN, SCSI_DATA_OUT };

/* --- logical units --------------------------------------------------------------------------- */

/*
 * These names are used in INQUIRY data of a LUN without a logical unit, and of a logical unit for which no
 * other names are set.
 */
#define SCSI_DEFAULT_VENDOR   "LIO-ORG"
#define SCSI_DEFAULT_PRODUCT  "TCMU device"
#define SCSI_DEFAULT_REVISION "0002"

/* The identity that INQUIRY and the VPD pages report. scsi_lu_new() copies the strings. */
struct scsi_identity {
	/* At most 8 characters; NULL means SCSI_DEFAULT_VENDOR */
	const char *vendor;
	/* At most 16 characters; NULL means SCSI_DEFAULT_PRODUCT */
	const char *product;
	/* At most 4 characters; NULL means SCSI_DEFAULT_REVISION */
	const char *revision;
	/* Unit serial number, VPD page 80h */
	const char *serial;
	/* NAA designator of 16 bytes; NULL means scsi_naa_from_digits() of the serial number */
	const uint8_t *naa;
};

/*
 * Makes an NAA 6 designator (IEEE registered extended, SPC-4 7.8.6.6.7) from a unit serial number, in the
 * same form as LIO: the company ID 001405h and the first 25 hexadecimal digits of the text.
 */
void scsi_naa_from_digits(uint8_t naa[16], const char *serial);

/*
 * Main or pool thread. Creates an LU that serves bs. The caller closes bs after scsi_lu_free(). Returns NULL
 * with error set.
 */
struct scsi_lu *scsi_lu_new(struct loop_set *set, struct backstore *bs, const struct scsi_identity *identity,
			    struct error *error);
/*
 * Main or pool thread; may block until a format has ended. No nexus may be attached and no command may be in
 * flight.
 */
void scsi_lu_free(struct scsi_lu *lu);
/* To be called before the first command. Sets another identity, as in struct scsi_identity. */
void scsi_lu_set_serial(struct scsi_lu *lu, const char *serial, const uint8_t *naa);
/* To be called before the first command. Sets the largest transfer that VPD page B0h reports. */
void scsi_lu_limit_transfer(struct scsi_lu *lu, uint64_t bytes);
/*
 * Any thread. Switches the write cache (WCE) for an administrator, at once and as the default after a reset,
 * and raises MODE PARAMETERS CHANGED. When the cache is switched off, the caller must flush it. Returns 0, or
 * -EOPNOTSUPP if there is no cache that can be switched on.
 */
int scsi_lu_set_write_cache(struct scsi_lu *lu, bool on);
/*
 * Any thread. Returns whether the storage has a volatile write cache that is on. This is the value of WCE
 * unless somebody sets it.
 */
bool scsi_lu_has_write_cache(const struct scsi_lu *lu);
/* Any thread. Returns the current WCE. */
bool scsi_lu_write_cache(struct scsi_lu *lu);
/*
 * To be called before the first command. fn is called on a loop whenever an initiator has switched the write
 * cache (MODE SELECT), while that command is still in flight.
 */
void scsi_lu_on_write_cache(struct scsi_lu *lu, void (*fn)(void *arg), void *arg);
/*
 * Any thread. While the LU is blocked, commands that need the medium are answered NOT READY,
 * LOGICAL UNIT NOT READY, MANUAL INTERVENTION REQUIRED (SPC-4 4.5.6, 04h/03h): an administrator
 * must act first. Commands that were submitted before are served. The end of the block raises NOT
 * READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED (28h/00h) for all nexuses.
 */
void scsi_lu_set_blocked(struct scsi_lu *lu, bool blocked);
/*
 * Any thread. While the LU is becoming ready, commands that need the medium are answered NOT READY, LOGICAL
 * UNIT IS IN PROCESS OF BECOMING READY (SPC-4 4.5.6, 04h/01h), and initiators try again by themselves.
 */
void scsi_lu_set_becoming_ready(struct scsi_lu *lu, bool becoming);
/*
 * Any thread. The contents of the medium are not what they were when the initiators last used it,
 * for example because the memory of handler alloc was lost: raises NOT READY TO READY CHANGE,
 * MEDIUM MAY HAVE CHANGED for all nexuses that are attached, and for each nexus that is attached
 * later.
 */
void scsi_lu_set_medium_changed(struct scsi_lu *lu);
const char *scsi_lu_name(const struct scsi_lu *lu);
/*
 * Any thread; these functions cost one atomic access each. The time limit says how long a command of this LU
 * may take before it expires, in nanoseconds; 0 means that there is no limit.
 *
 * The device server only stores the limit, and a front end applies it. It sets cmd->deadline_ns to the time
 * of arrival plus the limit before it calls scsi_submit(), so that no I/O of the command begins after that
 * time. If the command is still in flight then, the front end calls scsi_expire(), which delays newer
 * commands that overlap the data which the command may still change. The front end answers the initiator
 * itself with ABORTED COMMAND, COMMAND TIMEOUT DURING PROCESSING (0Bh, 2Eh/02h). The command keeps its memory
 * until done().
 *
 * The kernel front end does not use this limit, because LIO has its own one (cmd_time_out).
 */
void scsi_lu_set_time_limit(struct scsi_lu *lu, uint64_t ns);
uint64_t scsi_lu_time_limit_ns(const struct scsi_lu *lu);

#define SCSI_SENSE_KEYS 16

/* The errors of an LU since it was created. */
struct scsi_errors {
	/* The number of commands that ended with CHECK CONDITION, by sense key */
	uint64_t sense_keys[SCSI_SENSE_KEYS];
	/*
	 * The time of the last error that the storage has caused, in seconds of CLOCK_REALTIME; 0 if there
	 * was none
	 */
	uint64_t last_time;
	/* Sense key, ASC and ASCQ, as in sense.h */
	uint32_t last_sense;
};
/* Any thread; adds up the counters of the loops without a lock. */
void scsi_lu_errors(const struct scsi_lu *lu, struct scsi_errors *errors);
/* Returns the name of a sense key in SPC-4 4.5.6, such as "MEDIUM ERROR". */
const char *scsi_sense_key_name(unsigned key);

/* --- I_T and I_T_L nexuses ------------------------------------------------------------------- */

/*
 * One I_T nexus, for example an iSCSI session. The front end fills it, and keeps it until all nexuses that
 * refer to it are detached.
 */
struct scsi_it_nexus {
	/* For example "iqn…,i,0x00023d000001" (RFC 7143 4.4.1) */
	const char *initiator_port;
	/* For example "iqn…,t,0x0001"; the part before ",t," is the name of the target device */
	const char *target_port;
	/* Relative target port identifier, at least 1 */
	uint16_t relative_port;
	/* Target port group, at least 1 */
	uint16_t port_group;
	/*
	 * For REPORT LUNS: writes up to max LUNs, as 8-byte SAM LUN structures in ascending order, and
	 * returns how many LUNs exist.
	 */
	uint32_t (*report_luns)(struct scsi_it_nexus *it_nexus, uint8_t (*luns)[8], uint32_t max);
};

/* One I_T_L nexus: the state that the device server keeps for one initiator port and one LU. */
struct scsi_nexus {
	/* NULL in the kernel front end, where one nexus represents all initiators */
	struct scsi_it_nexus *it_nexus;
	struct scsi_lu *lu;
	/* The loop that all commands of this nexus use */
	struct loop *loop;
	/*
	 * The pending unit attentions, and what the nexus may not do (nexus.h); zero on the fast path
	 */
	_Atomic uint32_t state;
	/* The number of commands between scsi_parse() and scsi_submit(); only the nexus's loop uses it */
	uint32_t unsubmitted;
	/* Links the nexus into the LU's list, under lu->lock */
	struct list node;
	/* Unique as long as the LU exists; never 0 */
	uint64_t id;
};

/*
 * On loop. Attaches the nexus and raises POWER ON, RESET, OR BUS DEVICE RESET OCCURRED for it. it_nexus is
 * NULL in the kernel front end.
 */
void scsi_nexus_attach(struct scsi_nexus *nexus, struct scsi_it_nexus *it_nexus, struct scsi_lu *lu,
		       struct loop *loop);
/*
 * Handles I_T nexus loss (SAM-5 6.3.4): ends the nexus's reservation. The only commands of the nexus that may
 * be in flight are those that have expired (scsi_expire()); the structure must stay in memory until they have
 * ended.
 */
void scsi_nexus_detach(struct scsi_nexus *nexus);
/*
 * Any thread, between attach and detach. To be called when the initiator's LUN inventory has changed, or when
 * the LUN of this nexus leads to another logical unit than before. Raises REPORTED LUNS DATA HAS CHANGED
 * (SPC-4 6.33).
 */
void scsi_nexus_luns_changed(struct scsi_nexus *nexus);
/*
 * Any thread, between attach and detach. To be called when the initiator has read its LUN inventory with
 * REPORT LUNS on another nexus. Clears REPORTED LUNS DATA HAS CHANGED (SAM-5 5.14).
 */
void scsi_nexus_luns_reported(struct scsi_nexus *nexus);
/*
 * Any thread, between attach and detach. Sets whether the initiator may write to this LU. If it may not,
 * commands that would change the medium end with WRITE PROTECTED, and the WP bit of MODE SENSE is set. A
 * change raises MODE PARAMETERS CHANGED for this nexus (the WP bit is a mode parameter, SBC-4 6.5.1), unless
 * the nexus has not reported POWER ON yet, after which an initiator reads everything again. Commands that
 * were submitted before are not affected.
 */
void scsi_nexus_set_write_protected(struct scsi_nexus *nexus, bool on);

/* --- commands -------------------------------------------------------------------------------- */

struct scsi_cmd_ops {
	/*
	 * Provides room for Data-In: sets cmd->iov and cmd->iovcnt to exactly len bytes, page-aligned where
	 * possible. The device server calls it at most once for a command, in scsi_submit() or later, on the
	 * command's loop. Returns false if there is no memory, and the command ends with TASK SET FULL. len
	 * may exceed what the initiator expects; the front end sends only what the initiator expects.
	 */
	bool (*data_in)(struct scsi_cmd *cmd, uint64_t len);
	/*
	 * The command has ended: status, sense, data_in_len and no_response are set. The device server calls
	 * this function on the command's loop, possibly inside scsi_submit().
	 */
	void (*done)(struct scsi_cmd *cmd);
};

struct scsi_cmd {
	/*
	 * --- The front end sets these members before scsi_parse(), with scsi_cmd_init() and the setters
	 * below it.
	 */
	const struct scsi_cmd_ops *ops;
	/* NULL if the LUN leads to no logical unit */
	struct scsi_lu *lu;
	/* NULL if lu is NULL */
	struct scsi_nexus *nexus;
	/* NULL in the kernel front end, which does not know the initiators */
	struct scsi_it_nexus *it_nexus;
	struct loop *loop;
	/*
	 * A time of CLOCK_MONOTONIC after which no new I/O of the command begins, or 0 if there is no such
	 * time
	 */
	uint64_t deadline_ns;
	/* The account for buffers that the backstore takes for the command, or NULL */
	struct loop_buffer_account *account;
	/* The CDB, which has cdb_len bytes and is valid until done() */
	const uint8_t *cdb;
	uint16_t cdb_len;
	/* Data-In may be sent from the handler's own memory; iov then points there */
	bool may_lend;
	/*
	 * What the initiator has announced with the CDB (iSCSI: R and W flags, EDTL), if the transport has
	 * such announcements
	 */
	bool announced;
	enum scsi_direction announced_direction;
	uint64_t announced_len;

	/* --- scsi_parse() --- */
	/* NULL if the CDB is refused; in this case status is set, and scsi_submit() completes the command */
	const struct scsi_op *op;
	enum scsi_direction direction;
	/* The number of bytes of Data-Out that the CDB demands, or the largest number of bytes of Data-In */
	uint64_t transfer_len;
	/*
	 * The number of bytes of Data-Out that the front end must gather: transfer_len, or 0 for a command
	 * that will be refused
	 */
	uint64_t gather_len;
	uint64_t lba;
	uint32_t nblocks;
	/*
	 * The LU's gate word, loaded in scsi_parse() and again in scsi_submit(). In scsi_submit(),
	 * SCSI_GATE_READ_ONLY is also set if only the nexus is write-protected.
	 */
	uint32_t gate_seen;

	/*
	 * --- For Data-Out, the front end sets these members before scsi_submit(). For Data-In,
	 * ops->data_in() or the device server sets them. The device server may shorten the array and its last
	 * piece, so the front end must remember which buffer it has to free.
	 */
	struct iovec *iov;
	uint32_t iovcnt;
	/* The number of bytes of Data-Out that were gathered */
	uint64_t data_out_len;

	/* --- These members belong to the device server. */
	/* A value of a command that needs more than one step */
	void *state;
	/* Whether one of the two members at the end is in flight: bio or bss */
	enum { SCSI_HERE, SCSI_AT_BACKSTORE, SCSI_AT_HANDLER } stage;
	/* Whether a task management function or the loss of the nexus ends the command */
	bool aborted;
	/* Whether scsi_expire() was called */
	bool expired;
	/* Whether the command is counted in nexus->unsubmitted */
	bool unsubmitted;

	/* --- the result --- */
	/* Whether the command was aborted and the initiator gets no response (SAM-5 5.6) */
	bool no_response;
	uint8_t status; /* enum scsi_status */
	uint8_t sense_len;
	/*
	 * The number of valid bytes in iov. With CHECK CONDITION, it is not 0 if the data before a bad block
	 * is valid.
	 */
	uint64_t data_in_len;
	/* In fixed or descriptor format, according to the LU's D_SENSE */
	uint8_t sense[SCSI_SENSE_MAX];

	/*
	 * --- These members belong to the device server, too. scsi_cmd_init() does not set them, because the
	 * stage that uses a member sets it.
	 */
	/* Links the command into the list of commands in flight for this LU on this loop */
	struct list node;
	struct iovec lent[SCSI_LEND_MAX];
	union {
		struct backstore_io bio;
		struct backstore_scsi bss;
	};
};

/*
 * Prepares a command in memory with any contents. lu and nexus are NULL if the LUN leads to no logical unit.
 * it_nexus is NULL in the kernel front end.
 */
static inline void scsi_cmd_init(struct scsi_cmd *cmd, const struct scsi_cmd_ops *ops, struct scsi_lu *lu,
				 struct scsi_nexus *nexus, struct scsi_it_nexus *it_nexus, struct loop *loop,
				 const uint8_t *cdb, size_t cdb_len)
{
	memset(cmd, 0, offsetof(struct scsi_cmd, sense));
	cmd->ops = ops;
	cmd->lu = lu;
	cmd->nexus = nexus;
	cmd->it_nexus = it_nexus;
	cmd->loop = loop;
	cmd->cdb = cdb;
	cmd->cdb_len = (uint16_t)cdb_len;
}

/*
 * To be called if the initiator has announced, together with the CDB, that it transfers len bytes in this
 * direction. A command whose CDB contradicts the announcement is refused. For a CDB that only the handler's
 * scsi() can interpret, the announcement is used in place of the opcode table.
 */
static inline void scsi_cmd_announce(struct scsi_cmd *cmd, enum scsi_direction direction, uint64_t len)
{
	cmd->announced = true;
	cmd->announced_direction = direction;
	cmd->announced_len = direction == SCSI_NO_DATA ? 0 : len;
}

/* Allows Data-In to be sent from the handler's own memory, whose contents may change until they are sent. */
static inline void scsi_cmd_allow_lending(struct scsi_cmd *cmd)
{
	cmd->may_lend = true;
}

/*
 * On the loop, after scsi_cmd_init(). Looks the CDB up, checks it, and sets gather_len to the number of bytes
 * of Data-Out that the front end must gather. This function never completes the command; scsi_submit()
 * reports errors that were found here.
 */
void scsi_parse(struct scsi_cmd *cmd);
/* On the loop. Gives up a command that the front end does not submit. A second call has no effect. */
static inline void scsi_drop(struct scsi_cmd *cmd)
{
	if (cmd->unsubmitted)
		cmd->nexus->unsubmitted--;
	cmd->unsubmitted = false;
}
/* On the loop. ops->done() follows exactly once. */
void scsi_submit(struct scsi_cmd *cmd);
/*
 * On the loop, for a submitted command that has taken too long. I/O of the command that has not begun does
 * not begin any more. While I/O of it is writing, newer I/O that overlaps is delayed. done() is called when
 * the I/O has ended, and not inside this call. FORMAT UNIT continues, because it prevents other commands from
 * using the medium.
 *
 * Task management functions do not wait for the command any more, because it cannot change what a newer
 * command has written. Functions that already wait for it may be answered inside this call. There is one
 * exception: if a handler's scsi() executes the command and the command may write, functions still wait for
 * it, because the device server does not know which blocks it changes.
 */
void scsi_expire(struct scsi_cmd *cmd);

/* --- task management (SAM-5 7) --------------------------------------------------------------- */

enum scsi_tmf_function {
	SCSI_ABORT_TASK,
	/* All tasks of this nexus */
	SCSI_ABORT_TASK_SET,
	/* All tasks of the LU */
	SCSI_CLEAR_TASK_SET,
	SCSI_LU_RESET,
	/* Like ABORT TASK SET, for a connection that has ended */
	SCSI_NEXUS_LOSS,
};

struct scsi_tmf {
	/* --- the caller --- */
	enum scsi_tmf_function function;
	struct scsi_lu *lu;
	/* NULL if the target itself starts the function */
	struct scsi_nexus *nexus;
	/* For ABORT TASK: a submitted command of this loop */
	struct scsi_cmd *task;
	struct loop *loop;
	/*
	 * Is called on loop as soon as no affected command is in flight on any loop. done() of each of them
	 * was called, with aborted set unless the command had ended before, or the command has expired
	 * (scsi_expire()). Unit attentions have been raised before this call: after a reset for all nexuses,
	 * and after CLEAR TASK SET for the other nexuses that have lost a command (SAM-5 5.6).
	 */
	void (*done)(struct scsi_tmf *tmf);

	/* --- These members belong to the device server. */
	struct list node;
	uint32_t epoch;
	bool tas;
};
/* On the loop. done() is always called, possibly inside this call. */
void scsi_tmf_submit(struct scsi_tmf *tmf);
#endif
