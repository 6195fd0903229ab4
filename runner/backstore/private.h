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
	/* A copy of the handler's table. Members that an older plug-in does not have are zero. */
	struct tcmur_handler api;
	/* If the handler is TCMUR_SERIAL_ALL, this is the lane of all its backstores. */
	struct loop_lane lane;
};
/* Returns the handler of "NAME/CONFIG", or NULL with error set. */
struct handler *handler_of_config(const char *config, struct error *error);

/* --- the backstore ---------------------------------------------------------------------------- */

/* The share of one loop in struct backstore_stats. */
struct backstore_counters {
	_Atomic uint64_t reads, writes, read_bytes, write_bytes, others, errors;
};

/*
 * The part of a backstore that belongs to one loop. Only this loop's thread touches it, except for the
 * counters, which other threads read.
 */
struct backstore_loop {
	/* Shared I/O (see range.c) that was admitted without waiting for an entry. */
	_Alignas(64) struct list inflight;
	/*
	 * Whether the loop has ever had I/O of the backstore. The loop sets this member under range.lock;
	 * other loops read it under the lock.
	 */
	bool has_joined;
	/* The number of I/O in the list inflight for which the drain in progress waits. */
	unsigned watched;
	struct slab chains;
	/* The slab of struct passage. It is used only if the backstore has filters (passage.c). */
	struct slab passages;
	/*
	 * Chains that wait for a turn of the loop, and the work that continues the first of them (chain.c).
	 */
	struct list long_chains;
	struct loop_work next_chain;
	struct backstore_counters counters;
};

/* The range lock of a backstore. range.c explains it. */
struct range_lock {
	/* Not zero as long as the tree has entries: the gate is closed. */
	atomic_uint gate;
	/*
	 * Guards the fields below, and the state and the range of each I/O that is an entry. The only calls
	 * that are made while it is held post work to loops.
	 */
	pthread_mutex_t lock;
	/*
	 * The entries (backstore_io.range): exclusive I/O that waits or runs, and shared I/O that came later
	 * and overlaps it.
	 */
	struct range_tree entries;
	/* The number of I/O that have become entries since the backstore was opened. */
	uint64_t arrivals;
	/* The number of entries that wait. */
	unsigned waiting;
	/*
	 * Exclusive entries (backstore_io.node) that still need a drain, and those for which the drain in
	 * progress runs.
	 */
	struct list undrained, draining;
	bool is_draining;
	/* The broadcast that visits the loops. */
	struct loop_broadcast *drain;
};

enum refresh_state { REFRESH_IDLE, REFRESH_QUEUED, REFRESH_RUNNING };

struct backstore {
	struct handler *handler;
	/*
	 * The table whose callbacks are called. It is a copy of the handler's table. If there are filters,
	 * its data callbacks are functions of passage.c, and data() is NULL if it would bypass a filter. Only
	 * backstore_io_dispatch() calls the data callbacks.
	 */
	struct tcmur_handler api;
	void *handle;
	/* NULL if there are no filters. It does not change after the opening. */
	struct filters *filters;
	struct tcmur_info info;                /* Does not change after the opening. */
	struct tcmur_identity identity;        /* Does not change after the opening. */
	const struct backstore_keeper *keeper; /* See backstore_spec.keeper. */
	const struct backstore *replaced;      /* During open(): backstore_spec.replaced. Afterwards NULL. */
	_Atomic uint64_t size;
	bool keeps_size;        /* See backstore_spec.keeps_size. */
	_Atomic uint64_t flags; /* See backstore_flags(). */
	struct loop_set *set;
	char *name, *config;
	/*
	 * A handler that is TCMUR_SERIAL_LUN makes all calls of this backstore on this lane. A handler that
	 * is TCMUR_ASYNC uses it for tcmur_queue_blocking_serial().
	 */
	struct loop_lane lane;
	struct range_lock range;
	/*
	 * The number of callbacks on the pool. A callback is counted from the moment when it is queued until
	 * it has returned.
	 */
	atomic_uint pool_calls;

