/* SPDX-License-Identifier: Apache-2.0 */
/* The name by which the state folder knows a disk does not depend on the number of an HBA. */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/names.h"

static struct storage_registry *registry;
static int state_folder;

static int set_up(void **state)
{
	char path[128];

	folder_make(state);
	folder_put("machine-id", "0123456789abcdef0123456789abcdef\n");
	snprintf(path, sizeof(path), "%s/machine-id", folder);
	registry = storage_registry_new(folder_path("state"), path);
	assert_non_null(registry);
	state_folder = open(folder_path("state"), O_RDONLY | O_DIRECTORY);
	assert_true(state_folder >= 0);
	return 0;
}

static int tear_down(void **state)
{
	close(state_folder);
	storage_registry_free(registry);
	return folder_remove(state);
}

static struct storage_name *enter(const char *given)
{
	struct storage_name *name = storage_name_enter(registry, "alloc/x", given);

	assert_non_null(name);
	return name;
}

/* The serial number of a disk that is open under this name; valid until the next call. */
static const char *serial_of(const struct storage_name *name)
{
	static struct storage_identity identity;
	const struct tcmur_identity no_place = {.own = ""};
	const struct storage_object object = {
	    .config = "alloc/x", .storage = &no_place, .name = storage_name_text(name)};
	struct error error;

	assert_int_equal(storage_identity_choose(registry, &object, true, &identity, &error), 0);
	return identity.serial;
}

static void test_only_the_number_is_left_out(void **state)
{
	static const char *const names[][2] = {
	    {"user_0/disk", "user/disk"},   {"rd_mcp_17/disk", "rd_mcp/disk"},
	    {"user_0/a_1/b", "user/a_1/b"}, {"user/disk", "user/disk"},
	    {"target/0", "target/0"},       {"user_1", "user_1"},
	    {"17/disk", "17/disk"},         {"_1/disk", "_1/disk"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct storage_name *name = enter(names[i][0]);

		assert_string_equal(storage_name_text(name), names[i][1]);
		storage_name_leave(name);
	}
}

static void test_identity_does_not_depend_on_the_order(void **state)
{
	struct storage_name *name = enter("user_0/disk");
	char first[STATE_SERIAL_SIZE];

	(void)state;
	strcpy(first, serial_of(name));
	storage_name_leave(name);
	name = enter("user_7/disk");
	assert_string_equal(serial_of(name), first);
	storage_name_leave(name);
}

/* The file of an older version is found once under its number, and then under each number. */
static void test_file_of_an_older_version(void **state)
{
	struct storage_state *known = calloc(1, sizeof(*known));
	struct storage_name *name;

	(void)state;
	name = enter("user_4/other"); /* makes a file that contains the identity of this machine */
	serial_of(name);
	storage_name_leave(name);
	assert_int_equal(storage_state_read(state_folder, "alloc/x (user/other)", known, NULL), 0);
	strcpy(known->serial, "as-before");
	assert_int_equal(storage_state_write(state_folder, "alloc/x (user_2/disk)", known, NULL), 0);
	for (unsigned i = 2; i < 5; i++) {
		char given[32];

		snprintf(given, sizeof(given), "user_%u/disk", i);
		name = enter(given);
		assert_string_equal(storage_name_text(name), "user/disk");
		assert_string_equal(serial_of(name), "as-before");
		storage_name_leave(name);
	}
	assert_int_equal(storage_state_read(state_folder, "alloc/x (user_2/disk)", known, NULL), -ENOENT);
	free(known);
}

/* LIO permits the same name in two HBAs. Each of the two disks keeps its identity in either order. */
static void test_two_disks_of_one_name(void **state)
{
	struct storage_name *a = enter("user_0/disk"), *b = enter("user_1/disk"), *again;
	char serial_a[STATE_SERIAL_SIZE], serial_b[STATE_SERIAL_SIZE];

	(void)state;
	assert_string_equal(storage_name_text(a), "user/disk");
	assert_string_equal(storage_name_text(b), "user_1/disk");
	strcpy(serial_a, serial_of(a));
	strcpy(serial_b, serial_of(b));
	assert_string_not_equal(serial_a, serial_b);
	/* A disk whose storage is replaced is open twice for a moment. */
	again = enter("user_0/disk");
	assert_string_equal(storage_name_text(again), "user/disk");
	storage_name_leave(again);
	storage_name_leave(a);
	storage_name_leave(b);
	b = enter("user_1/disk");
	a = enter("user_0/disk");
	assert_string_equal(serial_of(a), serial_a);
	assert_string_equal(serial_of(b), serial_b);
	storage_name_leave(a);
	storage_name_leave(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_only_the_number_is_left_out),
	    TEST(test_identity_does_not_depend_on_the_order),
	    TEST(test_file_of_an_older_version),
	    TEST(test_two_disks_of_one_name),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
