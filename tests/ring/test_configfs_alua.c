/* SPDX-License-Identifier: Apache-2.0 */
/* Reads target port groups from a tree such as the kernel makes, and from trees that it never makes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_alua.h"
#include "kernel/configfs_alua.h"
#include "util/bytes.h"

#define DEVICE "core/user_0/d1"
#define LOOP_0 "loopback/naa.1/tpgt_1/lun_0"
#define ISCSI  "iSCSI/iqn.2026-11.test:a/tpgt_2/lun_7"

struct fixture {
	char root[64];
	struct tcmu_configfs device;
	struct scsi_alua alua;
	struct error error;
	char visited[32][256];
	unsigned nvisited;
};

/* Two groups: the default one with a LUN of tcm_loop, another one with a LUN of iSCSI. */
static int set_up(void **state)
{
	struct fixture *w = calloc(1, sizeof(*w));

	*state = w;
	strcpy(w->root, "/tmp/alua.XXXXXX");
	assert_non_null(mkdtemp(w->root));
	setenv("TCMU_CONFIGFS", w->root, 1);
	assert_int_equal(tcmu_configfs_device(&w->device, "0", "d1", &w->error), 0);
	fake_tree_set(w->root, DEVICE "/attrib/alua_support", "1\n");
	fake_alua_group(w->root, DEVICE, "default_tg_pt_gp", "0\n");
	fake_alua_members(w->root, DEVICE, "default_tg_pt_gp", (const char *[]){LOOP_0, NULL});
	fake_alua_lun(w->root, "loopback/naa.1/tpgt_1/lun/lun_0", "1\n");
	fake_alua_group(w->root, DEVICE, "other", "4660\n");
	fake_alua_members(w->root, DEVICE, "other", (const char *[]){ISCSI, NULL});
	fake_alua_lun(w->root, "iscsi/iqn.2026-11.test:a/tpgt_2/lun/lun_7", "300\n");
	fake_tree_set(w->root, "iscsi/iqn.2026-11.test:a/tpgt_2/enable", "0\n");
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *w = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", w->root);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void visit(void *arg, const char *folder)
{
	struct fixture *w = arg;

	assert_true(w->nvisited < ARRAY_SIZE(w->visited));
	assert_int_equal(strncmp(folder, w->root, strlen(w->root)), 0);
	snprintf(w->visited[w->nvisited++], sizeof(w->visited[0]), "%s", folder + strlen(w->root) + 1);
}

static int read_alua(struct fixture *w)
{
	w->nvisited = 0;
	return tcmu_configfs_alua_read(&w->device, visit, w, &w->alua, &w->error);
}

static void set(struct fixture *w, const char *group, const char *file, const char *text)
{
	fake_alua_set(w->root, DEVICE, group, file, text);
}

static void test_defaults(void **state)
{
	static const char *const folders[] = {DEVICE "/attrib",
					      DEVICE "/alua",
					      DEVICE "/alua/default_tg_pt_gp",
					      "loopback/naa.1/tpgt_1",
					      "loopback/naa.1/tpgt_1/lun/lun_0",
					      DEVICE "/alua/other",
					      "iscsi/iqn.2026-11.test:a/tpgt_2",
					      "iscsi/iqn.2026-11.test:a/tpgt_2/lun/lun_7"};
	struct fixture *w = *state;
	const struct scsi_alua expected = {
	    .ngroups = 2,
	    .nports = 2,
	    .groups = {{.id = 0, .supported = 0xcf, .tpgs = SCSI_TPGS_ANY},
		       {.id = 0x1234, .supported = 0xcf, .tpgs = SCSI_TPGS_ANY}},
	    .ports = {{.id = 1, .group = 0, .enabled = 1}, {.id = 300, .group = 1, .enabled = 0}},
	};

	assert_int_equal(read_alua(w), 0);
	assert_memory_equal(&w->alua, &expected, sizeof(expected));
	assert_int_equal(w->nvisited, ARRAY_SIZE(folders));
	for (unsigned i = 0; i < ARRAY_SIZE(folders); i++)
		assert_string_equal(w->visited[i], folders[i]);
	assert_int_equal(tcmu_configfs_alua_read(&w->device, NULL, NULL, &w->alua, NULL), 0);
	assert_memory_equal(&w->alua, &expected, sizeof(expected));
}

static void test_values(void **state)
{
	static const struct {
		const char *file, *text;
		struct scsi_alua_group expected;
	} cases[] = {
	    {"alua_access_state", "2\n", {.state = SCSI_ALUA_STANDBY}},
	    {"alua_access_state", "15\n", {.state = SCSI_ALUA_TRANSITIONING}},
	    {"alua_access_status", "Altered by Explicit STPG\n", {.status = SCSI_ALUA_BY_COMMAND}},
	    {"alua_access_status", "Altered by Implicit ALUA\n", {.status = SCSI_ALUA_BY_TARGET}},
	    {"alua_access_type", "None\n", {.tpgs = SCSI_TPGS_NONE}},
	    {"alua_access_type", "Implicit\n", {.tpgs = SCSI_TPGS_IMPLICIT}},
	    {"alua_access_type", "Explicit\n", {.tpgs = SCSI_TPGS_IMPLICIT}},
	    {"alua_access_type", "Implicit and Explicit\n", {.tpgs = SCSI_TPGS_ANY}},
	    {"preferred", "1\n", {.preferred = 1}},
	    {"implicit_trans_secs", "255\n", {.transition_seconds = 255}},
	    {"alua_support_active_optimized", "1\n", {.supported = SCSI_ALUA_AO_SUP}},
	    {"alua_support_active_nonoptimized", "1\n", {.supported = SCSI_ALUA_AN_SUP}},
	    {"alua_support_standby", "1\n", {.supported = SCSI_ALUA_S_SUP}},
	    {"alua_support_unavailable", "1\n", {.supported = SCSI_ALUA_U_SUP}},
	    {"alua_support_lba_dependent", "1\n", {.supported = SCSI_ALUA_LBD_SUP}},
	    {"alua_support_offline", "1\n", {.supported = SCSI_ALUA_O_SUP}},
	    {"alua_support_transitioning", "1\n", {.supported = SCSI_ALUA_T_SUP}},
	};
	static const char *const on[] = {"active_optimized", "active_nonoptimized", "standby", "unavailable",
					 "offline",          "transitioning"};
	struct fixture *w = *state;
	char file[64], before[64];

	set(w, "other", "tg_pt_gp_id", "0\n");
	set(w, "other", "alua_access_type", "None\n");
	for (unsigned i = 0; i < ARRAY_SIZE(on); i++) {
		snprintf(file, sizeof(file), "alua_support_%s", on[i]);
		set(w, "other", file, "0\n");
	}
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(file, sizeof(file), DEVICE "/alua/other/%s", cases[i].file);
		fake_tree_get(w->root, file, before);
		fake_tree_set(w->root, file, cases[i].text);
		assert_int_equal(read_alua(w), 0);
		assert_memory_equal(&w->alua.groups[1], &cases[i].expected, sizeof(cases[i].expected));
		fake_tree_set(w->root, file, before);
	}
}

