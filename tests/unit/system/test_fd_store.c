/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon asks systemd to keep descriptors, and takes them in its next process. A socket of the test takes
 * the place of systemd's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "system/systemd_fd_store.h"

#define FIRST 3 /* SD_LISTEN_FDS_START */

static int systemd = -1;

static int set_up(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	(void)state;
	/* An abstract address needs no file. */
	snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "tcmur-fd-store-%d", getpid());
	systemd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(systemd, (struct sockaddr *)&addr,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(addr.sun_path + 1))),
	    0);
	addr.sun_path[0] = '@';
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	close(systemd);
	return 0;
}

/* Returns the next message, or "" if there is none, and sets fd to its descriptor, or to -1. */
static const char *heard(int *fd)
{
	static char text[256];
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {text, sizeof(text) - 1};
	struct msghdr msg = {
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(systemd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *cmsg = len < 0 ? NULL : CMSG_FIRSTHDR(&msg);

	*fd = -1;
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static bool same_file(int a, int b)
{
	struct stat first, second;

	return !fstat(a, &first) && !fstat(b, &second) && first.st_ino == second.st_ino &&
	       first.st_dev == second.st_dev;
}

static void test_keep_and_forget(void **state)
{
	struct fd_kept first = {.fd = open("/dev/null", O_RDWR)}, second = {.fd = open("/dev/zero", O_RDWR)};
	char expected[256];
	int fd;

	(void)state;
	system_fd_store.keep(&first, "uio3");
	assert_int_equal(strncmp(first.name, "uio3-", 5), 0);
	snprintf(expected, sizeof(expected), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", first.name);
	assert_string_equal(heard(&fd), expected);
	assert_true(same_file(fd, first.fd));
	close(fd);
	system_fd_store.keep(&second, "uio3");
	/* if both had the same name, removing one would remove the other, too */
	assert_string_not_equal(second.name, first.name);
	heard(&fd);
	close(fd);

	snprintf(expected, sizeof(expected), "FDSTOREREMOVE=1\nFDNAME=%s", first.name);
	system_fd_store.forget(&first);
	assert_string_equal(heard(&fd), expected);
	assert_int_equal(fd, -1);
	system_fd_store.forget(&first);
	assert_string_equal(heard(&fd), "");
	assert_true(fcntl(first.fd, F_GETFD) >= 0);
	close(first.fd);
	close(second.fd);
}

static void test_without_systemd(void **state)
{
	struct fd_kept kept = {.fd = FIRST};

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	system_fd_store.keep(&kept, "uio3");
	assert_string_equal(kept.name, "");
	system_fd_store_begin();
	assert_false(system_fd_store.take(NULL, NULL, &kept));
	system_fd_store_end();
}

static bool is_pipe(int fd, const void *arg)
{
	struct stat st;

	return arg == &systemd && !fstat(fd, &st) && S_ISFIFO(st.st_mode);
}

#define check(condition)                                                   \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%d: %s\n", __LINE__, #condition); \
			_exit(1);                                          \
		}                                                          \
	} while (0)

/* Runs in a process of its own, in which any descriptor may have the numbers 3 and 4. */
static void next_process(void)
{
	struct fd_kept kept;
	char pid[16];
	int pipes[2];

	check(!pipe(pipes));
	int pipe_fd = fcntl(pipes[0], F_DUPFD, 100), null_fd = open("/dev/null", O_RDWR);
	check(dup2(null_fd, FIRST) == FIRST && dup2(pipe_fd, FIRST + 1) == FIRST + 1);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "uio3-1.2:portal-3.4", 1);
	system_fd_store_begin();
	/* No child inherits the descriptors or the variables. */
	check(!getenv("LISTEN_FDS") && !getenv("LISTEN_PID") && !getenv("LISTEN_FDNAMES"));
	for (int fd = FIRST; fd < FIRST + 2; fd++)
		check(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	check(system_fd_store.take(is_pipe, &systemd, &kept));
	check(kept.fd == FIRST + 1 && !strcmp(kept.name, "portal-3.4"));
	check(!system_fd_store.take(is_pipe, &systemd, &kept));
	system_fd_store_end();
	check(fcntl(FIRST, F_GETFD) < 0 && fcntl(FIRST + 1, F_GETFD) == FD_CLOEXEC);
	_exit(0);
}

/* The next process closes descriptors that it does not use, and systemd passes them to no later process. */
static void test_take(void **state)
{
	int status, fd;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		next_process();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(heard(&fd), "FDSTOREREMOVE=1\nFDNAME=uio3-1.2");
	assert_string_equal(heard(&fd), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_keep_and_forget, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_without_systemd, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_take, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
