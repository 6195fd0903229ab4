/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backstores: storage that is opened through a handler. This layer loads the handlers (dlopen),
 * checks the contract with them, splits I/O that is larger than a handler takes, and emulates
 * operations that a handler lacks. The layers above it do not know which handler serves a LUN.
 * README.md explains the folder.
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
/* Main thread, after the last backstore was closed. */
void backstore_unload_handlers(void);
/* Returns the handler of this name, or NULL. The pointer is valid until
 * backstore_unload_handlers(). */
const struct tcmur_handler *backstore_handler(const char *name);
/* Returns the i-th handler in the order of names, or NULL after the last. */
const struct tcmur_handler *backstore_handler_at(unsigned i);

/* Any thread. Returns 0, or -EINVAL with error set if the handler does not declare one of the options. */
int backstore_check_options(const struct tcmur_handler *api, const struct tcmur_option_value *options,
			    uint32_t noptions, struct error *error);

/* --- filters ---------------------------------------------------------------------------------- */

/* The largest number of options of a handler or of a filter. */
#define BACKSTORE_OPTIONS_MAX 16

/* Main thread. Does the same for every filter_*.so of dir. */
int backstore_load_filters(const char *dir, struct error *error);
void backstore_unload_filters(void);
/* Returns the i-th filter in the order of names, or NULL after the last. */
const struct tcmur_filter *backstore_filter_at(unsigned i);

/* ";filter=NAME" with its options. */
struct backstore_filter_spec {
	const char *name;
	const struct tcmur_option_value *options;
	uint32_t noptions;
};
/*
 * Any thread except a loop. Checks the text only. Returns 0, or -errno with an error that names the filter
 * and the option: the filter is not loaded, does not declare one of the options, or refuses its value.
 */
int backstore_check_filters(const struct backstore_filter_spec *filters, uint32_t nfilters,
			    struct error *error);

/* --- open and close --------------------------------------------------------------------------- */

/* What the daemon does for disks in memory; implemented in runner/storage. */
struct backstore_keeper {
	/* tcmur_open_memory(). */
	int (*memory)(void *arg, uint64_t size, bool *found);
	/* tcmur_lun_written(). */
	void (*written)(void *arg);
	void *arg;
};

struct backstore_spec {
	const char *name;                         /* the name in logs and listings, e.g. "file/demo.img" */
	const char *config;                       /* "HANDLER/CONFIG" */
	const char *state_dir;                    /* The folder in which relative paths begin. */
	const struct tcmur_option_value *options; /* each must be declared by the handler */
	uint32_t noptions;
	const struct backstore_filter_spec *filters; /* from the outermost to the innermost */
	uint32_t nfilters;
	uint64_t size;       /* The number of bytes that is wanted; 0 means all that the storage has. */
	uint32_t block_size; /* 0 means that the handler chooses. */
	bool read_only;
	/*
	 * Valid until backstore_close(). NULL: memory is lost with the process, and writes are not recorded.
	 */
	const struct backstore_keeper *keeper;
	bool existing; /* No storage is created, and bytes beyond size are not served. */
	/*
	 * Storage that does not exist is created with size bytes. If this is false, missing storage is an
	 * error.
	 */
	bool create;
	/* An open backstore whose place the new one takes, perhaps on the same storage; NULL: none. */
	const struct backstore *replaced;
	/* The stand-in: the storage hangs, so its handler is not asked who it is. */
	bool is_silent;
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
/* Any thread except a loop. Makes the stand-in for a backstore that does not open: it has the name,
 * size and block size of spec, and all its I/O ends with TCMUR_NOT_READY. */
struct backstore *backstore_open_absent(struct loop_set *set, const struct backstore_spec *spec,
					struct error *error);
bool backstore_is_absent(const struct backstore *bs);
/*
 * It has taken over the lock of backstore_spec.replaced: the caller submits no I/O before the replaced
 * backstore is closed.
 */
bool backstore_has_taken_over(const struct backstore *bs);
/* Main or pool thread; may block. No I/O may be in flight, and none may be submitted any more. */
void backstore_close(struct backstore *bs);
/*
 * Like backstore_close(), but storage that backstore_open() has created is removed again, because the start
 * for which it was created has failed.
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
/* The properties that open() reported, with defaults filled in. The functions below return those
 * that change. */
const struct tcmur_info *backstore_info(const struct backstore *bs);
/* Bytes, a multiple of the block size; any thread, one atomic load. */
uint64_t backstore_size(const struct backstore *bs);
/* TCMUR_INFO_* as the last refresh found them; any thread, one atomic load. */
uint64_t backstore_flags(const struct backstore *bs);
bool backstore_has_flush(const struct backstore *bs);
bool backstore_has_unmap(const struct backstore *bs);
bool backstore_has_scsi(const struct backstore *bs);
bool backstore_has_usage(const struct backstore *bs);
/* done() gets this status when a handler that runs on the pool leaves the command to the device
 * server, because backstore_scsi() has already returned by then. No status of SAM-5 has this
 * value. */
#define BACKSTORE_SCSI_DECLINED 0xffu
/*
 * done() gets this value, which is not a status of SAM-5 either, if the command was cancelled or its deadline
 * passed before the handler started it.
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
	uint64_t deadline_ns; /* as in struct backstore_io */
	void (*done)(struct backstore_scsi *bss, uint8_t scsi_status);
	struct loop_work work;    /* The backstore's own. */
	struct loop_pool_job job; /* The backstore's own. */
	uint8_t status;           /* The backstore's own. */
#ifdef TCMUR_DEBUG
	atomic_uint completions;
#endif
	_Alignas(16) uint8_t scratch[TCMUR_IO_SCRATCH_MAX];
};
bool backstore_scsi(struct backstore_scsi *bss);
/*
 * On the loop. A command that waits for the handler ends with BACKSTORE_SCSI_NOT_BEGUN; a command that the
 * handler is executing ends by itself.
 */
