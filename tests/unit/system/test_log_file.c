/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log file: lines from many threads, rotation, another folder, a folder that does not exist, a full disk,
 * and stderr that nobody reads.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>

#include "system/log_file.h"
#include "util/log.h"

static char folder[64], path[128], moved[128];

static int set_up(void **state)
{
	(void)state;
	unsetenv("INVOCATION_ID");
	unsetenv("SYSTEMD_EXEC_PID");
	unsetenv("DBUS_STARTER_BUS_TYPE");
	unsetenv("TCMU_LOGDIR");
	strcpy(folder, "/tmp/log.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/tcmu-runner.log", folder);
	snprintf(moved, sizeof(moved), "%s/tcmu-runner.log.1", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	unlink(moved);
	return rmdir(folder);
}

static char *contents(const char *file)
{
	char *text = NULL;

	assert_true(g_file_get_contents(file, &text, NULL, NULL));
	return text;
}

static void test_lines(void **state)
{
	struct stat st;

	(void)state;
	system_log_open(folder, "tcmu-runner.log");
	log_info("user_0/%s%n (file)", "served 100%%");
	system_log_close();
	g_autofree char *text = contents(path);
	assert_non_null(strstr(text, "[INFO] user_0/%s%n (file): served 100%\n"));
	assert_true(g_regex_match_simple(
	    "^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} \\d+ \\[INFO\\] ", text, 0, 0));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static bool holds(const char *file, const char *what)
{
	g_autofree char *text = NULL;

	return g_file_get_contents(file, &text, NULL, NULL) && strstr(text, what);
}

static void test_rotation(void **state)
{
	(void)state;
	system_log_open(folder, "tcmu-runner.log");
	log_info(NULL, "before");
	for (int i = 0; i < 5000 && !holds(path, "before"); i++)
		g_usleep(1000);
	assert_int_equal(rename(path, moved), 0);
	system_log_reopen();
	log_info(NULL, "after");
	system_log_close();
	g_autofree char *old = contents(moved), *fresh = contents(path);
	assert_non_null(strstr(old, "before"));
	assert_null(strstr(old, "after"));
	assert_non_null(strstr(fresh, "after"));
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* There is room for a part of the second line. */
static void test_full_disk(void **state)
{
	struct stat st;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	system_log_open(folder, "tcmu-runner.log");
	log_info(NULL, "before");
	for (int i = 0; i < 5000 && !holds(path, "before\n"); i++)
		g_usleep(1000);
	assert_int_equal(stat(path, &st), 0);
	limit_files((rlim_t)st.st_size + 10);
	log_info(NULL, "torn");
	log_info(NULL, "missing");
	system_log_flush(5000);
	limit_files(RLIM_INFINITY);
	log_info(NULL, "after");
	log_info(NULL, "last");
	system_log_close();
	g_autofree char *text = contents(path);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	assert_int_equal(g_strv_length(lines), 6);
	assert_true(g_str_has_suffix(lines[0], "[INFO] before"));
	assert_int_equal(strlen(lines[1]), 10);
	assert_true(g_str_has_suffix(lines[2], "[WARN] 2 log lines could not be written"));
	assert_true(g_str_has_suffix(lines[3], "[INFO] after"));
	assert_true(g_str_has_suffix(lines[4], "[INFO] last"));
}

static void test_no_folder(void **state)
{
	(void)state;
	system_log_open("/no/such/folder", "tcmu-runner.log");
	log_info(NULL, "goes on");
	system_log_open(folder, "tcmu-runner.log");
	log_info(NULL, "here now");
	system_log_close();
	g_autofree char *text = contents(path);
	assert_non_null(strstr(text, "here now"));
}

/* The file to which a symbolic link leads gets no lines, whenever the link takes the name of the log. */
static void test_link(void **state)
{
	(void)state;
	assert_int_equal(symlink(moved, path), 0);
	system_log_open(folder, "tcmu-runner.log");
	log_info(NULL, "from the start");
	system_log_flush(5000);
	assert_int_equal(unlink(path), 0);
	system_log_reopen();
	log_info(NULL, "in the file");
	system_log_flush(5000);
	g_autofree char *text = contents(path);
	assert_non_null(strstr(text, "in the file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(moved, path), 0);
	system_log_reopen();
	log_info(NULL, "after a rotation");
	system_log_close();
	assert_int_not_equal(access(moved, F_OK), 0);
}

/* A terminal that was started by a service of the desktop inherits that service's variables. */
static void test_descendant_of_a_service(void **state)
{
	int before = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);

	(void)state;
	setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef", 1);
	setenv("SYSTEMD_EXEC_PID", "1", 1);
	setenv("DBUS_STARTER_BUS_TYPE", "session", 1);
	dup2(fd, STDERR_FILENO);
	system_log_open(NULL, "tcmu-runner.log");
	log_info(NULL, "in the foreground");
	system_log_close();
	dup2(before, STDERR_FILENO);
	close(before);
	close(fd);
	g_autofree char *text = contents(path);
	assert_string_equal(text, "in the foreground\n");
}

#define THREADS 4
#define LINES   200

static void *write_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_info(arg, "line %d", i);
	return NULL;
}

/* All lines are complete and none is lost, including the last ones. */
static void test_threads(void **state)
{
	pthread_t threads[THREADS];
	static char names[THREADS][8];

	(void)state;
	system_log_open(folder, "tcmu-runner.log");
	for (int i = 0; i < THREADS; i++) {
		snprintf(names[i], sizeof(names[i]), "t%d", i);
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	system_log_close();
	g_autofree char *text = contents(path);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	assert_int_equal(g_strv_length(lines), THREADS * LINES + 1);
	for (int i = 0; i < THREADS * LINES; i++)
		assert_true(g_regex_match_simple("\\[INFO\\] t\\d: line \\d+$", lines[i], 0, 0));
}

#define MANY 1000

/* A full pipe does not delay the threads that log, and all lines arrive in their order. */
static void test_stderr_that_nobody_reads(void **state)
{
	int before = dup(STDERR_FILENO), ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	system_log_to_stderr();
	for (int i = 0; i < MANY; i++)
		log_info(NULL, "line %d of many", i);
	FILE *reader = fdopen(ends[0], "r");
	assert_non_null(reader);
	for (int i = 0; i < MANY; i++) {
		char line[64], expected[64];

		snprintf(expected, sizeof(expected), "line %d of many\n", i);
		assert_non_null(fgets(line, sizeof(line), reader));
		assert_string_equal(line, expected);
	}
	system_log_close();
	dup2(before, STDERR_FILENO);
	close(before);
	fclose(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_rotation, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_no_folder, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_link, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_descendant_of_a_service, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
	    cmocka_unit_test(test_stderr_that_nobody_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
