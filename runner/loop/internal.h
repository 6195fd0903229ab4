/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations that the files of this folder share. No other folder includes this header. */
#ifndef LOOP_INTERNAL_H
#define LOOP_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "loop/loop.h"
#include "util/contract.h"
#include "util/lock.h"

#define NEVER_NS UINT64_MAX

/*
 * Checks in debug builds that a callback holds no lock when it returns. Otherwise the next callback would run
 * under this lock.
 */
static inline void assert_unlocked(void)
{
	contract(lock_depth() == 0);
}

/* --- queues of work, first in first out ------------------------------------------------------- */

struct fifo {
	struct loop_work *head, *last;
};

static inline void fifo_push(struct fifo *fifo, struct loop_work *work)
{
	work->next = NULL;
	if (fifo->head)
		fifo->last->next = work;
	else
		fifo->head = work;
	fifo->last = work;
}

static inline struct loop_work *fifo_pop(struct fifo *fifo)
{
	struct loop_work *work = fifo->head;

	if (work)
		fifo->head = work->next;
	return work;
}

/* Removes the work from the queue. Returns false if it was not in the queue. */
static inline bool fifo_remove(struct fifo *fifo, struct loop_work *work)
{
	struct fifo all = *fifo;
	struct loop_work *one;
	bool found = false;

	fifo->head = NULL;
	while ((one = fifo_pop(&all))) {
		if (one == work)
			found = true;
		else
			fifo_push(fifo, one);
	}
	return found;
}

/* --- requests --------------------------------------------------------------------------------- */

enum request_kind {
	REQUEST_DONE, /* The request is not in flight. */
	REQUEST_READV,
	REQUEST_WRITEV,
	REQUEST_FDATASYNC,
	REQUEST_FALLOCATE,
	REQUEST_POLL,
	REQUEST_BLOCKING,
	/* The request expired before the kernel got it. The kernel gets a no-op instead of it. */
	REQUEST_CALLED_OFF,
};

/* A request is stored in loop_op.priv, so it needs no memory of its own. */
struct request {
	uint8_t kind; /* enum request_kind */
	int fd;
	int flags; /* The flags rwf of reads and writes, or the mode of fallocate. */
	union {
		unsigned iovcnt;
		uint32_t events;
		int result; /* The result that the pool thread passes to the loop. */
	};
	union {
		const struct iovec *iov;
		int (*work)(struct loop_op *op);
		uint64_t len;
	};
	uint64_t offset;
	/* For REQUEST_BLOCKING: the lane, or NULL if any thread may run the request at any time. */
	struct loop_lane *lane;
	struct loop *loop;
	union {
		struct loop_pool_job job; /* The job that waits for a pool thread. */
		/*
		 * The work with which a pool thread passes the request back, or which waits for room in the
		 * kernel's queue.
		 */
		struct loop_work note;
	};
};
_Static_assert(sizeof(struct request) <= sizeof(((struct loop_op *)NULL)->priv), "request does not fit");

static inline struct request *request_of(struct loop_op *op)
{
	return (struct request *)op->priv;
}

static inline struct loop_op *op_of(struct request *request)
{
	return container_of((uint64_t(*)[11])request, struct loop_op, priv);
}

/* On the loop's thread. Completes the request. This is the only place that calls op->done. */
void request_finish(struct loop *loop, struct loop_op *op, int result);
/* Any thread. Completes the request through the loop's mailbox. */
void request_finish_later(struct loop_op *op, int result);
/* On the loop's thread. Executes the request on a pool thread, then completes it. */
void request_to_pool(struct loop *loop, struct loop_op *op);

/* --- watches ---------------------------------------------------------------------------------- */

/*
 * The kernel knows a watch by a token, which consists of a slot and a generation, and never by its address.
 * Events may still be queued for a watch that has been deleted and freed; their token then belongs to no
 * slot.
 */
struct slot {
	struct loop_watch *watch; /* The watch that uses the slot, or NULL. */
	/* In the epoll engine: the loop_poll() request that uses the slot, or NULL. */
	struct loop_op *op;
	uint32_t generation;
	uint32_t next; /* The index of the next slot in the list of free or dirty slots, plus 1. */
	int fd;        /* In the epoll engine: the registered duplicate of the op's descriptor, or -1. */
	/*
	 * In the uring engine: whether a multishot poll with the slot's token is in the kernel or in the
	 * queue.
	 */
	bool armed;
	bool dirty;     /* In the uring engine: whether the slot is in the list of dirty slots. */
	uint64_t stale; /* In the uring engine: the token of an earlier poll that must be cancelled, or 0. */
};

struct slot_table {
	struct slot *slots;
	uint32_t n;
	uint32_t free; /* The index of the first free slot plus 1. */
};

/* Ops are 8-byte aligned, so the lowest bit distinguishes a token from the address of an op. */
#define TOKEN_BIT 1u

/*
 * Returns the index of a slot that has neither a watch nor an op, or -ENOMEM. The table may move in memory.
 */
int slot_get(struct slot_table *table);
/* Invalidates the tokens of the slot and frees it. */
void slot_put(struct slot_table *table, uint32_t index);
uint64_t slot_token(const struct slot_table *table, uint32_t index);
/* Returns the slot of a token, or NULL if the token is not valid any more. */
struct slot *slot_find(const struct slot_table *table, uint64_t token);

static inline uint32_t token_index(uint64_t token)
{
	return (uint32_t)token >> 1;
}

/* --- engines ---------------------------------------------------------------------------------- */

