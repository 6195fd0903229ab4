/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backstores: storage that is opened through a handler. This layer loads the handlers (dlopen), checks that
 * they keep to the handler API, splits I/O that is larger than a handler takes, and emulates operations that
 * a handler lacks. The layers above it do not know which handler serves a LUN. README.md explains the folder.
 */
#ifndef BACKSTORE_BACKSTORE_H
#define BACKSTORE_BACKSTORE_H

#include <stdatomic.h>

#define TCMUR_API_VERSION 1
#include <tcmur/filter.h>
#include <tcmur/handler.h>

#include "loop/loop.h"
#include "util/error.h"
#include "util/range_tree.h"

/* --- handlers --------------------------------------------------------------------------------- */

/*
 * Main thread. Loads every handler_*.so of dir. A handler that cannot be loaded is logged and skipped.
 * Returns the number of loaded handlers, or -errno if dir cannot be read.
 */
int backstore_load_handlers(const char *dir, struct error *error);
/* Main thread. To be called after the last backstore was closed. */
void backstore_unload_handlers(void);
/* Returns the handler of this name, or NULL. The pointer is valid until backstore_unload_handlers(). */
const struct tcmur_handler *backstore_handler(const char *name);
/* Returns the i-th handler in the order of names, or NULL after the last. */
const struct tcmur_handler *backstore_handler_at(unsigned i);

/* Any thread. Returns 0, or -EINVAL with error set if the handler does not declare one of the options. */
int backstore_check_options(const struct tcmur_handler *api, const struct tcmur_option_value *options,
			    uint32_t noptions, struct error *error);

/* --- filters ---------------------------------------------------------------------------------- */

/* The largest number of options of a handler or of a filter. */
#define BACKSTORE_OPTIONS_MAX 16

/* Main thread. Loads every filter_*.so of dir in the same way. */
int backstore_load_filters(const char *dir, struct error *error);
void backstore_unload_filters(void);
/* Returns the i-th filter in the order of names, or NULL after the last. */
const struct tcmur_filter *backstore_filter_at(unsigned i);

/* One filter of a configuration string: ";filter=NAME" with its options. */
struct backstore_filter_spec {
	const char *name;
	const struct tcmur_option_value *options;
	uint32_t noptions;
};
/*
 * Any thread except a loop. Checks only the text. Returns 0, or -errno with error set if a filter is not
 * loaded, does not declare one of the options, or refuses its value. The error names the filter and the
 * option.
 */
int backstore_check_filters(const struct backstore_filter_spec *filters, uint32_t nfilters,
			    struct error *error);

/* --- open and close --------------------------------------------------------------------------- */

/* Functions for disks in memory. runner/storage implements them. */
struct backstore_keeper {
	/* tcmur_open_memory(). */
	int (*memory)(void *arg, uint64_t size, bool *found);
	/* tcmur_lun_written(). */
	void (*written)(void *arg);
	void *arg;
};

struct backstore_spec {
	/* The name in logs and listings, for example "file/demo.img". */
	const char *name;
	const char *config;                       /* "HANDLER/CONFIG" */
	const char *state_dir;                    /* The folder in which relative paths begin. */
	const struct tcmur_option_value *options; /* The handler must declare each of these options. */
	uint32_t noptions;
	const struct backstore_filter_spec *filters; /* The filters, from the outermost to the innermost. */
	uint32_t nfilters;
	uint64_t size;       /* The number of bytes that is wanted; 0 means all that the storage has. */
	uint32_t block_size; /* 0 means that the handler chooses. */
	bool read_only;
	/*
	 * The keeper of the contents of disks in memory, valid until backstore_close(). If it is NULL,
	 * contents in memory are lost when the process ends, and writes are not recorded.
	 */
	const struct backstore_keeper *keeper;
	bool existing; /* The storage must exist: it is not created, and bytes beyond size are not served. */
	bool keeps_size; /* Only backstore_resize() changes the size, and not a change of the storage. */
	/*
	 * Storage that does not exist is created with size bytes. If this is false, missing storage is an
	 * error.
	 */
	bool create;
	/* An open backstore that the new one replaces, perhaps with the same storage; or NULL. */
	const struct backstore *replaced;
	/* Used only for a stand-in: the storage hangs, so the handler must not be called to identify it. */
	bool is_hanging;
};

