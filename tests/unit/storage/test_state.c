/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the state folder: damaged files, hostile files, and a writer that is killed. */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kept_log.h"
#include "storage/small_file.h"
#include "storage/state.h"

#define KEY "file//srv/disk.img"

static int fd;
static struct storage_state known, read_back;
static struct error error;

static int set_up(void **state)
{
	folder_make(state);
	log_keep();
	fd = small_file_open_folder(AT_FDCWD, folder, &error);
	memset(&known, 0, sizeof(known));
	strcpy(known.machine, "m");
	strcpy(known.serial, "first");
	return fd < 0;
}

static int tear_down(void **state)
{
	close(fd);
	return folder_remove(state);
}

static void write_serial(const char *serial)
{
	strcpy(known.serial, serial);
	assert_int_equal(storage_state_write(fd, KEY, &known, &error), 0);
}

static void expect_serial(const char *serial)
{
	assert_int_equal(storage_state_read(fd, KEY, &read_back, &error), 0);
	assert_string_equal(read_back.serial, serial);
}

static void test_write_and_read(void **state)
{
	(void)state;
	assert_int_equal(storage_state_read(fd, KEY, &read_back, &error), -ENOENT);
	strcpy(known.own, "100%\nsure\t\x7f");
	strcpy(known.rest, "reservation of a newer version\n");
	write_serial("first 1");
	expect_serial("first 1");
	assert_memory_equal(&read_back, &known, sizeof(known));
	assert_int_equal(storage_state_read(fd, "file//srv/other.img", &read_back, &error), -ENOENT);
}

