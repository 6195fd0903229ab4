/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Atomic commands on several loops. The handlers of this test complete I/O later and take one or two blocks
 * at a time, so that commands would mix without the range lock.
 */
#include "backstore_fixture.h"

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/list.h"
#include "util/lock.h"

#define SIZE    (64u << 10)
#define NBLOCKS (SIZE / BLOCK)
#define WORKERS 9u

/* A worker submits one command after the other on its loop. next() prepares a command, or ends the worker. */
struct worker {
	struct loop_work work;
	struct backstore_io bio;
	bool (*next)(struct worker *worker, enum tcmur_status last);
	unsigned id, left, phase, succeeded, seed;
	unsigned long locks;
	struct iovec iov;
	uint8_t data[16 * BLOCK];
	sem_t *done;
};

static void go_on(struct worker *worker, enum tcmur_status last)
{
	if (worker->next(worker, last))
		backstore_submit(&worker->bio);
	else
		sem_post(worker->done);
}

static void command_done(struct backstore_io *bio, enum tcmur_status status)
{
	go_on(bio->owner, status);
}

static void begin(struct loop_work *work)
{
	go_on(container_of(work, struct worker, work), TCMUR_OK);
}

static void set_command(struct worker *worker, enum backstore_op op, uint64_t offset, uint64_t len,
			size_t data_len)
{
	worker->iov = (struct iovec){worker->data, data_len};
	worker->bio.op = op;
	worker->bio.io = (struct tcmur_io){.offset = offset, .len = len, .iov = &worker->iov, .iovcnt = 1};
}

static struct worker *start_workers(struct backstore *bs, unsigned n, sem_t *done,
				    bool (*next)(struct worker *, enum tcmur_status), unsigned left)
{
	struct worker *workers = calloc(n, sizeof(*workers));

	assert_non_null(workers);
	sem_init(done, 0, 0);
	for (unsigned i = 0; i < n; i++) {
		struct worker *worker = &workers[i];

		worker->id = i;
		worker->seed = i + 1;
		worker->left = left;
		worker->next = next;
		worker->done = done;
		worker->bio.bs = bs;
		worker->bio.loop = loops.loops[i % NLOOPS];
		worker->bio.done = command_done;
		worker->bio.owner = worker;
		worker->work.fn = begin;
	}
	for (unsigned i = 0; i < n; i++)
		loop_post(workers[i].bio.loop, &workers[i].work);
	return workers;
}

static void wait_for(sem_t *done, unsigned n)
{
	while (n--)
		while (sem_wait(done) < 0)
			;
	sem_destroy(done);
}

/* --- COMPARE AND WRITE as a counter, as cluster file systems use it --- */

enum { START, HAVE_READ, HAVE_SWAPPED };

static bool count_up(struct worker *worker, enum tcmur_status last)
{
	if (worker->phase == HAVE_READ) { /* adds one to the value that was read */
		assert_int_equal(last, TCMUR_OK);
		memcpy(worker->data + 2 * BLOCK, worker->data, 2 * BLOCK);
		put_be64(worker->data + 2 * BLOCK, get_be64(worker->data) + 1);
		put_be64(worker->data + 3 * BLOCK, get_be64(worker->data) + 1);
		set_command(worker, BACKSTORE_COMPARE_AND_WRITE, 0, 2 * BLOCK, 4 * BLOCK);
		worker->phase = HAVE_SWAPPED;
		return true;
	}
	if (worker->phase == HAVE_SWAPPED) {
		assert_true(last == TCMUR_OK || last == TCMUR_MISCOMPARE);
		worker->succeeded += last == TCMUR_OK;
		if (--worker->left == 0)
			return false;
	}
	set_command(worker, BACKSTORE_READ, 0, 2 * BLOCK, 2 * BLOCK);
	worker->phase = HAVE_READ;
	return true;
}

