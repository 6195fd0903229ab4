/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event loops. A loop is one thread with one io_uring or, if the kernel refuses io_uring, with epoll and the
 * blocking pool. Everything that is registered with a loop belongs to it. Unless the comment of a function
 * says "any thread", the function must be called on the loop's own thread, and every callback is called
 * there. In one turn, a loop calls the callbacks of everything that has completed or become ready, then runs
 * the mailbox, then due timers, and then deferred work until none is queued. At the end it submits all new
 * I/O with one system call, and sleeps if there is nothing else to do. README.md explains the folder.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "util/clock.h"
#include "util/error.h"
#include "util/list.h"

struct loop;
struct loop_pool;

struct loop_options {
	unsigned nloops; /* The number of event loops, at least 1. */
	/* The largest number of threads in the blocking pool. Threads are started when they are needed. */
	unsigned npool;
	/* How long a loop polls after activity before it sleeps. 0 means that it never polls. */
	unsigned spin_us;
	unsigned poller_spin_us; /* The same for a loop that has a struct loop_poller. */
	/* The largest number of bytes of data buffers that a loop gives out; 0 means 256 MiB. */
	size_t buffer_limit;
	bool no_uring; /* Whether to use the epoll engine even if io_uring works. */
	/*
	 * A pointer to a descriptor, or NULL. The open file stays open until all I/O that the loops have
	 * passed to the kernel has ended, even if the process ends before.
	 */
	const int *hold;
};

/* The daemon's loops and its pool. */
struct loop_set {
	unsigned nloops;
	struct loop **loops;
	struct loop_pool *pool;
};

/* Starts all threads. Returns 0 or -errno. */
int loop_set_start(struct loop_set *set, const struct loop_options *options, struct error *error);
/*
 * Main thread. Waits for the I/O in flight, stops all threads and frees the set. Nothing may be registered
 * with a loop any more.
 */
void loop_set_stop(struct loop_set *set);

unsigned loop_index(const struct loop *loop); /* Any thread. Returns a number from 0 to nloops - 1. */
/* Returns the loop of the calling thread, or NULL on other threads. */
struct loop *loop_current(void);
/* Returns the time of CLOCK_MONOTONIC, which is read at most once in each turn. */
uint64_t loop_now_ns(struct loop *loop);
bool loop_uses_uring(const struct loop *loop); /* May be called on any thread. */

/* --- work: a function call, embedded where it is needed --------------------------------------- */

struct loop_work {
	void (*fn)(struct loop_work *work);
	struct loop_work *next; /* Used by the loop. */
	bool queued;            /* Used by the loop, only for loop_defer(). */
};

/* Runs fn at the end of this turn. Deferring work that is already queued does nothing. */
void loop_defer(struct loop *loop, struct loop_work *work);
/*
 * Any thread. Calls fn on the loop. Work that one thread posts runs in the order of posting. Wakes the loop
 * if it sleeps. The work must not be posted again before fn was called.
 */
void loop_post(struct loop *loop, struct loop_work *work);

/*
 * A broadcast: visit() runs on the loops of a set. Each loop acknowledges, inside visit() or later, and the
 * last acknowledgement ends the broadcast. The owner keeps the broadcast and may start it again after its
 * end.
 */
struct loop_broadcast_ops {
	/* Is called on each loop. */
	void (*visit)(void *owner, struct loop *loop);
	/* Is called after the last acknowledgement of a broadcast that loop_broadcast_start() has started. */
	void (*done)(void *owner);
	/*
	 * Is called when the broadcast starts. Returns whether this loop must be visited; it must return true
	 * for at least one loop. NULL means that all loops are visited.
	 */
	bool (*wants)(const void *owner, unsigned index);
};
struct loop_broadcast;
/* Any thread. Creates a broadcast. Returns NULL if there is no memory. */
struct loop_broadcast *loop_broadcast_new(struct loop_set *set, const struct loop_broadcast_ops *ops,
					  void *owner);
void loop_broadcast_free(struct loop_broadcast *broadcast);
/*
 * Any thread. Starts the broadcast. done() is called on the loop origin, or inside the last
 * loop_broadcast_ack() if origin is NULL.
 */
void loop_broadcast_start(struct loop_broadcast *broadcast, struct loop *origin);
/*
 * Must not be called on a loop. Starts the broadcast and returns after the last acknowledgement. done() is
 * not called.
 */
void loop_broadcast_run(struct loop_broadcast *broadcast);
/* Acknowledges a visit. To be called once for each visit. */
void loop_broadcast_ack(struct loop_broadcast *broadcast);

/*
 * Must not be called on a loop. Returns when each loop has run the work that was posted to it before, and has
 * returned from all callbacks.
 */
void loop_set_barrier(struct loop_set *set);

/* --- readiness of descriptors ----------------------------------------------------------------- */

