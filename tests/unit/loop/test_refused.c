/* SPDX-License-Identifier: Apache-2.0 */
/* The loop also works in a container that forbids io_uring. */
#include "loop_fixture.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Forbids io_uring for this process, as Docker's default profile does. */
static int forbid_io_uring(void)
{
	struct sock_filter rules[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(rules) / sizeof(rules[0]), rules};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int fd;
static struct loop_op op;
static char data[4096];
static struct iovec iov = {data, sizeof(data)};

static void was_read(struct loop_op *o, int result)
{
	check(o == &op);
	check(result == 0); /* /dev/null is at its end */
	close(fd);
	finish();
}

static void read_body(struct loop_work *work)
{
	(void)work;
	op.done = was_read;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	loop_readv(loop_current(), &op, fd, &iov, 1, 0, 0);
}

static void goes_on_with_epoll(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_LOOPS; i++)
		assert_false(loop_uses_uring(set.loops[i]));
	run_on_loop(read_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    {"goes_on_with_epoll", goes_on_with_epoll, fixture_setup, fixture_teardown, &fixture_uring},
	};

	if (forbid_io_uring() < 0)
		return 77; /* there is no seccomp here */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
