/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executes random commands and compares the medium with a model. A handler with all operations must give the
 * same results as one that can only read and write.
 */
#include "backstore_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NBLOCKS 600u
#define SIZE    (NBLOCKS * BLOCK)
#define ROUNDS  400u
#define PIECES  6u

static uint8_t model[SIZE], data[2 * SIZE];

/* Divides len bytes of from into up to PIECES iovecs, some of which are empty. */
static unsigned cut(struct iovec *iov, uint8_t *from, size_t len)
{
	unsigned n = 1 + (unsigned)rand() % PIECES;

	for (unsigned i = 0; i < n; i++) {
		size_t part = i == n - 1 ? len : (size_t)rand() % (len + 1);

		iov[i] = (struct iovec){from, part};
		from += part;
		len -= part;
	}
	return n;
}

/* Fills memory with bytes of few values, so that comparisons often succeed; sometimes with zeros. */
static void randomize(uint8_t *to, size_t len)
{
	unsigned bits = 0;

	if (!(rand() % 4)) {
		memset(to, 0, len);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		bits = i % 8 ? bits >> 3 : (unsigned)rand();
		to[i] = (uint8_t)((bits & 7) % 3);
	}
}

/* Compares a with b, which repeats after period bytes, a number of whole blocks. */
static uint64_t first_difference(const uint8_t *a, const uint8_t *b, size_t len, size_t period)
{
	size_t i = 0;

	while (i < len && !memcmp(a + i, b + i % period, BLOCK))
		i += BLOCK;
	while (i < len && a[i] == b[i % period])
		i++;
	return i;
}

struct step {
	enum backstore_op op;
	uint64_t offset, len;
	size_t data_len; /* The number of bytes of Data-Out at the start of data. */
	enum tcmur_status want;
	uint64_t differs;
};

/* Chooses a command, and applies it to the model. */
static struct step make_step(void)
{
	static const enum backstore_op choice[] = {BACKSTORE_READ,
						   BACKSTORE_WRITE,
						   BACKSTORE_WRITE_ZEROES,
						   BACKSTORE_WRITE_SAME,
						   BACKSTORE_COMPARE_AND_WRITE,
						   BACKSTORE_VERIFY,
						   BACKSTORE_VERIFY,
						   BACKSTORE_OR_WRITE,
						   BACKSTORE_FLUSH,
						   BACKSTORE_PREFETCH};
	uint64_t first = (uint64_t)rand() % NBLOCKS, n = 1 + (uint64_t)rand() % (NBLOCKS - first);
	struct step step = {.op = choice[(size_t)rand() % 10], .offset = first * BLOCK, .len = n * BLOCK};
	uint8_t *medium = model + step.offset;

	switch (step.op) {
	case BACKSTORE_WRITE:
		randomize(data, step.data_len = step.len);
		memcpy(medium, data, step.len);
		break;
	case BACKSTORE_WRITE_ZEROES:
		memset(medium, 0, step.len);
		break;
	case BACKSTORE_WRITE_SAME:
		randomize(data, step.data_len = BLOCK);
		for (uint64_t at = 0; at < step.len; at += BLOCK)
			memcpy(medium + at, data, BLOCK);
		break;
	case BACKSTORE_COMPARE_AND_WRITE:
		step.data_len = 2 * step.len;
		memcpy(data, medium, step.len);
		randomize(data + step.len, step.len);
		if (rand() % 2)
			data[(uint64_t)rand() % step.len] ^= 0x80;
		step.differs = first_difference(medium, data, step.len, step.len);
		if (step.differs < step.len)
			step.want = TCMUR_MISCOMPARE;
		else
			memcpy(medium, data + step.len, step.len);
		break;
	case BACKSTORE_VERIFY: /* compares nothing, a block that repeats, or everything */
		step.data_len = rand() % 3 ? rand() % 2 ? BLOCK : step.len : 0;
		if (!step.data_len)
			break;
		memcpy(data, medium, step.data_len);
		if (rand() % 2)
			data[(uint64_t)rand() % step.data_len] ^= 0x80;
		step.differs = first_difference(medium, data, step.len, step.data_len);
		if (step.differs < step.len)
			step.want = TCMUR_MISCOMPARE;
		break;
	case BACKSTORE_OR_WRITE:
		randomize(data, step.data_len = step.len);
		for (uint64_t i = 0; i < step.len; i++)
			medium[i] |= data[i];
		break;
	default:
		break;
	}
	return step;
}