static void test_compare_and_write_counts(void **state)
{
	static const char *const handlers[] = {"minimal", "parallel"};

	(void)state;
	for (unsigned h = 0; h < 2; h++) {
		struct script *script = script_new(SIZE);
		sem_t done;
		uint64_t sum = 0;

		script->info.max_io = BLOCK;
		script->delay_us = 5;
		struct backstore *bs = script_open(handlers[h], script);
		struct worker *workers = start_workers(bs, WORKERS, &done, count_up, 60);
		wait_for(&done, WORKERS);
		for (unsigned i = 0; i < WORKERS; i++)
			sum += workers[i].succeeded;
		assert_true(sum > 0);
		assert_int_equal(get_be64(script->media), sum);
		assert_int_equal(get_be64(script->media + BLOCK), sum);
		free(workers);
		backstore_close(bs);
		script_free(script);
	}
}

/* --- WRITE SAME against READ: all blocks of a range change together --- */

static bool same_or_read(struct worker *worker, enum tcmur_status last)
{
	assert_int_equal(last, TCMUR_OK);
	if (worker->phase == HAVE_READ)
		for (unsigned i = 1; i < 16; i++)
			if (worker->data[i * BLOCK] != worker->data[0])
				fail_msg("block %u has %u, and the first block has %u", i,
					 worker->data[i * BLOCK], worker->data[0]);
	if (worker->left-- == 0)
		return false;
	if (worker->id < 3) {
		memset(worker->data, (int)(worker->left * 3 + worker->id), BLOCK);
		set_command(worker, BACKSTORE_WRITE_SAME, 8 * BLOCK, 16 * BLOCK, BLOCK);
	} else {
		set_command(worker, BACKSTORE_READ, 8 * BLOCK, 16 * BLOCK, 16 * BLOCK);
		worker->phase = HAVE_READ;
	}
	return true;
}

/* Readers overlap each other all the time. The writers end, which shows that no I/O waits for ever. */
static void test_write_same_is_atomic(void **state)
{
	struct script *script = script_new(SIZE);
	sem_t done;

	(void)state;
	script->info.max_io = 2 * BLOCK;
	script->delay_us = 5;
	struct backstore *bs = script_open("minimal", script);
	struct worker *workers = start_workers(bs, WORKERS, &done, same_or_read, 80);
	wait_for(&done, WORKERS);
	free(workers);
	backstore_close(bs);
	script_free(script);
}

/* --- everything at once ----------------------------------------------------------------------- */

/*
 * Readers read the first half. Writers write blocks of the second half that no other worker uses, because a
 * READ and a WRITE of the same bytes may mix. Atomic commands use the whole medium. So no two accesses to the
 * medium may race, and ThreadSanitizer reports a race.
 */
static bool anything(struct worker *worker, enum tcmur_status last)
{
	static const enum backstore_op ops[] = {
	    BACKSTORE_READ,     BACKSTORE_WRITE,      BACKSTORE_WRITE_ZEROES, BACKSTORE_READ,
	    BACKSTORE_OR_WRITE, BACKSTORE_READ,       BACKSTORE_VERIFY,       BACKSTORE_COMPARE_AND_WRITE,
	    BACKSTORE_READ,     BACKSTORE_WRITE_SAME, BACKSTORE_READ,         BACKSTORE_EXTENTS,
	    BACKSTORE_WRITE,    BACKSTORE_PREFETCH};
	enum backstore_op op = ops[rand_r(&worker->seed) % 14];
	unsigned n = 1 + (unsigned)rand_r(&worker->seed) % 7;
	unsigned first = (unsigned)rand_r(&worker->seed) % (NBLOCKS - n);

	assert_true(last == TCMUR_OK || last == TCMUR_MISCOMPARE);
	if (worker->left-- == 0)
		return false;
	if (op == BACKSTORE_WRITE)
		first = NBLOCKS / 2 + worker->id * 7;
	else if (op == BACKSTORE_READ || op == BACKSTORE_VERIFY)
		first = first % (NBLOCKS / 2 - n);
	memset(worker->data, (int)worker->id, sizeof(worker->data));
	set_command(worker, op, first * BLOCK, n * BLOCK, 2 * n * BLOCK);
	return true;
}

