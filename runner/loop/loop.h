/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event loops. A loop is one thread with one io_uring or, where the kernel refuses io_uring, with
 * epoll and the blocking pool. Everything that is registered with a loop belongs to it: unless the
 * comment of a function says "any thread", the function is called on the loop's own thread only,
 * and every callback runs there.
 *
 * In one turn, a loop runs the callbacks of everything that has completed or become ready, then the
 * mailbox, then due timers, then deferred work until none is queued. Then it submits all new I/O
 * with one system call, and sleeps if there is nothing else to do. README.md explains the folder.
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
	unsigned nloops; /* event loops, at least 1 */
	/* The largest number of threads in the blocking pool, which are started when they are needed. */
	unsigned npool;
	/* How long a loop polls after activity before it sleeps; 0 means that it never polls. */
	unsigned spin_us;
	unsigned poller_spin_us; /* the same for a loop that has a struct loop_poller */
	/* The largest number of bytes of data buffers that a loop gives out; 0 means 256 MiB. */
	size_t buffer_limit;
	bool no_uring; /* use the epoll fallback even where io_uring works */
	/*
	 * A descriptor, or NULL. Its file stays open until all I/O that the loops have given to the kernel
	 * has ended, even if the process ends before.
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
/* Main thread. Waits for the I/O in flight, stops all threads and frees the set. Nothing may be
 * registered any more. */
void loop_set_stop(struct loop_set *set);

unsigned loop_index(const struct loop *loop);  /* 0 … nloops-1, any thread */
struct loop *loop_current(void);               /* the calling thread's loop, NULL on other threads */
uint64_t loop_now_ns(struct loop *loop);       /* CLOCK_MONOTONIC, which is read at most once in each turn. */
bool loop_uses_uring(const struct loop *loop); /* any thread */

/* --- work: a function call, embedded where it is needed --------------------------------------- */

struct loop_work {
	void (*fn)(struct loop_work *work);
	struct loop_work *next; /* The loop's own. */
	bool queued;            /* loop's own; only for loop_defer */
};

/* Runs fn at the end of this turn. Deferring work that is already queued does nothing. */
void loop_defer(struct loop *loop, struct loop_work *work);
/* Any thread. Runs fn on the loop, in the order of posting from one thread. Wakes the loop if it
 * sleeps. The work must not be posted again before fn was called. */
void loop_post(struct loop *loop, struct loop_work *work);

/*
 * A broadcast: visit() runs on the loops of a set. Each loop acknowledges, inside visit() or later, and the
 * last acknowledgement ends the broadcast. The owner keeps the broadcast and may start it again after its
 * end.
 */
struct loop_broadcast_ops {
	/* On each loop. */
	void (*visit)(void *owner, struct loop *loop);
	/* Called after the last acknowledgement of a broadcast that loop_broadcast_start() has started. */
	void (*done)(void *owner);
	/*
	 * Returns whether this loop must be visited; at least one loop must be. Called when the broadcast
	 * starts. NULL: all loops are visited.
	 */
	bool (*wants)(const void *owner, unsigned index);
};
struct loop_broadcast;
/* Any thread. Returns NULL if there is no memory. */
struct loop_broadcast *loop_broadcast_new(struct loop_set *set, const struct loop_broadcast_ops *ops,
					  void *owner);
void loop_broadcast_free(struct loop_broadcast *broadcast);
/* Any thread. done() runs on the loop origin, or inside the last loop_broadcast_ack() if origin is
 * NULL. */
void loop_broadcast_start(struct loop_broadcast *broadcast, struct loop *origin);
/* Not on a loop. Returns after the last acknowledgement, and does not call done(). */
void loop_broadcast_run(struct loop_broadcast *broadcast);
/* Acknowledges one visit. Called once for each visit. */
void loop_broadcast_ack(struct loop_broadcast *broadcast);

/*
 * Not on a loop. Returns when each loop has run the work that was posted to it before, and has returned from
 * all callbacks.
 */
void loop_set_barrier(struct loop_set *set);

/* --- readiness of descriptors ----------------------------------------------------------------- */

/*
 * Edge-triggered: fn is called after each new readiness (EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR), and once
 * after adding if the descriptor is ready already. fn reads or writes until EAGAIN, or calls
 * loop_watch_again() to be called again in the next turn with the events of the watch. Some kernels report
 * EPOLLIN for a watch with EPOLLOUT only, and the reverse, so fn must tolerate a call without a reason.
 */
