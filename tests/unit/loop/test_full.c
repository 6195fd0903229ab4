/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For some time the kernel accepts nothing, as if it had no memory. Requests, watches and deletions have to
 * wait.
 */
#include "loop_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <liburing.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CROWD 2000 /* Several times the size of the submission queue. */

/*
 * Linked in place of the library's function. While refusing is set, the full queue is not emptied in the
 * middle of a turn.
 */
static bool refusing; /* Only used on loop 0. */
static unsigned refusals;

int __real_io_uring_submit(struct io_uring *ring);
int __wrap_io_uring_submit(struct io_uring *ring);
int __wrap_io_uring_submit(struct io_uring *ring)
{
	if (!refusing || loop_index(loop_current()) != 0)
		return __real_io_uring_submit(ring);
	refusals++;
	return -EAGAIN;
}

/* --- requests --------------------------------------------------------------------------------- */

static struct loop_op ops[CROWD];
static unsigned ndone;
static int fd;
static char data[1];
static struct iovec iov = {data, 1};

/* Requests that waited are executed in their order: reads of /dev/zero end when they are submitted. */
static void was_read(struct loop_op *op, int result)
{
	check(result == 1);
	check((unsigned)(op - ops) == ndone);
	if (++ndone == CROWD) {
		close(fd);
		finish();
	}
}

static void read_body(struct loop_work *work)
{
	(void)work;
	ndone = refusals = 0;
	refusing = true;
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	for (unsigned i = 0; i < CROWD; i++) {
		ops[i].done = was_read;
		loop_readv(loop_current(), &ops[i], fd, &iov, 1, 0, 0);
	}
	check(refusals > 0);
}

static void requests_wait(void **state)
{
	(void)state;
	assert_true(loop_uses_uring(set.loops[0]));
	run_on_loop(read_body);
	assert_int_equal(ndone, CROWD);
}

/* --- watches ---------------------------------------------------------------------------------- */

static struct loop_watch watches[CROWD];
static int pair[2];
static unsigned ncalled;
static struct loop_timer settle;
static unsigned nwaits;
static int write_error;

/* The kernel releases the file when the last poll has ended. This may take long on a busy machine. */
static void wait_until_file_is_gone(struct loop_timer *timer)
{
	if (write(pair[1], "x", 1) == 1 && ++nwaits < 600) {
		loop_timer_arm(loop_current(), timer, 50000000);
		return;
	}
	if (nwaits < 600)
		write_error = errno;
	finish();
}

static void readable(struct loop_watch *watch, uint32_t events)
{
	check(events & EPOLLIN);
	check(watch->fd == pair[0]);
	if (++ncalled < CROWD)
		return;
	/* All at once, so that there is no room for the cancellations either. */
	for (unsigned i = 0; i < CROWD; i++)
		loop_watch_del(&watches[i]);
	memset(watches, 0xee, sizeof(watches));
	close(pair[0]);
	settle.fn = wait_until_file_is_gone;
	loop_timer_arm(loop_current(), &settle, 50000000);
}

static void watch_body(struct loop_work *work)
{
	(void)work;
	ncalled = refusals = nwaits = 0;
	write_error = 0;
	refusing = true;
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	check(write(pair[1], "x", 1) == 1);
	for (unsigned i = 0; i < CROWD; i++) {
		watches[i] = (struct loop_watch){.fn = readable, .fd = pair[0], .events = EPOLLIN};
		check(loop_watch_add(loop_current(), &watches[i]) == 0);
	}
}

static void watches_and_deletions_wait(void **state)
{
	(void)state;
	run_on_loop(watch_body);
	assert_int_equal(ncalled, CROWD);
	assert_true(refusals > 0);
	assert_true(write_error == EPIPE || write_error == ECONNRESET);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    {"requests_wait", requests_wait, fixture_setup, fixture_teardown, &fixture_uring},
	    {"watches_and_deletions_wait", watches_and_deletions_wait, fixture_setup, fixture_teardown,
	     &fixture_uring},
	};
	struct loop_options options = {.nloops = 1, .npool = 1};

	signal(SIGPIPE, SIG_IGN);
	if (loop_set_start(&set, &options, NULL) < 0)
		return 1;
	if (!loop_uses_uring(set.loops[0])) {
		loop_set_stop(&set);
		return 77; /* there is no io_uring here */
	}
	loop_set_stop(&set);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