/*
 * A watch of a descriptor. It is edge-triggered: fn is called after each new readiness (EPOLLIN, EPOLLOUT,
 * EPOLLHUP, EPOLLERR), and once after adding if the descriptor is ready already. fn must read or write until
 * EAGAIN, or call loop_watch_again() to be called again in the next turn with the events of the watch. Some
 * kernels report EPOLLIN for a watch with EPOLLOUT only, and the reverse, so fn must tolerate a call for
 * which there is no event.
 */
struct loop_watch {
	void (*fn)(struct loop_watch *watch, uint32_t events);
	int fd;
	uint32_t events; /* A combination of EPOLLIN and EPOLLOUT. */
	/* Used by the loop. */
	struct loop *loop; /* NULL while the descriptor is not watched. */
	struct loop_work again;
	uint64_t token;
};
/*
 * Begins to watch. The caller has set fn, fd and events. Returns 0 or -errno. If the descriptor cannot be
 * watched, this can also be reported later by a call of fn with EPOLLERR.
 */
int loop_watch_add(struct loop *loop, struct loop_watch *watch);
static inline bool loop_watch_is_active(const struct loop_watch *watch)
{
	return watch->loop;
}
void loop_watch_again(struct loop_watch *watch);
/*
 * Ends the watch. When this returns, fn is not called any more, so the watch may be freed and the descriptor
 * closed at once. This function may be called inside fn. The kernel may hold the open file until the turn
 * ends, so a peer may see the close only then.
 */
void loop_watch_del(struct loop_watch *watch);

/*
 * A source of events that can be checked without a system call, such as shared memory. The loop calls it
 * while it polls instead of sleeping. The source also needs a watch, which wakes the loop.
 */
struct loop_poller {
	/* Returns whether there is an event. In this case, the function has called loop_watch_again(). */
	bool (*look)(struct loop_poller *poller);
	struct list node; /* Used by the loop. */
};
void loop_poller_add(struct loop *loop, struct loop_poller *poller);
void loop_poller_del(struct loop *loop, struct loop_poller *poller);

/* --- timers ----------------------------------------------------------------------------------- */

struct loop_timer {
	void (*fn)(struct loop_timer *timer);
	uint64_t deadline_ns; /* Used by the loop. */
	struct loop *loop;    /* Used by the loop. */
	/* Used by the loop: the position in the heap plus one, or 0 if the timer does not run. */
	size_t slot;
};
static inline bool loop_timer_is_armed(const struct loop_timer *timer)
{
	return timer->slot;
}
/* Makes the timer fire once, delay_ns from now. If the timer runs already, its time is changed. */
void loop_timer_arm(struct loop *loop, struct loop_timer *timer, uint64_t delay_ns);
void loop_timer_cancel(struct loop_timer *timer);

/* --- the pulse -------------------------------------------------------------------------------- */

/* A function that is called periodically. Unlike a timer, it costs the turns of the loop nothing. */
struct loop_pulse {
	void (*fn)(struct loop_pulse *pulse); /* The function may stop its own pulse, but no other one. */
	struct loop *loop;                    /* Used by the loop. */
	struct list node;                     /* Used by the loop. */
};
/* Calls fn every period_ns, or more often if another pulse has a shorter period. Returns 0 or -errno. */
int loop_pulse_start(struct loop *loop, struct loop_pulse *pulse, uint64_t period_ns);
void loop_pulse_stop(struct loop_pulse *pulse);
/*
 * Returns the time of CLOCK_MONOTONIC, usually without a system call. The time may lag by less than the
 * shortest period of all pulses. If this thread was stopped for some time, the function returns the current
 * time.
 */
uint64_t loop_pulse_now_ns(struct loop *loop);

/* --- file I/O --------------------------------------------------------------------------------- */

/*
 * One request. The memory to which it points must be valid until done() is called. The functions below never
 * block: requests that the kernel cannot execute asynchronously go to the pool.
 */
struct loop_op {
	void (*done)(struct loop_op *op, int result); /* result is the result of the kernel, or -errno. */
	/*
	 * A time of CLOCK_MONOTONIC, or 0 if there is no deadline. A request ends with -ECANCELED and does
	 * not start if at this time it still waits for a pool thread, or for the end of a turn in which this
	 * thread was stopped.
	 */
	uint64_t deadline_ns;
	uint64_t priv[11]; /* Used by the loop. */
};
void loop_readv(struct loop *loop, struct loop_op *op, int fd, const struct iovec *iov, unsigned iovcnt,
		uint64_t offset, int rwf);
void loop_writev(struct loop *loop, struct loop_op *op, int fd, const struct iovec *iov, unsigned iovcnt,
		 uint64_t offset, int rwf);
void loop_fdatasync(struct loop *loop, struct loop_op *op, int fd);
void loop_fallocate(struct loop *loop, struct loop_op *op, int fd, int mode, uint64_t offset, uint64_t len);
/* Waits once for one of the events. result is the set of events as poll(2) returns it. */
void loop_poll(struct loop *loop, struct loop_op *op, int fd, uint32_t events);
/*
 * Calls work(op) on a pool thread. Then calls done(op, RESULT) on this loop, where RESULT is what work() has
 * returned.
 */
