/* SPDX-License-Identifier: Apache-2.0 */
/* The path of a single I/O: thread models, splitting, errors, lending, CDBs, double completion. */
#include "backstore_fixture.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/list.h"

#define SIZE (256u << 10)

/* --- thread models ---------------------------------------------------------------------------- */

struct many {
	struct loop_work work;
	struct backstore_io bios[24];
	uint8_t data[24][BLOCK];
	struct iovec iov[24];
	unsigned left;
	sem_t *done;
};

static void one_of_many_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct many *many = bio->owner;

	assert_int_equal(status, TCMUR_OK);
	assert_ptr_equal(loop_current(), bio->loop);
	if (--many->left == 0)
		sem_post(many->done);
}

static void submit_many(struct loop_work *work)
{
	struct many *many = container_of(work, struct many, work);

	for (unsigned i = 0; i < 24; i++)
		backstore_submit(&many->bios[i]);
}

/*
 * Submits 24 reads from each loop at once. Returns the largest number that the handler had at the same time.
 */
static unsigned run_many(struct script *script, struct backstore **bs)
{
	struct many *many = calloc(NLOOPS, sizeof(*many));
	sem_t done;

	script->delay_us = 300;
	script->most_running = 0;
	sem_init(&done, 0, 0);
	for (unsigned l = 0; l < NLOOPS; l++) {
		many[l].left = 24;
		many[l].done = &done;
		many[l].work.fn = submit_many;
		for (unsigned i = 0; i < 24; i++) {
			many[l].iov[i] = (struct iovec){many[l].data[i], BLOCK};
			many[l].bios[i] = (struct backstore_io){
			    .io = {.offset = i * BLOCK, .len = BLOCK, .iov = &many[l].iov[i], .iovcnt = 1},
			    .bs = bs[i % 2],
			    .loop = loops.loops[l],
			    .op = BACKSTORE_READ,
			    .done = one_of_many_done,
			    .owner = &many[l]};
		}
		loop_post(loops.loops[l], &many[l].work);
	}
	for (unsigned l = 0; l < NLOOPS; l++)
		while (sem_wait(&done) < 0)
			;
	sem_destroy(&done);
	free(many);
	return script->most_running;
}

static void test_thread_models(void **state)
{
	static const struct {
		const char *handler;
		unsigned least, most;
	} models[] = {{"async", 2, 72}, {"parallel", 2, 4}, {"serial_lun", 2, 2}, {"serial_all", 1, 1}};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct script *script = script_new(SIZE);
		struct backstore *bs[2] = {script_open(models[i].handler, script),
					   script_open(models[i].handler, script)};
		unsigned most = run_many(script, bs);
		struct backstore_stats stats;

		if (most < models[i].least || most > models[i].most)
			fail_msg("%s ran %u at a time", models[i].handler, most);
		assert_int_equal(script->calls[SCRIPT_READ], NLOOPS * 24);
		backstore_stats(bs[0], &stats);
		assert_int_equal(stats.reads, NLOOPS * 12);
		assert_int_equal(stats.read_bytes, NLOOPS * 12 * BLOCK);
		assert_int_equal(stats.writes + stats.others + stats.errors, 0);
		backstore_close(bs[0]);
		backstore_close(bs[1]);
		script_free(script);
	}
}

/* --- splitting -------------------------------------------------------------------------------- */