static void test_file_is_private(void **state)
{
	struct stat st;

	(void)state;
	umask(0);
	write_serial("x");
	assert_int_equal(stat(folder_path(folder_find(".state")), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_largest_values(void **state)
{
	static char key[STATE_KEY_SIZE];

	(void)state;
	memset(key, '/', sizeof(key) - 1);
	memset(known.serial, '%', sizeof(known.serial) - 1);
	memset(known.own, '\n', sizeof(known.own) - 1);
	assert_int_equal(storage_state_write(fd, key, &known, &error), 0);
	assert_int_equal(storage_state_read(fd, key, &read_back, &error), 0);
	assert_memory_equal(&read_back, &known, sizeof(known));
}

/* Whatever a crash or a bad disk has done to the file, the previous copy is used, and the log says so. */
static void test_damaged_file(void **state)
{
	char *text, whole[4096];

	(void)state;
	write_serial("first");
	write_serial("second");
	expect_serial("second");
	text = folder_get(".state");
	strcpy(whole, text);
	for (size_t len = 0; len < strlen(whole); len++) {
		text = strndup(whole, len);
		folder_put(folder_find(".state"), text);
		free(text);
		expect_serial("first");
	}
	assert_true(is_logged("the previous copy is used"));
	for (size_t at = 0; at < strlen(whole); at++) {
		text = strdup(whole);
		text[at] ^= 1;
		folder_put(folder_find(".state"), text);
		free(text);
		expect_serial("first");
	}
}

static void test_both_copies_damaged(void **state)
{
	(void)state;
	write_serial("first");
	write_serial("second");
	folder_put(folder_find(".state"), "nonsense");
	folder_put(folder_find(".state.old"), "nonsense");
	assert_int_equal(storage_state_read(fd, KEY, &read_back, &error), -EINVAL);
	assert_string_equal(read_back.serial, "");
	assert_non_null(strstr(error.text, "checksum"));
	write_serial("third");
	expect_serial("third");
}

static void test_file_of_another_object(void **state)
{
	char name[256];

	(void)state;
	write_serial("first");
	strcpy(name, folder_find(".state"));
	assert_int_equal(storage_state_write(fd, "block//dev/sdb", &known, &error), 0);
	assert_int_equal(unlinkat(fd, name, 0), 0);
	assert_int_equal(renameat(fd, folder_find(".state"), fd, name), 0);
	assert_int_equal(storage_state_read(fd, KEY, &read_back, &error), -EINVAL);
	assert_non_null(strstr(error.text, "another storage object"));
}

static void test_hostile_files(void **state)
{
	char name[256];

	(void)state;
	write_serial("first");
	strcpy(name, folder_find(".state"));
	assert_int_equal(renameat(fd, name, fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", fd, name), 0);
	assert_true(storage_state_read(fd, KEY, &read_back, &error) < 0);
	assert_non_null(strstr(error.text, "symbolic link"));
	assert_int_equal(unlinkat(fd, name, 0), 0);
	assert_int_equal(mkfifoat(fd, name, 0600), 0);
	assert_true(storage_state_read(fd, KEY, &read_back, &error) < 0);
	assert_non_null(strstr(error.text, "not a regular file"));
	assert_int_equal(unlinkat(fd, name, 0), 0);
	assert_int_equal(renameat(fd, "elsewhere", fd, name), 0);
	expect_serial("first");
	assert_int_equal(fchmodat(fd, name, 0666, 0), 0);
	assert_true(storage_state_read(fd, KEY, &read_back, &error) < 0);
	assert_non_null(strstr(error.text, "other users may write"));
	assert_int_equal(truncate(folder_path(name), SMALL_FILE_MAX + 1), 0);
	assert_int_equal(fchmodat(fd, name, 0600, 0), 0);
	assert_int_equal(storage_state_read(fd, KEY, &read_back, &error), -EFBIG);
}

/* A symbolic link in place of the file is not followed. */
static void test_links_in_the_way_of_a_writer(void **state)
{
	char name[256], fresh[300];

	(void)state;
	write_serial("first");
	strcpy(name, folder_find(".state"));
	folder_put("victim", "untouched");
	snprintf(fresh, sizeof(fresh), "%s.new", name);
	assert_int_equal(symlinkat("victim", fd, fresh), 0);
	assert_int_equal(unlinkat(fd, name, 0), 0);
	assert_int_equal(symlinkat("victim", fd, name), 0);
	write_serial("second");
	expect_serial("second");
	assert_string_equal(folder_get("victim"), "untouched");
}

static void test_folder_that_others_may_change(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(fd, "open", 0700), 0);
	assert_int_equal(fchmodat(fd, "open", 0777, 0), 0);
	assert_int_equal(small_file_open_folder(fd, "open", &error), -EPERM);
	assert_non_null(strstr(error.text, "chmod 700"));
}

static void expect_folder_problem(const char *problem)
{
	char expected[600];

	snprintf(expected, sizeof(expected), "state folder %s: %s", folder, problem);
	assert_string_equal(error.text, expected);
}

/* If the folder is the problem, an error says what to do about the folder, and names no file in it. */
static void test_folder_is_the_problem(void **state)
{
	static const char not_writable[] =
	    "the daemon's user may not write to it; give it to this user (chown -R)";
	static const char deleted[] = "it was deleted; create it again and restart the daemon";
	uid_t user = geteuid();

	(void)state;
	write_serial("first");
	assert_int_equal(fchmod(fd, 0500), 0);
	/* Root may write nevertheless. */
	assert_int_equal(user ? 0 : seteuid(65534), 0);
	assert_int_equal(storage_state_write(fd, KEY, &known, &error), -EACCES);
	expect_folder_problem(not_writable);
	assert_int_equal(storage_state_remove(fd, KEY, &error), -EACCES);
	expect_folder_problem(not_writable);
	assert_int_equal(storage_state_lock(fd, KEY, &error), -EACCES);
	expect_folder_problem(not_writable);
	assert_int_equal(user ? 0 : seteuid(0), 0);
	assert_int_equal(fchmod(fd, 0700), 0);
	assert_int_equal(storage_state_remove(fd, KEY, &error), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(storage_state_write(fd, KEY, &known, &error), -ENOENT);
	expect_folder_problem(deleted);
	assert_int_equal(storage_state_lock(fd, KEY, &error), -ENOENT);
	expect_folder_problem(deleted);
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void test_full_disk_keeps_the_old_file(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	close(full);
	write_serial("first");
	assert_int_equal(fchmod(fd, 0500), 0);
	if (geteuid()) { /* root may write everywhere */
		strcpy(known.serial, "second");
		assert_true(storage_state_write(fd, KEY, &known, &error) < 0);
	}
	assert_int_equal(fchmod(fd, 0700), 0);
	expect_serial("first");
}

static void write_for_ever(void)
{
	for (unsigned i = 0;; i++) {
		snprintf(known.serial, sizeof(known.serial), "serial-%u", i);
		if (storage_state_write(fd, KEY, &known, NULL))
			_exit(1);
	}
}

/*
 * At whatever instruction a writer is killed, its file is complete, and the previous copy is complete or
 * missing.
 */
static void test_killed_writer(void **state)
{
	(void)state;
	write_serial("serial-first");
	for (unsigned round = 0; round < 60; round++) {
		pid_t child = fork();
		int status;

		if (!child)
			write_for_ever();
		usleep(500 + 137 * round);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(storage_state_read(fd, KEY, &read_back, &error), 0);
		assert_memory_equal(read_back.serial, "serial-", 7);
	}
	assert_false(is_logged("the previous copy is used"));
}

/* --- locks --- */

static void name_lock_file(char name[STATE_NAME_SIZE])
{
	storage_state_name(KEY, name);
	strcpy(strrchr(name, '.'), ".lock");
}

static bool has_lock_file(void)
{
	char name[STATE_NAME_SIZE];

	name_lock_file(name);
	return !faccessat(fd, name, F_OK, 0);
}

static void test_lock_that_is_a_link(void **state)
{
	char name[STATE_NAME_SIZE];

	(void)state;
	name_lock_file(name);
	assert_int_equal(symlinkat("victim", fd, name), 0);
	assert_int_equal(storage_state_lock(fd, KEY, &error), -ELOOP);
	assert_int_not_equal(faccessat(fd, "victim", F_OK, 0), 0);
}

static void test_lock(void **state)
{
	int lock = storage_state_lock(fd, KEY, &error), copy, other;
	char process[32];

	(void)state;
	assert_true(lock >= 0);
	snprintf(process, sizeof(process), "process %d", getpid());
	assert_int_equal(storage_state_lock(fd, KEY, &error), -EBUSY);
	assert_string_equal(error.text, process);
	other = storage_state_lock(fd, "file//srv/other.img", &error);
	assert_true(other >= 0);
	storage_state_unlock(fd, "file//srv/other.img", other, true);
	/* A duplicate keeps the lock, and a write of the state does not end it. */
	copy = dup(lock);
	storage_state_unlock(fd, KEY, lock, false);
	write_serial("serial-first");
	assert_int_equal(storage_state_lock(fd, KEY, &error), -EBUSY);
	storage_state_unlock(fd, KEY, copy, true);
	assert_false(has_lock_file());
	lock = storage_state_lock(fd, KEY, &error);
	assert_true(lock >= 0);
	storage_state_unlock(fd, KEY, lock, true);
}

static void *hang(void *arg)
{
	do {
		pause();
	} while (!arg);
	return arg;
}

/* Takes the lock and tells the parent; if hangs is set, a thread outlives the main thread. */
static pid_t start_holder(bool hangs)
{
	pthread_t thread;
	int ends[2];
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (!child) {
		if (storage_state_lock(fd, KEY, &error) < 0 || pthread_create(&thread, NULL, hang, NULL) ||
		    write(ends[1], "", 1) != 1)
			_exit(1);
		if (hangs)
			pthread_exit(NULL);
		hang(NULL);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return child;
}

static void end_holder(pid_t child)
{
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_lock_ends_with_its_process(void **state)
{
	pid_t child = start_holder(false);
	char process[32];

	(void)state;
	snprintf(process, sizeof(process), "process %d", child);
	assert_int_equal(storage_state_lock(fd, KEY, &error), -EBUSY);
	assert_string_equal(error.text, process);
	end_holder(child);
	assert_true(has_lock_file());
	int lock = storage_state_lock(fd, KEY, &error);
	assert_true(lock >= 0);
	storage_state_unlock(fd, KEY, lock, true);
}

/* A process that was killed while its storage hangs keeps its lock, but does not prevent the next start. */
static void test_lock_of_a_process_that_hangs_in_its_end(void **state)
{
	pid_t child = start_holder(true);
	int err;

	(void)state;
	/* The main thread ends soon. */
	while ((err = storage_state_lock(fd, KEY, &error)) == -EBUSY)
		usleep(1000);
	assert_int_equal(err, -EOWNERDEAD);
	end_holder(child);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_write_and_read),
	    TEST(test_file_is_private),
	    TEST(test_largest_values),
	    TEST(test_damaged_file),
	    TEST(test_both_copies_damaged),
	    TEST(test_file_of_another_object),
	    TEST(test_hostile_files),
	    TEST(test_links_in_the_way_of_a_writer),
	    TEST(test_folder_that_others_may_change),
	    TEST(test_folder_is_the_problem),
	    TEST(test_full_disk_keeps_the_old_file),
	    TEST(test_killed_writer),
	    TEST(test_lock_that_is_a_link),
	    TEST(test_lock),
	    TEST(test_lock_ends_with_its_process),
	    TEST(test_lock_of_a_process_that_hangs_in_its_end),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