void loop_blocking(struct loop *loop, struct loop_op *op, int (*work)(struct loop_op *op));
/* Does the same, but the calls of one lane run one after the other. */
struct loop_lane;
void loop_blocking_in_lane(struct loop *loop, struct loop_op *op, struct loop_lane *lane,
			   int (*work)(struct loop_op *op));
/*
 * Ends a request in flight early, if this is possible. A request that has not started ends with -ECANCELED, a
 * poll ends at once, and other requests end when they can. done() is called exactly once, after this call.
 */
void loop_cancel(struct loop *loop, struct loop_op *op);

/* --- data buffers ----------------------------------------------------------------------------- */

/*
 * Returns a buffer of at least len bytes, page-aligned and not zeroed, or NULL if the limit of the loop or
 * the memory is exhausted. Freed buffers are kept for reuse. Buffers that are not used for some time are
 * returned to the system.
 */
void *loop_buffer_get(struct loop *loop, size_t len);
/* Gives a buffer back. len is the value that was passed to loop_buffer_get(). */
void loop_buffer_put(struct loop *loop, void *buffer, size_t len);
/*
 * loop_buffer_size() returns the number of bytes with which a buffer of len bytes counts, loop_buffer_left()
 * the part of the limit that is left, and loop_buffer_limit() the limit.
 */
size_t loop_buffer_size(size_t len);
size_t loop_buffer_left(const struct loop *loop);
size_t loop_buffer_limit(const struct loop *loop);

/*
 * An account for a part of the loop's buffers, for example for those of one session. Only the loop's thread
 * uses it. The owner sets the limit, and must keep the account until nothing is charged to it.
 */
struct loop_buffer_account {
	/*
	 * The limit in bytes, as loop_buffer_size() counts them. 0 means that only the limit of the loop
	 * applies.
	 */
	size_t limit;
	/* Written by the loop only. Others may read it. */
	size_t used;
};
/*
 * These functions do the same as loop_buffer_get() and loop_buffer_put(), but charge the buffer to the
 * account while it is in use. The first one also returns NULL if the limit of the account is reached. account
 * may be NULL, which means that nothing is charged.
 */
void *loop_buffer_get_charged(struct loop *loop, struct loop_buffer_account *account, size_t len);
void loop_buffer_put_charged(struct loop *loop, struct loop_buffer_account *account, void *buffer,
			     size_t len);

/* A memory area of the loop, for receiving. Code on the loop may use it until it returns to the loop. */
#define LOOP_SCRATCH_SIZE (64u << 10)
void *loop_scratch(struct loop *loop);

/* --- blocking pool ---------------------------------------------------------------------------- */

struct loop_pool_job {
	void (*fn)(struct loop_pool_job *job);
	struct loop_pool_job *next; /* Used by the pool. */
};
/* Any thread. Calls fn on a thread of the pool. Jobs start in the order of submission. */
void loop_pool_submit(struct loop_pool *pool, struct loop_pool_job *job);
/* Any thread. If the job was waiting, removes it, so that it does not run, and returns true. */
bool loop_pool_cancel(struct loop_pool *pool, struct loop_pool_job *job);
/*
 * A lane: jobs that run one after the other on threads of a pool, in the order of submission. It
 * occupies at most one thread at a time, so one slow lane does not keep the pool from serving the
 * others.
 */
struct loop_lane {
	/* Used by the loop. */
	struct loop_pool *pool;
	/* The pool's job that runs the jobs below. It is queued or running while running is true. */
	struct loop_pool_job job;
	pthread_mutex_t lock; /* Guards the members below. No other lock is taken while it is held. */
	struct loop_pool_job *first, *last; /* The jobs that wait. */
	bool running;
};
void loop_lane_init(struct loop_lane *lane);
void loop_lane_destroy(struct loop_lane *lane);
/* Any thread. Adds a job. The caller must pass the same pool in each call. */
void loop_lane_submit(struct loop_lane *lane, struct loop_pool *pool, struct loop_pool_job *job);
/* Any thread. Returns whether a job waits or runs, or a thread of the pool still uses the lane. */
bool loop_lane_is_busy(struct loop_lane *lane);
/* Any thread. If the job was waiting, removes it, so that it does not run, and returns true. */
bool loop_lane_cancel(struct loop_lane *lane, struct loop_pool_job *job);
/*
 * Creates another pool, for jobs that must not wait for the jobs of the set's pool. Threads are started when
 * they are needed, up to max_threads. Returns 0 or -errno.
 */
int loop_pool_start(struct loop_pool **pool, unsigned max_threads, struct error *error);
/* Runs the jobs that are still queued, ends the threads, and frees the pool. */
void loop_pool_stop(struct loop_pool *pool);

/* --- counters --------------------------------------------------------------------------------- */

/* The numbers of turns, of entries into the kernel, of I/O requests, and of wake-ups from sleep. */
struct loop_stats {
	uint64_t turns, enters, ops, wakeups;
};
/* Any thread. The counters may have been read at slightly different moments. */
void loop_stats(const struct loop *loop, struct loop_stats *stats);
#endif