static void test_mixture_of_io_ends(void **state)
{
	static const char *const handlers[] = {"minimal", "async"};

	(void)state;
	for (unsigned h = 0; h < 2; h++) {
		struct script *script = script_new(SIZE);
		sem_t done;
		struct backstore_stats stats;

		script->info.max_io = 3 * BLOCK;
		script->delay_us = h ? 0 : 5;
		struct backstore *bs = script_open(handlers[h], script);
		struct worker *workers = start_workers(bs, WORKERS, &done, anything, 300);
		wait_for(&done, WORKERS);
		backstore_stats(bs, &stats);
		assert_int_equal(stats.reads + stats.writes + stats.others, WORKERS * 300);
		free(workers);
		backstore_close(bs);
		script_free(script);
	}
}

/* --- I/O that does not overlap does not wait --- */

static unsigned order;

static bool note_order(struct worker *worker, enum tcmur_status last)
{
	assert_int_equal(last, TCMUR_OK);
	if (worker->phase) {
		worker->succeeded = __atomic_add_fetch(&order, 1, __ATOMIC_RELAXED);
		return false;
	}
	worker->phase = 1;
	if (worker->id == 0) /* this command needs 40 I/Os */
		set_command(worker, BACKSTORE_WRITE_SAME, 0, 40 * BLOCK, BLOCK);
	else /* worker 1 uses other blocks, and worker 2 overlaps */
		set_command(worker, BACKSTORE_READ, worker->id == 1 ? 50 * BLOCK : 8 * BLOCK, BLOCK, BLOCK);
	return true;
}

static void test_only_overlapping_io_waits(void **state)
{
	struct script *script = script_new(SIZE);
	struct backstore *bs;
	sem_t done;

	(void)state;
	script->info.max_io = BLOCK;
	script->delay_us = 1000;
	order = 0;
	bs = script_open("minimal", script);
	/* All run on one loop, so that they arrive in this order. */
	struct worker *workers = calloc(3, sizeof(*workers));
	sem_init(&done, 0, 0);
	for (unsigned i = 0; i < 3; i++) {
		workers[i] = (struct worker){.id = i, .next = note_order, .done = &done, .work.fn = begin};
		workers[i].bio = (struct backstore_io){
		    .bs = bs, .loop = loops.loops[0], .done = command_done, .owner = &workers[i]};
		loop_post(loops.loops[0], &workers[i].work);
	}
	wait_for(&done, 3);
	assert_int_equal(workers[1].succeeded, 1);
	assert_int_equal(workers[0].succeeded, 2);
	assert_int_equal(workers[2].succeeded, 3);
	free(workers);
	backstore_close(bs);
	script_free(script);
}

/* --- the number of I/Os that wait is limited --- */

#define CROWD       3000u
#define WAITING_MAX 1024u /* the value of range.c */

struct crowd {
	struct loop_work work;
	struct backstore_io bios[CROWD], read;
	uint8_t data[2 * BLOCK], read_data[BLOCK];
	struct iovec iov, read_iov;
	bool cancels, inside_submit;
	unsigned ended, busy, cancelled, ok, read_after;
	sem_t done;
};

static void crowd_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct crowd *crowd = bio->owner;

	if (bio == &crowd->read) {
		assert_int_equal(status, TCMUR_OK);
		crowd->read_after = crowd->ended;
	} else if (status == TCMUR_BUSY) {
		assert_true(crowd->inside_submit);
		crowd->busy++;
	} else if (status == TCMUR_OK) {
		crowd->ok++;
	} else {
		crowd->cancelled++;
	}
	if (++crowd->ended == CROWD + 1)
		sem_post(&crowd->done);
}

/* Submits COMPARE AND WRITEs of one block in one turn, and a READ of another block. */
static void submit_crowd(struct loop_work *work)
{
	struct crowd *crowd = container_of(work, struct crowd, work);

	crowd->inside_submit = true;
	for (unsigned i = 0; i < CROWD; i++)
		backstore_submit(&crowd->bios[i]);
	crowd->inside_submit = false;
	assert_int_equal(crowd->busy, CROWD - WAITING_MAX);
	backstore_submit(&crowd->read);
	for (unsigned i = 0; crowd->cancels && i < WAITING_MAX; i++)
		backstore_cancel(&crowd->bios[i]);
}