	/* Is held while the handler reports or changes the size, which may block. */
	pthread_mutex_t size_lock;
	pthread_mutex_t refresh_lock; /* Guards the members below. No other lock is taken while it is held. */
	pthread_cond_t refresh_ended;
	enum refresh_state refresh;
	bool refresh_again;     /* Another refresh was requested while one was running. */
	bool opened;            /* True between the opening and the closing. */
	atomic_uint references; /* The owner holds one reference, and a queued refresh holds another one. */
	struct loop_pool_job refresh_job;
	void (*resized)(void *arg, uint64_t new_size);
	void *resized_arg;

	struct backstore_loop loops[];
};

/* --- open.c */
/*
 * Creates a backstore of the handler and calls open(), which sets handle and info, and returns 0, or -errno
 * with error set. Returns NULL with error and errno set on failure.
 */
struct backstore *
backstore_build(struct loop_set *set, struct handler *handler, const struct backstore_spec *spec,
		int (*open)(struct backstore *bs, const struct backstore_spec *spec, struct error *error),
		struct error *error);
/*
 * Main thread. Creates a backstore of the handler that does not have a handle yet. backstore_unref() frees
 * it. Returns NULL if there is no memory.
 */
struct backstore *backstore_allocate(struct loop_set *set, struct handler *handler,
				     const struct backstore_spec *spec);
/* Drops a reference, and frees the backstore with the last one. */
void backstore_unref(struct backstore *bs);
/*
 * Checks the properties that a handler reports, and fills in defaults. Returns 0, or -errno with error set.
 */
int info_normalize(const struct handler *handler, const struct backstore_spec *spec, struct tcmur_info *info,
		   struct error *error);

/* --- refresh.c */
/*
 * The backstore is refreshed only between these two calls. refresh_end() waits for a refresh that is running.
 */
void refresh_begin(struct backstore *bs);
void refresh_end(struct backstore *bs);

/* --- call.c */
/*
 * Makes the pool run the job according to the thread model of the handler, which is not TCMUR_ASYNC. The job
 * must end with backstore_pool_call_end().
 */
void backstore_pool_call(struct backstore *bs, struct loop_pool_job *job);
void backstore_pool_call_end(struct backstore *bs);
/* Returns true if the job was still waiting. In this case it does not run, and counts as ended. */
bool backstore_pool_call_cancel(struct backstore *bs, struct loop_pool_job *job);
/*
 * To be called when no I/O is in flight, and not on a loop. Waits until no callback of the handler is
 * running.
 */
void backstore_wait_for_pool_calls(struct backstore *bs);

static inline struct backstore_loop *loop_of(const struct backstore_io *bio)
{
	return &bio->bs->loops[loop_index(bio->loop)];
}

/* --- submit.c --------------------------------------------------------------------------------- */

/* The bits of backstore_io.state. */
enum {
	/* The I/O is a piece of a chain: it needs no range of its own and is not counted. */
	BIO_PIECE = 1u << 0,
	BIO_INFLIGHT = 1u << 1,  /* The I/O is in the list inflight of its loop. */
	BIO_WATCHED = 1u << 2,   /* The drain in progress waits for this I/O. */
	BIO_ENTRY = 1u << 3,     /* The range is in range_lock.entries. */
	BIO_EXCLUSIVE = 1u << 4, /* The entry excludes all overlapping I/O (see range.c). */
	/* For exclusive I/O: the drain in progress finds the older overlapping I/O, and waits for it. */
	BIO_DRAINING = 1u << 5,
	BIO_DRAINED = 1u << 6, /* For exclusive I/O: the older overlapping I/O has ended. */
	BIO_GRANTED = 1u << 7, /* The entry has its range, so the I/O may start or has started. */
};

/* To be called on the I/O's loop. Executes an I/O that the range lock has admitted. */
void backstore_io_start(struct backstore_io *bio);
/* The values of backstore_io.place, which says who has the I/O. Only the I/O's loop uses it. */
enum {
	BIO_AT_DAEMON,
	BIO_AT_FILTER,
	BIO_AT_HANDLER,
	/*
	 * The cancel() of the filter or handler that has the I/O is running or has run. If the I/O is
	 * completed in this state, its completion is posted to the loop.
	 */
	BIO_BEING_CANCELLED,
};