static void run_step(struct backstore *bs, struct script *script, const struct step *step)
{
	static uint8_t back[SIZE];
	struct iovec iov[PIECES];
	struct backstore_io bio = {.op = step->op, .io = {.offset = step->offset, .len = step->len}};

	if (step->op == BACKSTORE_READ) {
		bio.io.iovcnt = cut(iov, back, step->len);
		bio.io.iov = iov;
	} else if (step->data_len) {
		bio.io.iovcnt = cut(iov, data, step->data_len);
		bio.io.iov = iov;
	}
	assert_int_equal(run_io(bs, (unsigned)rand() % NLOOPS, &bio), step->want);
	if (step->want == TCMUR_MISCOMPARE)
		assert_int_equal(bio.io.miscompare_offset, step->differs);
	if (step->op == BACKSTORE_READ)
		assert_memory_equal(back, model + step->offset, step->len);
	if (memcmp(script->media, model, SIZE)) /* which is much faster than the next line */
		assert_memory_equal(script->media, model, SIZE);
}

static void run_model(const char *handler, uint64_t max_io)
{
	struct script *script = script_new(SIZE);

	script->info.max_io = max_io;
	script->info.max_unmap = max_io;
	memset(model, 0, SIZE);
	struct backstore *bs = script_open(handler, script);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct step step = make_step();

		run_step(bs, script, &step);
	}
	backstore_close(bs);
	script_free(script);
}

static void test_random_commands(void **state)
{
	(void)state;
	srand(20261120);
	run_model("async", 0);
	run_model("async", 3 * BLOCK);
	run_model("no_zeroes", 3 * BLOCK);
	run_model("minimal", 0);
	run_model("minimal", 7 * BLOCK);
	run_model("old", BLOCK);
	run_model("parallel", 64 * BLOCK);
}

/* Emulated operations keep their flags, and operations that the handler has are not emulated. */
static void test_who_executes_an_operation(void **state)
{
	struct script *script = script_new(SIZE);
	struct backstore *bs = script_open("minimal", script);
	uint8_t block[BLOCK] = {1};
	struct iovec iov = {block, BLOCK};
	struct backstore_io bio = {.op = BACKSTORE_WRITE_SAME,
				   .io = {.len = 4 * BLOCK, .iov = &iov, .iovcnt = 1, .flags = TCMUR_IO_FUA}};

	(void)state;
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_OK);
	assert_int_equal(script->flags, TCMUR_IO_FUA);
	assert_int_equal(script->calls[SCRIPT_WRITE], 1);
	assert_int_equal(run_simple(bs, BACKSTORE_UNMAP, 0, BLOCK, NULL, 0), TCMUR_NOT_SUPPORTED);
	backstore_close(bs);

	bs = script_open("async", script);
	script->calls[SCRIPT_WRITE] = 0;
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_OK);
	assert_int_equal(script->calls[SCRIPT_WRITE_SAME], 1);
	assert_int_equal(run_simple(bs, BACKSTORE_FLUSH, 0, 0, NULL, 0), TCMUR_OK);
	assert_int_equal(script->calls[SCRIPT_FLUSH], 1);
	assert_int_equal(script->calls[SCRIPT_WRITE], 0);
	backstore_close(bs);
	script_free(script);
}

static void zero_blocks(struct backstore *bs, uint64_t block, uint64_t nblocks, uint32_t flags)
{
	struct backstore_io bio = {.op = BACKSTORE_WRITE_ZEROES,
				   .io = {.offset = block * BLOCK, .len = nblocks * BLOCK, .flags = flags}};

	assert_int_equal(run_io(bs, 0, &bio), TCMUR_OK);
}