/* The functions of io_uring or epoll. All of them are called on the loop's thread. */
struct engine {
	int (*init)(struct loop *loop); /* Returns 0 or -errno. */
	void (*fini)(struct loop *loop);
	/* Starts the request. A later call of reap() completes it. */
	void (*submit)(struct loop *loop, struct loop_op *op);
	/* Ends a submitted request early if this is possible. The request may be finished later. */
	void (*cancel)(struct loop *loop, struct loop_op *op);
	/* Adds or removes the watch of the slot. Removing it also frees the slot. */
	int (*watch_add)(struct loop *loop, uint32_t index);
	void (*watch_del)(struct loop *loop, uint32_t index);
	/*
	 * Passes all new requests to the kernel, and waits for an event, but not longer than timeout_ns.
	 * Calls no callbacks.
	 */
	void (*enter)(struct loop *loop, uint64_t timeout_ns);
	/*
	 * Returns whether enter() or reap() has something to do. This is cheap, so that a loop can spin on
	 * it.
	 */
	bool (*ready)(struct loop *loop);
	/* Calls the callbacks of all events, and returns the number of events. */
	unsigned (*reap)(struct loop *loop);
};
extern const struct engine engine_uring, engine_epoll;

/* --- data buffers ----------------------------------------------------------------------------- */

#define BUFFER_MIN_SHIFT 12 /* 4 KiB. */
#define BUFFER_CLASSES   13 /* The largest class has buffers of 16 MiB. Larger buffers are not kept. */

struct buffer_class {
	void *free; /* The first word of each free buffer points to the next one. */
	unsigned nfree;
	/* The smallest value of nfree since the last trim: this many buffers were free all the time. */
	unsigned low;
};

struct buffers {
	struct buffer_class classes[BUFFER_CLASSES];
	size_t limit;
	size_t handed_out;
	size_t kept;
	struct loop_timer trim; /* The timer runs while buffers are kept. */
};
void buffers_init(struct buffers *buffers, size_t limit);
void buffers_destroy(struct buffers *buffers);

/* --- timers ----------------------------------------------------------------------------------- */

struct timers {
	struct loop_timer **heap; /* The children of element i are 2i+1 and 2i+2. */
	size_t n, room;
};
void timers_run(struct loop *loop);
/*
 * Returns the time from now_ns to the first deadline, 0 if it has passed, or NEVER_NS if there is no timer.
 */
uint64_t timers_wait_ns(const struct timers *timers, uint64_t now_ns);

/* --- spinning --------------------------------------------------------------------------------- */

struct spinning {
	struct list pollers;
	/* The longest time to spin if the loop has no pollers, and if it has some. */
	uint64_t alone_ns, polling_ns;
	/* The one of these two values that is in use; 0 means that the loop never spins. */
	uint64_t max_ns;
	/* How long the loop spins the next time. The value adapts, and is between 0 and max_ns. */
	uint64_t next_ns;
};
void spin_init(struct spinning *spinning, const struct loop_options *options);
/* Looks for events without sleeping, for at most this time. Returns whether there are any. */
bool spin(struct loop *loop, uint64_t at_most_ns);
/* Adapts the time to spin after an event has ended a sleep of ns nanoseconds. */
void spin_slept(struct spinning *spinning, uint64_t ns);

/* --- the pulse -------------------------------------------------------------------------------- */

struct beat {
	struct list pulses;
	struct loop_watch watch; /* The watch of the timerfd, which exists while there are pulses. */
	uint64_t period_ns;
	uint64_t now_ns;
};

/* --- the loop --------------------------------------------------------------------------------- */

struct loop {
	const struct engine *engine;
	void *engine_data;
	struct loop_set *set;
	unsigned index;
	unsigned in_flight; /* The number of requests that are not completed. */
	uint64_t now_ns;    /* The time that was read in this turn, or 0 if it was not read yet. */
	struct fifo deferred;
	struct fifo again; /* The watches that must be called in the next turn. */
	unsigned nagain;
	bool stopping;
	struct slot_table watches;
	struct timers timers;
	struct beat beat;
	struct buffers buffers;
	void *scratch;
	struct spinning spinning;
	struct loop_watch wake;

	/* Only the loop writes these counters, so no read-modify-write instruction is needed. */
	_Atomic uint64_t turns, enters, ops, wakeups;

	/*
	 * Other threads write to the mailbox, so it has a cache line of its own. It contains the newest work
	 * first, or MAILBOX_ASLEEP.
	 */
	_Alignas(64) _Atomic(struct loop_work *) mailbox;
	int wake_fd;

	pthread_t thread;
	sem_t started;
	int start_result;
	bool no_uring;
	const int *hold; /* The same as loop_options.hold. Used while the loop starts. */
	struct loop_work stop;
};

static inline void loop_count(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

/* Starts the thread and waits until it runs. Returns 0 or -errno. */
int loop_start(struct loop **started, struct loop_set *set, unsigned index,
	       const struct loop_options *options, struct error *error);
/* Ends the thread when no request is in flight. Other threads may still post work, which is not executed. */
void loop_join(struct loop *loop);
void loop_free(struct loop *loop);

/* --- mailbox ---------------------------------------------------------------------------------- */

/* On the loop's thread. Calls the functions of the posted work. */
void mailbox_run(struct loop *loop);
/*
 * Returns whether the mailbox seems empty. Work that this function misses is found by mailbox_fall_asleep().
 */
bool mailbox_empty(const struct loop *loop);
/* Makes the next post write to the eventfd. Returns false if work has been posted already. */
bool mailbox_fall_asleep(struct loop *loop);
void mailbox_wake_up(struct loop *loop);

/* --- threads ---------------------------------------------------------------------------------- */

/*
 * Starts a joinable thread that receives no signals, which only the main thread handles. Returns 0 or -errno.
 */
int thread_start(pthread_t *thread, const char *kind, unsigned number, void *(*fn)(void *arg), void *arg);
#endif
