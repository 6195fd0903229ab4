/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O that was cancelled: if it has not started, it never does; if it hangs, it keeps newer I/O away from its
 * blocks.
 */
#include "backstore_fixture.h"

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/clock.h"

#define SIZE    (64u << 10)
#define THREADS 4 /* The number of threads in the pool. */
#define HOUR_NS 3600000000000u

/* An I/O on loop 0, so that several of them arrive in order. */
struct request {
	struct loop_work work;
	void (*fn)(struct request *request);
	sem_t passed;
	struct backstore_io bio;
	struct iovec iov;
	uint8_t data[16 * BLOCK];
	enum tcmur_status status;
	unsigned place; /* Atomic: the place in the order of endings, counted from 1. */
};

static unsigned nended; /* Atomic. */

static void ended(struct backstore_io *bio, enum tcmur_status status)
{
	struct request *request = bio->owner;

	request->status = status;
	__atomic_store_n(&request->place, __atomic_add_fetch(&nended, 1, __ATOMIC_RELAXED), __ATOMIC_RELEASE);
}

static bool is_over(const struct request *request)
{
	return __atomic_load_n(&request->place, __ATOMIC_ACQUIRE);
}

static void await(const struct request *request, enum tcmur_status status)
{
	for (int i = 0; i < 10000 && !is_over(request); i++)
		usleep(1000);
	assert_true(is_over(request));
	assert_int_equal(request->status, status);
}

static void call(struct loop_work *work)
{
	struct request *request = container_of(work, struct request, work);

	request->fn(request);
	sem_post(&request->passed);
}

/* Runs fn on the loop, and returns when fn has returned. */
static void on_loop(struct request *request, void (*fn)(struct request *request))
{
	request->work = (struct loop_work){.fn = call};
	request->fn = fn;
	sem_init(&request->passed, 0, 0);
	loop_post(loops.loops[0], &request->work);
	while (sem_wait(&request->passed) < 0)
		;
	sem_destroy(&request->passed);
}

static void submit(struct request *request)
{
	backstore_submit(&request->bio);
}

/* Prepares a write of value to this block, or a READ of this block. */
static void prepare(struct request *request, struct backstore *bs, enum backstore_op op, unsigned block,
		    unsigned nblocks, uint8_t value)
{
	*request = (struct request){.iov = {request->data, nblocks * BLOCK}};
	memset(request->data, value, sizeof(request->data));
	request->bio = (struct backstore_io){
	    .io = {.offset = block * BLOCK, .len = nblocks * BLOCK, .iov = &request->iov, .iovcnt = 1},
	    .bs = bs,
	    .loop = loops.loops[0],
	    .op = op,
	    .done = ended,
	    .owner = request,
	};
}

static void start(struct request *request, struct backstore *bs, enum backstore_op op, unsigned block,
		  unsigned nblocks, uint8_t value)
{
	prepare(request, bs, op, block, nblocks, value);
	on_loop(request, submit);
}

static void start_write_same(struct request *request, struct backstore *bs, unsigned block, unsigned nblocks,
			     uint8_t value)
{
	prepare(request, bs, BACKSTORE_WRITE_SAME, block, nblocks, value);
	request->iov.iov_len = BLOCK;
	on_loop(request, submit);
}

static void cancel_on_loop(struct request *request)
{
	if (!is_over(request))
		backstore_cancel(&request->bio);
}

static void cancel_and_hold_on_loop(struct request *request)
{
	assert_false(is_over(request));
	backstore_cancel(&request->bio);
	backstore_hold(&request->bio);
	assert_false(is_over(request));
}

static void cancel(struct request *request)
{
	on_loop(request, cancel_on_loop);
}

static void hold(struct request *request)
{
	on_loop(request, cancel_and_hold_on_loop);
}

static unsigned writes(const struct script *script)
{
	return __atomic_load_n(&script->calls[SCRIPT_WRITE], __ATOMIC_RELAXED);
}

/* Waits until the handler has received n writes. */
static void await_writes(const struct script *script, unsigned n)
{
	for (int i = 0; i < 10000 && writes(script) < n; i++)
		usleep(1000);
	assert_int_equal(writes(script), n);
}

static void stick_below(struct script *script, unsigned block)
{
	__atomic_store_n(&script->stuck_below, block * BLOCK, __ATOMIC_RELEASE);
}

static struct script *script_stuck_below(unsigned block)
{
	struct script *script = script_new(SIZE);

	stick_below(script, block);
	nended = 0;
	return script;
}

static const struct model {
	const char *handler;
	unsigned at_a_time; /* The number of writes that the handler has at the same time. */
} models[] = {
    {"stuck_async", THREADS}, {"stuck_parallel", THREADS}, {"stuck_serial_lun", 1}, {"stuck_serial_all", 1}};

