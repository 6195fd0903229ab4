/* SPDX-License-Identifier: Apache-2.0 */
/* Writes and reads the mark of a clean stop, with a long list of devices. No manager runs. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/private.h"

/* The list of these minor numbers is longer than several buffers of stdio. */
#define FIRST 10000u
#define COUNT 5000u

/* The first write beyond this many bytes fails. */
#define LIMIT 4096u

struct fixture {
	char folder[32], path[64];
	struct kernel_manager writer, reader;
};

static int set_up(void **state)
{
	struct fixture *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->folder, sizeof(w->folder), "/tmp/mark.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof(w->path), "%s/clean-stop", w->folder);
	w->writer.mark = w->reader.mark = w->path;
	w->writer.left_ns = 1;
	for (unsigned i = 0; i < COUNT; i++)
		kernel_mark_add_unclean(&w->writer, FIRST + i);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *w = *state;

	free(w->writer.unclean.at);
	free(w->reader.unclean_before.at);
	assert_int_equal(rmdir(w->folder), 0); /* The mark was removed when it was read. */
	free(w);
	return 0;
}

static void assert_all_need_reset(const struct kernel_manager *reader)
{
	for (unsigned i = 0; i < COUNT; i++)
		assert_false(kernel_mark_is_clean(reader, FIRST + i));
}

static void test_long_list(void **state)
{
	struct fixture *w = *state;

	kernel_mark_write(&w->writer);
	kernel_mark_read(&w->reader);
	assert_all_need_reset(&w->reader);
	assert_true(kernel_mark_is_clean(&w->reader, FIRST + COUNT));
	assert_int_equal(w->reader.since_ns, 1);
}

/* After the write that failed, writes succeed again, as on a disk on which space becomes free. */
static void lift_limit(int signal)
{
	struct rlimit limit;

	(void)signal;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

static void test_one_write_fails(void **state)
{
	const struct sigaction action = {.sa_handler = lift_limit};
	struct fixture *w = *state;
	struct sigaction before;
	struct rlimit limit;

	assert_int_equal(sigaction(SIGXFSZ, &action, &before), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = LIMIT;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	kernel_mark_write(&w->writer);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(limit.rlim_cur, limit.rlim_max); /* One write has failed. */
	assert_int_equal(sigaction(SIGXFSZ, &before, NULL), 0);
	kernel_mark_read(&w->reader);
	assert_all_need_reset(&w->reader);
	assert_false(kernel_mark_is_clean(&w->reader, FIRST + COUNT));
}

/* A symbolic link in the place of the mark is neither read nor written through, and does not stay. */
static void test_link(void **state)
{
	struct fixture *w = *state;
	char other[80];

	snprintf(other, sizeof(other), "%s.other", w->path);
	kernel_mark_write(&w->writer);
	assert_int_equal(rename(w->path, other), 0);
	assert_int_equal(symlink(other, w->path), 0);
	kernel_mark_read(&w->reader);
	assert_false(kernel_mark_is_clean(&w->reader, FIRST + COUNT));
	assert_int_equal(unlink(other), 0);

	assert_int_equal(symlink(other, w->path), 0);
	kernel_mark_write(&w->writer);
	assert_int_not_equal(access(other, F_OK), 0);
	assert_int_equal(unlink(w->path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_long_list, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_one_write_fails, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_link, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
