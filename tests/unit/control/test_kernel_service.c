/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that the kernel front end opens in its run folder before it serves. Its module counts as loaded.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>

#include "control/kernel_service.h"
#include "system/kernel_module.h"
#include "util/log.h"

struct test {
	char *folder;
	struct config_options options;
	struct error error;
};

int __wrap_kernel_module_load(struct error *error);
int __wrap_kernel_module_load(struct error *error)
{
	(void)error;
	return 0;
}

static int set_up(void **state)
{
	struct test *t = g_new0(struct test, 1);

	log_set_level(LOG_LEVEL_CRIT);
	t->folder = g_dir_make_tmp("service.XXXXXX", NULL);
	assert_non_null(t->folder);
	t->options.run_dir = t->options.state_dir = t->folder;
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"lock", "io", "state", "victim"};
	struct test *t = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(t->folder, names[i], NULL);

		unlink(path);
	}
	assert_int_equal(rmdir(t->folder), 0);
	g_free(t->folder);
	g_free(t);
	return 0;
}

/* Puts a symbolic link in the place of the file, and checks that the start is refused because of it. */
static void assert_not_followed(struct test *t, const char *name)
{
	const struct conf conf = {0};
	g_autofree char *path = g_build_filename(t->folder, name, NULL),
			*victim = g_build_filename(t->folder, "victim", NULL);
	struct kernel_service *service;

	assert_int_equal(symlink("victim", path), 0);
	assert_int_equal(kernel_service_new(&service, &t->options, &conf, &t->error), -ELOOP);
	assert_non_null(strstr(t->error.text, path));
	assert_int_not_equal(access(victim, F_OK), 0);
}

static void the_lock_is_no_link(void **state)
{
	assert_not_followed(*state, "lock");
}

static void the_file_for_io_in_progress_is_no_link(void **state)
{
	assert_not_followed(*state, "io");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_lock_is_no_link, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_file_for_io_in_progress_is_no_link, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