static void assert_refused(struct fixture *w, int err, const char *why)
{
	assert_int_equal(read_alua(w), err);
	if (!strstr(w->error.text, why))
		fail_msg("'%s' is not in '%s'", why, w->error.text);
	assert_non_null(strstr(w->error.text, w->root));
}

static void test_wrong_contents_are_refused(void **state)
{
	static const char *const cases[][3] = {
	    {"tg_pt_gp_id", "65536\n", "65536 is more than 65535"},
	    {"tg_pt_gp_id", "-1\n", "more than"},
	    {"tg_pt_gp_id", "x\n", "'x' is not a number"},
	    {"alua_access_state", "16\n", "more than 15"},
	    {"alua_access_state", "5\n", "5 is not a state"},
	    {"alua_access_state", "13\n", "13 is not a state"},
	    {"alua_access_state", "", "'' is not a number"},
	    {"alua_access_state", "99999999999999999999999\n", "is not a number"},
	    {"alua_access_status", "Altered\n", "'Altered' is not understood"},
	    {"alua_access_type", "3\n", "'3' is not understood"},
	    {"preferred", "2\n", "2 is more than 1"},
	    {"preferred", "1 1\n", "'1 1' is not a number"},
	    {"implicit_trans_secs", "256\n", "256 is more than 255"},
	    {"alua_support_offline", "yes\n", "'yes' is not a number"},
	    {"members", "loopback\n", "'loopback' is not a LUN"},
	    {"members", "loopback/naa.1/tpgt_1/lun_0/x\n", "is not a LUN"},
	    {"members", "loopback/../tpgt_1/lun_0\n", "is not a LUN"},
	    {"members", "loopback//tpgt_1/lun_0\n", "is not a LUN"},
	    {"members", "loopback/naa.1/acls/lun_0\n", "is not a LUN"},
	    {"members", "loopback/naa.1/tpgt_1/attrib\n", "is not a LUN"},
	    {"members", "%s%n/x\n", "'%s%n/x' is not a LUN"},
	};
	struct fixture *w = *state;
	char file[128], before[64];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(file, sizeof(file), DEVICE "/alua/other/%s", cases[i][0]);
		fake_tree_get(w->root, file, before);
		fake_tree_set(w->root, file, cases[i][1]);
		assert_refused(w, -EINVAL, cases[i][2]);
		fake_tree_set(w->root, file, before);
	}
	assert_int_equal(read_alua(w), 0);
	fake_tree_set(w->root, "loopback/naa.1/tpgt_1/lun/lun_0/statistics/scsi_port/indx", "65536\n");
	assert_refused(w, -EINVAL, "65536 is more than 65535");
	fake_tree_set(w->root, "loopback/naa.1/tpgt_1/lun/lun_0/statistics/scsi_port/indx", "1\n");
	fake_tree_set(w->root, "loopback/naa.1/tpgt_1/enable", "?\n");
	assert_refused(w, -EINVAL, "'?' is not a number");
	fake_tree_set(w->root, "loopback/naa.1/tpgt_1/enable", "1\n");
	fake_tree_set(w->root, DEVICE "/attrib/alua_support", "perhaps\n");
	assert_refused(w, -EINVAL, "'perhaps' is not a number");
}

