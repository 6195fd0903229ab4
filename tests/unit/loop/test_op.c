/* SPDX-License-Identifier: Apache-2.0 */
/* File I/O: each kind, its errors, many at once. */
#include "loop_fixture.h"
#include "kernel_features.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include "util/lock.h"

static int fd;
static struct loop_op op;
static char data[8192];
static struct iovec iov[2];
static void (*step)(int result); /* Handles the result of op. */

static void stepped(struct loop_op *o, int result)
{
	check(o == &op);
	check(loop_current() == set.loops[0]);
	step(result);
}

static void open_temporary(void)
{
	char name[] = "loop-test-XXXXXX";

	fd = mkstemp(name);
	check(fd >= 0);
	unlink(name);
	op.done = stepped;
}

/* --- write, flush and read back; each begins in the done() of the previous one --- */

static void short_read(int result)
{
	check(result == 100); /* the file ends there */
	close(fd);
	finish();
}

static void was_read(int result)
{
	check(result == 6000);
	for (int i = 0; i < 6000; i++)
		check(data[i] == (char)(i * 7));
	step = short_read;
	loop_readv(loop_current(), &op, fd, iov, 1, 5900 + 100000, 0);
}

static void was_synced(int result)
{
	check(result == 0);
	memset(data, 0, sizeof(data));
	iov[0] = (struct iovec){data, 1000};
	iov[1] = (struct iovec){data + 1000, 7000};
	step = was_read;
	loop_readv(loop_current(), &op, fd, iov, 2, 100000, 0);
}

static void was_written(int result)
{
	check(result == 6000);
	step = was_synced;
	loop_fdatasync(loop_current(), &op, fd);
}

static void write_body(struct loop_work *work)
{
	(void)work;
	open_temporary();
	for (int i = 0; i < 6000; i++)
		data[i] = (char)(i * 7);
	iov[0] = (struct iovec){data, 5000};
	iov[1] = (struct iovec){data + 5000, 1000};
	step = was_written;
	loop_writev(loop_current(), &op, fd, iov, 2, 100000, RWF_DSYNC);
}

static void writes_and_reads(void **state)
{
	(void)state;
	if (!kernel_writes_dsync("."))
		skip();
	run_on_loop(write_body);
}

/* --- fallocate -------------------------------------------------------------------------------- */

static void was_punched(int result)
{
	struct stat st;

	check(result == 0);
	check(fstat(fd, &st) == 0);
	check(st.st_size == 1 << 20);
	check(st.st_blocks < (1 << 20) / 512);
	close(fd);
	finish();
}

static void was_allocated(int result)
{
	struct stat st;

	check(result == 0);
	check(fstat(fd, &st) == 0);
	check(st.st_size == 1 << 20);
	step = was_punched;
	loop_fallocate(loop_current(), &op, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 65536, 131072);
}

static void allocate_body(struct loop_work *work)
{
	(void)work;
	open_temporary();
	step = was_allocated;
	loop_fallocate(loop_current(), &op, fd, 0, 0, 1 << 20);
}

static void allocates_and_punches(void **state)
{
	(void)state;
	run_on_loop(allocate_body);
}

/* --- errors come from the kernel unchanged --- */

static void bad_mode(int result)
{
	check(result == -EOPNOTSUPP || result == -EINVAL);
	close(fd);
	finish();
}

static void bad_sync(int result)
{
	check(result == -EBADF);
	open_temporary();
	step = bad_mode;
	loop_fallocate(loop_current(), &op, fd, 0x4000, 0, 4096);
}

static void bad_write(int result)
{
	check(result == -EBADF);
	step = bad_sync;
	loop_fdatasync(loop_current(), &op, 9999);
}

static void full(int result)
{
	check(result == -ENOSPC);
	close(fd);
	step = bad_write;
	loop_writev(loop_current(), &op, 9999, iov, 1, 0, 0);
}

static void bad_read(int result)
{
	check(result == -EBADF);
	fd = open("/dev/full", O_RDWR);
	check(fd >= 0);
	step = full;
	loop_writev(loop_current(), &op, fd, iov, 1, 0, 0);
}

static void error_body(struct loop_work *work)
{
	(void)work;
	op.done = stepped;
	iov[0] = (struct iovec){data, 4096};
	step = bad_read;
	loop_readv(loop_current(), &op, 9999, iov, 1, 0, 0);
}

static void errors_come_back(void **state)
{
	(void)state;
	run_on_loop(error_body);
}

/* --- poll ------------------------------------------------------------------------------------- */

static struct loop_watch other;
static struct loop_timer later;

static void ignore(struct loop_watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
}

static void file_is_ready(int result)
{
	check(result & POLLIN);
	close(fd);
	finish();
}

static void bad_poll(int result)
{
	check(result == -EBADF);
	open_temporary();
	step = file_is_ready;
	loop_poll(loop_current(), &op, fd, POLLIN);
}

