/* SPDX-License-Identifier: Apache-2.0 */
/* One loop: its thread and its turns. The mailbox, timers, buffers and engines are in files of their own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "loop/internal.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/log.h"

static _Thread_local struct loop *current;

unsigned loop_index(const struct loop *loop)
{
	return loop->index;
}

struct loop *loop_current(void)
{
	return current;
}

bool loop_uses_uring(const struct loop *loop)
{
	return loop->engine == &engine_uring;
}

uint64_t loop_now_ns(struct loop *loop)
{
	if (!loop->now_ns)
		loop->now_ns = clock_now_ns();
	return loop->now_ns;
}

void loop_stats(const struct loop *loop, struct loop_stats *stats)
{
	stats->turns = atomic_load_explicit(&loop->turns, memory_order_relaxed);
	stats->enters = atomic_load_explicit(&loop->enters, memory_order_relaxed);
	stats->ops = atomic_load_explicit(&loop->ops, memory_order_relaxed);
	stats->wakeups = atomic_load_explicit(&loop->wakeups, memory_order_relaxed);
}

static void woken(struct loop_watch *watch, uint32_t events)
{
	/* Nothing to do: the turn that begins now runs the mailbox anyway. */
	(void)watch;
	(void)events;
}

/* --- turns ------------------------------------------------------------------------------------ */

void loop_defer(struct loop *loop, struct loop_work *work)
{
	contract(loop == current);
	if (work->queued)
		return;
	work->queued = true;
	fifo_push(&loop->deferred, work);
}

static void run_deferred(struct loop *loop)
{
	struct loop_work *work;

	while ((work = fifo_pop(&loop->deferred))) {
		work->queued = false;
		work->fn(work);
		assert_unlocked();
	}
}

/*
 * Calls the watches that asked before this turn to be called again. A watch that asks during its call is
 * called in the next turn.
 */
static void run_again(struct loop *loop)
{
	for (unsigned n = loop->nagain; n && loop->again.head; n--) {
		struct loop_work *work = fifo_pop(&loop->again);

		loop->nagain--;
		work->queued = false;
		work->fn(work);
		assert_unlocked();
	}
}

static void sleep_until_event(struct loop *loop, uint64_t timeout_ns)
{
	uint64_t since = loop->spinning.max_ns ? clock_now_ns() : 0;

	if (!mailbox_fall_asleep(loop)) {
		loop->engine->enter(loop, 0);
		return;
	}
	loop->engine->enter(loop, timeout_ns);
	mailbox_wake_up(loop);
	loop_count(&loop->wakeups);
	if (since)
		spin_slept(&loop->spinning, clock_now_ns() - since);
}

/* Returns how long the loop may sleep. */
static uint64_t idle_ns(struct loop *loop)
{
	if (loop->again.head || !mailbox_empty(loop))
		return 0;
	return loop->timers.n ? timers_wait_ns(&loop->timers, clock_now_ns()) : NEVER_NS;
}

/* The end of a turn: passes new requests to the kernel, and gets events from it. */
static void exchange_with_kernel(struct loop *loop)
{
	uint64_t timeout_ns = idle_ns(loop);

	if (timeout_ns && loop->spinning.next_ns) {
		loop->engine->enter(loop, 0);
		timeout_ns = spin(loop, timeout_ns) ? 0 : idle_ns(loop);
	}
	if (timeout_ns)
		sleep_until_event(loop, timeout_ns);
	else
		loop->engine->enter(loop, 0);
	loop->now_ns = 0;
	loop->engine->reap(loop);
}

static bool finished(struct loop *loop)
{
	return loop->stopping && !loop->in_flight && !loop->again.head && mailbox_empty(loop);
}

static void run(struct loop *loop)
{
	do {
		loop_count(&loop->turns);
		exchange_with_kernel(loop);
		run_again(loop);
		mailbox_run(loop);
		timers_run(loop);
		run_deferred(loop);
	} while (!finished(loop));
}

