/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon may have many thousands of disks. The work for one of them must not grow with the number of the
 * others. The tests count how often an entry of a list is compared with the one that is sought.
 */
#include "folder.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "growth.h"
#include "kept_log.h"
#include "storage/contents.h"
#include "storage/memfd.h"
#include "storage/names.h"
#include "storage/registry.h"

/* There are more disks than the tables have lists, so some disks share a list. */
#define NDISKS 1200
#define SIZE   4096u
/* The comparisons that each disk may cost. In a list of all disks, each one would cost about NDISKS / 2. */
#define FEW 10
/* Each disk in memory needs three descriptors: of the memory, of the store's duplicate, and of the lock. */
#define NDESCRIPTORS (3 * NDISKS + 100)

_Static_assert(NDISKS > STORAGE_STATE_BUCKETS && NDISKS > STORAGE_NAME_BUCKETS, "each disk has its own list");

/* --- the functions that compare, which the linker replaces --- */

static atomic_uint compared;

int __real_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b)
{
	compared++;
	return __real_strcmp(a, b);
}

bool __real_memfd_read_name(int fd, char name[MEMFD_NAME_SIZE]);
bool __wrap_memfd_read_name(int fd, char name[MEMFD_NAME_SIZE]);
bool __wrap_memfd_read_name(int fd, char name[MEMFD_NAME_SIZE])
{
	compared++;
	return __real_memfd_read_name(fd, name);
}

/* --- the store --- */

static struct fd_kept stored[NDISKS];
static unsigned nstored, ntaken;

static bool store_take(bool (*wanted)(int fd, const void *arg), const void *arg, struct fd_kept *kept)
{
	if (ntaken == nstored)
		return false;
	*kept = stored[ntaken++];
	assert_true(wanted(kept->fd, arg));
	kept->fd = dup(kept->fd);
	return true;
}

static void store_keep(struct fd_kept *kept, const char *kind)
{
	assert_true(nstored < NDISKS);
	snprintf(kept->name, sizeof(kept->name), "%s-%u", kind, nstored);
	stored[nstored] = *kept;
	stored[nstored++].fd = dup(kept->fd);
}

static void store_forget(struct fd_kept *kept)
{
	fail_msg("%s is forgotten", kept->name);
}

static const struct fd_store store = {store_take, store_keep, store_forget};

/* --- the daemon --- */

static struct storage_registry *registry;

static int set_up(void **state)
{
	folder_make(state);
	log_keep();
	registry = storage_registry_new(folder_path("state"), NULL);
	assert_non_null(registry);
	storage_contents_adopt(registry, &store);
	return 0;
}

static int tear_down(void **state)
{
	storage_registry_free(registry);
	return folder_remove(state);
}

static const char *name_of(unsigned i)
{
	static char name[32];

	snprintf(name, sizeof(name), "user_0/disk%u", i);
	return name;
}

/*
 * Opens all disks, and closes them. Each of them asks for memory, and takes the lock of its name. Memory that
 * was kept is found in another order than the one in which it was made.
 */
static void open_and_close(bool is_kept)
{
	struct storage_contents *disks[NDISKS];

	for (unsigned i = 0; i < NDISKS; i++) {
		const char *name = name_of(is_kept ? NDISKS - 1 - i : i);

		disks[i] = storage_contents_new(registry, "alloc/x", name, name, NULL);
		assert_non_null(disks[i]);
		const struct backstore_keeper *keeper = storage_contents_keeper(disks[i]);
		bool found;
		int fd = keeper->memory(keeper->arg, SIZE, &found);

		assert_true(fd >= 0);
		assert_int_equal(found, is_kept);
		close(fd);
	}
	for (unsigned i = 0; i < NDISKS; i++)
		storage_contents_free(disks[i], false);
}

static void assert_few_comparisons(void)
{
	unsigned n = atomic_exchange(&compared, 0);

	if (n > FEW * NDISKS)
		fail_msg("%u comparisons for %u disks", n, NDISKS);
	/* The functions above still are those that compare. */
	assert_true(n > 0);
}

static void disks_in_memory(void **state)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < NDESCRIPTORS)
		skip();
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	compared = 0;
	open_and_close(false);
	assert_few_comparisons();
	tear_down(state);
	set_up(state);
	open_and_close(true);
	assert_few_comparisons();
	for (; nstored; nstored--)
		close(stored[nstored - 1].fd);
	ntaken = 0;
}

static void names_of_disks(void **state)
{
	struct storage_name *names[NDISKS];

	(void)state;
	compared = 0;
	for (unsigned i = 0; i < NDISKS; i++) {
		names[i] = storage_name_enter(registry, "alloc/x", name_of(i));
		assert_string_equal(storage_name_text(names[i]) + strlen("user"),
				    name_of(i) + strlen("user_0"));
	}
	assert_few_comparisons();
	for (unsigned i = 0; i < NDISKS; i++)
		storage_name_leave(names[i]);
}

/* The NAA designator is not text, so this test measures the time. */
static void enter_and_leave(unsigned n)
{
	struct storage_unit **units = calloc(n, sizeof(*units));
	struct storage_identity identity = {.serial = ""};
	struct error error;

	for (unsigned i = 0; i < n; i++) {
		snprintf(identity.serial, sizeof(identity.serial), "serial-%u", i);
		memcpy(identity.naa, &i, sizeof(i));
		units[i] = storage_unit_enter(registry, &units[i], name_of(i), &identity, &error);
		assert_non_null(units[i]);
	}
	for (unsigned i = 0; i < n; i++)
		storage_unit_leave(units[i]);
	free(units);
}

static void identities_of_disks(void **state)
{
	(void)state;
	assert_true(growth(enter_and_leave, 2000) < GROWTH_LINEAR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
#ifdef __s390x__
	puts("SKIP: the compiler compares strings with an instruction, so there are no calls to count");
	return 77;
#endif
	const struct CMUnitTest tests[] = {
	    TEST(disks_in_memory),
	    TEST(names_of_disks),
	    TEST(identities_of_disks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
