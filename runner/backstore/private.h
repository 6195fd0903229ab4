/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations that the files of this folder share. */
#ifndef BACKSTORE_PRIVATE_H
#define BACKSTORE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "backstore/backstore.h"
#include "backstore/plugin.h"
#include "util/range_tree.h"
#include "util/slab.h"

typedef void backstore_call(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);

/* --- registry.c ------------------------------------------------------------------------------- */

struct handler {
	struct plugin plugin;
	struct tcmur_handler api; /* A copy; members that an older plug-in does not have are zero. */
	struct loop_lane lane;    /* For TCMUR_SERIAL_ALL: the lane of all its backstores. */
};
/* Returns the handler of "NAME/CONFIG", or NULL with error set. */
struct handler *handler_of_config(const char *config, struct error *error);

/* --- the backstore ---------------------------------------------------------------------------- */

/* What one loop adds to struct backstore_stats. */
struct backstore_counters {
	_Atomic uint64_t reads, writes, read_bytes, write_bytes, others, errors;
};

/* The part of a backstore that belongs to one loop. Only this loop's thread touches it, except for
 * the counters, which other threads read. */
struct backstore_loop {
	/* Shared I/O (see range.c) that was admitted without waiting. */
	_Alignas(64) struct list inflight;
	/* Whether the loop has ever had I/O of the backstore. The loop sets it under range.lock;
	 * other loops read it under the lock. */
	bool has_joined;
	/* The number of I/O in inflight that the drain under way waits for. */
	unsigned watched;
	struct slab chains;
	/* Only with filters (passage.c). */
	struct slab passages;
	/*
	 * Chains that wait for a turn of the loop, and the work that continues the first of them (chain.c).
	 */
	struct list long_chains;
	struct loop_work next_chain;
	struct backstore_counters counters;
};

/* See range.c. */
struct range_lock {
	/* Not zero while there are entries. */
	atomic_uint gate;
	/* Guards the fields below, and the state and the range of I/O that is an entry. Only posts
	 * are made under it. */
	pthread_mutex_t lock;
	/* Exclusive I/O that waits or runs, and shared I/O that overlaps it and came later:
	 * backstore_io.range. */
	struct range_tree entries;
	/* The number of I/O that has ever become an entry. */
	uint64_t arrivals;
	/* The number of entries that wait. */
	unsigned waiting;
	/* Exclusive entries that need a drain, and those that the drain under way serves:
	 * backstore_io.node. */
	struct list undrained, draining;
	bool is_draining;
	/* Visits the loops. */
	struct loop_broadcast *drain;
};

enum refresh_state { REFRESH_IDLE, REFRESH_QUEUED, REFRESH_RUNNING };

struct backstore {
	struct handler *handler;
	/*
	 * The handler's table. If there are filters, the data callbacks in it are functions of passage.c,
	 * and data() is NULL if it would evade a filter. Only backstore_io_dispatch() calls the data
	 * callbacks.
	 */
	struct tcmur_handler api;
	void *handle;
	struct filters *filters;               /* NULL if there are no filters. Constant after the opening. */
	struct tcmur_info info;                /* Constant after the opening. */
	struct tcmur_identity identity;        /* Constant after the opening. */
	const struct backstore_keeper *keeper; /* NULL if there is none. */
	const struct backstore *replaced;      /* In open(): whose place it takes. NULL if there is none. */
	_Atomic uint64_t size;
	_Atomic uint64_t flags; /* See backstore_flags(). */
	struct loop_set *set;
	char *name, *config;
	/*
	 * A handler that is TCMUR_SERIAL_LUN makes all calls on this lane. A handler that is TCMUR_ASYNC
	 * uses it for tcmur_queue_blocking_serial().
	 */
	struct loop_lane lane;
	struct range_lock range;
	/* The number of callbacks on the pool, from the moment they are queued until they have
	 * returned. */
	atomic_uint pool_calls;

	pthread_mutex_t size_lock; /* Held while the handler reports or changes the size, which may block. */
	pthread_mutex_t refresh_lock; /* Guards the members below; a leaf. */
	pthread_cond_t refresh_ended;
	enum refresh_state refresh;
	bool refresh_again;     /* Another refresh was requested while one was running. */
	bool opened;            /* True between the opening and the closing. */
	atomic_uint references; /* Held by the owner, and by a refresh that is queued. */
	struct loop_pool_job refresh_job;
	void (*resized)(void *arg, uint64_t new_size);
	void *resized_arg;