void backstore_scsi_cancel(struct backstore_scsi *bss);

/* One filter of a backstore, as backstore_show_filters() shows it. */
struct backstore_filter {
	/* 0 is the outermost filter. */
	unsigned index;
	const struct tcmur_filter *filter;
	/* The options that have been given, with their present values. */
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
 * Any thread except a loop. Writes the filters in the form "delay (read=10ms), error (count=1)" for a log
 * line; "" if there are none.
 */
void backstore_print_filters(struct backstore *bs, char *out, size_t size);
/*
 * Any thread except a loop, also while I/O is in flight on all loops; waits until each loop has left the
 * filters' callbacks. Gives the filters of the backstore, which must be the filters of specs in this order,
 * all options that specs has for them. A filter whose options stay the same keeps what it has counted, unless
 * no option differs, because to give the same options once more means to begin again. Returns 0, or -errno
 * with error set and nothing changed.
 */
int backstore_set_filters(struct backstore *bs, const struct backstore_filter_spec *specs, uint32_t nspecs,
			  struct error *error);
/* Any thread. Returns 0, or -EINVAL with an error that names the options that the filter has. */
int backstore_check_filter_option(const struct tcmur_filter *filter, const char *name, struct error *error);

/* Any thread except a loop. Returns whether I/O of the backstore is in flight on any loop. */
bool backstore_has_io(struct backstore *bs);

/* Any thread. Makes the pool look for a new size soon. */
void backstore_refresh(struct backstore *bs);
/*
 * Pool thread; may block. Enlarges the storage if the handler can do that, and then the backstore. Returns 0,
 * or -errno with error set.
 */
int backstore_resize(struct backstore *bs, uint64_t size, struct error *error);
/*
 * Makes fn run on a pool thread after the size has changed. There is one listener, which is set before I/O
 * starts. Main thread. With fn NULL the function may block: when it returns, the old listener is not called
 * any more.
 */
void backstore_on_resize(struct backstore *bs, void (*fn)(void *arg, uint64_t new_size), void *arg);

/* --- I/O -------------------------------------------------------------------------------------- */

enum backstore_op {
	BACKSTORE_READ,
	BACKSTORE_WRITE,
	BACKSTORE_FLUSH, /* io.offset and io.len are the range; 0 and 0 mean the whole disk. */
	BACKSTORE_UNMAP,
	BACKSTORE_WRITE_ZEROES, /* There is no iov. */
	/* iov contains the pattern, which is one block. WRITE_ZEROES is cheaper for zeros. */
	BACKSTORE_WRITE_SAME,
	/* iov contains io.len bytes to compare, and then io.len bytes to write. Atomic. */
	BACKSTORE_COMPARE_AND_WRITE,
	/*
	 * Without iov, the blocks are only read. An iov of io.len bytes is compared; a shorter one is
	 * repeated.
	 */
	BACKSTORE_VERIFY,
	BACKSTORE_OR_WRITE, /* Reads, combines the data with iov by OR, and writes. Atomic. */
	BACKSTORE_EXTENTS,  /* Uses io.extents and io.max_extents. */
	BACKSTORE_PREFETCH, /* A hint, which completes with OK even if nothing can be done. */
	BACKSTORE_USAGE,    /* The result is in usage. Only used if backstore_has_usage(). */
};

/* One I/O, embedded in the SCSI command. */
struct backstore_io {
	/* The submitter sets offset, len, iov, iovcnt and flags; the rest belongs to this layer. */
	struct tcmur_io io;
	struct backstore *bs; /* Set by the submitter. */
	struct loop *loop;    /* Set by the submitter: the calling loop, on which done runs. */
	enum backstore_op op; /* Set by the submitter. */
	/* Called exactly once, on loop, possibly inside backstore_submit(). */
	void (*done)(struct backstore_io *bio, enum tcmur_status status); /* Set by the submitter. */
	void *owner;                                                      /* For the submitter's own use. */
	/*
	 * Set by the submitter, in CLOCK_MONOTONIC; 0 means none. It does not change until done. After this
	 * time, the I/O and its next piece are not given to the handler any more, and the I/O ends with
	 * TCMUR_TIMEOUT. The deadline is checked where the I/O had to wait.
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

	struct tcmur_usage usage; /* result of USAGE */

