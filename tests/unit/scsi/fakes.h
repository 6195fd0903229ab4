/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fakes of a front end and of the layers below the device server, for tests on one thread: a backstore in
 * memory that checks its contract, loops that run when the test says so, and commands that count their
 * completions.
 */
#ifndef TESTS_SCSI_FAKES_H
#define TESTS_SCSI_FAKES_H

#include "fake_loop.h"
#include "scsi/scsi.h"

/* --- the backstore ----------------------------------------------------------------- */

struct fake_call {
	enum backstore_op op;
	uint64_t offset, len;
	uint32_t flags;
};

struct backstore {
	struct tcmur_info info;
	uint64_t size;
	uint8_t *data;
	uint8_t *extent; /* The enum tcmur_extent_state of each block. */
	bool no_flush, no_unmap;
	bool absent;    /* The backstore is a stand-in for storage that cannot be opened. */
	bool has_usage; /* The handler has usage(), which reports this: */
	struct tcmur_usage usage;
	bool can_lend; /* READs are lent in pieces of lend_piece bytes (0: in one piece). */
	uint64_t lend_piece;
	/* What EXTENTS reports instead of the real state; NULL for the real state. */
	const struct tcmur_extent *extents;
	uint32_t nextents;
	bool inert; /* I/O does nothing and succeeds, so the size may be larger than the memory. */
	bool (*scsi)(struct backstore_scsi *bss); /* The handler's scsi(); NULL if it has none. */
	void (*resized)(void *arg, uint64_t size);
	void *resized_arg;
	bool defer; /* I/O ends only in fake_run() or fake_backstore_end(). */
	bool queue; /* Deferred I/O has not started, so it can be cancelled. */
	unsigned holds;
	struct list held;
	struct list node; /* In the list of open backstores. */
	/*
	 * The I/O with the number fail_at (counted in calls, from 1) ends with fail_with and changes nothing;
	 * 0: no I/O fails.
	 */
	unsigned fail_at;
	enum tcmur_status fail_with;
	/* The blocks [bad_from, bad_to) cannot be read. */
	uint64_t bad_from, bad_to;
	/* The error of such a READ contains the first of these blocks. */
	bool names_bad_byte;
	/* The I/O that was submitted. */
	unsigned ncalls;
	struct fake_call calls[512];
};

/*
 * Makes a backstore that is filled with zeros and completely deallocated, with thin and unmap_zeroes. Change
 * info and the flags before an LU is made on it.
 */
struct backstore *fake_backstore_new(uint64_t size, uint32_t block_size);
void fake_backstore_free(struct backstore *bs);
/* Changes the size to one that is not larger. */
void fake_backstore_resize(struct backstore *bs, uint64_t size);
/* Ends the I/O that has been held longest. Returns false if none is held. */
bool fake_backstore_end(struct backstore *bs);
/* Returns the last I/O that was submitted. */
const struct fake_call *fake_last(const struct backstore *bs);

/* --- the front end ----------------------------------------------------------------- */

struct fake_cmd {
	struct scsi_cmd cmd;
	uint8_t cdb[SCSI_CDB_MAX];
	unsigned done;  /* The number of completions; tests expect 1. */
	bool no_memory; /* data_in() fails. */
	/* The number of pieces into which memory for Data-Out and Data-In is divided; 0 means 1. */
	unsigned pieces;
	uint8_t *buffer;
	struct iovec iov[16];
};

/*
 * Prepares a command for lu (may be NULL) through nexus (may be NULL), on loop 0 unless the test changes
 * cmd.loop.
 */
void fake_cmd_init(struct fake_cmd *c, struct scsi_lu *lu, struct scsi_nexus *nexus, const void *cdb,
		   size_t cdb_len);
/*
 * Calls scsi_parse(), copies at most transfer_len bytes of data as Data-Out, and calls scsi_submit(). len is
 * the length that the initiator announces.
 */
void fake_cmd_submit(struct fake_cmd *c, const void *data, size_t len);
/* Does the same, calls fake_run(), and checks that the command completed once. Returns its status. */
enum scsi_status fake_cmd_exec(struct fake_cmd *c, const void *data, size_t len);
void fake_cmd_free(struct fake_cmd *c);

/* Returns sense key, ASC and ASCQ in the form of SENSE_CODE(), from either format; 0 without sense data. */
uint32_t fake_sense(const struct scsi_cmd *cmd);
/* Returns INFORMATION, or UINT64_MAX if it is not valid. */
uint64_t fake_information(const struct scsi_cmd *cmd);
#endif
