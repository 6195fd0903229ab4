/* SPDX-License-Identifier: Apache-2.0 */
/* A save and a restart change nothing, and a reload ends where a restart would end. */
#include "saveconfig_fixture.h"

/* A folder of LIO's own plugin can hold a disk that this plugin cannot describe. */
static void test_disks_that_a_plugin_of_lio_cannot_describe(void **state)
{
	static const struct {
		const char *name, *config;
	} disks[] = {
	    {"fileio_0/options", "file//srv/x;filter=delay;read=1ms"},
	    {"fileio_3/memory", "alloc/y"},
	    {"iblock_1/file", "file//srv/z"},
	    {"rd_mcp_2/file", "file//srv/w"},
	};
	struct test *t = *state;
	struct model_object *tpg = fixture_tpg(t->f, OPEN);

	for (int i = 0; i < 4; i++) {
		struct model_object *disk =
		    fixture_create(t->f, t->f->root, MODEL_STORAGE, disks[i].name, NULL);
		g_autofree char *lun = g_strdup_printf("lun_%d", i);

		assert_int_equal(fixture_set(t->f, disk, "control", "config", disks[i].config), 0);
		assert_int_equal(fixture_enable(t->f, disk, true), 0);
		fixture_create(t->f, tpg, MODEL_LUN, lun, disk);
	}
	for (int round = 0; round < 2; round++) {
		assert_int_equal(save(t), 0);
		start_again(t);
		assert_int_equal(restore(t), 0);
		assert_no_lines(t);
		for (int i = 0; i < 4; i++) {
			g_autofree char *lun = g_strdup_printf(OPEN " tpgt_1 lun_%d", i);

			assert_value(t, disks[i].name, "control", "config", disks[i].config);
			assert_leads_to(t, lun, disks[i].name);
		}
		assert_int_equal(diff(t), 0);
		assert_no_lines(t);
	}
	/* Without the settings of this daemon, the entry says nothing. */
	edit_file(t, "\"config\" : \"alloc/y\"", "\"config\" : 1");
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_true(said(t, "\"dev\" is not an absolute path"));
	assert_null(find(t, "fileio_3/memory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_disks_that_a_plugin_of_lio_cannot_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
