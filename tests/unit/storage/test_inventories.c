/* SPDX-License-Identifier: Apache-2.0 */
/* What initiators know of their LUNs: in memory, after a restart, and in a state folder of two daemons. */
#include "folder.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kept_log.h"
#include "storage/inventories.h"
#include "storage/inventory_table.h"
#include "storage/registry.h"
#include "storage/small_file.h"
#include "storage/state.h"

#define TARGET "iqn.2026-11.test:disk,t,0x0001"
#define OTHER  "iqn.2026-11.test:other,t,0x0001"
#define PORT   "iqn.2026-11.test:host,i,0x400000000001"

static const struct digest_set first = {{1, 2}}, second = {{3, 4}};

struct daemon {
	struct storage_registry *registry;
	struct storage_inventories *inventories;
};

static struct daemon start_daemon(void)
{
	struct storage_registry *registry = storage_registry_new(folder_path("state"), NULL);

	return (struct daemon){registry, storage_inventories_open(registry)};
}

static void stop_daemon(struct daemon *daemon)
{
	storage_inventories_close(daemon->inventories);
	storage_registry_free(daemon->registry);
}

static void restart(struct daemon *daemon)
{
	stop_daemon(daemon);
	*daemon = start_daemon();
}

static int set_up(void **state)
{
	log_keep();
	return folder_make(state);
}

static int tear_down(void **state)
{
	return folder_remove(state);
}

/* Whether the initiator of the session that began last knew another inventory. */
static bool has_changed;

static struct inventory *begin(struct daemon *daemon, const char *target, const char *port,
			       struct digest_set luns)
{
	return storage_inventories_begin(daemon->inventories, target, port, luns, &has_changed);
}

/* A session from its beginning to its end. Returns whether the initiator knew another inventory. */
static bool visit(struct daemon *daemon, const char *target, const char *port, struct digest_set luns)
{
	storage_inventories_end(daemon->inventories, begin(daemon, target, port, luns));
	return has_changed;
}

/* The same for a session in which the initiator sends REPORT LUNS. */
static bool visit_and_ask(struct daemon *daemon, struct digest_set luns)
{
	struct inventory *known = begin(daemon, TARGET, PORT, luns);

	storage_inventories_report(daemon->inventories, known, luns);
	storage_inventories_end(daemon->inventories, known);
	return has_changed;
}

/* --- one daemon --- */

/* The initiator learns the inventory at its first login, and later with REPORT LUNS. */
static void test_change_while_logged_out(void **state)
{
	struct daemon daemon = start_daemon();

	(void)state;
	assert_false(visit(&daemon, TARGET, PORT, first));
	assert_false(visit(&daemon, TARGET, PORT, first));
	assert_true(visit(&daemon, TARGET, PORT, second));
	assert_true(visit_and_ask(&daemon, second));
	assert_false(visit(&daemon, TARGET, PORT, second));
	assert_false(visit(&daemon, OTHER, PORT, first));
	stop_daemon(&daemon);
}

static void test_change_during_restart(void **state)
{
	struct daemon daemon = start_daemon();

	(void)state;
	assert_false(visit(&daemon, TARGET, PORT, first));
	restart(&daemon);
	assert_false(visit(&daemon, TARGET, PORT, first));
	restart(&daemon);
	assert_true(visit_and_ask(&daemon, second));
	restart(&daemon);
	assert_false(visit(&daemon, TARGET, PORT, second));
	stop_daemon(&daemon);
}

/* A daemon that is killed does not write when it ends. */
static void test_is_written_at_once(void **state)
{
	struct daemon daemon = start_daemon(), next;
	struct inventory *known;

	(void)state;
	known = begin(&daemon, TARGET, PORT, first);
	for (unsigned i = 0; i < 3000 && access(folder_path("state/inventories"), F_OK); i++)
		usleep(10000);
	next = start_daemon();
	assert_true(visit(&next, TARGET, PORT, second));
	stop_daemon(&next);
	storage_inventories_end(daemon.inventories, known);
	stop_daemon(&daemon);
}