	struct backstore_loop loops[];
};

/* open.c: builds a backstore of the handler and has open() set handle and info. open() returns 0,
 * or -errno with error set. NULL with error and errno set on failure. */
struct backstore *
backstore_build(struct loop_set *set, struct handler *handler, const struct backstore_spec *spec,
		int (*open)(struct backstore *bs, const struct backstore_spec *spec, struct error *error),
		struct error *error);
/* Drops a reference, and frees the backstore with the last one. */
void backstore_unref(struct backstore *bs);
/* Checks the properties that a handler reports, and fills in defaults. Returns 0, or -errno with
 * error set. */
int info_normalize(const struct handler *handler, const struct backstore_spec *spec, struct tcmur_info *info,
		   struct error *error);

/* refresh.c: refreshes happen between these two calls. refresh_end() waits for a refresh that
 * runs. */
void refresh_begin(struct backstore *bs);
void refresh_end(struct backstore *bs);

/* call.c: has the pool run the job as the handler's thread model (not ASYNC) wants. The job ends
 * with backstore_pool_call_end(). */
void backstore_pool_call(struct backstore *bs, struct loop_pool_job *job);
void backstore_pool_call_end(struct backstore *bs);
/* Returns true if the job was waiting. It does not run then, and its call has ended. */
bool backstore_pool_call_cancel(struct backstore *bs, struct loop_pool_job *job);
/* Not on a loop, with no I/O in flight: waits until no callback of the handler runs. */
void backstore_pool_calls_wait_for_end(struct backstore *bs);

static inline struct backstore_loop *loop_of(const struct backstore_io *bio)
{
	return &bio->bs->loops[loop_index(bio->loop)];
}

/* --- submit.c --------------------------------------------------------------------------------- */

/* bits of backstore_io.state */
enum {
	BIO_PIECE = 1u << 0,    /* The I/O is a piece of a chain: it has no range and is not counted. */
	BIO_INFLIGHT = 1u << 1, /* The node is in the list of its loop. */
	BIO_WATCHED = 1u << 2,  /* The drain in progress waits for this I/O. */
	BIO_ENTRY = 1u << 3,    /* The range is in range_lock.entries. */
	BIO_EXCLUSIVE = 1u << 4,
	/* For exclusive I/O: the drain in progress waits for older overlapping I/O. */
	BIO_DRAINING = 1u << 5,
	BIO_DRAINED = 1u << 6, /* For exclusive I/O: this older I/O has ended. */
	BIO_GRANTED = 1u << 7,
};

/* Executes an admitted I/O. On its loop. */
void backstore_io_start(struct backstore_io *bio);
/* Where an I/O is: backstore_io.place. Only the I/O's loop uses it. */
enum {
	BIO_AT_DAEMON,
	BIO_AT_FILTER,
	BIO_AT_HANDLER,
	/*
	 * A filter or a handler has the I/O, and its cancel() was called: a completion now is posted to the
	 * loop.
	 */
	BIO_BEING_CANCELLED,
};

/*
 * Hands an I/O to the outermost filter or, without filters, to the handler. call is one of bs->api. On the
 * I/O's loop.
 */
void backstore_io_dispatch(struct backstore_io *bio, backstore_call *call);
/*
 * Hands an I/O to the handler, in the context that the handler wants. call is the handler's own. On the
 * I/O's loop.
 */
void backstore_io_call_handler(struct backstore_io *bio, backstore_call *call);
/* Ends an I/O that the handler does not have, or no longer has. On its loop. */
void backstore_io_finish(struct backstore_io *bio, enum tcmur_status status);
/* Any thread: the handler has completed the I/O. The rest happens later, on the I/O's loop. */
void backstore_io_return(struct backstore_io *bio, enum tcmur_status status);
bool backstore_io_writes(const struct backstore_io *bio);

/* --- cancel.c --------------------------------------------------------------------------------- */

/* Any thread. Returns true if neither the I/O nor another piece of it may start. */
bool backstore_io_is_expired(const struct backstore_io *bio);

/* --- range.c ---------------------------------------------------------------------------------- */