/*
 * To be called on the I/O's loop. Gives the I/O to the outermost filter or, without filters, to the handler.
 * call is a callback in bs->api.
 */
void backstore_io_dispatch(struct backstore_io *bio, backstore_call *call);
/*
 * To be called on the I/O's loop. Gives the I/O to the handler, on the thread that its thread model demands.
 * call is the handler's own callback.
 */
void backstore_io_call_handler(struct backstore_io *bio, backstore_call *call);
/* To be called on the I/O's loop. Ends an I/O that the handler does not have, or no longer has. */
void backstore_io_finish(struct backstore_io *bio, enum tcmur_status status);
/* Any thread. Records that the handler has completed the I/O. The I/O ends later, on its loop. */
void backstore_io_return(struct backstore_io *bio, enum tcmur_status status);
bool backstore_io_writes(const struct backstore_io *bio);

/* --- cancel.c --------------------------------------------------------------------------------- */

/* Any thread. Returns true if neither the I/O nor its next piece may start. */
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
/* To be called on the I/O's loop. Asks for the range of the I/O. */
enum range_answer backstore_range_enter(struct backstore_io *bio, bool exclusive);
void backstore_range_leave(struct backstore_io *bio);
/*
 * To be called on the I/O's loop. If the I/O is waiting for its range, it stops waiting, and the function
 * returns true; the caller then ends the I/O.
 */
bool backstore_range_give_up(struct backstore_io *bio);
/*
 * To be called on the I/O's loop for I/O that has started. From now on, overlapping I/O that arrives waits
 * for the end of this I/O.
 */
void backstore_range_hold(struct backstore_io *bio);

/* A handler that works inside its calls gets at most this many bytes of I/O in one turn of the loop. */
#define BACKSTORE_STEP (1u << 20)

/* --- chain.c: I/O that consists of several pieces ---------------------------------------------- */

/*
 * The pieces of one I/O, which run one after the other. The structure comes from the loop's slab and is freed
 * when the parent I/O ends.
 */
struct backstore_chain {
	struct backstore_io piece; /* The piece that is in progress. */
	struct backstore_io *parent;
	/* Links the chain into backstore_loop.long_chains. */
	struct list node;
	/*
	 * Is called at the start, and whenever a piece has succeeded. It prepares the next piece and its
	 * call, and returns false if there are no more pieces.
	 */
	bool (*next)(struct backstore_chain *chain);
	backstore_call *call;
	uint64_t done;  /* The number of bytes in the pieces that have ended. */
	uint64_t limit; /* The largest number of bytes of a piece. */
	uint32_t phase; /* A number for the function next(). */
	uint8_t *data;  /* A buffer of data_len bytes, or NULL. */
	size_t data_len;
	struct iovec *iov; /* An array with room for the parent's iovcnt + 1 elements. */
	enum tcmur_status status;
	/* Whether a piece is being submitted, and whether this piece has ended inside the submission. */
	bool issuing, completed;
	void *buffer; /* The memory of data and iov, from the loop. */
	size_t buffer_len;
};
/* Returns a chain for bio. If there is no memory, ends bio and returns NULL. */
struct backstore_chain *backstore_chain_new(struct backstore_io *bio, uint64_t limit, size_t data_len);
/* Runs the first pieces, now or in a later turn. */
void backstore_chain_start(struct backstore_chain *chain);
/* The function of backstore_loop.next_chain. Continues the first chain that waits for a turn. */
void backstore_chain_next_turn(struct loop_work *work);
void backstore_chain_piece_done(struct backstore_chain *chain, enum tcmur_status status);
/* Makes the piece cover the next bytes of the medium, at most limit. Returns false if no bytes are left. */
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
/* Aborts unless this is the first completion of this call. */
void completion_assert_first(atomic_uint *completions, const struct backstore *bs);
#define completion_arm(object)   atomic_store_explicit(&(object)->completions, 0, memory_order_relaxed)
#define completion_check(object) completion_assert_first(&(object)->completions, (object)->bs)
#else
#define completion_arm(object)   ((void)(object))
#define completion_check(object) ((void)(object))
#endif
#endif