static void remove_in(struct fixture *w, const char *path)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s/%s", w->root, path);
	assert_int_equal(system(command), 0);
}

/* A missing file is an error. A folder that has been removed is no longer a group or a member. */
static void test_missing(void **state)
{
	struct fixture *w = *state;

	remove_in(w, DEVICE "/alua/other/preferred");
	assert_refused(w, -ENOENT, "other/preferred: No such file");
	set(w, "other", "preferred", "0\n");
	remove_in(w, "loopback/naa.1/tpgt_1/lun/lun_0/statistics");
	assert_refused(w, -ENOENT, "scsi_port/indx: No such file");
	remove_in(w, "loopback/naa.1/tpgt_1/lun/lun_0");
	assert_int_equal(read_alua(w), 0);
	assert_int_equal(w->alua.ngroups, 1);
	assert_int_equal(w->alua.nports, 1);
	assert_int_equal(w->alua.groups[0].id, 0x1234);
	remove_in(w, DEVICE "/alua");
	assert_int_equal(read_alua(w), 0);
	assert_int_equal(w->alua.ngroups, 0);
	remove_in(w, DEVICE);
	assert_int_equal(read_alua(w), 0);
	assert_int_equal(w->alua.ngroups, 0);
}

/*
 * Folders that do not count as groups: ALUA is switched off, the group has no number yet, or it has no
 * member.
 */
