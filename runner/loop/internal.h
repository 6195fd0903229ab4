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

/* A callback drops every lock that it takes. Otherwise the next callback would run under the
 * lock. */
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

/* Returns true if the work was in the queue; it is removed. */
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
	REQUEST_DONE, /* not in flight */
	REQUEST_READV,
	REQUEST_WRITEV,
	REQUEST_FDATASYNC,
	REQUEST_FALLOCATE,
	REQUEST_POLL,
	REQUEST_BLOCKING,
	/* The request expired before the kernel got it; the kernel gets a no-op instead. */
	REQUEST_CALLED_OFF,
};

/* A request lives in loop_op.priv, so that it needs no memory of its own. */
struct request {
	uint8_t kind; /* enum request_kind */
	int fd;
	int flags; /* rwf of reads and writes, mode of fallocate */
	union {
		unsigned iovcnt;
		uint32_t events;
		int result; /* from the pool thread to the loop */
	};
	union {
		const struct iovec *iov;
		int (*work)(struct loop_op *op);
		uint64_t len;
	};
	uint64_t offset;
	struct loop_lane *lane; /* REQUEST_BLOCKING: NULL for a request that any thread may run at any time */
	struct loop *loop;
	union {
		struct loop_pool_job job; /* waiting for a pool thread */
		struct loop_work
		    note; /* back from the pool thread, or waiting for room in the kernel's queue */
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

/* Loop's thread. The only place that calls op->done. */
void request_finish(struct loop *loop, struct loop_op *op, int result);
/* Any thread. Finishes the request from the loop's mailbox. */
void request_finish_later(struct loop_op *op, int result);
/* Loop's thread. Executes the request on a pool thread, then finishes it. */
void request_to_pool(struct loop *loop, struct loop_op *op);

/* --- watches ---------------------------------------------------------------------------------- */

/*
 * The kernel knows a watch by a token (slot and generation) and never by its address. Events may
 * still be queued for a watch that has been deleted and freed; their token then belongs to no slot.
 */
struct slot {
	struct loop_watch *watch; /* or NULL */
	struct loop_op *op;       /* or NULL; epoll: one loop_poll() */
	uint32_t generation;
	uint32_t next;  /* free or dirty list: index + 1 */
	int fd;         /* epoll: the registered duplicate of the op's descriptor, or -1 */
	bool armed;     /* uring: a multishot poll with the slot's token is with the kernel or in the queue */
	bool dirty;     /* uring: on the dirty list */
	uint64_t stale; /* uring: the token of an earlier poll, to be cancelled; 0: none */
};

struct slot_table {
	struct slot *slots;
	uint32_t n;
	uint32_t free; /* index + 1 */
};

/* Ops are 8-byte aligned, so the lowest bit tells a token from the address of an op. */
#define TOKEN_BIT 1u

/* Returns the index of a slot with neither watch nor op, or -ENOMEM. The table may move. */
int slot_get(struct slot_table *table);
/* Invalidates the tokens of the slot and gives it back. */
void slot_put(struct slot_table *table, uint32_t index);
uint64_t slot_token(const struct slot_table *table, uint32_t index);
/* Returns the slot of a token, or NULL if the token is not valid any more. */
struct slot *slot_find(const struct slot_table *table, uint64_t token);

static inline uint32_t token_index(uint64_t token)
{
	return (uint32_t)token >> 1;
}

/* --- engines ---------------------------------------------------------------------------------- */

/* io_uring or epoll. All functions run on the loop's thread. */
struct engine {
	int (*init)(struct loop *loop); /* Returns 0 or -errno */
	void (*fini)(struct loop *loop);
	/* Starts the request, and finishes it later from reap(). */
	void (*submit)(struct loop *loop, struct loop_op *op);
	/* Ends a submitted request early if this is possible. The request may be finished later. */
	void (*cancel)(struct loop *loop, struct loop_op *op);
	/* The watch of the slot is new, or it is removed, and then the engine puts the slot. */
	int (*watch_add)(struct loop *loop, uint32_t index);
	void (*watch_del)(struct loop *loop, uint32_t index);
	/* Gives all new requests to the kernel, and waits for an event, at most timeout_ns. Runs no
	 * callbacks. */
	void (*enter)(struct loop *loop, uint64_t timeout_ns);
	/*
	 * Returns whether enter() or reap() has something to do. This is cheap, so that a loop can spin on
	 * it.
	 */
	bool (*ready)(struct loop *loop);
	/* Runs the callbacks of all events, and returns the number of events. */
	unsigned (*reap)(struct loop *loop);
};
extern const struct engine engine_uring, engine_epoll;

/* --- data buffers ----------------------------------------------------------------------------- */

#define BUFFER_MIN_SHIFT 12 /* 4 KiB. */
#define BUFFER_CLASSES   13 /* up to 16 MiB; larger buffers are not kept */

struct buffer_class {
	void *free; /* The first word of each free buffer points to the next one. */
	unsigned nfree;
	/* The least value of nfree since the last trim: this many buffers were unused all the
	 * time. */
	unsigned low;
};

struct buffers {
	struct buffer_class classes[BUFFER_CLASSES];
	size_t limit;
	size_t handed_out;
	size_t kept;
	struct loop_timer trim; /* armed while buffers are kept */
};
void buffers_init(struct buffers *buffers, size_t limit);
void buffers_destroy(struct buffers *buffers);

/* --- timers ----------------------------------------------------------------------------------- */

struct timers {
	struct loop_timer **heap; /* children of i: 2i+1, 2i+2 */
	size_t n, room;
};
void timers_run(struct loop *loop);
/* Returns the time from now_ns to the first deadline; 0 if it has passed, NEVER_NS if there is no
 * timer. */
uint64_t timers_wait_ns(const struct timers *timers, uint64_t now_ns);

/* --- spinning --------------------------------------------------------------------------------- */

struct spinning {
	struct list pollers;
	/* The longest time to spin without pollers, and with pollers. */
	uint64_t alone_ns, polling_ns;
	/* The one of the two that is used now; 0: the loop never spins. */
	uint64_t max_ns;
	/* How long the loop spins next time; adapts between 0 and max_ns. */
	uint64_t next_ns;
};
void spin_init(struct spinning *spinning, const struct loop_options *options);
/* Looks for events without sleeping, and returns whether there are any. */
bool spin(struct loop *loop, uint64_t at_most_ns);
/* An event has ended a sleep of ns nanoseconds. */
void spin_slept(struct spinning *spinning, uint64_t ns);

/* --- the pulse -------------------------------------------------------------------------------- */

struct beat {
	struct list pulses;
	struct loop_watch watch; /* of the timerfd; while there are pulses */
	uint64_t period_ns;
	uint64_t now_ns;
};

/* --- the loop --------------------------------------------------------------------------------- */

struct loop {
	const struct engine *engine;
	void *engine_data;
	struct loop_set *set;
	unsigned index;
	unsigned in_flight; /* requests that are not finished */
	uint64_t now_ns;    /* 0: not read in this turn */
	struct fifo deferred;
	struct fifo again; /* watches to call in the next turn */
	unsigned nagain;
	bool stopping;
	struct slot_table watches;
	struct timers timers;
	struct beat beat;
	struct buffers buffers;
	void *scratch;
	struct spinning spinning;
	struct loop_watch wake;

