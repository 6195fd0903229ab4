/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads target_core_user on a machine that lacks it: the result is -ENOTSUP, which main() turns into the exit
 * status 69. libkmod and access() are fakes, so no module of the machine is touched.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <cmocka.h>
#include <libkmod.h>

#include "system/kernel_module.h"

static bool module_loaded, configfs_mounted;
static int lookup_result;

int __wrap_access(const char *path, int mode);
/* "used": link-time optimization does not see the calls, and would remove the function. */
int __wrap_kmod_module_new_from_lookup(struct kmod_ctx *ctx, const char *alias, struct kmod_list **list)
    __attribute__((used));

int __wrap_access(const char *path, int mode)
{
	bool there = strstr(path, "/sys/module/") ? module_loaded : configfs_mounted;

	(void)mode;
	errno = ENOENT;
	return there ? 0 : -1;
}

int __wrap_kmod_module_new_from_lookup(struct kmod_ctx *ctx, const char *alias, struct kmod_list **list)
{
	(void)ctx;
	(void)alias;
	*list = NULL;
	return lookup_result;
}

static int load(bool loaded, bool mounted, int lookup)
{
	struct error error = {""};

	module_loaded = loaded;
	configfs_mounted = mounted;
	lookup_result = lookup;
	int err = kernel_module_load(&error);
	assert_int_equal(!err, !error.text[0]);
	return err;
}

static void no_such_module_is_not_supported(void **state)
{
	(void)state;
	assert_int_equal(load(false, true, 0), -ENOTSUP);
	assert_int_equal(load(false, true, -ENOENT), -ENOTSUP);
}

static void another_error_may_go_away(void **state)
{
	(void)state;
	assert_int_equal(load(false, true, -ENOMEM), -ENOMEM);
	assert_int_equal(load(true, false, 0), -ENOENT);
}

static void a_loaded_module_is_enough(void **state)
{
	(void)state;
	assert_int_equal(load(true, true, -ENOMEM), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_such_module_is_not_supported),
	    cmocka_unit_test(another_error_may_go_away),
	    cmocka_unit_test(a_loaded_module_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