/* An initiator with many names makes the daemon forget only what belongs to the same target. */
static void test_flood_of_names(void **state)
{
	struct daemon daemon = start_daemon();
	struct inventory *known;
	char port[96];

	(void)state;
	known = begin(&daemon, TARGET, "a long session", first);
	visit(&daemon, TARGET, PORT, first);
	visit(&daemon, OTHER, PORT, first);
	for (unsigned i = 0; i <= INVENTORY_SET_MAX; i++) {
		snprintf(port, sizeof(port), "iqn.2026-11.test:%u,i,0x400000000001", i);
		visit(&daemon, TARGET, port, first);
	}
	assert_false(visit(&daemon, TARGET, PORT, second)); /* It is forgotten. */
	assert_true(visit(&daemon, OTHER, PORT, second));
	storage_inventories_end(daemon.inventories, known);
	restart(&daemon);
	assert_true(visit(&daemon, TARGET, "a long session", second));
	assert_true(visit(&daemon, OTHER, PORT, second));
	stop_daemon(&daemon);
}

/* --- the file --- */

static void test_two_daemons_share_the_folder(void **state)
{
	struct daemon one = start_daemon(), two = start_daemon();

	(void)state;
	visit(&one, TARGET, PORT, first);
	visit(&two, OTHER, PORT, first);
	stop_daemon(&one);
	restart(&two);
	assert_true(visit(&two, TARGET, PORT, second));
	assert_true(visit(&two, OTHER, PORT, second));
	stop_daemon(&two);
}

static void test_damaged_file(void **state)
{
	struct daemon daemon = start_daemon();

	(void)state;
	visit(&daemon, TARGET, PORT, first);
	restart(&daemon);
	visit(&daemon, OTHER, PORT, first);
	stop_daemon(&daemon);
	folder_put("state/inventories", "tcmu-runner inventories 1\nnonsense\n");
	daemon = start_daemon();
	assert_true(is_logged("its checksum is wrong"));
	assert_true(is_logged("the previous copy is used"));
	assert_true(visit(&daemon, TARGET, PORT, second));
	stop_daemon(&daemon);
	folder_put("state/inventories", "");
	folder_put("state/inventories.old", "");
	daemon = start_daemon();
	assert_true(is_logged("initiators are not told"));
	assert_false(visit(&daemon, TARGET, PORT, second));
	stop_daemon(&daemon);
}

/* A file that is damaged while the daemon runs is replaced, which is logged. */
static void test_damage_meanwhile(void **state)
{
	struct daemon daemon = start_daemon();

	(void)state;
	folder_put("state/inventories", "nonsense\n");
	visit(&daemon, TARGET, PORT, first);
	stop_daemon(&daemon);
	assert_true(is_logged("its checksum is wrong: it is damaged; it is replaced"));
	log_forget();
	daemon = start_daemon();
	assert_true(visit(&daemon, TARGET, PORT, second));
	stop_daemon(&daemon);
	assert_string_equal(logged(), "");
}

/* If the file can be neither read nor replaced, each of this is logged once, and not at each write. */
static void test_obstacle(void **state)
{
	struct daemon daemon = start_daemon();

	(void)state;
	mkdir(folder_path("state/inventories"), 0700);
	restart(&daemon);
	assert_true(is_logged("it is not a regular file"));
	log_forget();
	for (unsigned i = 0; i < 3; i++) {
		visit(&daemon, TARGET, PORT, first);
		stop_daemon(&daemon);
		assert_non_null(strstr(logged(), "cannot be written"));
		assert_null(strstr(strstr(logged(), "cannot be written") + 1, "cannot be written"));
		assert_false(is_logged("it is not a regular file"));
		daemon = start_daemon();
		log_forget();
	}
	stop_daemon(&daemon);
}

#ifdef CAN_REPLACE_CALLS
/* If it is not 0, files cannot be read, with this errno. */
static atomic_int read_errno;
/* The linker makes the library call the first function instead of the second. */
ssize_t __wrap_small_file_read(int dir, const char *name, char *text, size_t size, struct error *error);
ssize_t __real_small_file_read(int dir, const char *name, char *text, size_t size, struct error *error);