	/* Only the loop writes these, so no read-modify-write instruction is needed. */
	_Atomic uint64_t turns, enters, ops, wakeups;

	/* Other threads write here, so this has a cache line of its own. */
	_Alignas(64) _Atomic(struct loop_work *) mailbox; /* The newest work first, or MAILBOX_ASLEEP. */
	int wake_fd;

	pthread_t thread;
	sem_t started;
	int start_result;
	bool no_uring;
	const int *hold; /* loop_options.hold, while the loop starts */
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
/* Ends the thread when no request is in flight. Other threads may still post work, which does not
 * run. */
void loop_join(struct loop *loop);
void loop_free(struct loop *loop);

/* --- mailbox ---------------------------------------------------------------------------------- */

/* On the loop's thread. Other threads call loop_post(). */
void mailbox_run(struct loop *loop);
/* This is a hint: mailbox_fall_asleep() sees work that it misses. */
bool mailbox_empty(const struct loop *loop);
/* From here on the first post writes to the eventfd. Returns false if work has been posted
 * already. */
bool mailbox_fall_asleep(struct loop *loop);
void mailbox_wake_up(struct loop *loop);

/* --- threads ---------------------------------------------------------------------------------- */

/*
 * Starts a joinable thread that receives no signals, which only the main thread handles. Returns 0 or -errno.
 */
int thread_start(pthread_t *thread, const char *kind, unsigned number, void *(*fn)(void *arg), void *arg);
#endif
