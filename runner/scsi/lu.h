/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logical unit inside the device server. The state that concerns every command is one word, the gate. A
 * command loads it once when it is submitted and keeps the value in cmd->gate_seen, so the fast path costs
 * one atomic load. If one of the bits of SCSI_GATE_SLOW is set, commands take the slow path. The upper bits
 * count LU-wide task management functions (epochs), so that a command that was parsed before a reset and
 * submitted after it ends as aborted.
 *
 * While lu->lock is held, no other lock is taken and no function of another layer is called.
 */
#ifndef SCSI_LU_H
#define SCSI_LU_H

#include <pthread.h>
#include <stdatomic.h>

#include "scsi/alua.h"
#include "scsi/scsi.h"

/* A nexus holds a RESERVE (6 or 10) reservation. */
#define SCSI_GATE_RESERVED 0x01u
/* FORMAT UNIT is clearing the medium: commands get NOT READY with format_progress. */
#define SCSI_GATE_FORMATTING 0x02u
/* Each command is offered to the handler's scsi() first. */
#define SCSI_GATE_HANDLER 0x04u
#define SCSI_GATE_SLOW    0x07u
/* The LU is write-protected, by the backstore or by SWP. */
#define SCSI_GATE_READ_ONLY 0x10u
/* WCE = 0: each write is forced to stable storage. */
#define SCSI_GATE_WRITE_THROUGH 0x20u
/* Sense data is in descriptor format. */
#define SCSI_GATE_D_SENSE 0x40u
/* The bits that are set according to mode parameters */
#define SCSI_GATE_MODE 0x70u
/* A FORMAT UNIT did not complete: commands get MEDIUM ERROR until a FORMAT UNIT completes. */
#define SCSI_GATE_CORRUPTED 0x80u
/* A stand-in serves the LU until its storage can be opened: commands get NOT READY. */
#define SCSI_GATE_ABSENT 0x100u
/* An administrator must act first: commands get NOT READY; see scsi_lu_set_blocked(). */
#define SCSI_GATE_BLOCKED 0x200u
/* The LU becomes ready soon: commands get NOT READY until then; see scsi_lu_set_becoming_ready(). */
#define SCSI_GATE_BECOMING  0x400u
#define SCSI_GATE_EPOCH_ONE 0x800u
#define SCSI_GATE_EPOCH     0xfffff800u

/* MAXIMUM TRANSFER LENGTH of VPD page B0h, in bytes. It limits the buffer of one command. */
#define SCSI_MAX_TRANSFER (16u << 20)

/* A serial number of this length fits into a T10 vendor ID designator together with the product. */
#define SCSI_SERIAL_MAX 223

/* The part of an LU that belongs to one loop. Only this loop uses it. */
struct scsi_lu_loop {
	/* A list of the commands in flight (scsi_cmd.node) */
	_Alignas(64) struct list inflight;
	/*
	 * A list of struct scsi_tmf (member node): functions for one task or one nexus that wait for commands
	 * of this loop
	 */
	struct list aborts;
	struct scsi_lu *lu;
	struct loop *loop;
	/* The LU-wide function that waits for commands of this loop, or NULL */
	struct scsi_tmf *tmf;
	/* The epoch of the last LU-wide function that visited this loop */
	uint32_t visited;
	/* Used by errors.c. See util/counter.h. */
	_Atomic uint64_t sense_keys[SCSI_SENSE_KEYS];
	/* The time in seconds and, in the lower 24 bits, the sense code; 0 means that there was no error */
	_Atomic uint64_t last_error;
};

/* The mode parameters that MODE SELECT can change (mode_pages.c) */
struct scsi_mode {
	bool wce, d_sense, swp, tas;
};

struct scsi_lu {
	/* The SCSI_GATE_* bits and the epoch */
	_Atomic uint32_t gate;
	uint32_t block_shift;
	/* Bytes */
	uint32_t block_size;
	struct backstore *bs;
	const struct tcmur_info *info;
	/* An array, by loop_index() */
	struct scsi_lu_loop *loops;
	unsigned nloops;

