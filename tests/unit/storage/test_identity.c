/* SPDX-License-Identifier: Apache-2.0 */
/* Which identity is chosen, from which source, and that no two units have the same identity. */
#include "folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kept_log.h"
#include "storage/identity.h"

static struct storage_registry *registry;
static struct storage_identity identity;
static struct error error;

static void start(const char *state, const char *machine)
{
	char path[128];

	folder_put("machine-id", machine);
	snprintf(path, sizeof(path), "%s/machine-id", folder);
	registry = storage_registry_new(folder_path(state), path);
	assert_non_null(registry);
}

static void restart(const char *state, const char *machine)
{
	storage_registry_free(registry);
	start(state, machine);
}

#define MACHINE_A "0123456789abcdef0123456789abcdef\n"
#define MACHINE_B "1123456789abcdef0123456789abcdef\n"

static int set_up(void **state)
{
	folder_make(state);
	log_keep();
	start("state", MACHINE_A);
	return 0;
}

static int tear_down(void **state)
{
	storage_registry_free(registry);
	return folder_remove(state);
}

struct wanted {
	const char *config, *name, *own, *place, *configured;
};

/* Chooses an identity and returns the serial number. The text is valid during the next three calls. */
static const char *choose(struct wanted wanted)
{
	static char serials[4][STATE_SERIAL_SIZE];
	static unsigned turn;
	struct tcmur_identity storage = {.own = ""};
	const struct storage_object object = {.config = wanted.config ? wanted.config : "file/x",
					      .storage = &storage,
					      .name = wanted.name ? wanted.name : "object",
					      .configured = wanted.configured};

	if (wanted.own)
		strcpy(storage.own, wanted.own);
	if (wanted.place)
		strcpy(storage.place, wanted.place);
	if (storage_identity_choose(registry, &object, true, &identity, &error))
		return NULL;
	return strcpy(serials[turn++ % 4], identity.serial);
}

static const struct wanted disk = {.config = "file//srv/disk.img", .place = "/srv/disk.img"};

static void test_configured_comes_first(void **state)
{
	struct wanted wanted = disk;

	(void)state;
	choose(disk);
	wanted.configured = "mine";
	assert_string_equal(choose(wanted), "mine");
	assert_int_equal(identity.source, STORAGE_IDENTITY_CONFIGURED);
	/* The disk keeps its name when the setting is removed, and in the other front end. */
	assert_string_equal(choose(disk), "mine");
	assert_int_equal(identity.source, STORAGE_IDENTITY_SAVED);
}

static void test_blank_serial_is_refused(void **state)
{
	(void)state;
	assert_null(choose((struct wanted){.configured = "  "}));
	assert_non_null(strstr(error.text, "blanks"));
	assert_non_null(choose((struct wanted){.configured = ""}));
}

static void test_derived_is_stable_and_a_uuid(void **state)
{
	const char *first = choose(disk);

	(void)state;
	assert_int_equal(identity.source, STORAGE_IDENTITY_DERIVED);
	assert_int_equal(strlen(first), 36);
	assert_int_equal(first[14], '4');
	restart("other", MACHINE_A);
	assert_string_equal(choose(disk), first);
	assert_string_not_equal(choose((struct wanted){.place = "/srv/other.img"}), first);
}

static void test_one_file_has_one_serial(void **state)
{
	const char *first = choose(disk);

	(void)state;
	assert_string_equal(
	    choose((struct wanted){.config = "file/./disk.img", .name = "b", .place = "/srv/disk.img"}),
	    first);
}

static void test_two_machines_differ(void **state)
{
	const char *first = choose(disk);

	(void)state;
	restart("other", MACHINE_B);
	assert_string_not_equal(choose(disk), first);
}

/* The state folder was copied with the image of the system disk. */
static void test_cloned_state_folder(void **state)
{
	struct wanted wanted = disk;
	const char *first;

	(void)state;
	wanted.configured = "mine";
	choose(wanted);
	first = choose(disk);
	restart("state", MACHINE_B);
	assert_string_not_equal(choose(disk), first);
	assert_int_equal(identity.source, STORAGE_IDENTITY_DERIVED);
}

static void test_own_identity_is_the_same_on_all_machines(void **state)
{
	const struct wanted wanted = {.config = "block//dev/sdb", .own = "vpd83:3.500c", .place = "/dev/sdb"};
	const char *first = choose(wanted);

	(void)state;
	assert_int_equal(identity.source, STORAGE_IDENTITY_OWN);
	restart("other", MACHINE_B);
	assert_string_equal(choose(wanted), first);
}