struct backstore;

/*
 * Any thread. Checks everything that can be checked without touching the storage: the handler, its options,
 * the block size and the text of the configuration. Returns 0, or -errno with error set.
 */
int backstore_check(const struct backstore_spec *spec, struct error *error);
/*
 * Main or pool thread; may block. All strings are copied. Returns NULL with error and errno set on failure.
 */
struct backstore *backstore_open(struct loop_set *set, const struct backstore_spec *spec,
				 struct error *error);
/*
 * Any thread except a loop. Makes the stand-in for a backstore that does not open: it has the name, size and
 * block size of spec, and all its I/O ends with TCMUR_NOT_READY.
 */
struct backstore *backstore_open_absent(struct loop_set *set, const struct backstore_spec *spec,
					struct error *error);
bool backstore_is_absent(const struct backstore *bs);
/*
 * Returns whether the backstore has taken over the lock of backstore_spec.replaced. In this case the caller
 * submits no I/O before the replaced backstore is closed.
 */
bool backstore_has_taken_over(const struct backstore *bs);
/* Main or pool thread; may block. No I/O may be in flight, and none may be submitted any more. */
void backstore_close(struct backstore *bs);
/*
 * Does the same as backstore_close(), and removes storage that backstore_open() has created. To be called if
 * the start for which the storage was created has failed.
 */
void backstore_discard(struct backstore *bs);

/* Returns the identity that the handler reported when the storage was opened. */
const struct tcmur_identity *backstore_identity(const struct backstore *bs);
/*
 * Main or pool thread; may block. Returns the identity of storage that is not open: 0, or -errno with error
 * set.
 */
int backstore_identify(const struct backstore_spec *spec, struct tcmur_identity *identity,
		       struct error *error);

const char *backstore_name(const struct backstore *bs);
const char *backstore_config(const struct backstore *bs);
/*
 * Returns the properties that open() reported, with defaults filled in. Some of them change later; the
 * functions below return their present values.
 */
const struct tcmur_info *backstore_info(const struct backstore *bs);
/* Any thread; costs one atomic load. Returns the size in bytes, which is a multiple of the block size. */
uint64_t backstore_size(const struct backstore *bs);
/* Any thread; costs one atomic load. Returns the flags TCMUR_INFO_* that the last refresh found. */
uint64_t backstore_flags(const struct backstore *bs);
bool backstore_has_flush(const struct backstore *bs);
bool backstore_has_unmap(const struct backstore *bs);
bool backstore_has_scsi(const struct backstore *bs);
bool backstore_has_usage(const struct backstore *bs);
/*
 * The status for done() if a handler that runs on the pool does not execute the command itself, but leaves it
 * to the device server. backstore_scsi() has already returned by then, so it cannot return false. No status
 * of SAM-5 has this value.
 */
#define BACKSTORE_SCSI_DECLINED 0xffu
/*
 * The status for done() if the command was cancelled, or its deadline passed, before the handler started it.
 * No status of SAM-5 has this value either.
 */
#define BACKSTORE_SCSI_NOT_BEGUN 0xfeu
/*
 * Offers a command to the handler's own scsi() callback. Returns false if the device server must execute the
 * command. loop is the calling loop. This call sets the command's scratch space. done runs on the calling
 * loop.
 */
struct backstore_scsi {
	struct tcmur_scsi cmd;
	struct backstore *bs;
	struct loop *loop;
	uint64_t deadline_ns; /* See struct backstore_io. */
	void (*done)(struct backstore_scsi *bss, uint8_t scsi_status);
	struct loop_work work;    /* Used by the backstore. */
	struct loop_pool_job job; /* Used by the backstore. */
	uint8_t status;           /* Used by the backstore. */
#ifdef TCMUR_DEBUG
	atomic_uint completions;
#endif
	_Alignas(16) uint8_t scratch[TCMUR_IO_SCRATCH_MAX];
};
bool backstore_scsi(struct backstore_scsi *bss);
/*
 * Must be called on the loop of the command. If the command is still waiting for the handler, it ends with
 * BACKSTORE_SCSI_NOT_BEGUN. A command that the handler is executing already ends by itself.
 */
void backstore_scsi_cancel(struct backstore_scsi *bss);

