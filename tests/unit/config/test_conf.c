/* SPDX-License-Identifier: Apache-2.0 */
/* tcmu.conf: what is read, what is refused, and that changes are noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>

#include "config/conf.h"
#include "config/conf_watch.h"
#include "util/log.h"

static char folder[64], path[128];
static GString *logged;

static void sink(enum log_level level, const char *line)
{
	(void)level;
	g_string_append(logged, line);
	g_string_append_c(logged, '\n');
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/conf.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/tcmu.conf", folder);
	logged = g_string_new(NULL);
	log_set_sink(sink);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_set_sink(NULL);
	g_string_free(logged, TRUE);
	unlink(path);
	return rmdir(folder);
}

static struct conf read_text(const char *text)
{
	struct conf conf;

	assert_true(g_file_set_contents(path, text, -1, NULL));
	conf_read(&conf, path);
	return conf;
}

static void assert_defaults(const struct conf *conf)
{
	assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
	assert_null(conf->log_dir);
	assert_null(conf->state_dir);
	assert_int_equal(conf->threads, CONTROL_UNSET);
	assert_int_equal(conf->pool_threads, CONTROL_UNSET);
	assert_int_equal(conf->spin_us, CONTROL_UNSET);
	assert_int_equal(conf->cmd_time_out, 120);
}

static void test_missing_file_means_defaults(void **state)
{
	struct conf conf;

	(void)state;
	conf_read(&conf, path);
	assert_defaults(&conf);
	assert_string_equal(logged->str, "");
	conf_free(&conf);
}

static void test_all_keys(void **state)
{
	struct conf conf = read_text("# a comment\n\n log_level=4\nlog_dir = \"/var/my log\" # and another\n"
				     "state_dir = '/srv/x'\n\tthreads = 3 # three\npool_threads=7\n"
				     "spin_us = 50\r\ncmd_time_out = 0");

	(void)state;
	assert_string_equal(logged->str, "");
	assert_int_equal(conf.log_level, 4);
	assert_string_equal(conf.log_dir, "/var/my log");
	assert_string_equal(conf.state_dir, "/srv/x");
	assert_int_equal(conf.threads, 3);
	assert_int_equal(conf.pool_threads, 7);
	assert_int_equal(conf.spin_us, 50);
	assert_int_equal(conf.cmd_time_out, 0);
	conf_free(&conf);
}

static void test_zero_byte(void **state)
{
	static const char text[] = "threads = 2\0\npool_threads = 3\n";
	struct conf conf;

	(void)state;
	assert_true(g_file_set_contents(path, text, sizeof(text) - 1, NULL));
	conf_read(&conf, path);
	assert_non_null(strstr(logged->str, ":1: '2?': threads takes a number"));
	assert_int_equal(conf.threads, CONTROL_UNSET);
	assert_int_equal(conf.pool_threads, 3);
	conf_free(&conf);
}

/* Each wrong line is reported with its number, and the lines around it are used. */
static void test_wrong_lines(void **state)
{
	static const char *const lines[] = {
	    "nonsense",
	    "=",
	    "= 3",
	    "no_such_key = 1",
	    "log_level = 9",
	    "log_level = \"4",
	    "log_level =",
	    "log_level = four",
	    "log_dir = relative",
	    "log_dir = \"/a\" b",
	    "9lives = 1",
	    "_ = 1",
	    "threads = -1",
	    "cmd_time_out = 99999999999999999999",
	    "log_dir = %s%n",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *text = g_strdup_printf("log_level = 1\n%s\nthreads = 2\n", lines[i]);
		g_autofree char *place = g_strdup_printf("%s:2: ", path);

		g_string_truncate(logged, 0);
		struct conf conf = read_text(text);
		assert_int_equal(conf.log_level, 1);
		assert_int_equal(conf.threads, 2);
		assert_null(conf.log_dir);
		assert_non_null(strstr(logged->str, place));
		conf_free(&conf);
	}
}

static void test_command_line_goes_first(void **state)
{
	struct config_options options = {
	    .threads = 1, .pool_threads = CONTROL_UNSET, .spin_us = CONTROL_UNSET};
	struct conf conf = read_text("threads = 5\nspin_us = 9\nstate_dir = /srv/y\n");

	(void)state;
	conf_complete(&conf, &options);
	assert_int_equal(options.threads, 1);
	assert_int_equal(options.spin_us, 9);
	assert_int_equal(options.pool_threads, 16);
	assert_string_equal(options.state_dir, "/srv/y");
	config_options_free(&options);
	conf_free(&conf);
}

