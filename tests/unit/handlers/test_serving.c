/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers file and block as the daemon uses them: loaded by the backstore layer, many I/Os at a time
 * from several loops, with io_uring and with the loop for kernels that refuse it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backstore/backstore.h"
#include "kernel_features.h"
#include "loop/loop.h"
#include "loop_device.h"

#define NLOOPS    2
#define NWORKERS  16 /* the number for each loop */
#define ROUNDS    24
#define LEN       8192u
#define DISK_SIZE (8u << 20)

static struct loop_set loops;
static char dir[] = "/var/tmp/tcmur-serving-XXXXXX";

/* --- one I/O at a time, from the test's thread ------------------------------------------------ */

struct call {
	struct backstore_io bio;
	struct loop_work work;
	enum tcmur_status status;
	sem_t done;
};

static void call_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct call *call = bio->owner;

	call->status = status;
	sem_post(&call->done);
}

static void call_submit(struct loop_work *work)
{
	struct call *call = (struct call *)((char *)work - offsetof(struct call, work));

	backstore_submit(&call->bio);
}

static enum tcmur_status run_io(struct backstore *bs, enum backstore_op op, struct tcmur_io *io)
{
	struct call call = {
	    .bio = {.io = *io, .bs = bs, .loop = loops.loops[0], .op = op, .done = call_done}};

	call.bio.owner = &call;
	call.work.fn = call_submit;
	sem_init(&call.done, 0, 0);
	loop_post(call.bio.loop, &call.work);
	while (sem_wait(&call.done) < 0)
		;
	sem_destroy(&call.done);
	*io = call.bio.io;
	return call.status;
}

static enum tcmur_status run_data(struct backstore *bs, enum backstore_op op, uint64_t offset, void *data,
				  size_t len)
{
	struct iovec iov = {data, len};
	struct tcmur_io io = {.offset = offset, .len = len, .iov = &iov, .iovcnt = 1};

	return run_io(bs, op, &io);
}

/* --- many workers: each writes a pattern to its own blocks and reads it back, several times --- */

struct worker {
	struct backstore_io bio;
	struct loop_work work;
	struct iovec iov[3];
	uint8_t *memory; /* Aligned; data lies inside it. */
	uint8_t *data;
	unsigned number, round;
	bool reading;
	enum tcmur_status status; /* The first status that is not OK, or MISCOMPARE. */
};

static sem_t finished;

static void step(struct worker *worker);

static void step_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct worker *worker = bio->owner;

	if (worker->reading) {
		for (unsigned i = 0; status == TCMUR_OK && i < LEN; i++)
			if (worker->data[i] != (uint8_t)(worker->number * 31 + worker->round * 7 + i))
				status = TCMUR_MISCOMPARE;
		worker->round++;
	}
	worker->reading = !worker->reading;
	worker->status = status;
	if (status != TCMUR_OK || worker->round == ROUNDS)
		sem_post(&finished);
	else
		step(worker);
}

/* Uses three pieces. In every other round the address is odd, so that O_DIRECT cannot use it. */
static void step(struct worker *worker)
{
	worker->data = worker->memory + (worker->round % 2);
	if (worker->reading)
		memset(worker->data, 0xee, LEN);
	for (unsigned i = 0; !worker->reading && i < LEN; i++)
		worker->data[i] = (uint8_t)(worker->number * 31 + worker->round * 7 + i);
	worker->iov[0] = (struct iovec){worker->data, 512};
	worker->iov[1] = (struct iovec){worker->data + 512, 4096};
	worker->iov[2] = (struct iovec){worker->data + 512 + 4096, LEN - 512 - 4096};
	worker->bio.op = worker->reading ? BACKSTORE_READ : BACKSTORE_WRITE;
	worker->bio.io = (struct tcmur_io){.offset = (uint64_t)worker->number * LEN,
					   .len = LEN,
					   .iov = worker->iov,
					   .iovcnt = 3,
					   .flags = worker->round % 8 == 7 ? TCMUR_IO_FUA : 0};
	backstore_submit(&worker->bio);
}

static void start(struct loop_work *work)
{
	step((struct worker *)((char *)work - offsetof(struct worker, work)));
}

static void run_workers(struct backstore *bs)
{
	static struct worker workers[NLOOPS * NWORKERS];

	sem_init(&finished, 0, 0);
	for (unsigned i = 0; i < NLOOPS * NWORKERS; i++) {
		struct worker *worker = &workers[i];

		memset(worker, 0, sizeof(*worker));
		worker->memory = aligned_alloc(4096, 2 * LEN);
		assert_non_null(worker->memory);
		worker->number = i;
		worker->bio.bs = bs;
		worker->bio.loop = loops.loops[i % NLOOPS];
		worker->bio.done = step_done;
		worker->bio.owner = worker;
		worker->work.fn = start;
		loop_post(worker->bio.loop, &worker->work);
	}
	for (unsigned i = 0; i < NLOOPS * NWORKERS; i++)
		while (sem_wait(&finished) < 0)
			;
	for (unsigned i = 0; i < NLOOPS * NWORKERS; i++) {
		assert_int_equal(workers[i].status, TCMUR_OK);
		free(workers[i].memory);
	}
	sem_destroy(&finished);
}

/* --- other operations than read and write --- */