/* One filter of a backstore, as backstore_show_filters() shows it. */
struct backstore_filter {
	/* 0 is the outermost filter. */
	unsigned index;
	const struct tcmur_filter *filter;
	/* The options that the administrator has set, with their present values. */
	const struct tcmur_option_value *options;
	uint32_t noptions;
};
/*
 * Any thread except a loop. Calls show() for each filter, from the outermost to the innermost. show() must
 * not take a lock.
 */
void backstore_show_filters(struct backstore *bs,
			    void (*show)(void *arg, const struct backstore_filter *filter), void *arg);
/*
 * Any thread except a loop. Writes the filters to out for a log line, in the form "delay (read=10ms), error
 * (count=1)". Writes "" if there are no filters.
 */
void backstore_print_filters(struct backstore *bs, char *out, size_t size);
/*
 * Any thread except a loop. Changes the options of the backstore's filters, even while I/O is in flight on
 * all loops. specs must name the same filters in the same order, and has all options that each filter gets. A
 * filter whose options do not change keeps its counters. But if no option of any filter changes, all filters
 * start with new counters, so that an administrator can restart them by setting the same options again. Waits
 * until each loop has left the callbacks of the filters. Returns 0, or -errno with error set and nothing
 * changed.
 */
int backstore_set_filters(struct backstore *bs, const struct backstore_filter_spec *specs, uint32_t nspecs,
			  struct error *error);
/*
 * Any thread. Returns 0 if the filter has an option of this name, or -EINVAL with an error that lists the
 * filter's options.
 */
int backstore_check_filter_option(const struct tcmur_filter *filter, const char *name, struct error *error);

/* Any thread except a loop. Returns whether I/O of the backstore is in flight on any loop. */
bool backstore_has_io(struct backstore *bs);

/* Any thread. Makes a thread of the pool check soon whether the size or the flags have changed. */
void backstore_refresh(struct backstore *bs);
/*
 * Pool thread; may block. Enlarges the storage, if the handler can do that, and the backstore. Returns 0, or
 * -errno with error set.
 */
int backstore_resize(struct backstore *bs, uint64_t size, struct error *error);
/*
 * Main thread. Sets the function that is called on a pool thread after the size has changed. There is only
 * one such function, and it is set before I/O starts. If fn is NULL, this call may block: when it returns,
 * the previous function has ended and is not called any more.
 */
void backstore_on_resize(struct backstore *bs, void (*fn)(void *arg, uint64_t new_size), void *arg);

/* --- I/O -------------------------------------------------------------------------------------- */

enum backstore_op {
	BACKSTORE_READ,
	BACKSTORE_WRITE,
	/* io.offset and io.len are the range to flush. If both are 0, the range is the whole disk. */
	BACKSTORE_FLUSH,
	BACKSTORE_UNMAP,
	BACKSTORE_WRITE_ZEROES, /* This operation uses no iov. */
	/* iov contains the pattern, which is one block. WRITE_ZEROES is cheaper for zeros. */
	BACKSTORE_WRITE_SAME,
	/* iov contains io.len bytes to compare, and then io.len bytes to write. The operation is atomic. */
	BACKSTORE_COMPARE_AND_WRITE,
	/*
	 * Without iov, the blocks are only read. If iov has io.len bytes, they are compared with the blocks;
	 * if it has fewer bytes, they are compared repeatedly.
	 */
	BACKSTORE_VERIFY,
	/* Reads, combines the data with iov by OR, and writes. The operation is atomic. */
	BACKSTORE_OR_WRITE,
	BACKSTORE_EXTENTS, /* Uses io.extents and io.max_extents. */
	/* A hint to the storage. It completes with OK even if the handler can do nothing about it. */
	BACKSTORE_PREFETCH,
	/* The result is in usage. Only for a backstore for which backstore_has_usage() is true. */
	BACKSTORE_USAGE,
};