static void polled(int result)
{
	check(result == POLLIN);
	loop_watch_del(&other);
	close(fd);
	step = bad_poll;
	loop_poll(loop_current(), &op, 9999, POLLIN);
}

static void make_ready(struct loop_timer *timer)
{
	(void)timer;
	check(eventfd_write(fd, 1) == 0);
}

/* The descriptor is watched at the same time. */
static void poll_body(struct loop_work *work)
{
	struct loop *loop = loop_current();

	(void)work;
	fd = eventfd(0, EFD_NONBLOCK);
	op.done = stepped;
	step = polled;
	other = (struct loop_watch){.fn = ignore, .fd = fd, .events = EPOLLIN};
	check(loop_watch_add(loop, &other) == 0);
	loop_poll(loop, &op, fd, POLLIN);
	later = (struct loop_timer){.fn = make_ready};
	loop_timer_arm(loop, &later, 5000000);
}

static void polls_once(void **state)
{
	(void)state;
	run_on_loop(poll_body);
}

/* --- blocking work ---------------------------------------------------------------------------- */

static int block(struct loop_op *o)
{
	check(o == &op);
	check(loop_current() == NULL);
	usleep(1000);
	return 42;
}

static void blocked(int result)
{
	check(result == 42);
	finish();
}

static void block_body(struct loop_work *work)
{
	(void)work;
	op.done = stepped;
	step = blocked;
	loop_blocking(loop_current(), &op, block);
}

static void blocks_elsewhere(void **state)
{
	(void)state;
	run_on_loop(block_body);
}

/* --- more requests at once than the kernel's queues hold --- */

#define CROWD 6000

static struct crowd_op {
	struct loop_op op;
	struct iovec iov;
	uint32_t value;
	unsigned done;
} crowd[CROWD];
static unsigned ndone;
static unsigned long locks_before;

static void crowd_read(struct loop_op *o, int result)
{
	struct crowd_op *c = container_of(o, struct crowd_op, op);

	check(result == sizeof(c->value));
	check(c->value == (uint32_t)(c - crowd));
	check(++c->done == 2);
	if (++ndone == CROWD) {
		close(fd);
		finish();
	}
}

static void crowd_start(void (*start)(struct loop *, struct loop_op *, int, const struct iovec *, unsigned,
				      uint64_t, int),
			void (*done)(struct loop_op *, int))
{
	struct loop *loop = loop_current();

	ndone = 0;
	locks_before = lock_taken();
	for (unsigned i = 0; i < CROWD; i++) {
		crowd[i].op.done = done;
		crowd[i].iov = (struct iovec){&crowd[i].value, sizeof(crowd[i].value)};
		start(loop, &crowd[i].op, fd, &crowd[i].iov, 1, i * sizeof(crowd[i].value), 0);
	}
	/* The fast path makes a request without a lock. */
	if (loop_uses_uring(loop))
		check(lock_taken() == locks_before);
}

static void crowd_written(struct loop_op *o, int result)
{
	struct crowd_op *c = container_of(o, struct crowd_op, op);

	check(result == sizeof(c->value));
	check(++c->done == 1);
	if (++ndone < CROWD)
		return;
	for (unsigned i = 0; i < CROWD; i++)
		crowd[i].value = 0;
	crowd_start(loop_readv, crowd_read);
}

static void crowd_body(struct loop_work *work)
{
	(void)work;
	open_temporary();
	for (unsigned i = 0; i < CROWD; i++)
		crowd[i] = (struct crowd_op){.value = i};
	crowd_start(loop_writev, crowd_written);
}

static void each_of_many_requests_ends_once(void **state)
{
	struct loop_stats before, after;

	(void)state;
	loop_stats(set.loops[0], &before);
	run_on_loop(crowd_body);
	loop_stats(set.loops[0], &after);
	assert_int_equal(after.ops - before.ops, 2 * CROWD);
}

/* When the daemon stops while requests are in progress, it waits for them. */
static unsigned slow_done;

static int slow(struct loop_op *o)
{
	(void)o;
	usleep(20000);
	return 0;
}

static void slow_was_done(struct loop_op *o, int result)
{
	(void)o;
	check(result == 0);
	slow_done++;
}

static void slow_body(struct loop_work *work)
{
	(void)work;
	for (unsigned i = 0; i < 8; i++) {
		crowd[i].op.done = slow_was_done;
		loop_blocking(loop_current(), &crowd[i].op, slow);
	}
	finish();
}

static void stop_waits_for_requests(void **state)
{
	slow_done = 0;
	run_on_loop(slow_body);
	loop_set_stop(&set);
	assert_int_equal(slow_done, 8);
	assert_int_equal(fixture_setup(state), 0); /* the teardown needs this */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH_ENGINES(writes_and_reads),        BOTH_ENGINES(allocates_and_punches),
	    BOTH_ENGINES(errors_come_back),        BOTH_ENGINES(polls_once),
	    BOTH_ENGINES(blocks_elsewhere),        BOTH_ENGINES(each_of_many_requests_ends_once),
	    BOTH_ENGINES(stop_waits_for_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
