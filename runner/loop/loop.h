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
struct pool;

struct loop_options {
	unsigned nloops;         /* event loops, at least 1 */
	unsigned npool;          /* most threads of the blocking pool, started on demand */
	unsigned spin_us;        /* how long a loop polls after activity before it sleeps; 0: never */
	unsigned poller_spin_us; /* the same for a loop that has a struct loop_poller */
	size_t buffer_limit;     /* bytes of data buffers a loop hands out, 0: 256 MiB */
	bool no_uring;           /* use the epoll fallback even where io_uring works */
	/* A descriptor, or NULL. Its file stays open until all I/O that the loops have given to the
	 * kernel is over, even after the end of the process. */
	const int *hold;
};

/* The daemon's loops and its pool. */
struct loop_set {
	unsigned nloops;
	struct loop **loops;
	struct pool *pool;
};

/* Starts all threads. 0 or -errno. */
int loop_set_start(struct loop_set *set, const struct loop_options *options, struct error *error);
/* Main thread. Waits for the I/O in flight, stops all threads and frees the set. Nothing may be
 * registered any more. */
void loop_set_stop(struct loop_set *set);

unsigned loop_index(const struct loop *loop); /* 0 … nloops-1, any thread */
struct loop *loop_current(void);              /* the calling thread's loop, NULL on other threads */
uint64_t loop_now_ns(struct loop *loop);      /* CLOCK_MONOTONIC, read at most once a turn */
/* The same as clock_now_ns(). */
static inline uint64_t loop_clock_ns(void)
{
	return clock_now_ns();
}
bool loop_uses_uring(const struct loop *loop); /* any thread */

/* --- work: a function call, embedded where it is needed --------------------------------------- */

struct loop_work {
	void (*fn)(struct loop_work *work);
	struct loop_work *next; /* loop's own */
	bool queued;            /* loop's own; only for loop_defer */
};

/* Runs fn at the end of this turn. Deferring work that is already queued does nothing. */
void loop_defer(struct loop *loop, struct loop_work *work);
/* Any thread. Runs fn on the loop, in the order of posting from one thread. Wakes the loop if it
 * sleeps. The work must not be posted again before fn was called. */
void loop_post(struct loop *loop, struct loop_work *work);

/*
 * A broadcast: visit() runs on the loops of a set, each of them acknowledges, inside visit() or
 * later, and after the last acknowledgement the broadcast is over. The owner keeps it and starts it
 * again and again, but not while it is under way.
 */
struct loop_broadcast_ops {
	/* On each loop. */
	void (*visit)(void *owner, struct loop *loop);
	/* After the last acknowledgement of what loop_broadcast_start() started. */
	void (*done)(void *owner);
	/* Whether this loop is to be visited; at least one is. Called when the broadcast starts.
	 * NULL: all are. */
	bool (*wants)(const void *owner, unsigned index);
};
struct loop_broadcast;
/* Any thread. NULL when memory is out. */
struct loop_broadcast *loop_broadcast_new(struct loop_set *set, const struct loop_broadcast_ops *ops,
					  void *owner);
void loop_broadcast_free(struct loop_broadcast *broadcast);
/* Any thread. done() runs on the loop origin, or inside the last loop_broadcast_ack() if origin is
 * NULL. */
void loop_broadcast_start(struct loop_broadcast *broadcast, struct loop *origin);
/* Not on a loop. Returns after the last acknowledgement, and does not call done(). */
void loop_broadcast_run(struct loop_broadcast *broadcast);
/* Once for each visit. */
void loop_broadcast_ack(struct loop_broadcast *broadcast);

/* Not on a loop. Returns once each loop has run what was posted to it before, and has returned from
 * all callbacks. */
void loop_set_barrier(struct loop_set *set);

/* --- readiness of descriptors ----------------------------------------------------------------- */

/*
 * Edge-triggered: fn is called after each new readiness (EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR),
 * and once after adding if the descriptor is ready already. The callee reads or writes until
 * EAGAIN, or asks to be called again in the next turn, with the events it watches for, by
 * loop_watch_again(). EPOLLIN is also reported for what was asked with EPOLLOUT only, and the
 * reverse, on some kernels: callees must tolerate a call for nothing.
 */