ssize_t __wrap_small_file_read(int dir, const char *name, char *text, size_t size, struct error *error)
{
	return read_errno ? small_file_refuse(dir, read_errno, error, "%s: %s", name, strerror(read_errno))
			  : __real_small_file_read(dir, name, text, size, error);
}

/* When the daemon cannot read the file for lack of memory or descriptors, it does not replace the file. */
static void test_shortage(void **state)
{
	static const int errors[] = {ENOMEM, EMFILE, ENFILE};
	struct daemon daemon = start_daemon();

	(void)state;
	visit(&daemon, TARGET, PORT, first);
	restart(&daemon);
	for (unsigned i = 0; i < 3; i++) {
		read_errno = errors[i];
		visit(&daemon, OTHER, PORT, first);
		restart(&daemon);
		read_errno = 0;
		assert_true(is_logged("after a restart, initiators may not be told"));
		restart(&daemon);
		assert_true(visit(&daemon, TARGET, PORT, second));
	}
	stop_daemon(&daemon);
}
#endif

/* --- the stop --- */

static void test_stop_while_the_file_is_locked(void **state)
{
	struct daemon daemon = start_daemon();
	struct error error;
	int lock = storage_state_lock(daemon.registry->folder, "inventories", &error);

	(void)state;
	assert_true(lock >= 0);
	visit(&daemon, TARGET, PORT, first);
	storage_inventories_close(daemon.inventories);
	assert_true(is_logged("keeps the file inventories of the state folder locked"));
	storage_state_unlock(daemon.registry->folder, "inventories", lock, true);
	storage_registry_free(daemon.registry);
}

static pthread_mutex_t storage = PTHREAD_MUTEX_INITIALIZER;

static void hang(struct loop_pool_job *job)
{
	(void)job;
	pthread_mutex_lock(&storage);
	pthread_mutex_unlock(&storage);
}

/* All threads that could write the file wait for storage. */
static void test_stop_while_storage_hangs(void **state)
{
	static struct loop_pool_job jobs[2000];
	struct daemon daemon = start_daemon();

	(void)state;
	pthread_mutex_lock(&storage);
	for (unsigned i = 0; i < 2000; i++) {
		jobs[i].fn = hang;
		loop_pool_submit(daemon.registry->jobs, &jobs[i]);
	}
	visit(&daemon, TARGET, PORT, first);
	storage_inventories_close(daemon.inventories);
	pthread_mutex_unlock(&storage);
	storage_registry_free(daemon.registry);
	daemon = start_daemon();
	assert_true(visit(&daemon, TARGET, PORT, second));
	stop_daemon(&daemon);
}

static void test_file_is_private(void **state)
{
	struct daemon daemon = start_daemon();
	struct stat st;

	(void)state;
	umask(0);
	visit(&daemon, TARGET, PORT, first);
	stop_daemon(&daemon);
	assert_int_equal(stat(folder_path("state/inventories"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* Without a state folder, the daemon knows what has happened since its start. */
static void test_no_state_folder(void **state)
{
	struct daemon daemon;

	(void)state;
	folder_put("state", "a file");
	daemon = start_daemon();
	assert_false(visit(&daemon, TARGET, PORT, first));
	assert_true(visit(&daemon, TARGET, PORT, second));
	stop_daemon(&daemon);
	unlink(folder_path("state"));
}

static void test_nothing_is_remembered(void **state)
{
	(void)state;
	assert_null(storage_inventories_begin(NULL, TARGET, PORT, first, &has_changed));
	assert_false(has_changed);
	storage_inventories_report(NULL, NULL, second);
	storage_inventories_end(NULL, NULL);
	storage_inventories_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_change_while_logged_out),
	    TEST(test_change_during_restart),
	    TEST(test_is_written_at_once),
	    TEST(test_flood_of_names),
	    TEST(test_two_daemons_share_the_folder),
	    TEST(test_damaged_file),
	    TEST(test_damage_meanwhile),
	    TEST(test_obstacle),
#ifdef CAN_REPLACE_CALLS
	    TEST(test_shortage),
#endif
	    TEST(test_stop_while_the_file_is_locked),
	    TEST(test_stop_while_storage_hangs),
	    TEST(test_file_is_private),
	    TEST(test_no_state_folder),
	    cmocka_unit_test(test_nothing_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