static void test_which_keys_need_a_restart(void **state)
{
	struct conf old = read_text(""), fresh = read_text("log_level = 1\nlog_dir = /x\ncmd_time_out = 4\n");

	(void)state;
	assert_false(conf_needs_restart(&old, &fresh));
	conf_free(&fresh);
	fresh = read_text("threads = 2\n");
	assert_true(conf_needs_restart(&old, &fresh));
	conf_free(&fresh);
	conf_free(&old);
}

/*
 * The installed file only has comments. If the "#" is removed from a line with a key, the line sets the
 * default.
 */
static void test_shipped_file(void **state)
{
	g_autofree char *text = NULL;
	struct conf conf;

	(void)state;
	conf_read(&conf, SHIPPED);
	assert_defaults(&conf);
	conf_free(&conf);
	assert_true(g_file_get_contents(SHIPPED, &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	unsigned keys = 0;

	for (char **line = lines; *line; line++) {
		if (!strstr(*line, " = "))
			continue;
		conf = read_text(*line + strspn(*line, "# "));
		keys++;
		assert_true(conf.log_level == LOG_LEVEL_INFO);
		assert_int_equal(conf.cmd_time_out, 120);
		conf_free(&conf);
	}
	assert_int_equal(keys, 7);
	assert_string_equal(logged->str, "");
}

/* --- changes --- */

static void on_change(void *arg)
{
	++*(unsigned *)arg;
}

static bool noticed(unsigned *changes)
{
	unsigned before = *changes;

	for (int i = 0; i < 2000 && *changes == before; i++) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	return *changes > before;
}

static void turn_main_loop(int ms)
{
	for (gint64 end = g_get_monotonic_time() + ms * 1000; g_get_monotonic_time() < end; g_usleep(1000))
		g_main_context_iteration(NULL, FALSE);
}

static void test_changes_are_noticed(void **state)
{
	unsigned changes = 0;
	struct conf_watch *watch = conf_watch_new(path, on_change, &changes);
	g_autofree char *other = g_strconcat(folder, "/other", NULL);

	(void)state;
	FILE *file = fopen(path, "w"); /* the file is created, and then written in place */
	fputs("log_level = 1\n", file);
	fclose(file);
	assert_true(noticed(&changes));
	assert_true(g_file_set_contents(other, "x", 1, NULL));
	assert_int_equal(rename(other, path), 0); /* some editors save in this way */
	assert_true(noticed(&changes));
	unsigned before = changes;
	assert_int_equal(rename(path, other), 0); /* others remove the file, and create it a moment later */
	turn_main_loop(50);
	assert_int_equal(changes, before);
	assert_true(g_file_set_contents(path, "y", 1, NULL));
	turn_main_loop(1000);
	assert_int_equal(changes, before + 1);
	assert_int_equal(unlink(path), 0);
	assert_true(noticed(&changes));
	before = changes;
	file = fopen(other, "w");
	fclose(file);
	turn_main_loop(500);
	assert_int_equal(changes, before);
	unlink(other);
	conf_watch_free(watch);
}

/* Programs write to this device all the time. */
static void test_device_is_not_watched(void **state)
{
	unsigned changes = 0;
	struct conf_watch *watch = conf_watch_new("/dev/null", on_change, &changes);
	FILE *null = fopen("/dev/null", "w");

	(void)state;
	assert_non_null(null);
	fclose(null);
	turn_main_loop(500);
	assert_int_equal(changes, 0);
	conf_watch_free(watch);
}

static void test_no_folder_is_no_error(void **state)
{
	unsigned changes = 0;

	(void)state;
	conf_watch_free(conf_watch_new("/no/such/folder/tcmu.conf", on_change, &changes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_missing_file_means_defaults, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_zero_byte, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_all_keys, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_wrong_lines, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_command_line_goes_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_which_keys_need_a_restart, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_shipped_file, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_changes_are_noticed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_device_is_not_watched, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_no_folder_is_no_error, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
