/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handler may do all its work inside its calls. The backstore then executes a long command in steps, and
 * the loop does its other work between them. The test counts what the handler does between two turns of the
 * loop, so it does not depend on time.
 */
#include "backstore_fixture.h"

#include <semaphore.h>
#include <stdlib.h>

#include "util/bytes.h"
#include "util/list.h"

/* What the handler may do in one turn. */
#define TURN_BYTES (1u << 20)
#define TURN_CALLS 8u

#define LEN   (2u * TURN_BYTES)
#define NMOST 3u

/* Long commands that run at the same time, and other work that takes turns until they have ended. */
struct contest {
	struct loop_work start, other;
	struct script *script;
	struct backstore_io bios[NMOST];
	struct iovec iov[NMOST];
	unsigned n, left;
	/* What the handler had done at the last turn of the other work, and the most between two turns. */
	uint64_t bytes, most_bytes;
	unsigned calls, most_calls;
	sem_t over;
};

static unsigned all_calls(const struct script *script)
{
	unsigned calls = 0;

	for (unsigned i = 0; i < SCRIPT_NCALLS; i++)
		calls += script->calls[i];
	return calls;
}

static void take_turn(struct loop_work *work)
{
	struct contest *contest = container_of(work, struct contest, other);
	uint64_t bytes = contest->script->bytes;
	unsigned calls = all_calls(contest->script);

	contest->most_bytes = MAX(contest->most_bytes, bytes - contest->bytes);
	contest->most_calls = MAX(contest->most_calls, calls - contest->calls);
	contest->bytes = bytes;
	contest->calls = calls;
	if (contest->left)
		loop_post(loop_current(), work);
	else
		sem_post(&contest->over);
}

static void one_done(struct backstore_io *bio, enum tcmur_status status)
{
	assert_int_equal(status, TCMUR_OK);
	((struct contest *)bio->owner)->left--;
}

static void begin(struct loop_work *work)
{
	struct contest *contest = container_of(work, struct contest, start);

	loop_post(loop_current(), &contest->other);
	for (unsigned i = 0; i < contest->n; i++)
		backstore_submit(&contest->bios[i]);
}

/* A kind of command, and the handler that executes it. */
struct kind {
	const char *handler;
	enum backstore_op op;
	uint32_t flags;
	/* The number of bytes of Data-Out; 0 stands for as many as the command has. */
	size_t data_len;
	/* The longest I/O of the handler. */
	uint64_t max_io;
};

/* Runs n commands at the same time, each on a part of the disk of its own. */
static void run(const struct kind *kind, unsigned n, struct contest *contest)
{
	struct script *script = script_new(n * LEN);
	uint8_t *data = calloc(1, LEN);
	struct backstore *bs;

	script->info.max_io = kind->max_io;
	bs = script_open(kind->handler, script);
	*contest =
	    (struct contest){.start.fn = begin, .other.fn = take_turn, .script = script, .n = n, .left = n};
	sem_init(&contest->over, 0, 0);
	for (unsigned i = 0; i < n; i++) {
		contest->iov[i] = (struct iovec){data, kind->data_len ? kind->data_len : LEN};
		contest->bios[i] = (struct backstore_io){
		    .io = {.offset = i * LEN,
			   .len = LEN,
			   .iov = &contest->iov[i],
			   .iovcnt = 1,
			   .flags = kind->flags},
		    .bs = bs,
		    .loop = loops.loops[0],
		    .op = kind->op,
		    .done = one_done,
		    .owner = contest,
		};
	}
	loop_post(loops.loops[0], &contest->start);
	while (sem_wait(&contest->over) < 0)
		;
	sem_destroy(&contest->over);
	assert_true(script->bytes >= n * LEN);
	backstore_close(bs);
	free(data);
	script_free(script);
}

static void long_commands_leave_turns_to_other_work(void **state)
{
	static const struct kind kinds[] = {
	    {.handler = "async", .op = BACKSTORE_WRITE_SAME, .data_len = BLOCK},
	    {.handler = "async", .op = BACKSTORE_WRITE_ZEROES, .flags = TCMUR_IO_NO_UNMAP},
	    {.handler = "minimal", .op = BACKSTORE_WRITE_SAME, .data_len = BLOCK},
	    {.handler = "minimal", .op = BACKSTORE_WRITE_ZEROES, .flags = TCMUR_IO_NO_UNMAP},
	    {.handler = "async", .op = BACKSTORE_VERIFY},
	    {.handler = "async", .op = BACKSTORE_OR_WRITE},
	    {.handler = "async", .op = BACKSTORE_READ, .max_io = 8 * BLOCK},
	    {.handler = "async", .op = BACKSTORE_WRITE, .max_io = 8 * BLOCK},
	};
	struct contest contest;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (unsigned n = 1; n <= NMOST; n++) {
			run(&kinds[k], n, &contest);
			if (contest.most_bytes > TURN_BYTES || contest.most_calls > TURN_CALLS)
				fail_msg("case %zu, %u at a time: one turn has %llu bytes in %u calls", k, n,
					 (unsigned long long)contest.most_bytes, contest.most_calls);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(long_commands_leave_turns_to_other_work),
	};

	return cmocka_run_group_tests(tests, fixture_up, fixture_down);
}