	/*
	 * Set by the submitter: the account that is charged for the buffers that this layer takes for the
	 * I/O; NULL: no account is charged. An I/O that does not fit ends with TCMUR_NO_RESOURCE.
	 */
	struct loop_buffer_account *account;

	/* backstore's own */
	struct list node; /* The backstore's own: in flight on this loop, or waiting for a drain. */
	struct {
		struct range_node node;
		uint64_t arrival;
		unsigned blockers; /* The number of earlier entries for which this one waits. */
	} range;
	atomic_bool cancelled;
	struct loop_work work;
	struct loop_pool_job job;
	/* The function that runs on the pool. */
	void (*call)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);
	struct loop_op *request; /* The handler's request to the loop, or NULL. */
	struct passage *passage; /* the way through the filters, or NULL; from the loop's slab */
	uint8_t place;           /* Which layer has the I/O. */
	enum tcmur_status status;
	uint32_t state;
	struct backstore_chain *chain; /* emulation in progress; from the loop's slab */
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
 * On the loop. A READ or WRITE that the handler takes as a whole needs no lock, no allocation and no atomic
 * read-modify-write. COMPARE AND WRITE, WRITE SAME, UNMAP, WRITE ZEROES and OR WRITE are atomic against
 * overlapping I/O of the same backstore on all loops: they set a gate, wait for overlapping I/O, and hold the
 * range until done.
 */
void backstore_submit(struct backstore_io *bio);

/* The deadline_ns of I/O that must not start at all; it is refused with TCMUR_TIMEOUT. */
#define BACKSTORE_CANCELLED 1u
/*
 * On the loop, between backstore_submit() and done. Ends the I/O early, with an error, if this is possible.
 * done() is called later, exactly once as always; if the storage never answers, it is never called. A second
 * call has no effect.
 */
void backstore_cancel(struct backstore_io *bio);
/*
 * On the loop, after backstore_cancel(). I/O that writes and that the handler has started may still reach the
 * storage at any time. So from now on, overlapping I/O waits until it has ended. Another loop may still admit
 * I/O until it has seen this.
 */
void backstore_hold(struct backstore_io *bio);

struct backstore_stats {
	uint64_t reads, writes, read_bytes, write_bytes, others, errors;
};
/* Any thread. Adds the counters of all loops. */
void backstore_stats(const struct backstore *bs, struct backstore_stats *stats);
#endif