/* Returns 0, or -1 if there is no memory. The caller must call backstore_range_destroy() in both cases. */
int backstore_range_init(struct backstore *bs);
void backstore_range_destroy(struct backstore *bs);
enum range_answer {
	RANGE_FREE, /* The I/O may start. */
	RANGE_WAIT, /* backstore_io_start() is called later. */
	RANGE_FULL, /* Too much I/O is waiting already. */
};
/* On the I/O's loop. */
enum range_answer backstore_range_enter(struct backstore_io *bio, bool exclusive);
void backstore_range_leave(struct backstore_io *bio);
/*
 * On the I/O's loop. Returns true if the I/O was waiting for its range. It does not wait any more then, and
 * the caller ends it.
 */
bool backstore_range_give_up(struct backstore_io *bio);
/* On the I/O's loop, for I/O that has started: overlapping I/O that comes from now on waits for its end. */
void backstore_range_hold(struct backstore_io *bio);

/* The number of bytes that a handler which works inside its calls may get in one turn of the loop. */
#define BACKSTORE_STEP (1u << 20)

/* --- chain.c: I/O made of several ------------------------------------------------------------- */

/* The pieces of one I/O, one after the other. It comes from the loop's slab, and belongs to the
 * parent until the parent ends. */
struct backstore_chain {
	struct backstore_io piece; /* The piece that is in progress. */
	struct backstore_io *parent;
	/* In backstore_loop.long_chains. */
	struct list node;
	/* Prepares the next piece and its call, and returns false if there is none. Called when the
	 * last piece has succeeded. */
	bool (*next)(struct backstore_chain *chain);
	backstore_call *call;
	uint64_t done;  /* The number of bytes of the pieces that have ended. */
	uint64_t limit; /* The largest number of bytes of a piece. */
	uint32_t phase; /* For the use of next(). */
	uint8_t *data;  /* data_len bytes, or NULL */
	size_t data_len;
	struct iovec *iov; /* room for the parent's iovcnt + 1 */
	enum tcmur_status status;
	bool issuing, completed;
	void *buffer; /* From the loop; it contains data and iov. */
	size_t buffer_len;
};
/* If there is no memory, finishes bio itself and returns NULL. */
struct backstore_chain *backstore_chain_new(struct backstore_io *bio, uint64_t limit, size_t data_len);
/* Runs the first pieces, now or in a later turn. */
void backstore_chain_start(struct backstore_chain *chain);
/* The fn of backstore_loop.next_chain. */
void backstore_chain_next_turn(struct loop_work *work);
void backstore_chain_piece_done(struct backstore_chain *chain, enum tcmur_status status);
/* Makes the piece cover the next bytes of the medium, at most limit; returns false if none are
 * left. */
bool backstore_chain_advance(struct backstore_chain *chain);

/* --- split.c, emulate.c ----------------------------------------------------------------------- */

/* Executes the I/O in pieces of at most limit bytes. */
void split_start(struct backstore_io *bio, backstore_call *call, uint64_t limit);

void emulate_write_same(struct backstore_io *bio); /* Also used for write_zeroes, if the pattern is zeros. */
void emulate_compare_and_write(struct backstore_io *bio);
void emulate_verify(struct backstore_io *bio);
void emulate_or_write(struct backstore_io *bio);
void emulate_extents(struct backstore_io *bio);

/* --- stats.c ---------------------------------------------------------------------------------- */

void stats_count(struct backstore_io *bio, enum tcmur_status status);

/* --- debugging -------------------------------------------------------------------------------- */

#ifdef TCMUR_DEBUG
/* Aborts unless this is the only completion since the call was made. */
void completion_assert_first(atomic_uint *completions, const struct backstore *bs);
#define completion_arm(object)   atomic_store_explicit(&(object)->completions, 0, memory_order_relaxed)
#define completion_check(object) completion_assert_first(&(object)->completions, (object)->bs)
#else
#define completion_arm(object)   ((void)(object))
#define completion_check(object) ((void)(object))
#endif
/*
 * Main thread. Makes a backstore of the handler that has no handle yet; backstore_unref() frees it. Returns
 * NULL if there is no memory.
 */
struct backstore *backstore_allocate(struct loop_set *set, struct handler *handler,
				     const struct backstore_spec *spec);
#endif
