/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the filter of the template, which was built outside this tree, in a fake daemon: a chain of one layer,
 * whose next layer is this program. The argument is the file of the filter.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define TCMUR_API_VERSION 1
#include <tcmur/filter.h>

static const struct tcmur_filter *filter;
static _Alignas(16) char params[TCMUR_FILTER_PARAMS_MAX];
static unsigned takes_ms; /* How many milliseconds the next layer takes. */
static enum tcmur_operation passed;
static enum tcmur_status completed_with;
static unsigned completions;
static char logged[256];

/* --- functions of the daemon --- */

void *tcmur_layer_params(const struct tcmur_layer *layer)
{
	(void)layer;
	return params;
}

void tcmur_next(struct tcmur_layer *layer, struct tcmur_io *io, enum tcmur_operation operation,
		tcmur_done *done)
{
	const struct timespec pause = {.tv_nsec = takes_ms * 1000000L};

	passed = operation;
	nanosleep(&pause, NULL);
	done(layer, NULL, io, TCMUR_NO_SPACE);
}

void tcmur_io_complete(struct tcmur_io *io, enum tcmur_status status)
{
	(void)io;
	completions++;
	completed_with = status;
}

void tcmur_log(struct tcmur_lun *lun, enum tcmur_log_level level, const char *format, ...)
{
	va_list args;

	(void)lun;
	(void)level;
	va_start(args, format);
	vsnprintf(logged, sizeof(logged), format, args);
	va_end(args);
}

/* --- the tests --- */

static void table_is_complete(void **state)
{
	(void)state;
	assert_string_equal(filter->name, "template");
	assert_int_equal(filter->struct_size, sizeof(*filter));
	assert_int_equal(filter->api_version, 1);
	assert_string_equal(filter->options[0].name, "slower");
	assert_true(filter->io_size <= TCMUR_FILTER_SCRATCH_MAX);
	assert_true(filter->params_size <= sizeof(params));
	assert_null(filter->flush);
}

static void wrong_values_are_refused(void **state)
{
	char reason[128] = "";

	(void)state;
	assert_int_equal(filter->set(params, "slower", "fast", reason, sizeof(reason)), -EINVAL);
	assert_string_equal(reason, "this is not a number of milliseconds; use for example 100");
	assert_int_equal(filter->set(params, "slower", "", reason, sizeof(reason)), -EINVAL);
	assert_int_equal(filter->set(params, "slower", "9999999999", reason, sizeof(reason)), -EINVAL);
}

static void run(void (*callback)(struct tcmur_layer *, struct tcmur_queue *, struct tcmur_io *),
		struct tcmur_layer *layer, unsigned ms)
{
	_Alignas(16) char scratch[TCMUR_FILTER_SCRATCH_MAX];
	struct tcmur_io io = {.len = 4096, .scratch = scratch};

	completions = 0;
	logged[0] = '\0';
	takes_ms = ms;
	callback(layer, NULL, &io);
	assert_int_equal(completions, 1);
	/* The filter passes the status of the next layer on. */
	assert_int_equal(completed_with, TCMUR_NO_SPACE);
}

static void slow_io_is_logged(void **state)
{
	struct tcmur_layer layer = {.handle = NULL};
	char error[128];

	(void)state;
	memset(params, 0, sizeof(params));
	assert_int_equal(filter->open(&layer, error, sizeof(error)), 0);
	assert_int_equal(filter->set(params, "slower", "3600000", error, sizeof(error)), 0);
	run(filter->read, &layer, 1);
	assert_int_equal(passed, TCMUR_OPERATION_READ);
	assert_string_equal(logged, "");
	assert_int_equal(filter->set(params, "slower", "5", error, sizeof(error)), 0);
	run(filter->write, &layer, 20);
	assert_int_equal(passed, TCMUR_OPERATION_WRITE);
	assert_non_null(strstr(logged, "a write of 4096 bytes took "));
	filter->close(&layer);
	assert_string_equal(logged, "1 of 2 reads and writes were slow");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table_is_complete),
	    cmocka_unit_test(wrong_values_are_refused),
	    cmocka_unit_test(slow_io_is_logged),
	};
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	struct tcmur_filter *(*entry)(void) = NULL;

	if (library)
		*(void **)&entry = dlsym(library, "tcmur_filter_entry");
	if (!entry) {
		fprintf(stderr, "test_template_filter FILE: %s\n", argc == 2 ? dlerror() : "FILE is missing");
		return 1;
	}
	filter = entry();
	return cmocka_run_group_tests_name("template filter", tests, NULL, NULL);
}
