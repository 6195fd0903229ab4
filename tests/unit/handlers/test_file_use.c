/* SPDX-License-Identifier: Apache-2.0 */
/* A file that another process uses is refused, and the error names the process. */
#include "in_use.h"
#include "test_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const shared[] = {"shared=1", NULL};

/* The result of fcntl(F_OFD_SETLK); 0 means that the kernel decides. */
static int lock_error;

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
#if __SIZEOF_POINTER__ == 4
/* With 64-bit offsets, the C library of a 32-bit system calls the function by this name. */
int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...) __attribute__((alias("__wrap_fcntl")));
#define __real_fcntl __real_fcntl64
#endif

int __wrap_fcntl(int fd, int command, ...)
{
	va_list args;
	void *argument;

	va_start(args, command);
	argument = va_arg(args, void *);
	va_end(args);
	if (command == F_OFD_SETLK && lock_error) {
		errno = lock_error;
		return -1;
	}
	return __real_fcntl(fd, command, argument);
}

static void make(const char *name)
{
	tcmur_handler_entry()->close(open_new(name, NULL, 0));
}

static void refused(const char *name, const char *reason)
{
	struct opening opening;

	assert_int_equal(fake_daemon_open(&opening, dir, (struct wanted){.config = name}), -EBUSY);
	if (!strstr(opening.open.error, reason))
		fail_msg("expected \"%s\" in \"%s\"", reason, opening.open.error);
}

static uint64_t opened_with_flags(const char *name, const char *const *options)
{
	struct opening opening;

	if (fake_daemon_open(&opening, dir, (struct wanted){.config = name, .options = options}))
		fail_msg("%s", opening.open.error);
	tcmur_handler_entry()->close(opening.open.handle);
	return opening.open.info.flags;
}

static void test_other_disk_of_this_daemon(void **state)
{
	void *handle = open_new("twice", NULL, 0);

	(void)state;
	refused("twice", "another disk of this daemon");
	close_and_remove(handle, "twice");
}

/* The child holds the kind of lock that other programs, such as QEMU, take. */
static void test_other_process_is_named(void **state)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char reason[64], byte;
	int pipes[2];

	(void)state;
	make("held");
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	if (!child) {
		int fd = open(in_dir("held"), O_RDWR);

		if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0 || write(pipes[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	snprintf(reason, sizeof(reason), "process %d (", child);
	refused("held", reason);
	refused("held", "shared=on");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(opened_with_flags("held", NULL), TCMUR_INFO_EXCLUSIVE);
	unlink(in_dir("held"));
}

static void test_sharing_is_an_agreement(void **state)
{
	struct opening one, two;
	const struct wanted wanted = {.config = "both", .options = shared};

	(void)state;
	make("both");
	assert_int_equal(fake_daemon_open(&one, dir, wanted), 0);
	assert_int_equal(fake_daemon_open(&two, dir, wanted), 0);
	assert_int_equal(one.open.info.flags, 0);
	refused("both", "locked");
	tcmur_handler_entry()->close(one.open.handle);
	tcmur_handler_entry()->close(two.open.handle);
	unlink(in_dir("both"));
}

static void test_loop_device(void **state)
{
	char command[160], reason[64], loop[32] = "";
	FILE *output;

	(void)state;
	if (access("/sys/block", F_OK) < 0)
		skip(); /* nothing tells which files loop devices have */
	make("looped");
	snprintf(command, sizeof(command), "losetup -f --show %s 2>/dev/null", in_dir("looped"));
	output = popen(command, "r");
	assert_non_null(output);
	if (!fgets(loop, sizeof(loop), output))
		loop[0] = '\0';
	pclose(output);
	loop[strcspn(loop, "\n")] = '\0';
	if (!loop[0]) {
		unlink(in_dir("looped"));
		skip();
	}
	snprintf(reason, sizeof(reason), "%s is attached to it", loop);
	refused("looped", reason);
	assert_int_equal(opened_with_flags("looped", shared), 0);
	snprintf(command, sizeof(command), "losetup -d %s", loop);
	assert_int_equal(system(command), 0);
	assert_int_equal(opened_with_flags("looped", NULL), TCMUR_INFO_EXCLUSIVE);
	unlink(in_dir("looped"));
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_backstore_of_the_kernel(void **state)
{
	char tree[200], path[300], command[500];

	(void)state;
	make("kernel");
	snprintf(tree, sizeof(tree), "%s/tree", dir);
	snprintf(command, sizeof(command), "mkdir -p %s/core/fileio_3/disk %s/core/user_0/x", tree, tree);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/core/fileio_3/disk/udev_path", tree);
	put(path, in_dir("kernel"));
	snprintf(path, sizeof(path), "%s/core/fileio_3/disk/enable", tree);
	put(path, "1\n");
	in_use_configfs = tree;
	refused("kernel", "backstore fileio_3/disk uses it");
	assert_int_equal(opened_with_flags("kernel", shared), 0);
	put(path, "0\n");
	assert_int_equal(opened_with_flags("kernel", NULL), TCMUR_INFO_EXCLUSIVE);
	in_use_configfs = "/sys/kernel/config/target";
	snprintf(command, sizeof(command), "rm -r %s", tree);
	assert_int_equal(system(command), 0);
	unlink(in_dir("kernel"));
}

static void test_file_system_without_locks(void **state)
{
	static const int errors[] = {ENOLCK, EOPNOTSUPP, ENOSYS, EINVAL};

	(void)state;
	make("unlocked");
	for (unsigned i = 0; i < 4; i++) {
		lock_error = errors[i];
		logged[0] = '\0';
		assert_int_equal(opened_with_flags("unlocked", NULL), 0);
		assert_non_null(strstr(logged, "has no locks"));
	}
	lock_error = 0;
	unlink(in_dir("unlocked"));
}

#define TEST(name) cmocka_unit_test_setup(name, fake_daemon_reset)

int test_file_use(const char *title)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_other_disk_of_this_daemon), TEST(test_other_process_is_named),
	    TEST(test_sharing_is_an_agreement),   TEST(test_loop_device),
	    TEST(test_backstore_of_the_kernel),   TEST(test_file_system_without_locks),
	};

	return cmocka_run_group_tests_name(title, tests, NULL, NULL);
}