/* --- waiting for a thread ---------------------------------------------------------------------- */

/*
 * The first, the last and the middle I/O of a queue are cancelled, and then one more. I/O that has started is
 * not affected.
 */
static void test_queued_io_does_not_start(void **state)
{
	(void)state;
	for (unsigned m = 0; m < ARRAY_SIZE(models); m++) {
		struct script *script = script_stuck_below(THREADS);
		struct backstore *bs = script_open(models[m].handler, script);
		unsigned n = models[m].at_a_time, i;
		struct request busy[THREADS], queued[5];

		for (i = 0; i < n; i++)
			start(&busy[i], bs, BACKSTORE_WRITE, i, 1, 1);
		await_writes(script, n);
		for (i = 0; i < 5; i++)
			start(&queued[i], bs, BACKSTORE_WRITE, THREADS + i, 1, 1);
		for (i = 0; i < 5; i += 2)
			cancel(&queued[i]);
		for (i = 0; i < 5; i += 2)
			await(&queued[i], models[m].handler[6] == 'a' ? TCMUR_ABORTED : TCMUR_TIMEOUT);
		cancel(&queued[1]);
		cancel(&busy[0]);
		await(&queued[1], queued[0].status);
		assert_false(is_over(&busy[0]) || is_over(&queued[3]));
		stick_below(script, 0);
		for (i = 0; i < n; i++)
			await(&busy[i], TCMUR_OK);
		await(&queued[3], TCMUR_OK);
		assert_int_equal(writes(script), n + 1);
		for (i = 0; i < 5; i++)
			assert_int_equal(script->media[(THREADS + i) * BLOCK], i == 3);
		backstore_close(bs);
		script_free(script);
	}
}

static void submit_soon_late(struct request *request)
{
	request->bio.deadline_ns = clock_now_ns() + 5000000;
	backstore_submit(&request->bio);
}

/* Nobody cancels this I/O, but its deadline passes before a thread is free for it. */
static void test_expired_io_does_not_start(void **state)
{
	(void)state;
	for (unsigned m = 0; m < ARRAY_SIZE(models); m++) {
		struct script *script = script_stuck_below(THREADS);
		struct backstore *bs = script_open(models[m].handler, script);
		unsigned n = models[m].at_a_time, i;
		struct request busy[THREADS], late;

		for (i = 0; i < n; i++)
			start(&busy[i], bs, BACKSTORE_WRITE, i, 1, 1);
		await_writes(script, n);
		prepare(&late, bs, BACKSTORE_WRITE, 20, 1, 1);
		on_loop(&late, submit_soon_late);
		usleep(6000);
		stick_below(script, 0);
		for (i = 0; i < n; i++)
			await(&busy[i], TCMUR_OK);
		await(&late, models[m].handler[6] == 'a' ? TCMUR_ABORTED : TCMUR_TIMEOUT);
		assert_int_equal(writes(script), n);
		backstore_close(bs);
		script_free(script);
	}
}

/* The next I/O of a command that was cancelled in the meantime. */
static void test_cancelled_is_refused(void **state)
{
	struct script *script = script_stuck_below(0);
	struct backstore *bs = script_open("stuck_parallel", script);
	uint8_t data[BLOCK] = {1};
	struct iovec iov = {data, BLOCK};
	struct backstore_io bio = {.op = BACKSTORE_WRITE,
				   .io = {.len = BLOCK, .iov = &iov, .iovcnt = 1},
				   .deadline_ns = BACKSTORE_CANCELLED};

	(void)state;
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_TIMEOUT);
	bio.deadline_ns = clock_now_ns() + HOUR_NS;
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_OK);
	assert_int_equal(writes(script), 1);
	backstore_close(bs);
	script_free(script);
}

/* --- in pieces --------------------------------------------------------------------------------- */

/* The piece that the handler has ends normally, and the next piece does not start. */
static void test_next_piece_does_not_start(void **state)
{
	(void)state;
	for (unsigned m = 0; m < ARRAY_SIZE(models); m++) {
		struct script *script = script_stuck_below(SIZE / BLOCK);
		script->info.max_io = 2 * BLOCK;
		struct backstore *bs = script_open(models[m].handler, script);
		struct request request;

		start(&request, bs, BACKSTORE_WRITE, 0, 6, 7);
		await_writes(script, 1);
		cancel(&request);
		stick_below(script, 0);
		await(&request, TCMUR_TIMEOUT);
		assert_int_equal(writes(script), 1);
		assert_int_equal(script->media[BLOCK], 7);
		assert_int_equal(script->media[2 * BLOCK], 0);
		backstore_close(bs);
		script_free(script);
	}
}

/* --- waiting for a range ----------------------------------------------------------------------- */