/* A handler without write_zeroes() unmaps, but only ranges that unmap() is sure to leave as zeros. */
static void test_zeroes_by_unmap(void **state)
{
	struct script *script = script_new(SIZE);

	(void)state;
	script->info.unmap_granularity = 4 * BLOCK;
	script->info.unmap_alignment = BLOCK;
	struct backstore *bs = script_open("no_zeroes", script);
	zero_blocks(bs, 5, 8, 0);
	assert_int_equal(script->calls[SCRIPT_UNMAP], 1);
	assert_int_equal(script->calls[SCRIPT_WRITE], 0);
	zero_blocks(bs, 4, 8, 0);
	zero_blocks(bs, 5, 7, 0);
	zero_blocks(bs, 5, 8, TCMUR_IO_NO_UNMAP);
	assert_int_equal(script->calls[SCRIPT_UNMAP], 1);
	assert_int_equal(script->calls[SCRIPT_WRITE], 3);
	backstore_close(bs);

	script->info.unmap_zeroes = false;
	bs = script_open("no_zeroes", script);
	zero_blocks(bs, 5, 8, 0);
	assert_int_equal(script->calls[SCRIPT_UNMAP], 1);
	backstore_close(bs);
	script_free(script);
}

/* An error in any step ends the command with this error. */
static void test_errors(void **state)
{
	static const enum backstore_op ops[] = {BACKSTORE_WRITE_ZEROES, BACKSTORE_WRITE_SAME,
						BACKSTORE_COMPARE_AND_WRITE, BACKSTORE_VERIFY,
						BACKSTORE_OR_WRITE};
	struct script *script = script_new(SIZE);

	(void)state;
	script->info.max_io = 2 * BLOCK;
	struct backstore *bs = script_open("minimal", script);
	script->fail = TCMUR_HARDWARE_ERROR;
	script->fail_offset = 9 * BLOCK;
	memset(data, 0, sizeof(data));
	for (unsigned i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		size_t len = ops[i] == BACKSTORE_WRITE_ZEROES ? 0 : 40 * BLOCK;

		assert_int_equal(run_simple(bs, ops[i], 0, 20 * BLOCK, len ? data : NULL, len),
				 TCMUR_HARDWARE_ERROR);
	}
	backstore_close(bs);
	script_free(script);
}

static void test_extents(void **state)
{
	struct script *script = script_new(SIZE);
	struct tcmur_extent extents[3];
	struct backstore_io bio = {
	    .op = BACKSTORE_EXTENTS,
	    .io = {.offset = BLOCK, .len = 9 * BLOCK, .extents = extents, .max_extents = 3}};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct backstore *bs = script_open(i ? "async" : "minimal", script);

		assert_int_equal(run_io(bs, 0, &bio), TCMUR_OK);
		assert_int_equal(bio.io.nextents, 1);
		assert_int_equal(extents[0].offset, BLOCK);
		assert_int_equal(extents[0].len, 9 * BLOCK);
		assert_int_equal(extents[0].state, i ? TCMUR_EXTENT_ANCHORED : TCMUR_EXTENT_MAPPED);
		backstore_close(bs);
	}
	script_free(script);
}

/* --- buffers ----------------------------------------------------------------------------------- */

static void test_buffers_are_charged(void **state)
{
	struct script *script = script_new(1 << 20);
	struct backstore *bs = script_open("minimal", script);
	struct loop_buffer_account account = {.limit = 64u << 10};
	uint8_t block[BLOCK] = {1};
	struct iovec iov = {block, BLOCK};
	struct backstore_io bio = {.op = BACKSTORE_WRITE_SAME,
				   .account = &account,
				   .io = {.len = 512u << 10, .iov = &iov, .iovcnt = 1}};

	(void)state;
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_NO_RESOURCE);
	assert_int_equal(script->calls[SCRIPT_WRITE], 0);
	assert_int_equal(account.used, 0);
	account.limit = 1u << 20;
	assert_int_equal(run_io(bs, 0, &bio), TCMUR_OK);
	assert_int_equal(account.used, 0);
	backstore_close(bs);
	script_free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random_commands), cmocka_unit_test(test_who_executes_an_operation),
	    cmocka_unit_test(test_zeroes_by_unmap), cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_extents),         cmocka_unit_test(test_buffers_are_charged),
	};

	return cmocka_run_group_tests(tests, fixture_up, fixture_down);
}
