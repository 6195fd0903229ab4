/* SPDX-License-Identifier: Apache-2.0 */
/* I/O on files in memory: many requests of a turn, together, each with its own answer. */
#include "harness.h"

#include <sys/mman.h>

#define MANY  200 /* more than go into one call */
#define BAD   77  /* the request with a descriptor that is none */
#define BLOCK 512

static int fd;
static struct loop_op ops[MANY];
static char data[MANY][BLOCK];
static struct iovec iov[MANY];
static int answers;
static bool reading;
static struct loop_work end;

static void start_all(void);

static void later_in_the_turn(struct loop_work *work)
{
	(void)work;
	check(reading); /* all writes are answered */
}

static void answered(struct loop_op *op, int result)
{
	int i = (int)(op - ops);

	answers++;
	if (i == BAD)
		check(result == -EBADF);
	else
		check(result == BLOCK);
	if (reading && i != BAD)
		for (int n = 0; n < BLOCK; n++)
			check(data[i][n] == (char)(i + 1));
	if (answers == MANY && !reading) {
		reading = true;
		memset(data, 0, sizeof(data));
		start_all(); /* from a callback: still in this turn */
	} else if (answers == MANY) {
		close(fd);
		finish();
	}
}

static void start_all(void)
{
	answers = 0;
	for (int i = 0; i < MANY; i++) {
		int file = i == BAD ? 9999 : fd;

		ops[i].done = answered;
		if (reading)
			loop_readv_memory(loop_current(), &ops[i], file, &iov[i], 1, (uint64_t)i * BLOCK, 0);
		else
			loop_writev_memory(loop_current(), &ops[i], file, &iov[i], 1, (uint64_t)i * BLOCK,
					   RWF_DSYNC);
	}
	check(answers == 0); /* none before all are asked for */
}

static void body(struct loop_work *work)
{
	(void)work;
	fd = memfd_create("test", MFD_CLOEXEC);
	check(fd >= 0);
	reading = false;
	for (int i = 0; i < MANY; i++) {
		memset(data[i], i + 1, BLOCK);
		iov[i] = (struct iovec){data[i], BLOCK};
	}
	start_all();
	end.fn = later_in_the_turn;
	loop_defer(loop_current(), &end);
}

static void many_in_a_turn(void **state)
{
	(void)state;
	run_on_loop(body);
}

/* --- one alone, and the end of the file ------------------------------------------------------- */

static void read_alone(struct loop_op *op, int result)
{
	(void)op;
	check(result == 100 && data[0][0] == 'x' && data[0][99] == 'x');
	close(fd);
	finish();
}

static void wrote_alone(struct loop_op *op, int result)
{
	check(result == 100);
	memset(data[0], 0, BLOCK);
	iov[0].iov_len = BLOCK;
	op->done = read_alone;
	loop_readv_memory(loop_current(), op, fd, &iov[0], 1, 4096, 0);
}

static void alone_body(struct loop_work *work)
{
	(void)work;
	fd = memfd_create("test", MFD_CLOEXEC);
	check(fd >= 0);
	memset(data[0], 'x', BLOCK);
	iov[0] = (struct iovec){data[0], 100};
	ops[0].done = wrote_alone;
	loop_writev_memory(loop_current(), &ops[0], fd, &iov[0], 1, 4096, 0);
}

static void one_alone(void **state)
{
	(void)state;
	run_on_loop(alone_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH_ENGINES(many_in_a_turn),
	    BOTH_ENGINES(one_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
