/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubles of what the device server stands on and of a front end, for tests on one thread: a
 * backstore in memory that asserts its contract, loops that run when the test says so, and commands
 * that count their completions.
 */
#ifndef TESTS_SCSI_DOUBLE_H
#define TESTS_SCSI_DOUBLE_H

#include "double_loop.h"
#include "scsi/scsi.h"

/* --- the backstore ----------------------------------------------------------------- */

struct double_call {
	enum backstore_op op;
	uint64_t offset, len;
	uint32_t flags;
};

struct backstore {
	struct tcmur_info info;
	uint64_t size;
	uint8_t *data;
	uint8_t *extent; /* enum tcmur_extent_state of each block */
	bool no_flush, no_unmap;
	bool absent;    /* a substitute for storage that cannot be opened */
	bool has_usage; /* the handler has usage(), which says: */
	struct tcmur_usage usage;
	bool can_lend; /* READs are lent, in pieces of lend_piece bytes (0: one) */
	uint64_t lend_piece;
	const struct tcmur_extent *extents; /* what EXTENTS tells instead of the truth; NULL: the truth */
	uint32_t nextents;
	bool inert; /* I/O does nothing and ends well, so size may be more than there is memory */
	bool (*scsi)(struct backstore_scsi *bss); /* the handler's scsi(); NULL: it has none */
	void (*resized)(void *arg, uint64_t size);
	void *resized_arg;
	bool defer; /* I/O ends in double_run() or double_backstore_end() only */
	bool queue; /* deferred I/O has not begun, so it can be cancelled */
	unsigned holds;
	struct list held;
	struct list node; /* of the living */
	/*
	 * I/O number fail_at (counted in calls, from 1) ends with fail_with and changes nothing; 0:
	 * none
	 */
	unsigned fail_at;
	enum tcmur_status fail_with;
	/* Blocks [bad_from, bad_to) cannot be read. */
	uint64_t bad_from, bad_to;
	/* The error of such a READ names the first of these blocks. */
	bool names_bad_byte;
	/* what was submitted */
	unsigned ncalls;
	struct double_call calls[512];
};

/*
 * Filled with zeros, all deallocated; thin and unmap_zeroes. Change info and the flags before an LU
 * is made on it.
 */
struct backstore *double_backstore_new(uint64_t size, uint32_t block_size);
void double_backstore_free(struct backstore *bs);
/* To a size that is not larger. */
void double_backstore_resize(struct backstore *bs, uint64_t size);
/* Ends the I/O held longest; false: none is. */
bool double_backstore_end(struct backstore *bs);
/* The last I/O submitted. */
const struct double_call *double_last(const struct backstore *bs);

/* --- the front end ----------------------------------------------------------------- */

struct double_cmd {
	struct scsi_cmd cmd;
	uint8_t cdb[SCSI_CDB_MAX];
	unsigned done;   /* completions; tests assert 1 */
	bool no_memory;  /* data_in() fails */
	unsigned pieces; /* Data-Out and Data-In memory is split into so many pieces; 0: 1 */
	uint8_t *buffer;
	struct iovec iov[16];
};

/*
 * Prepares a command for lu (may be NULL) through nexus (may be NULL), on loop 0 unless cmd.loop is
 * changed.
 */
void double_cmd_init(struct double_cmd *c, struct scsi_lu *lu, struct scsi_nexus *nexus, const void *cdb,
		     size_t cdb_len);
/*
 * scsi_parse(), then a copy of at most transfer_len bytes of data as Data-Out, then scsi_submit().
 * len is what the initiator announces.
 */
void double_cmd_submit(struct double_cmd *c, const void *data, size_t len);
/* The same and double_run(); asserts that the command completed once. Returns its status. */
enum scsi_status double_cmd_exec(struct double_cmd *c, const void *data, size_t len);
void double_cmd_free(struct double_cmd *c);

/* Sense key, ASC and ASCQ as SENSE_CODE() has them, of either format; 0 without sense. */
uint32_t double_sense(const struct scsi_cmd *cmd);
/* INFORMATION; UINT64_MAX when it is not valid. */
uint64_t double_information(const struct scsi_cmd *cmd);
#endif