static void run_crowd(bool cancels)
{
	struct script *script = script_new(SIZE);
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	assert_non_null(crowd);
	script->info.max_io = BLOCK;
	struct backstore *bs = script_open("minimal", script);
	sem_init(&crowd->done, 0, 0);
	crowd->cancels = cancels;
	crowd->work.fn = submit_crowd;
	crowd->iov = (struct iovec){crowd->data, sizeof(crowd->data)};
	crowd->read_iov = (struct iovec){crowd->read_data, BLOCK};
	for (unsigned i = 0; i < CROWD; i++)
		crowd->bios[i] =
		    (struct backstore_io){.bs = bs,
					  .loop = loops.loops[0],
					  .op = BACKSTORE_COMPARE_AND_WRITE,
					  .io = {.offset = 0, .len = BLOCK, .iov = &crowd->iov, .iovcnt = 1},
					  .done = crowd_done,
					  .owner = crowd};
	crowd->read = (struct backstore_io){
	    .bs = bs,
	    .loop = loops.loops[0],
	    .op = BACKSTORE_READ,
	    .io = {.offset = 8 * BLOCK, .len = BLOCK, .iov = &crowd->read_iov, .iovcnt = 1},
	    .done = crowd_done,
	    .owner = crowd};
	loop_post(loops.loops[0], &crowd->work);
	wait_for(&crowd->done, 1);
	assert_int_equal(crowd->ok, cancels ? 0 : WAITING_MAX);
	assert_int_equal(crowd->cancelled, cancels ? WAITING_MAX : 0);
	/* The READ does not wait for I/O that does not overlap. */
	assert_true(crowd->read_after < CROWD);
	free(crowd);
	backstore_close(bs);
	script_free(script);
}

static void test_waiting_io_is_bounded(void **state)
{
	(void)state;
	run_crowd(false);
}

static void test_waiting_io_is_cancelled(void **state)
{
	(void)state;
	run_crowd(true);
}

/* --- the fast path takes no lock -------------------------------------------------------------- */

#ifdef TCMUR_DEBUG
static bool count_locks(struct worker *worker, enum tcmur_status last)
{
	assert_int_equal(last, TCMUR_OK);
	if (worker->left-- == 0) {
		worker->succeeded = (unsigned)(lock_taken() - worker->locks);
		return false;
	}
	if (worker->phase++ == 1) /* the first I/O of a backstore on a loop takes a lock */
		worker->locks = lock_taken();
	set_command(worker, worker->left % 2 ? BACKSTORE_READ : BACKSTORE_WRITE, worker->id * 8 * BLOCK,
		    8 * BLOCK, 8 * BLOCK);
	return true;
}

/* Everything runs inside one turn: the handler completes inside the call, and 12 submissions nest. */
static void test_reads_and_writes_take_no_lock(void **state)
{
	struct script *script = script_new(SIZE);
	struct backstore *bs = script_open("async", script);
	sem_t done;

	(void)state;
	struct worker *workers = start_workers(bs, NLOOPS, &done, count_locks, 12);
	wait_for(&done, NLOOPS);
	for (unsigned i = 0; i < NLOOPS; i++)
		assert_int_equal(workers[i].succeeded, 0);
	assert_int_equal(script->calls[SCRIPT_READ] + script->calls[SCRIPT_WRITE], NLOOPS * 12);
	free(workers);
	backstore_close(bs);
	script_free(script);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_compare_and_write_counts),
	    cmocka_unit_test(test_write_same_is_atomic),
	    cmocka_unit_test(test_mixture_of_io_ends),
	    cmocka_unit_test(test_only_overlapping_io_waits),
	    cmocka_unit_test(test_waiting_io_is_bounded),
	    cmocka_unit_test(test_waiting_io_is_cancelled),
#ifdef TCMUR_DEBUG
	    cmocka_unit_test(test_reads_and_writes_take_no_lock),
#endif
	};

	return cmocka_run_group_tests(tests, fixture_up, fixture_down);
}