struct loop_watch {
	void (*fn)(struct loop_watch *watch, uint32_t events);
	int fd;
	uint32_t events; /* EPOLLIN | EPOLLOUT */
	/* The loop's own; NULL while the descriptor is not watched. */
	struct loop *loop; /* NULL while it is not watched */
	struct loop_work again;
	uint64_t token;
};
/*
 * The caller sets fn, fd and events. Returns 0 or -errno. A descriptor that cannot be watched may also be
 * reported by a call with EPOLLERR.
 */
int loop_watch_add(struct loop *loop, struct loop_watch *watch);
static inline bool loop_watch_is_active(const struct loop_watch *watch)
{
	return watch->loop;
}
void loop_watch_again(struct loop_watch *watch);
/*
 * When this returns, fn is not called any more, so the watch may be freed and the descriptor closed at once.
 * It may be called inside fn. The kernel may hold the file until the turn ends, so a peer may see the close
 * only then.
 */
void loop_watch_del(struct loop_watch *watch);

/*
 * A source of events that can be checked without a system call, such as shared memory, while the loop polls
 * instead of sleeping. It also needs a watch, which wakes the loop.
 */
struct loop_poller {
	/* Returns whether there is an event; the poller has then called loop_watch_again(). */
	bool (*look)(struct loop_poller *poller);
	struct list node; /* loop's own */
};
void loop_poller_add(struct loop *loop, struct loop_poller *poller);
void loop_poller_del(struct loop *loop, struct loop_poller *poller);

/* --- timers ----------------------------------------------------------------------------------- */

struct loop_timer {
	void (*fn)(struct loop_timer *timer);
	uint64_t deadline_ns; /* The loop's own. */
	struct loop *loop;    /* loop's own */
	size_t slot; /* The loop's own: the position in the heap plus one; 0 if the timer does not run. */
};
static inline bool loop_timer_is_armed(const struct loop_timer *timer)
{
	return timer->slot;
}
/* Fires once, delay_ns from now. To arm a timer that is armed already moves it. */
void loop_timer_arm(struct loop *loop, struct loop_timer *timer, uint64_t delay_ns);
void loop_timer_cancel(struct loop_timer *timer);

/* --- the pulse: a slow beat that, unlike a timer, costs the turns of the loop nothing --- */

struct loop_pulse {
	void (*fn)(struct loop_pulse *pulse); /* It may stop its own pulse, but no other. */
	struct loop *loop;                    /* loop's own */
	struct list node;                     /* loop's own */
};
/* Calls fn every period_ns, or more often if another pulse needs that. Returns 0 or -errno. */
int loop_pulse_start(struct loop *loop, struct loop_pulse *pulse, uint64_t period_ns);
void loop_pulse_stop(struct loop_pulse *pulse);
/*
 * Returns CLOCK_MONOTONIC, which may lag by less than the shortest period of all pulses, and usually needs no
 * system call. After this thread was stopped for some time, it returns the current time.
 */
uint64_t loop_pulse_now_ns(struct loop *loop);

/* --- file I/O --------------------------------------------------------------------------------- */

/*
 * One request. Memory that it points to stays valid until done. The functions below never block: requests
 * that the kernel cannot queue go to the pool.
 */
struct loop_op {
	void (*done)(struct loop_op *op, int result); /* result is the kernel's result, or -errno. */
	/*
	 * In CLOCK_MONOTONIC; 0 means none. A request that at this time still waits for a pool thread, or for
	 * the end of a turn in which this thread was stopped, ends with -ECANCELED and does not start.
	 */
	uint64_t deadline_ns;
	uint64_t priv[11]; /* loop's own */
};
void loop_readv(struct loop *loop, struct loop_op *op, int fd, const struct iovec *iov, unsigned iovcnt,
		uint64_t offset, int rwf);
void loop_writev(struct loop *loop, struct loop_op *op, int fd, const struct iovec *iov, unsigned iovcnt,
		 uint64_t offset, int rwf);
void loop_fdatasync(struct loop *loop, struct loop_op *op, int fd);
void loop_fallocate(struct loop *loop, struct loop_op *op, int fd, int mode, uint64_t offset, uint64_t len);
/* Polls once. result is the events of poll(2). */
void loop_poll(struct loop *loop, struct loop_op *op, int fd, uint32_t events);
/* Calls work(op) on a pool thread, and then done(op, the result of work) on this loop. */
void loop_blocking(struct loop *loop, struct loop_op *op, int (*work)(struct loop_op *op));
/* Does the same, but the calls of one lane run one after the other. */
struct loop_lane;
void loop_blocking_in_lane(struct loop *loop, struct loop_op *op, struct loop_lane *lane,
			   int (*work)(struct loop_op *op));