/* One I/O, embedded in the SCSI command. */
struct backstore_io {
	/* The submitter sets offset, len, iov, iovcnt and flags. The backstore uses the other members. */
	struct tcmur_io io;
	struct backstore *bs; /* Set by the submitter. */
	struct loop *loop;    /* Set by the submitter: the calling loop, on which done runs. */
	enum backstore_op op; /* Set by the submitter. */
	/* Set by the submitter. Called exactly once, on loop, possibly inside backstore_submit(). */
	void (*done)(struct backstore_io *bio, enum tcmur_status status);
	void *owner; /* For the submitter's own use. */
	/*
	 * Set by the submitter: a time of CLOCK_MONOTONIC, or 0 if there is no deadline. It must not change
	 * before done(). Once the deadline has passed, the I/O or its next piece is not given to the handler
	 * any more, and the I/O ends with TCMUR_TIMEOUT. The deadline is checked only where the I/O had to
	 * wait.
	 */
	uint64_t deadline_ns;

	/*
	 * For READ. If lend is set and the handler can lend memory, io.iov is ignored, and lend is filled
	 * with nlent pieces of the handler's own memory, which is readable until backstore_close(). If the
	 * data was read into io.iov instead, nlent is 0. If io.iov is NULL and memory cannot be lent, the I/O
	 * fails with TCMUR_NO_RESOURCE.
	 */
	struct iovec *lend; /* Set by the submitter. */
	uint32_t max_lend;  /* Set by the submitter. */
	uint32_t nlent;     /* result */

	struct tcmur_usage usage; /* The result of BACKSTORE_USAGE. */

	/*
	 * Set by the submitter: the account that is charged for buffers that the backstore takes for this
	 * I/O, or NULL if no account is charged. If the account has no room for a buffer, the I/O ends with
	 * TCMUR_NO_RESOURCE.
	 */
	struct loop_buffer_account *account;

	/* The members below are used by the backstore only. */
	/* Links the I/O into the list of I/O in flight on this loop, or of I/O that waits for a drain. */
	struct list node;
	struct {
		struct range_node node;
		uint64_t arrival;
		/* The number of earlier entries of the range lock for which this entry waits. */
		unsigned blockers;
	} range;
	atomic_bool cancelled;
	struct loop_work work;
	struct loop_pool_job job;
	/* The function that runs on the pool. */
	void (*call)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);
	struct loop_op *request; /* The handler's request to the loop, or NULL. */
	struct passage *passage; /* The I/O's way through the filters, from the loop's slab, or NULL. */
	uint8_t place;           /* Says which layer has the I/O. */
	enum tcmur_status status;
	uint32_t state;
	/* The chain that executes this I/O in pieces, from the loop's slab, or NULL. */
	struct backstore_chain *chain;
#ifdef TCMUR_DEBUG
	atomic_uint completions;
#endif
	_Alignas(16) uint8_t scratch[TCMUR_IO_SCRATCH_MAX];
};

/*
 * Returns true if READs of this backstore are lent memory, so that the submitter needs no buffer. It costs
 * one call of the handler.
 */
bool backstore_can_lend(struct backstore *bs);

/*
 * Must be called on bio->loop. A READ or WRITE that the handler takes as a whole needs no lock, no allocation
 * and no atomic read-modify-write. COMPARE AND WRITE, WRITE SAME, UNMAP, WRITE ZEROES and OR WRITE are atomic
 * with regard to overlapping I/O of the same backstore on all loops: they close the gate of the range lock,
 * wait for overlapping I/O, and hold the range until done() is called.
 */
void backstore_submit(struct backstore_io *bio);

/* A value of deadline_ns that has always passed: the I/O must not start, and ends with TCMUR_TIMEOUT. */
#define BACKSTORE_CANCELLED 1u
/*
 * On the loop, between backstore_submit() and done(). Ends the I/O early, with an error, if this is possible.
 * done() is called later, exactly once as always, but not if the storage never answers. A second call has no
 * effect.
 */
void backstore_cancel(struct backstore_io *bio);
/*
 * On the loop, after backstore_cancel(). The handler may have started this I/O, and if it is a write, it may
 * still reach the storage at any time. Therefore, overlapping I/O waits from now on until this I/O has ended.
 * Other loops may still start overlapping I/O until they have noticed this.
 */
void backstore_hold(struct backstore_io *bio);

struct backstore_stats {
	uint64_t reads, writes, read_bytes, write_bytes, others, errors;
};
/* Any thread. Adds the counters of all loops. */
void backstore_stats(const struct backstore *bs, struct backstore_stats *stats);
#endif