static void run_ranges(struct backstore *bs)
{
	static _Alignas(4096) uint8_t data[65536], back[65536];
	struct tcmur_io flush = {0};
	struct tcmur_io unmap = {.offset = 0, .len = 16384};
	struct tcmur_io zeroes = {.offset = 16384, .len = 16384 + 512};
	struct tcmur_io anchor = {.offset = 49152, .len = 4096, .flags = TCMUR_IO_NO_UNMAP | TCMUR_IO_FUA};

	memset(data, 0x5a, sizeof(data));
	assert_int_equal(run_data(bs, BACKSTORE_WRITE, 0, data, sizeof(data)), TCMUR_OK);
	assert_int_equal(run_io(bs, BACKSTORE_FLUSH, &flush), TCMUR_OK);
	if (backstore_has_unmap(bs))
		assert_int_equal(run_io(bs, BACKSTORE_UNMAP, &unmap), TCMUR_OK);
	else
		assert_int_equal(run_io(bs, BACKSTORE_WRITE_ZEROES, &unmap), TCMUR_OK);
	assert_int_equal(run_io(bs, BACKSTORE_WRITE_ZEROES, &zeroes), TCMUR_OK);
	assert_int_equal(run_io(bs, BACKSTORE_WRITE_ZEROES, &anchor), TCMUR_OK);
	memset(data, 0, 32768 + 512);
	memset(data + 49152, 0, 4096);
	assert_int_equal(run_data(bs, BACKSTORE_READ, 0, back, sizeof(back)), TCMUR_OK);
	if (!backstore_info(bs)->unmap_zeroes)
		memcpy(back, data, 16384);
	assert_memory_equal(data, back, sizeof(data));
}

static void serve(const char *config, const char *cache)
{
	struct tcmur_option_value option = {"cache", cache};
	struct backstore_spec spec = {.name = config,
				      .config = config,
				      .state_dir = dir,
				      .options = &option,
				      .noptions = 1,
				      .size = DISK_SIZE,
				      .create = true};
	struct error error;
	struct backstore *bs = backstore_open(&loops, &spec, &error);

	if (!bs)
		fail_msg("%s", error.text);
	run_workers(bs);
	run_ranges(bs);
	backstore_close(bs);
}

static void test_file(void **state)
{
	char path[64];

	(void)state;
	serve("file/disk", "writeback");
	if (kernel_has_direct_io(dir))
		serve("file/disk", "none");
	snprintf(path, sizeof(path), "%s/disk", dir);
	assert_int_equal(unlink(path), 0);
}

static void test_file_extents(void **state)
{
	struct backstore_spec spec = {.name = "x",
				      .config = "file/x",
				      .state_dir = dir,
				      .size = DISK_SIZE,
				      .block_size = 4096,
				      .create = true};
	static uint8_t data[65536] = {1};
	struct tcmur_extent extents[4];
	struct tcmur_io io = {.len = DISK_SIZE, .extents = extents, .max_extents = 4};
	struct error error;
	struct backstore *bs = backstore_open(&loops, &spec, &error);
	char path[64];

	(void)state;
	assert_non_null(bs);
	assert_int_equal(run_data(bs, BACKSTORE_WRITE, 1u << 20, data, sizeof(data)), TCMUR_OK);
	assert_int_equal(run_io(bs, BACKSTORE_EXTENTS, &io), TCMUR_OK);
	assert_int_equal(io.nextents, 3);
	assert_int_equal(extents[1].offset, 1u << 20);
	assert_int_equal(extents[1].len, sizeof(data));
	backstore_close(bs);
	snprintf(path, sizeof(path), "%s/x", dir);
	assert_int_equal(unlink(path), 0);
}

static void test_block(void **state)
{
	struct loop_device device;
	char config[64];

	(void)state;
	if (loop_device_make(&device, (struct loop_wanted){.size = DISK_SIZE, .block_size = 512}) < 0)
		skip();
	snprintf(config, sizeof(config), "block/%s", device.path);
	serve(config, "none");
	serve(config, "writeback");
	loop_device_drop(&device);
}

static void test_errors_name_the_storage(void **state)
{
	struct backstore_spec spec = {.name = "x", .config = "file/absent", .state_dir = dir};
	struct error error;

	(void)state;
	assert_null(backstore_open(&loops, &spec, &error));
	assert_non_null(
	    strstr(error.text, "absent: no such file; to create it, set create and a size for the disk"));
	spec.config = "file/";
	assert_null(backstore_open(&loops, &spec, &error));
	assert_non_null(strstr(error.text, "is not the path"));
}

/* --- groups ----------------------------------------------------------------------------------- */

static int run_group(const char *title, bool no_uring)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_file),
	    cmocka_unit_test(test_file_extents),
	    cmocka_unit_test(test_block),
	    cmocka_unit_test(test_errors_name_the_storage),
	};
	struct loop_options options = {.nloops = NLOOPS, .npool = 4, .no_uring = no_uring};
	struct error error;
	int failed;

	if (loop_set_start(&loops, &options, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	failed = cmocka_run_group_tests_name(title, tests, NULL, NULL);
	loop_set_stop(&loops);
	return failed;
}

int main(void)
{
	struct error error;
	int failed;

	if (!mkdtemp(dir) || backstore_load_handlers(HANDLERS, &error) < 2) {
		fprintf(stderr, "%s: no handlers\n", HANDLERS);
		return 1;
	}
	failed = run_group("with io_uring", false) + run_group("without io_uring", true);
	backstore_unload_handlers();
	rmdir(dir);
	return failed;
}
