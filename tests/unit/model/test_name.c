/* SPDX-License-Identifier: Apache-2.0 */
/* Which names are valid iSCSI names (RFC 7143 4.2.7). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "model/name.h"

static bool valid(const char *name)
{
	char copy[300];

	strcpy(copy, name);
	return model_name_valid(copy);
}

static void forms(void **state)
{
	static const char *const good[] = {
	    "iqn.2026-11.io.tcmu-runner:disk0",
	    "iqn.1991-05.com.microsoft:my_pc",
	    "iqn.2001-04.com.example",
	    "iqn.2001-12.com.example:a:b.c-d",
	    "eui.02004567a425678d",
	    "naa.52004567ba64678d",
	    "naa.62004567ba64678d0123456789abcdef",
	};
	static const char *const bad[] = {
	    "",
	    "iqn",
	    "iqn.",
	    "iqn.2026",
	    "iqn.2026-11",
	    "iqn.2026-11.",
	    "iqn.2026-11.:x",
	    "iqn.2026-11..x",
	    "iqn.2026-00.io.x",
	    "iqn.2026-13.io.x",
	    "iqn.26-11.io.x",
	    "iqn.2026_11.io.x",
	    "iqn.202a-11.io.x",
	    "iqn.2026-11.io.x y",
	    "iqn.2026-11.io.x/y",
	    "iqn.2026-11.io.x,t,1",
	    "iqn.2026-11.io.\xc3\xa9",
	    "iqn.2026-11.io.x\n",
	    "eui.",
	    "eui.02004567a425678",
	    "eui.02004567a425678d0",
	    "eui.02004567a425678g",
	    "naa.",
	    "naa.52004567ba64678",
	    "naa.52004567ba64678d0",
	    "naa.62004567ba64678d0123456789abcdef0",
	    "wwn.52004567ba64678d",
	    "disk0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (valid(bad[i]))
			fail_msg("'%s' was accepted", bad[i]);
}

static void lower_cases(void **state)
{
	char name[] = "IQN.2026-11.IO.Tcmu-Runner:DISK";

	(void)state;
	assert_true(model_name_valid(name));
	assert_string_equal(name, "iqn.2026-11.io.tcmu-runner:disk");
}

static void length(void **state)
{
	char name[MODEL_NAME_MAX + 2] = "iqn.2026-11.io.x:";
	size_t len = strlen(name);

	(void)state;
	memset(name + len, 'a', MODEL_NAME_MAX - len);
	assert_true(model_name_valid(name));
	name[MODEL_NAME_MAX] = 'a';
	assert_false(model_name_valid(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forms),
	    cmocka_unit_test(lower_cases),
	    cmocka_unit_test(length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