static void test_cancelled_io_leaves_the_range_queue(void **state)
{
	struct script *script = script_stuck_below(2);
	struct backstore *bs = script_open("stuck_parallel", script);
	struct request stuck, same, behind, elsewhere;

	(void)state;
	start(&stuck, bs, BACKSTORE_WRITE, 0, 1, 1);
	await_writes(script, 1);
	start_write_same(&same, bs, 0, 8, 2);         /* this waits for stuck */
	start(&behind, bs, BACKSTORE_WRITE, 4, 1, 3); /* this waits for same */
	start(&elsewhere, bs, BACKSTORE_WRITE, 20, 1, 4);
	await(&elsewhere, TCMUR_OK);
	assert_false(is_over(&same) || is_over(&behind));
	cancel(&same);
	await(&same, TCMUR_TIMEOUT);
	await(&behind, TCMUR_OK);
	assert_false(is_over(&stuck));
	stick_below(script, 0);
	await(&stuck, TCMUR_OK);
	assert_int_equal(script->media[4 * BLOCK], 3);
	assert_int_equal(script->media[BLOCK], 0);
	backstore_close(bs);
	script_free(script);
}

/* --- an expired write --- */

/* Until the write has ended, no newer I/O to its blocks is acknowledged, and no older data is read there. */
static void test_stuck_write_is_waited_for(void **state)
{
	(void)state;
	for (unsigned m = 0; m < 2; m++) {
		struct script *script = script_stuck_below(1);
		struct backstore *bs = script_open(models[m].handler, script);
		struct request stuck, newer, reader, elsewhere;

		start(&stuck, bs, BACKSTORE_WRITE, 0, 4, 1);
		await_writes(script, 1);
		hold(&stuck);
		start(&newer, bs, BACKSTORE_WRITE, 3, 3, 2);
		start(&reader, bs, BACKSTORE_READ, 1, 1, 9);
		start(&elsewhere, bs, BACKSTORE_WRITE, 4, 1, 3);
		await(&elsewhere, TCMUR_OK);
		usleep(20000);
		assert_false(is_over(&newer) || is_over(&reader));
		assert_int_equal(writes(script), 2);
		stick_below(script, 0);
		await(&stuck, TCMUR_OK);
		await(&newer, TCMUR_OK);
		await(&reader, TCMUR_OK);
		assert_int_equal(stuck.place, 2);
		assert_int_equal(reader.data[0], 1);
		assert_int_equal(script->media[2 * BLOCK], 1);
		assert_int_equal(script->media[3 * BLOCK], 2);
		backstore_close(bs);
		script_free(script);
	}
}

/*
 * The same is true of exclusive I/O, whether it already waits for the write or arrives later, and of I/O that
 * waits for exclusive I/O.
 */
static void test_stuck_write_among_exclusive_io(void **state)
{
	struct script *script = script_stuck_below(1);
	struct backstore *bs = script_open("stuck_async", script);
	struct request first, stuck, before, newer, after;

	(void)state;
	start_write_same(&first, bs, 0, 2, 1);
	await_writes(script, 1);
	start(&stuck, bs, BACKSTORE_WRITE, 0, 4, 2); /* this write waits in the FIFO for the first one */
	stick_below(script, 0);
	await(&first, TCMUR_OK);
	await(&stuck, TCMUR_OK);
	stick_below(script, 1);
	start(&stuck, bs, BACKSTORE_WRITE, 0, 4, 3);
	await_writes(script, 3);
	start_write_same(&before, bs, 2, 4, 4);
	hold(&stuck);
	start(&newer, bs, BACKSTORE_WRITE, 1, 1, 5);
	start_write_same(&after, bs, 3, 1, 6);
	hold(&stuck);
	usleep(20000);
	assert_int_equal(writes(script), 3);
	stick_below(script, 0);
	await(&stuck, TCMUR_OK);
	await(&before, TCMUR_OK);
	await(&newer, TCMUR_OK);
	await(&after, TCMUR_OK);
	assert_int_equal(stuck.place, 3);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(script->media[i * BLOCK], "\3\5\4\6\4\4"[i]);
	backstore_close(bs);
	script_free(script);
}

/* --- everything at once, on all loops ---------------------------------------------------------- */

/*
 * All workers read the first half of the medium, and each writes its own part of the second half.
 * ThreadSanitizer reports a race, as in test_range.c.
 */
struct worker {
	struct loop_work begin, later;
	struct backstore_io bio;
	struct iovec iov;
	uint8_t data[16 * BLOCK];
	unsigned id, left, seed, timeouts;
	bool in_flight, posted;
	sem_t *done;
};