/* The path /dev/sdb leads to another disk after a reboot. */
static void test_saved_identity_of_another_disk(void **state)
{
	struct wanted wanted = {
	    .config = "block//dev/sdb", .own = "wwid:1", .place = "/dev/sdb", .configured = "mine"};

	(void)state;
	assert_string_equal(choose(wanted), "mine");
	wanted.configured = NULL;
	assert_string_equal(choose(wanted), "mine");
	wanted.own = "wwid:2";
	assert_string_not_equal(choose(wanted), "mine");
	assert_int_equal(identity.source, STORAGE_IDENTITY_OWN);
}

static void test_memory_of_two_objects(void **state)
{
	const struct wanted a = {.config = "alloc/s", .name = "a/0"},
			    b = {.config = "alloc/s", .name = "b/0"};

	(void)state;
	assert_string_not_equal(choose(a), choose(b));
	assert_string_equal(choose(a), choose(a));
}

static void test_machine_without_id(void **state)
{
	static const char *const none[] = {"", "uninitialized\n", "00000000000000000000000000000000\n",
					   "0123\n"};
	char first[STATE_SERIAL_SIZE];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		restart("state", none[i]);
		if (!i)
			strcpy(first, choose(disk));
		assert_string_equal(choose(disk), first);
	}
	/* The ID was created once, and is kept. */
	restart("other", none[0]);
	assert_string_not_equal(choose(disk), first);
}

static void test_without_a_state_folder(void **state)
{
	const char *first = choose(disk);

	(void)state;
	folder_put("file", "");
	restart("file/x", MACHINE_A);
	assert_true(is_logged("nothing is remembered"));
	assert_string_equal(choose(disk), first);
}

static void test_hostile_state_is_reported(void **state)
{
	char name[300];
	const char *first = choose(disk);

	(void)state;
	strcat(folder, "/state");
	snprintf(name, sizeof(name), "%s", folder_find(".state"));
	folder_put(name, "garbage");
	folder[strlen(folder) - strlen("/state")] = '\0';
	assert_string_equal(choose(disk), first);
	assert_true(is_logged("checksum"));
}

static void test_same_identity_is_refused(void **state)
{
	struct storage_unit *a = NULL, *b = NULL;

	(void)state;
	choose((struct wanted){.configured = "S-1"});
	a = storage_unit_enter(registry, &a, "user_0/a", &identity, &error);
	assert_non_null(a);
	assert_null(storage_unit_enter(registry, &b, "--export file/b", &identity, &error));
	assert_non_null(strstr(error.text, "user_0/a"));
	assert_non_null(strstr(error.text, "--export file/b"));
	assert_non_null(strstr(error.text, "S-1"));
	storage_unit_leave(a);
	b = storage_unit_enter(registry, &b, "--export file/b", &identity, &error);
	assert_non_null(b);
	storage_unit_leave(b);
	storage_unit_leave(NULL);
}

/* Two UUIDs of LIO's kind, which differ only in digits that LIO's designator omits. */
static void test_same_designator_is_refused(void **state)
{
	struct storage_unit *a = NULL, *b = NULL;

	(void)state;
	choose((struct wanted){.configured = "4d4c8f6e-2a3b-4c5d-9e8f-001122334455"});
	a = storage_unit_enter(registry, &a, "a", &identity, &error);
	choose((struct wanted){.configured = "4d4c8f6e-2a3b-4c5d-9e8f-001122334456"});
	assert_null(storage_unit_enter(registry, &b, "b", &identity, &error));
	assert_non_null(strstr(error.text, "NAA designator"));
	storage_unit_leave(a);
}

/* A logical unit replaces another unit of the same disk. */
static void test_units_of_one_owner_are_one_disk(void **state)
{
	struct storage_unit *a = NULL, *next = NULL;

	(void)state;
	choose((struct wanted){.configured = "S-1"});
	a = storage_unit_enter(registry, &a, "a", &identity, &error);
	next = storage_unit_enter(registry, &a, "a", &identity, &error);
	assert_non_null(next);
	storage_unit_leave(a);
	storage_unit_leave(next);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_configured_comes_first),
	    TEST(test_blank_serial_is_refused),
	    TEST(test_derived_is_stable_and_a_uuid),
	    TEST(test_one_file_has_one_serial),
	    TEST(test_two_machines_differ),
	    TEST(test_cloned_state_folder),
	    TEST(test_own_identity_is_the_same_on_all_machines),
	    TEST(test_saved_identity_of_another_disk),
	    TEST(test_memory_of_two_objects),
	    TEST(test_machine_without_id),
	    TEST(test_without_a_state_folder),
	    TEST(test_hostile_state_is_reported),
	    TEST(test_same_identity_is_refused),
	    TEST(test_same_designator_is_refused),
	    TEST(test_units_of_one_owner_are_one_disk),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