static void test_split(void **state)
{
	static const char *const handlers[] = {"async", "parallel", "minimal"};
	uint8_t *data = malloc(SIZE), *back = malloc(SIZE);

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	for (unsigned h = 0; h < 3; h++) {
		struct script *script = script_new(SIZE);
		/* Pieces end inside an iovec, and iovecs are shorter than a piece. */
		struct iovec out[] = {{data, 300}, {data + 300, 5000}, {data + 5300, SIZE - 5300}};
		struct iovec in[] = {{back, 10001}, {back + 10001, 1}, {back + 10002, SIZE - 10002}};
		struct backstore_io write = {.op = BACKSTORE_WRITE,
					     .io = {.len = SIZE, .iov = out, .iovcnt = 3}};
		struct backstore_io read = {.op = BACKSTORE_READ,
					    .io = {.len = SIZE, .iov = in, .iovcnt = 3}};

		script->info.max_io = 5 * BLOCK;
		struct backstore *bs = script_open(handlers[h], script);
		write.io.flags = TCMUR_IO_FUA;
		assert_int_equal(run_io(bs, 1, &write), TCMUR_OK);
		assert_memory_equal(script->media, data, SIZE);
		assert_int_equal(script->flags, TCMUR_IO_FUA);
		memset(back, 0, SIZE);
		assert_int_equal(run_io(bs, 2, &read), TCMUR_OK);
		assert_memory_equal(back, data, SIZE);
		assert_int_equal(script->longest, 5 * BLOCK);
		assert_int_equal(script->calls[SCRIPT_WRITE], (SIZE / BLOCK + 4) / 5);

		/* The first piece that fails ends the I/O. */
		script->fail = TCMUR_NO_SPACE;
		script->fail_offset = 12 * BLOCK;
		script->calls[SCRIPT_WRITE] = 0;
		assert_int_equal(run_io(bs, 0, &write), TCMUR_NO_SPACE);
		assert_int_equal(script->calls[SCRIPT_WRITE], 3);
		backstore_close(bs);
		script_free(script);
	}
	free(data);
	free(back);
}

/* Pieces of an unmap end where a granule ends. */
static void test_split_unmap(void **state)
{
	struct script *script = script_new(SIZE);

	(void)state;
	script->info.max_unmap = 20 * BLOCK;
	script->info.unmap_granularity = 8 * BLOCK;
	script->info.unmap_alignment = 2 * BLOCK;
	memset(script->media, 0xff, SIZE);
	struct backstore *bs = script_open("async", script);
	/* 5 … 64: pieces 5-17, 18-33, 34-49, 50-64 */
	assert_int_equal(run_simple(bs, BACKSTORE_UNMAP, 5 * BLOCK, 60 * BLOCK, NULL, 0), TCMUR_OK);
	assert_int_equal(script->calls[SCRIPT_UNMAP], 4);
	for (unsigned i = 0; i < SIZE / BLOCK; i++)
		assert_int_equal(script->media[i * BLOCK], i >= 5 && i < 65 ? 0 : 0xff);
	backstore_close(bs);
	script_free(script);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void test_refusals(void **state)
{
	struct script *script = script_new(SIZE);
	uint8_t block[BLOCK] = {0};
	struct backstore_stats stats;

	(void)state;
	struct backstore *bs = script_open("async", script);
	assert_int_equal(run_simple(bs, BACKSTORE_READ, SIZE, BLOCK, block, BLOCK), TCMUR_OUT_OF_RANGE);
	assert_int_equal(run_simple(bs, BACKSTORE_READ, UINT64_MAX - BLOCK + 1, BLOCK, block, BLOCK),
			 TCMUR_OUT_OF_RANGE);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE_ZEROES, 0, SIZE + BLOCK, NULL, 0),
			 TCMUR_OUT_OF_RANGE);
	assert_int_equal(run_simple(bs, BACKSTORE_PREFETCH, SIZE, BLOCK, NULL, 0), TCMUR_OUT_OF_RANGE);
	/* nothing has to be done */
	assert_int_equal(run_simple(bs, BACKSTORE_READ, SIZE, 0, block, 0), TCMUR_OK);
	assert_int_equal(script->calls[SCRIPT_READ], 0);
	backstore_stats(bs, &stats);
	assert_int_equal(stats.errors, 4);
	backstore_close(bs);

	script->info.read_only = true;
	bs = script_open("async", script);
	for (enum backstore_op op = BACKSTORE_WRITE; op <= BACKSTORE_OR_WRITE; op++) {
		enum tcmur_status want =
		    op == BACKSTORE_FLUSH || op == BACKSTORE_VERIFY ? TCMUR_OK : TCMUR_WRITE_PROTECTED;
		uint8_t data[2 * BLOCK] = {0};

		assert_int_equal(run_simple(bs, op, 0, BLOCK, data, sizeof(data)), want);
	}
	assert_int_equal(script->calls[SCRIPT_WRITE], 0);
	backstore_close(bs);
	script_free(script);
}