static void test_folders_that_are_not_groups(void **state)
{
	static const struct scsi_alua none;
	struct fixture *w = *state;

	set(w, "other", "tg_pt_gp_id", "");
	fake_alua_members(w->root, DEVICE, "default_tg_pt_gp", (const char *[]){NULL});
	assert_int_equal(read_alua(w), 0);
	assert_memory_equal(&w->alua, &none, sizeof(none));
	set(w, "other", "tg_pt_gp_id", "1\n");
	assert_int_equal(read_alua(w), 0);
	assert_int_equal(w->alua.ngroups, 1);
	fake_tree_set(w->root, DEVICE "/attrib/alua_support", "0\n");
	assert_int_equal(read_alua(w), 0);
	assert_memory_equal(&w->alua, &none, sizeof(none));
	assert_int_equal(w->nvisited, 1);            /* the folder in which ALUA can be switched on */
	remove_in(w, DEVICE "/attrib/alua_support"); /* some kernels do not have this switch */
	assert_int_equal(read_alua(w), 0);
	assert_int_equal(w->alua.ngroups, 1);
}

static void test_too_many(void **state)
{
	static char big[64 << 10];
	struct fixture *w = *state;
	char group[16];

	fake_alua_lun(w->root, "l/w/tpgt_1/lun/lun_0", "9\n");
	big[0] = '\0';
	for (unsigned i = 0; i < SCSI_ALUA_PORTS_MAX - 1; i++)
		strcat(big, "l/w/tpgt_1/lun_0\n");
	set(w, "other", "members", big);
	w->nvisited = 0;
	assert_int_equal(tcmu_configfs_alua_read(&w->device, NULL, NULL, &w->alua, &w->error), 0);
	assert_int_equal(w->alua.nports, SCSI_ALUA_PORTS_MAX);
	strcat(big, "l/w/tpgt_1/lun_0\n");
	set(w, "other", "members", big);
	assert_int_equal(tcmu_configfs_alua_read(&w->device, NULL, NULL, &w->alua, &w->error), -E2BIG);
	assert_non_null(strstr(w->error.text, "more than 255 LUNs"));
	memset(big, '\n', sizeof(big) - 1);
	set(w, "other", "members", big);
	assert_refused(w, -E2BIG, "members: too long");
	memset(big, 'x', 1000);
	big[1000] = '\0';
	set(w, "other", "members", big);
	assert_refused(w, -EINVAL, "is not a LUN");
	fake_alua_members(w->root, DEVICE, "other", (const char *[]){ISCSI, NULL});
	for (unsigned i = 2; i <= SCSI_ALUA_GROUPS_MAX; i++) {
		assert_int_equal(tcmu_configfs_alua_read(&w->device, NULL, NULL, &w->alua, &w->error), 0);
		assert_int_equal(w->alua.ngroups, i);
		snprintf(group, sizeof(group), "g%u", i);
		fake_alua_group(w->root, DEVICE, group, "9\n");
		fake_alua_members(w->root, DEVICE, group, (const char *[]){LOOP_0, NULL});
	}
	assert_int_equal(tcmu_configfs_alua_read(&w->device, NULL, NULL, &w->alua, &w->error), -E2BIG);
	assert_non_null(strstr(w->error.text, "more than 64 groups"));
}

static void test_set(void **state)
{
	struct fixture *w = *state;
	char text[64];

	assert_int_equal(tcmu_configfs_alua_set(&w->device, 0x1234, SCSI_ALUA_STANDBY, &w->error), 0);
	assert_string_equal(fake_tree_get(w->root, DEVICE "/alua/other/alua_access_state", text), "2\n");
	assert_string_equal(fake_tree_get(w->root, DEVICE "/alua/other/alua_access_status", text), "1one\n");
	assert_string_equal(fake_tree_get(w->root, DEVICE "/alua/default_tg_pt_gp/alua_access_state", text),
			    "0\n");
	assert_int_equal(tcmu_configfs_alua_set(&w->device, 7, SCSI_ALUA_STANDBY, &w->error), -ENOENT);
	assert_non_null(strstr(w->error.text, "no group 7"));
	remove_in(w, DEVICE "/alua/other/alua_access_state");
	assert_int_equal(tcmu_configfs_alua_set(&w->device, 0x1234, SCSI_ALUA_STANDBY, &w->error), -ENOENT);
	assert_non_null(strstr(w->error.text, "other/alua_access_state: No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_defaults, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_values, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_wrong_contents_are_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_missing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_folders_that_are_not_groups, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_too_many, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_set, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