static void maybe_cancel(struct worker *worker)
{
	unsigned what = (unsigned)rand_r(&worker->seed) % 3;

	if (!worker->in_flight || what == 2)
		return;
	backstore_cancel(&worker->bio);
	if (what)
		backstore_hold(&worker->bio);
}

static void cancel_later(struct loop_work *work)
{
	struct worker *worker = container_of(work, struct worker, later);

	worker->posted = false;
	maybe_cancel(worker);
	if (!worker->left && !worker->in_flight)
		sem_post(worker->done);
}

static void set_anything(struct worker *worker)
{
	static const enum backstore_op ops[] = {
	    BACKSTORE_READ,  BACKSTORE_WRITE,  BACKSTORE_WRITE_ZEROES, BACKSTORE_READ,
	    BACKSTORE_WRITE, BACKSTORE_VERIFY, BACKSTORE_OR_WRITE,     BACKSTORE_COMPARE_AND_WRITE};
	enum backstore_op op = ops[(unsigned)rand_r(&worker->seed) % ARRAY_SIZE(ops)];
	unsigned half = SIZE / BLOCK / 2, n = 1 + (unsigned)rand_r(&worker->seed) % 7;
	unsigned first = (unsigned)rand_r(&worker->seed) % (half - n);

	if (op == BACKSTORE_WRITE)
		first = half + worker->id * 7;
	worker->iov = (struct iovec){worker->data, 2 * n * BLOCK};
	worker->bio.op = op;
	worker->bio.io =
	    (struct tcmur_io){.offset = first * BLOCK, .len = n * BLOCK, .iov = &worker->iov, .iovcnt = 1};
	worker->bio.deadline_ns =
	    rand_r(&worker->seed) % 4 ? 0 : clock_now_ns() + (unsigned)rand_r(&worker->seed) % 200000;
}

static void next(struct worker *worker)
{
	worker->in_flight = true;
	set_anything(worker);
	backstore_submit(&worker->bio);
}

static void go_on(struct backstore_io *bio, enum tcmur_status status)
{
	struct worker *worker = bio->owner;

	assert_true(worker->in_flight && worker->left);
	worker->in_flight = false;
	worker->timeouts += status == TCMUR_TIMEOUT || status == TCMUR_ABORTED;
	if (!--worker->left) {
		if (!worker->posted)
			sem_post(worker->done);
		return;
	}
	if (!worker->posted) {
		worker->posted = true;
		loop_post(bio->loop, &worker->later);
	}
	next(worker);
}

static void begin(struct loop_work *work)
{
	next(container_of(work, struct worker, begin));
}

#define WORKERS 9u

static void test_mixture_of_io_ends(void **state)
{
	static const char *const handlers[] = {"minimal", "parallel", "serial_lun"};

	(void)state;
	for (unsigned h = 0; h < ARRAY_SIZE(handlers); h++) {
		struct script *script = script_new(SIZE);
		struct worker *workers = calloc(WORKERS, sizeof(*workers));
		unsigned timeouts = 0;
		sem_t done;

		script->info.max_io = 3 * BLOCK;
		script->delay_us = 5;
		struct backstore *bs = script_open(handlers[h], script);
		sem_init(&done, 0, 0);
		for (unsigned i = 0; i < WORKERS; i++) {
			workers[i] = (struct worker){.begin.fn = begin,
						     .later.fn = cancel_later,
						     .id = i,
						     .left = 300,
						     .seed = i,
						     .done = &done};
			workers[i].bio = (struct backstore_io){
			    .bs = bs, .loop = loops.loops[i % NLOOPS], .done = go_on, .owner = &workers[i]};
			loop_post(workers[i].bio.loop, &workers[i].begin);
		}
		for (unsigned i = 0; i < WORKERS; i++)
			while (sem_wait(&done) < 0)
				;
		for (unsigned i = 0; i < WORKERS; i++)
			timeouts += workers[i].timeouts;
		assert_true(timeouts > 0);
		sem_destroy(&done);
		free(workers);
		backstore_close(bs);
		script_free(script);
	}
}

static int up(void **state)
{
	fixture_up(state);
	return backstore_load_handlers(STUCK_HANDLERS, NULL) == ARRAY_SIZE(models) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_queued_io_does_not_start),
	    cmocka_unit_test(test_expired_io_does_not_start),
	    cmocka_unit_test(test_cancelled_is_refused),
	    cmocka_unit_test(test_next_piece_does_not_start),
	    cmocka_unit_test(test_cancelled_io_leaves_the_range_queue),
	    cmocka_unit_test(test_stuck_write_is_waited_for),
	    cmocka_unit_test(test_stuck_write_among_exclusive_io),
	    cmocka_unit_test(test_mixture_of_io_ends),
	};

	return cmocka_run_group_tests(tests, up, fixture_down);
}