/* The device server must refuse a command that only a disk can execute. */
static void test_no_disk(void **state)
{
	struct script *script = script_new(SIZE);
	struct backstore *bs = script_open("cdb_only", script);

	(void)state;
	for (enum backstore_op op = BACKSTORE_READ; op <= BACKSTORE_PREFETCH; op++) {
		uint8_t data[2 * BLOCK] = {0};

		assert_int_equal(run_simple(bs, op, 0, BLOCK, data, sizeof(data)),
				 op == BACKSTORE_FLUSH ? TCMUR_OK : TCMUR_NOT_SUPPORTED);
	}
	backstore_close(bs);
	script_free(script);
}

/* --- inline completion does not nest without end ---------------------------------------------- */

struct endless {
	struct loop_work work;
	struct backstore_io bio;
	uint8_t data[BLOCK];
	struct iovec iov;
	unsigned left;
	sem_t done;
};

static void again(struct backstore_io *bio, enum tcmur_status status)
{
	struct endless *endless = bio->owner;

	assert_int_equal(status, TCMUR_OK);
	if (endless->left-- == 0)
		sem_post(&endless->done);
	else
		backstore_submit(bio);
}

static void begin(struct loop_work *work)
{
	backstore_submit(&container_of(work, struct endless, work)->bio);
}

static void test_submission_from_done_does_not_nest(void **state)
{
	static struct endless endless;
	struct script *script = script_new(SIZE);
	struct backstore *bs = script_open("async", script);

	(void)state;
	endless = (struct endless){.work.fn = begin, .left = 100000};
	sem_init(&endless.done, 0, 0);
	endless.iov = (struct iovec){endless.data, BLOCK};
	for (enum backstore_op op = BACKSTORE_READ; op <= BACKSTORE_FLUSH; op += 2) {
		endless.left = 100000;
		endless.bio = (struct backstore_io){.op = op,
						    .bs = bs,
						    .loop = loops.loops[0],
						    .done = again,
						    .owner = &endless,
						    .io = {.len = BLOCK, .iov = &endless.iov, .iovcnt = 1}};
		loop_post(loops.loops[0], &endless.work);
		while (sem_wait(&endless.done) < 0)
			;
	}
	assert_int_equal(script->calls[SCRIPT_READ], 100001);
	sem_destroy(&endless.done);
	backstore_close(bs);
	script_free(script);
}

/* --- lending ---------------------------------------------------------------------------------- */

static void test_lending(void **state)
{
	struct script *script = script_new(SIZE);
	struct backstore *bs = script_open("async", script);
	struct iovec lent[2];
	struct backstore_io bio = {.op = BACKSTORE_READ, .io = {.offset = BLOCK, .len = 3 * BLOCK}};
	uint8_t data[3 * BLOCK];
	struct iovec iov = {data, sizeof(data)};

	(void)state;
	script->lends = true;
	assert_true(backstore_can_lend(bs));
	bio.lend = lent;
	bio.max_lend = 2;
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_OK);
	assert_int_equal(bio.nlent, 1);
	assert_ptr_equal(lent[0].iov_base, script->media + BLOCK);
	assert_int_equal(lent[0].iov_len, 3 * BLOCK);
	assert_int_equal(script->calls[SCRIPT_READ], 0);

	script->lends = false;
	assert_false(backstore_can_lend(bs));
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_NO_RESOURCE);
	assert_int_equal(bio.nlent, 0);
	bio.io.iov = &iov;
	bio.io.iovcnt = 1;
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_OK);
	assert_int_equal(bio.nlent, 0);
	assert_int_equal(script->calls[SCRIPT_READ], 1);
	backstore_close(bs);
	script_free(script);
}

static void test_usage(void **state)
{
	static const char *const handlers[] = {"async", "parallel", "serial_lun", "serial_all"};
	struct script *script = script_new(SIZE);
	struct backstore *bs;

	(void)state;
	script->usage = (struct tcmur_usage){.used = 11, .available = 22};
	for (unsigned i = 0; i < 8; i++) {
		struct backstore_io bio = {.op = BACKSTORE_USAGE};

		script->usage_error = i % 2 ? ENODEV : 0;
		bs = script_open(handlers[i / 2], script);
		assert_true(backstore_has_usage(bs));
		assert_int_equal(run_io(bs, i % NLOOPS, &bio), i % 2 ? TCMUR_NOT_READY : TCMUR_OK);
		assert_int_equal(bio.usage.used, 11);
		assert_int_equal(bio.usage.available, 22);
		backstore_close(bs);
	}
	bs = script_open("minimal", script);
	assert_false(backstore_has_usage(bs));
	backstore_close(bs);
	script_free(script);
}