/* --- start and stop --------------------------------------------------------------------------- */

/*
 * Chooses io_uring if it works and the options allow it. The thread that uses the ring must create it
 * (IORING_SETUP_SINGLE_ISSUER).
 */
static int start_engine(struct loop *loop)
{
	int ret;

	if (!loop->no_uring) {
		loop->engine = &engine_uring;
		ret = loop->engine->init(loop);
		if (ret == 0)
			return 0;
		if (loop->index == 0) /* The other loops get the same result, so only one of them logs it. */
			log_info(NULL,
				 "io_uring is not available (%s): file I/O uses threads and epoll instead",
				 strerror(-ret));
	}
	loop->engine = &engine_epoll;
	return loop->engine->init(loop);
}

static int prepare_thread(struct loop *loop)
{
	int ret = start_engine(loop);

	if (ret < 0)
		return ret;
	loop->wake = (struct loop_watch){.fn = woken, .fd = loop->wake_fd, .events = EPOLLIN};
	ret = loop_watch_add(loop, &loop->wake);
	if (ret < 0)
		loop->engine->fini(loop);
	return ret;
}

static void *loop_thread(void *arg)
{
	struct loop *loop = arg;
	int ret;

	current = loop;
	ret = prepare_thread(loop);
	loop->start_result = ret;
	sem_post(&loop->started);
	if (ret < 0)
		return NULL;
	run(loop);
	loop_watch_del(&loop->wake);
	loop->engine->enter(loop, 0); /* Passes the last cancellations to the kernel. */
	buffers_destroy(&loop->buffers);
	loop->engine->fini(loop);
	return NULL;
}

static void request_stop(struct loop_work *work)
{
	container_of(work, struct loop, stop)->stopping = true;
}

static struct loop *loop_new(struct loop_set *set, unsigned index, const struct loop_options *options)
{
	struct loop *loop = aligned_alloc(_Alignof(struct loop), sizeof(*loop));

	if (!loop)
		return NULL;
	memset(loop, 0, sizeof(*loop));
	loop->set = set;
	loop->index = index;
	loop->no_uring = options->no_uring;
	loop->hold = options->hold;
	spin_init(&loop->spinning, options);
	loop->stop.fn = request_stop;
	list_init(&loop->beat.pulses);
	buffers_init(&loop->buffers, options->buffer_limit);
	sem_init(&loop->started, 0, 0);
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->scratch =
	    mmap(NULL, LOOP_SCRATCH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return loop;
}

int loop_start(struct loop **started, struct loop_set *set, unsigned index,
	       const struct loop_options *options, struct error *error)
{
	struct loop *loop = loop_new(set, index, options);
	int ret = 0;

	if (!loop)
		return error_set(error, ENOMEM, "event loop %u: out of memory", index);
	if (loop->wake_fd < 0 || loop->scratch == MAP_FAILED)
		ret = -errno;
	if (ret == 0)
		ret = thread_start(&loop->thread, "loop", index, loop_thread, loop);
	if (ret == 0) {
		while (sem_wait(&loop->started) < 0)
			; /* EINTR */
		ret = loop->start_result;
		if (ret < 0)
			pthread_join(loop->thread, NULL);
	}
	if (ret < 0) {
		loop_free(loop);
		return error_set(error, -ret, "event loop %u: %s", index, strerror(-ret));
	}
	*started = loop;
	return 0;
}

void loop_join(struct loop *loop)
{
	loop_post(loop, &loop->stop);
	pthread_join(loop->thread, NULL);
}

void loop_free(struct loop *loop)
{
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	if (loop->scratch != MAP_FAILED)
		munmap(loop->scratch, LOOP_SCRATCH_SIZE);
	sem_destroy(&loop->started);
	free(loop->watches.slots);
	free(loop->timers.heap);
	free(loop);
}