	/* How many of 65536 parts are done, while SCSI_GATE_FORMATTING is set */
	_Atomic uint32_t format_progress;

	/* In bytes; VPD page B0h reports it; it does not change while the LU is served */
	uint32_t max_transfer;
	/* The value of WCE in the default mode parameters */
	atomic_bool wce_default;
	/* See scsi_lu_time_limit_ns(). */
	_Atomic uint64_t time_limit_ns;
	/*
	 * Does not change while the LU is served; may be NULL. Is called with on_write_cache_arg and without
	 * a lock.
	 */
	void (*on_write_cache)(void *arg);
	void *on_write_cache_arg;
	/* A set of enum scsi_tpgs that is computed from alua */
	_Atomic uint8_t tpgs;

	/* --- These members do not change while the LU is served. */
	char vendor[9], product[17], revision[5];
	char serial[SCSI_SERIAL_MAX + 1];
	uint8_t naa[16];
	/* NULL if the front end does not manage target port groups */
	const struct scsi_alua_ops *alua_ops;
	void *alua_arg;

	/* --- These members are guarded by lock. */
	pthread_mutex_t lock;
	/* The FORMAT UNIT that is running, or NULL */
	struct sbc_format *format;
	struct list nexuses;
	uint64_t last_nexus_id;
	/* The id of a nexus, or 0 if there is no reservation */
	uint64_t reserved_by;
	struct scsi_mode mode;
	/* Whether each nexus that is attached from now on gets the unit attention MEDIUM MAY HAVE CHANGED */
	bool medium_changed;
	/*
	 * The last LU-wide function: the id of its nexus, whether it was CLEAR TASK SET, and the value of TAS
	 * at that time
	 */
	struct {
		uint64_t by;
		bool clears, tas;
	} last_wide;
	struct scsi_alua alua;
	/* Whether the front end has called scsi_lu_set_alua(). */
	bool alua_known;
	/* The LU-wide task management functions that have not ended; the first one is running. */
	struct list tmfs;
	/* The broadcast that takes the running function to all loops; it does not change. */
	struct loop_broadcast *tmf_broadcast;
};

static inline uint32_t scsi_lu_gate(const struct scsi_lu *lu)
{
	/*
	 * Acquire: a thread that reads the gate must also see the changes that were made before the gate was
	 * set.
	 */
	return atomic_load_explicit(&lu->gate, memory_order_acquire);
}

/* Any thread. Sets and clears bits of the gate. */
static inline void scsi_lu_gate_change(struct scsi_lu *lu, uint32_t set, uint32_t clear)
{
	if (set)
		atomic_fetch_or_explicit(&lu->gate, set, memory_order_release);
	if (clear)
		atomic_fetch_and_explicit(&lu->gate, ~clear, memory_order_release);
}

/* Implemented in errors.c; on the command's loop. Counts a command that ends with CHECK CONDITION. */
void scsi_lu_count_sense(const struct scsi_cmd *cmd);

/* Any thread; costs one atomic load. Returns the capacity in blocks. */
static inline uint64_t scsi_lu_blocks(const struct scsi_lu *lu)
{
	return backstore_size(lu->bs) >> lu->block_shift;
}

/* Returns the progress of FORMAT UNIT, while SCSI_GATE_FORMATTING is set. */
static inline uint16_t scsi_lu_format_progress(const struct scsi_lu *lu)
{
	return (uint16_t)atomic_load_explicit(&lu->format_progress, memory_order_relaxed);
}

/*
 * Returns true if data that this command writes must be on stable storage when it ends, although its FUA bit
 * is 0 (Caching page, WCE = 0).
 */
static inline bool scsi_cmd_write_through(const struct scsi_cmd *cmd)
{
	return cmd->gate_seen & SCSI_GATE_WRITE_THROUGH;
}
#endif