/* --- CDBs ------------------------------------------------------------------------------------- */

struct cdb {
	struct loop_work work;
	struct backstore_scsi bss;
	bool taken;
	uint8_t status;
	sem_t offered, done;
};

static void cdb_done(struct backstore_scsi *bss, uint8_t status)
{
	struct cdb *cdb = container_of(bss, struct cdb, bss);

	assert_ptr_equal(loop_current(), bss->loop);
	cdb->status = status;
	sem_post(&cdb->done);
}

static void offer(struct loop_work *work)
{
	struct cdb *cdb = container_of(work, struct cdb, work);

	cdb->taken = backstore_scsi(&cdb->bss);
	sem_post(&cdb->offered);
}

static uint8_t run_cdb(struct backstore *bs, uint8_t opcode, bool *taken)
{
	struct cdb cdb = {.work.fn = offer, .bss = {.bs = bs, .loop = loops.loops[1], .done = cdb_done}};
	const uint8_t bytes[6] = {opcode};

	cdb.bss.cmd.cdb = bytes;
	cdb.bss.cmd.cdb_len = sizeof(bytes);
	sem_init(&cdb.offered, 0, 0);
	sem_init(&cdb.done, 0, 0);
	loop_post(loops.loops[1], &cdb.work);
	while (sem_wait(&cdb.offered) < 0)
		;
	if (cdb.taken)
		while (sem_wait(&cdb.done) < 0)
			;
	sem_destroy(&cdb.offered);
	sem_destroy(&cdb.done);
	*taken = cdb.taken;
	return cdb.status;
}

static void test_scsi(void **state)
{
	static const char *const handlers[] = {"async", "parallel", "serial_lun", "serial_all", "minimal"};
	bool taken;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct script *script = script_new(SIZE);
		struct backstore *bs = script_open(handlers[i], script);
		bool has = i<4, pooled = i> 0 && has;
		uint8_t status = run_cdb(bs, 0x00, &taken);

		assert_int_equal(taken, has);
		assert_int_equal(status, has ? 0x04 : 0);
		status = run_cdb(bs, 0x12, &taken);
		assert_int_equal(taken, pooled);
		assert_int_equal(status, pooled ? BACKSTORE_SCSI_DECLINED : 0);
		backstore_close(bs);
		script_free(script);
	}
}

/* --- the contract ----------------------------------------------------------------------------- */

#ifdef TCMUR_DEBUG
/* This runs in a child process without threads, which starts the loops itself. */
static void test_double_completion_aborts(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		/* Static, because the second completion must not find this memory in another use. */
		static uint8_t block[BLOCK];
		static const struct iovec iov = {block, BLOCK};
		static struct backstore_io bio = {.op = BACKSTORE_READ,
						  .io = {.len = BLOCK, .iov = &iov, .iovcnt = 1}};
		struct script *script;

		close(STDERR_FILENO); /* the message of abort() is expected */
		signal(SIGABRT, SIG_DFL);
		fixture_up(NULL);
		script = script_new(SIZE);
		script->twice = true;
		run_io(script_open("parallel", script), 0, &bio);
		usleep(1000000); /* the second completion comes from another thread */
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_thread_models), cmocka_unit_test(test_split),
	    cmocka_unit_test(test_split_unmap),   cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_no_disk),       cmocka_unit_test(test_submission_from_done_does_not_nest),
	    cmocka_unit_test(test_lending),       cmocka_unit_test(test_usage),
	    cmocka_unit_test(test_scsi),
	};
#ifdef TCMUR_DEBUG
	const struct CMUnitTest alone[] = {cmocka_unit_test(test_double_completion_aborts)};

	if (cmocka_run_group_tests(alone, NULL, NULL))
		return 1;
#endif
	return cmocka_run_group_tests(tests, fixture_up, fixture_down);
}