/*
 * Ends a request in flight early, if possible. A request that has not started ends with -ECANCELED, a poll
 * ends at once, and other requests end when they can. done is called exactly once, after this call.
 */
void loop_cancel(struct loop *loop, struct loop_op *op);

/* --- data buffers ----------------------------------------------------------------------------- */

/*
 * Returns at least len bytes, page-aligned and not zeroed, or NULL if the loop's limit or the memory is used
 * up. Buffers are kept for reuse by size class. Buffers that are not used for some time return to the system.
 */
void *loop_buffer_get(struct loop *loop, size_t len);
/* len is the value that was given to loop_buffer_get(). */
void loop_buffer_put(struct loop *loop, void *buffer, size_t len);
/* Returns the bytes by which a buffer of len bytes counts, and how much of the limit is left. */
size_t loop_buffer_size(size_t len);
size_t loop_buffer_left(const struct loop *loop);
size_t loop_buffer_limit(const struct loop *loop);

/*
 * A share of the loop's buffers, for example that of one session. Only the loop's thread uses it. The owner
 * sets the limit, and keeps the account until nothing is charged to it.
 */
struct loop_buffer_account {
	/* In bytes, as loop_buffer_size() counts them; 0: there is only the limit of the loop. */
	size_t limit;
	/* loop's own; others may read it. */
	size_t used;
};
/*
 * Like loop_buffer_get() and loop_buffer_put(), but the buffer is charged to the account while it is in use.
 * The first also returns NULL if the limit of the account is reached. Without an account (NULL) both do the
 * same as the functions above.
 */
void *loop_buffer_get_charged(struct loop *loop, struct loop_buffer_account *account, size_t len);
void loop_buffer_put_charged(struct loop *loop, struct loop_buffer_account *account, void *buffer,
			     size_t len);

/* A memory area for receiving. The code that runs on the loop may use it until it returns to the loop. */
#define LOOP_SCRATCH_SIZE (64u << 10)
void *loop_scratch(struct loop *loop);

/* --- blocking pool ---------------------------------------------------------------------------- */

struct loop_pool_job {
	void (*fn)(struct loop_pool_job *job);
	struct loop_pool_job *next; /* The pool's own. */
};
/* Any thread. Runs fn on a thread of the pool; jobs start in the order of submission. */
void loop_pool_submit(struct loop_pool *pool, struct loop_pool_job *job);
/* Any thread. Returns true if the job was waiting; it does not run then. */
bool loop_pool_cancel(struct loop_pool *pool, struct loop_pool_job *job);
/*
 * A lane: jobs that run one after the other on threads of a pool, in the order of submission. It
 * occupies at most one thread at a time, so one slow lane does not keep the pool from serving the
 * others.
 */
struct loop_lane {
	/* The loop's own. */
	struct loop_pool *pool;
	struct loop_pool_job job; /* Runs the jobs below. It is with the pool while running is set. */
	pthread_mutex_t lock;     /* Guards the members below; a leaf. */
	struct loop_pool_job *first, *last; /* The jobs that wait. */
	bool running;
};
void loop_lane_init(struct loop_lane *lane);
void loop_lane_destroy(struct loop_lane *lane);
/* Any thread. The caller passes the same pool each time. */
void loop_lane_submit(struct loop_lane *lane, struct loop_pool *pool, struct loop_pool_job *job);
/* Any thread. Returns whether a job waits or runs, or a thread of the pool still uses the lane. */
bool loop_lane_is_busy(struct loop_lane *lane);
/* Any thread. Returns true if the job was waiting; it does not run then. */
bool loop_lane_cancel(struct loop_lane *lane, struct loop_pool_job *job);
/*
 * A pool in addition to the set's own, for jobs that must not wait for the jobs of the set's pool. Threads
 * are started when they are needed, up to max_threads. Returns 0 or -errno.
 */
int loop_pool_start(struct loop_pool **pool, unsigned max_threads, struct error *error);
/* Runs the queued jobs, and then ends the threads. */
void loop_pool_stop(struct loop_pool *pool);

/* --- counters --------------------------------------------------------------------------------- */

struct loop_stats {
	uint64_t turns, enters, ops, wakeups;
};
/* Any thread. The counters may belong to slightly different moments. */
void loop_stats(const struct loop *loop, struct loop_stats *stats);
#endif
