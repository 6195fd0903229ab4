/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef BACKSTORE_PRIVATE_H
#define BACKSTORE_PRIVATE_H

#include <pthread.h>

#include "backstore/backstore.h"
#include "util/slab.h"

typedef void backstore_call(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);

/* --- serial.c: the pool, one job at a time ---------------------------------------------------- */

struct serial {
	struct pool *pool;
	struct pool_job job;           /* runs the jobs below; on the pool while running is set */
	pthread_mutex_t lock;          /* of the fields below; a leaf */
	struct pool_job *first, *last; /* waiting, first come first served */
	bool running;
};
void serial_init(struct serial *serial);
void serial_destroy(struct serial *serial);
/* Any thread. Jobs of one serial run one after the other on threads of pool, which is the same each time. */
void serial_submit(struct serial *serial, struct pool *pool, struct pool_job *job);
/* Any thread: whether a job waits or runs, or the last one is about to be over. */
bool serial_busy(struct serial *serial);
/* Any thread. True if the job was waiting, and will not run. */
bool serial_cancel(struct serial *serial, struct pool_job *job);

/* --- registry.c ------------------------------------------------------------------------------- */

struct handler {
	struct tcmur_handler api; /* a copy, so that what an older plugin does not know is zero */
	void *object;             /* dlopen's */
	struct serial serial;     /* TCMUR_SERIAL_ALL */
};
/* The handler of "NAME/…", or NULL with error set. */
struct handler *handler_of_config(const char *config, struct error *error);

/* --- the backstore ---------------------------------------------------------------------------- */

/* What one loop has of a backstore; only that loop's thread touches it, but for the counters, which others
 * read. */
struct backstore_loop {
	_Alignas(64) struct backstore *bs;
	struct list inflight; /* shared I/O in range.c's sense that was admitted without waiting */
	bool joined;      /* had I/O once; set by the loop under range.lock, which others need to read it */
	unsigned watched; /* of those, how many the drain under way waits for */
	struct loop_work drain;
	struct slab chains;
	struct backstore_stats stats;
};

/* See range.c. */
struct range {
	uint32_t gate;        /* atomic: not zero while fifo has entries */
	pthread_mutex_t lock; /* of the fields below, of the state bits of I/O in fifo; a leaf */
	struct list fifo;     /* exclusive I/O that waits or runs, and what came after it and overlaps */
	unsigned pending;     /* loops that have not answered the drain under way; 0: none is */
};

enum refresh_state { REFRESH_IDLE, REFRESH_QUEUED, REFRESH_RUNNING };

struct backstore {
	struct handler *handler;
	void *handle;
	struct tcmur_info info; /* constant once open */
	struct tcmur_identity identity; /* constant once open */
	const struct backstore_keeper *keeper; /* NULL: there is none */
	uint64_t size;          /* atomic */
	struct loop_set *set;
	char *name, *config;
	struct serial serial; /* TCMUR_SERIAL_LUN */
	struct range range;
	unsigned pool_calls; /* atomic: callbacks on the pool, from being queued until they have returned */

	pthread_mutex_t size_lock;    /* held while the handler tells or changes the size; may block */
	pthread_mutex_t refresh_lock; /* of the fields below; a leaf */
	pthread_cond_t refresh_ended;
	enum refresh_state refresh;
	bool refresh_again;  /* asked for while one was running */
	bool opened;         /* between open and close */
	unsigned references; /* the owner's, and that of a queued refresh */
	struct pool_job refresh_job;
	void (*resized)(void *arg, uint64_t new_size);
	void *resized_arg;

	struct backstore_loop loops[];
};

/* open.c: a backstore without a handle. NULL when memory is out. */
struct backstore *backstore_allocate(struct loop_set *set, struct handler *handler,
				     const struct backstore_spec *spec);
/* Frees all that open built, once the last reference is gone. */
void backstore_unref(struct backstore *bs);
/* Checks what a handler said and fills in defaults. Returns 0 or -errno with error set. */
int info_normalize(const struct handler *handler, const struct backstore_spec *spec, struct tcmur_info *info,
		   struct error *error);

/* refresh.c: refreshes are done between these two. The second waits for one that runs. */
void refresh_begin(struct backstore *bs);
void refresh_end(struct backstore *bs);

/* call.c: has the pool run job as the handler's thread model (not ASYNC) wants; job ends with
 * pool_call_end(). */
void pool_call(struct backstore *bs, struct pool_job *job);
void pool_call_end(struct backstore *bs);
/* True if the job was waiting: it will not run, and its call is over. */
bool pool_call_cancel(struct backstore *bs, struct pool_job *job);
/* With nothing in flight: waits until no callback runs. Not on a loop. */
void quiesce(struct backstore *bs);