struct loop_watch {
	void (*fn)(struct loop_watch *watch, uint32_t events);
	int fd;
	uint32_t events; /* EPOLLIN | EPOLLOUT */
	/* loop's own */
	struct loop *loop; /* NULL while it is not watched */
	struct loop_work again;
	uint64_t token;
};
/* The caller sets fn, fd, events. 0 or -errno; a descriptor that cannot be watched may also be
 * reported by a call with EPOLLERR. */
int loop_watch_add(struct loop *loop, struct loop_watch *watch);
static inline bool loop_watch_is_active(const struct loop_watch *watch)
{
	return watch->loop;
}
void loop_watch_again(struct loop_watch *watch);
/* fn is not called any more once this returns; the watch may be freed, and the fd closed, at once.
 * Also from inside fn. The kernel may hold the file itself until the turn ends, so a peer sees the
 * close only then. */
void loop_watch_del(struct loop_watch *watch);

/* A source of events that can be looked at without a system call, e.g. shared memory, while the
 * loop polls instead of sleeping. It needs a watch besides, which wakes the loop. */
struct loop_poller {
	/* Whether there is something; it then has asked for its turn, by loop_watch_again(). */
	bool (*look)(struct loop_poller *poller);
	struct list node; /* loop's own */
};
void loop_poller_add(struct loop *loop, struct loop_poller *poller);
void loop_poller_del(struct loop *loop, struct loop_poller *poller);

/* --- timers ----------------------------------------------------------------------------------- */

struct loop_timer {
	void (*fn)(struct loop_timer *timer);
	uint64_t deadline_ns; /* loop's own */
	struct loop *loop;    /* loop's own */
	size_t slot;          /* loop's own: position in the heap plus one; 0 when idle */
};
static inline bool loop_timer_is_armed(const struct loop_timer *timer)
{
	return timer->slot;
}
/* Fires once, delay_ns from now; arming an armed timer moves it. */
void loop_timer_arm(struct loop *loop, struct loop_timer *timer, uint64_t delay_ns);
void loop_timer_cancel(struct loop_timer *timer);

/* --- the pulse: a slow beat that costs the loop's turns nothing, unlike a timer --- */

struct loop_pulse {
	void (*fn)(struct loop_pulse *pulse); /* may stop itself, but no other */
	struct loop *loop;                    /* loop's own */
	struct list node;                     /* loop's own */
};
/* fn is called every period_ns, or more often where another pulse asks for it. 0 or -errno. */
int loop_pulse_start(struct loop *loop, struct loop_pulse *pulse, uint64_t period_ns);
void loop_pulse_stop(struct loop_pulse *pulse);
/* CLOCK_MONOTONIC, behind by less than the period of any pulse, and mostly for no more than a look
 * at memory. Also tells when this thread has just been stopped for a while. */
uint64_t loop_pulse_now_ns(struct loop *loop);

/* --- file I/O --------------------------------------------------------------------------------- */

/* One request; what it points to stays valid until done. Never blocks: what the kernel cannot queue
 * goes to the pool. */
struct loop_op {
	void (*done)(struct loop_op *op, int result); /* result: the kernel's, or -errno */
	/* CLOCK_MONOTONIC; 0: none. What still waits for a pool thread by then, or for the end of a
	 * turn in which this thread was stopped, ends with -ECANCELED instead of being begun. */
	uint64_t deadline_ns;
	uint64_t priv[11]; /* loop's own */
};
void loop_readv(struct loop *loop, struct loop_op *op, int fd, const struct iovec *iov, unsigned iovcnt,
		uint64_t offset, int rwf);
void loop_writev(struct loop *loop, struct loop_op *op, int fd, const struct iovec *iov, unsigned iovcnt,
		 uint64_t offset, int rwf);
void loop_fdatasync(struct loop *loop, struct loop_op *op, int fd);
void loop_fallocate(struct loop *loop, struct loop_op *op, int fd, int mode, uint64_t offset, uint64_t len);
/* Once; result is the poll(2) events. */
void loop_poll(struct loop *loop, struct loop_op *op, int fd, uint32_t events);
/* work(op) on a pool thread, then done(op, its value) on this loop. */
void loop_blocking(struct loop *loop, struct loop_op *op, int (*work)(struct loop_op *op));
/* The same, but the calls of one lane run one after the other. */
struct loop_lane;
void loop_blocking_in_lane(struct loop *loop, struct loop_op *op, struct loop_lane *lane,
			   int (*work)(struct loop_op *op));
