/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logical unit inside the device server.
 *
 * Its state that commands look at is one word, the gate: a command loads it once when it is submitted and
 * carries it in cmd->gate_seen, so the fast path costs one atomic load. Bits of SCSI_GATE_SLOW send commands
 * the slow way; the upper bits count resets, so that a command that was parsed before a reset and submitted
 * after it ends as aborted.
 *
 * Lock order: lu->lock is a leaf; nothing is called up or down while it is held.
 */
#ifndef SCSI_LU_H
#define SCSI_LU_H

#include <pthread.h>

#include "scsi/alua.h"
#include "scsi/scsi.h"

#define SCSI_GATE_RESERVED      0x01u /* some nexus holds a RESERVE (6/10) reservation */
#define SCSI_GATE_STOPPED       0x02u /* START STOP UNIT with START = 0 */
#define SCSI_GATE_FORMATTING    0x04u /* FORMAT UNIT is clearing the medium: NOT READY with format_progress */
#define SCSI_GATE_HANDLER       0x08u /* the handler's scsi() sees each command first */
#define SCSI_GATE_SLOW          0x0fu
#define SCSI_GATE_READ_ONLY     0x10u  /* write protected, by the backstore or by SWP */
#define SCSI_GATE_WRITE_THROUGH 0x20u  /* WCE = 0: each write is forced to stable storage */
#define SCSI_GATE_D_SENSE       0x40u  /* descriptor format sense */
#define SCSI_GATE_CORRUPTED     0x80u  /* FORMAT UNIT did not get to the end: MEDIUM ERROR until one does */
#define SCSI_GATE_ABSENT        0x100u /* a stand-in serves it until its storage can be opened: NOT READY */
#define SCSI_GATE_BLOCKED       0x200u /* an administrator has to act first: NOT READY, scsi_lu_set_blocked() */
#define SCSI_GATE_MODE          0x70u /* those that follow from mode parameters */
#define SCSI_GATE_EPOCH_ONE     0x400u
#define SCSI_GATE_EPOCH         0xfffffc00u

/* MAXIMUM TRANSFER LENGTH of VPD B0, in bytes: bounds the buffer of one command. */
#define SCSI_MAX_TRANSFER (16u << 20)

#define SCSI_SERIAL_MAX 223 /* fits, with the product, in a T10 vendor ID designator */

/* A LU on one loop; touched by that loop only. */
struct scsi_lu_loop {
	_Alignas(64) struct list inflight; /* scsi_cmd.node */
	struct list aborts;    /* scsi_tmf.node: those of one task or one nexus, waiting on this loop */
	struct loop_work work; /* carries the LU-wide function to this loop */
	struct scsi_lu *lu;
	struct loop *loop;
	struct scsi_tmf *tmf; /* the LU-wide function that waits for this loop's commands, or NULL */
};

/* Mode parameters that MODE SELECT can change, with their defaults (mode.c). */
struct scsi_mode {
	bool wce, d_sense, swp;
};

struct scsi_lu {
	uint32_t gate; /* atomic; SCSI_GATE_* */
	uint32_t block_shift;
	uint32_t block_size; /* bytes */
	struct backstore *bs;
	const struct tcmur_info *info;
	struct scsi_lu_loop *loops; /* by loop_index() */
	unsigned nloops;

	uint32_t format_progress; /* atomic; of 65536 parts, while SCSI_GATE_FORMATTING is set */

	uint32_t max_transfer; /* bytes, as VPD B0 reports; constant once served */
	bool wce_default;      /* atomic */
	void (*on_write_cache)(
	    void *arg); /* constant once served, may be NULL; called with arg, under no lock */
	void *on_write_cache_arg;
	uint8_t tpgs; /* atomic; enum scsi_tpgs, follows from alua */

	/* Constant once served. */
	bool medium_changed; /* each nexus begins with this unit attention */
	char vendor[9], product[17], revision[5];
	char serial[SCSI_SERIAL_MAX + 1];
	uint8_t naa[16];
	const struct scsi_alua_ops *alua_ops; /* NULL: the front end knows no target port groups */
	void *alua_arg;

	pthread_mutex_t lock;      /* guards all below */
	struct sbc_format *format; /* the running one, NULL: none */
	struct list nexuses;
	uint64_t last_nexus_id;
	uint64_t reserved_by; /* nexus id, 0: nobody */
	struct scsi_mode mode;
	uint64_t cleared_by; /* nexus id of the last LU-wide function if a CLEAR TASK SET, else 0 */
	struct scsi_alua alua;
	bool alua_known;      /* alua was set for the first time */
	struct list tmfs;     /* LU-wide task management functions, first one is running */
	unsigned tmf_pending; /* atomic: loops that have not drained for the running one */
};

static inline uint32_t scsi_lu_gate(const struct scsi_lu *lu)
{
	/* Acquire: what was changed before the gate was set is seen by whoever sees the gate. */
	return __atomic_load_n(&lu->gate, __ATOMIC_ACQUIRE);
}

/* Sets and clears bits of the gate; any thread. */
static inline void scsi_lu_gate_change(struct scsi_lu *lu, uint32_t set, uint32_t clear)
{
	if (set)
		__atomic_fetch_or(&lu->gate, set, __ATOMIC_RELEASE);
	if (clear)
		__atomic_fetch_and(&lu->gate, ~clear, __ATOMIC_RELEASE);
}

/* Capacity in blocks; any thread, one atomic load. */
static inline uint64_t scsi_lu_blocks(const struct scsi_lu *lu)
{
	return backstore_size(lu->bs) >> lu->block_shift;
}

/* While SCSI_GATE_FORMATTING is set. */
static inline uint16_t scsi_lu_format_progress(const struct scsi_lu *lu)
{
	return (uint16_t)__atomic_load_n(&lu->format_progress, __ATOMIC_RELAXED);
}

/* True if writes of this command must reach stable storage although the CDB's FUA is 0 (Caching page WCE =
 * 0). */
static inline bool scsi_cmd_write_through(const struct scsi_cmd *cmd)
{
	return cmd->gate_seen & SCSI_GATE_WRITE_THROUGH;
}
#endif