static inline struct backstore_loop *loop_of(const struct backstore_io *bio)
{
	return &bio->bs->loops[loop_index(bio->loop)];
}

/* --- submit.c --------------------------------------------------------------------------------- */

/* bits of backstore_io.state */
enum {
	BIO_PIECE = 1u << 0,    /* a chain's own I/O: no range, no statistics */
	BIO_INFLIGHT = 1u << 1, /* node is in its loop's list */
	BIO_WATCHED = 1u << 2,  /* and the drain under way waits for it */
	BIO_FIFO = 1u << 3,     /* node is in range.fifo */
	BIO_EXCLUSIVE = 1u << 4,
	BIO_DRAINING = 1u << 5, /* exclusive: older overlapping I/O is being waited for */
	BIO_DRAINED = 1u << 6,  /* exclusive: it is gone */
	BIO_GRANTED = 1u << 7,
};

/* Executes an admitted I/O. On its loop. */
void bio_start(struct backstore_io *bio);
/* Hands an I/O to the handler, in the context that the handler wants. On the I/O's loop. */
void bio_dispatch(struct backstore_io *bio, backstore_call *call);
/* Ends an I/O that is not (any more) with the handler. On its loop. */
void bio_finish(struct backstore_io *bio, enum tcmur_status status);
/* Any thread: the handler has done what it was called for; the rest happens on the I/O's loop, later. */
void bio_return(struct backstore_io *bio, enum tcmur_status status);
bool bio_writes(const struct backstore_io *bio);

/* --- cancel.c --------------------------------------------------------------------------------- */

/* Any thread. True when the I/O must not begin, nor another piece of it. */
bool bio_late(const struct backstore_io *bio);

/* --- range.c ---------------------------------------------------------------------------------- */

void range_init(struct backstore *bs);
void range_destroy(struct backstore *bs);
/* On the I/O's loop: true to go on, false when bio_start() is called later. */
bool range_enter(struct backstore_io *bio, bool exclusive);
void range_leave(struct backstore_io *bio);
/* On the I/O's loop: true if it waited for its range; it does no more, and is the caller's to end. */
bool range_give_up(struct backstore_io *bio);
/* On the I/O's loop, of I/O that has begun: what overlaps and comes from now on waits for its end. */
void range_hold(struct backstore_io *bio);

/* --- chain.c: I/O made of several ------------------------------------------------------------- */

/* The pieces of one I/O, one after the other. From the loop's slab; belongs to the parent until that is
 * finished. */
struct backstore_chain {
	struct backstore_io piece; /* the one under way */
	struct backstore_io *parent;
	/* Prepares the next piece and its call; false when there is none. Called once the last one went well.
	 */
	bool (*next)(struct backstore_chain *chain);
	backstore_call *call;
	uint64_t done;  /* bytes that are over */
	uint64_t limit; /* most bytes a piece */
	uint32_t phase; /* next's own use */
	uint8_t *data;  /* data_len bytes, or NULL */
	size_t data_len;
	struct iovec *iov; /* room for the parent's iovcnt + 1 */
	enum tcmur_status status;
	bool issuing, completed;
	void *buffer; /* from the loop, holds data and iov */
	size_t buffer_len;
};
/* Finishes bio itself when memory is out, and returns NULL. */
struct backstore_chain *chain_new(struct backstore_io *bio, uint64_t limit, size_t data_len);
void chain_run(struct backstore_chain *chain);
void chain_piece_done(struct backstore_chain *chain, enum tcmur_status status);
/* Points the piece at the next up to limit bytes of the medium; false when none are left. */
bool chain_advance(struct backstore_chain *chain);

/* --- split.c, emulate.c ----------------------------------------------------------------------- */

/* In pieces of at most limit bytes. */
void split_start(struct backstore_io *bio, backstore_call *call, uint64_t limit);

void emulate_write_same(struct backstore_io *bio); /* and write_zeroes, where the pattern is zeros */
void emulate_compare_and_write(struct backstore_io *bio);
void emulate_verify(struct backstore_io *bio);
void emulate_or_write(struct backstore_io *bio);
void emulate_extents(struct backstore_io *bio);

/* --- stats.c ---------------------------------------------------------------------------------- */

void stats_count(struct backstore_io *bio, enum tcmur_status status);

/* --- debugging -------------------------------------------------------------------------------- */

#ifdef TCMUR_DEBUG
/* Aborts unless this is the only completion since the call was made. */
void completion_assert_first(uint32_t *completions, const struct backstore *bs);
#define completion_arm(object)   __atomic_store_n(&(object)->completions, 0, __ATOMIC_RELAXED)
#define completion_check(object) completion_assert_first(&(object)->completions, (object)->bs)
#else
#define completion_arm(object)   ((void)(object))
#define completion_check(object) ((void)(object))
#endif
#endif