/* Asks for an early end of a request in flight: -ECANCELED for what was not begun; what was begun
 * ends as it can, a poll at once. done comes after this call, once as ever. */
void loop_cancel(struct loop *loop, struct loop_op *op);

/* --- data buffers ----------------------------------------------------------------------------- */

/* At least len bytes, page-aligned, not zeroed; NULL when the loop's limit or memory is reached.
 * Kept for reuse by size class; what lies unused is given back to the system after a while. */
void *loop_buffer_get(struct loop *loop, size_t len);
/* len as given to loop_buffer_get. */
void loop_buffer_put(struct loop *loop, void *buffer, size_t len);
/* What a buffer of len bytes counts towards the limit, and how much of the limit is left. */
size_t loop_buffer_size(size_t len);
size_t loop_buffer_left(const struct loop *loop);
size_t loop_buffer_limit(const struct loop *loop);

/*
 * A share of the loop's buffers, for example that of one session. The loop's thread only. The owner
 * sets the limit, and keeps the account until nothing is charged to it.
 */
struct loop_buffer_account {
	/* Bytes, as loop_buffer_size() counts them; 0: only the loop's own limit holds. */
	size_t limit;
	/* loop's own; others may read it. */
	size_t used;
};
/* As loop_buffer_get() and loop_buffer_put(), and the buffer is charged to the account while it is
 * out. NULL also when the account's limit is reached. Without an account (NULL) they do the same as
 * the functions above. */
void *loop_buffer_get_charged(struct loop *loop, struct loop_buffer_account *account, size_t len);
void loop_buffer_put_charged(struct loop *loop, struct loop_buffer_account *account, void *buffer,
			     size_t len);

/* A scratch area that belongs to whoever runs on the loop until it returns to the loop: for
 * receiving. */
#define LOOP_SCRATCH_SIZE (64u << 10)
void *loop_scratch(struct loop *loop);

/* --- blocking pool ---------------------------------------------------------------------------- */

struct pool_job {
	void (*fn)(struct pool_job *job);
	struct pool_job *next; /* pool's own */
};
/* Any thread. Runs fn on some pool thread, first come first served. */
void pool_submit(struct pool *pool, struct pool_job *job);
/* Any thread. True if the job was waiting, and will not run. */
bool pool_cancel(struct pool *pool, struct pool_job *job);
/*
 * A lane: jobs that run one after the other on threads of a pool, in the order of submission. It
 * occupies at most one thread at a time, so one slow lane does not keep the pool from serving the
 * others.
 */
struct loop_lane {
	/* loop's own */
	struct pool *pool;
	struct pool_job job;           /* runs the jobs below; with the pool while running is set */
	pthread_mutex_t lock;          /* guards the fields below; a leaf */
	struct pool_job *first, *last; /* jobs that wait */
	bool running;
};
void loop_lane_init(struct loop_lane *lane);
void loop_lane_destroy(struct loop_lane *lane);
/* Any thread. The caller passes the same pool each time. */
void loop_lane_submit(struct loop_lane *lane, struct pool *pool, struct pool_job *job);
/* Any thread: whether a job waits or runs, or a thread of the pool still uses the lane. */
bool loop_lane_is_busy(struct loop_lane *lane);
/* Any thread. Returns true if the job was waiting; it does not run then. */
bool loop_lane_cancel(struct loop_lane *lane, struct pool_job *job);
/* A pool besides the set's own, for jobs that must not wait for what those do. Threads come when
 * they are needed, up to max_threads. 0 or -errno. */
int pool_start(struct pool **pool, unsigned max_threads, struct error *error);
/* Runs what is queued, then ends the threads. */
void pool_stop(struct pool *pool);

/* --- counters --------------------------------------------------------------------------------- */

struct loop_stats {
	uint64_t turns, enters, ops, wakeups;
};
/* Any thread; a snapshot that may be slightly torn. */
void loop_stats(const struct loop *loop, struct loop_stats *stats);
#endif
