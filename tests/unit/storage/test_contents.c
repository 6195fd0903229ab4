/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of disks after restarts of the daemon, with a fake of systemd's store. */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kept_log.h"
#include "storage/contents.h"

#define SIZE (1u << 20)

/* --- the store: what it contains outlives the daemon --- */

static struct fd_kept stored[8];
static unsigned nstored, named;
static bool absent; /* Set if there is no systemd. */

static bool store_take(bool (*wanted)(int fd, const void *arg), const void *arg, struct fd_kept *kept)
{
	static unsigned taken;

	for (; taken < nstored; taken++) {
		if (!wanted(stored[taken].fd, arg))
			continue;
		*kept = stored[taken++];
		kept->fd = dup(kept->fd);
		return true;
	}
	taken = 0;
	return false;
}

static void store_keep(struct fd_kept *kept, const char *kind)
{
	if (absent)
		return;
	snprintf(kept->name, sizeof(kept->name), "%s-%u", kind, named++);
	stored[nstored] = *kept;
	stored[nstored++].fd = dup(kept->fd);
}

static void store_forget(struct fd_kept *kept)
{
	for (unsigned i = 0; i < nstored; i++) {
		if (strcmp(stored[i].name, kept->name))
			continue;
		close(stored[i].fd);
		stored[i] = stored[--nstored];
		return;
	}
}

static const struct fd_store store = {store_take, store_keep, store_forget};

/* --- the daemon --- */

static struct loop_set set;
static struct storage_registry *registry;

static void start(void)
{
	registry = storage_registry_new(folder_path("state"), NULL);
	assert_non_null(registry);
	storage_contents_adopt(registry, &store);
}

static void close_registry(void)
{
	storage_registry_free(registry);
	registry = NULL;
}

struct disk {
	struct storage_contents *contents;
	struct backstore *bs;
};

static struct disk open_disk_as(const char *name, const char *serial, uint64_t size)
{
	struct disk disk = {.contents = storage_contents_new(registry, "alloc/x", name, name, serial)};
	struct error error = {""};
	const struct backstore_spec spec = {.name = name,
					    .config = "alloc/x",
					    .size = size,
					    .keeper = storage_contents_keeper(disk.contents)};

	disk.bs = backstore_open(&set, &spec, &error);
	if (!disk.bs || storage_contents_lock(disk.contents, disk.bs, &error))
		fail_msg("%s", error.text);
	return disk;
}

static struct disk open_disk(const char *name, uint64_t size)
{
	return open_disk_as(name, NULL, size);
}

static void close_disk(struct disk disk, bool forget)
{
	backstore_close(disk.bs);
	storage_contents_free(disk.contents, forget);
}

/* Records a write, as the first WRITE does. */
static void note_write(struct disk disk)
{
	const struct backstore_keeper *keeper = storage_contents_keeper(disk.contents);

	keeper->written(keeper->arg);
}

static void restart(void)
{
	close_registry();
	start();
}

static void lose_memory(void)
{
	for (; nstored; nstored--)
		close(stored[nstored - 1].fd);
}

static int set_up(void **state)
{
	folder_make(state);
	log_keep();
	absent = false;
	start();
	return 0;
}

static int tear_down(void **state)
{
	close_registry();
	lose_memory();
	return folder_remove(state);
}

static void put(const char *text)
{
	char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, stored[0].fd, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	strcpy(memory, text);
	munmap(memory, SIZE);
}

static void test_memory_survives(void **state)
{
	struct disk disk = open_disk("a/0", SIZE);
	char *memory;

	(void)state;
	assert_int_equal(nstored, 1);
	assert_true(storage_contents_are_new(disk.contents, disk.bs));
	assert_false(storage_contents_are_lost(disk.contents, disk.bs));
	note_write(disk);
	put("precious");
	close_disk(disk, false);
	restart();
	disk = open_disk("a/0", SIZE);
	assert_false(storage_contents_are_new(disk.contents, disk.bs));
	assert_false(storage_contents_are_lost(disk.contents, disk.bs));
	assert_int_equal(nstored, 1);
	memory = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, stored[0].fd, 0);
	assert_string_equal(memory, "precious");
	munmap(memory, SIZE);
	close_disk(disk, false);
}

static void test_each_disk_finds_its_own(void **state)
{
	struct disk a = open_disk("a/0", SIZE), b = open_disk("b/0", SIZE);

	(void)state;
	put("memory of a");
	close_disk(a, false);
	close_disk(b, false);
	restart();
	b = open_disk("b/0", SIZE);
	assert_false(storage_contents_are_new(b.contents, b.bs));
	a = open_disk("c/0", SIZE);
	assert_true(storage_contents_are_new(a.contents, a.bs));
	close_disk(a, false);
	close_disk(b, false);
}

static void test_other_size_is_another_disk(void **state)
{
	struct disk disk = open_disk("a/0", SIZE);

	(void)state;
	note_write(disk);
	close_disk(disk, false);
	restart();
	disk = open_disk("a/0", 2 * SIZE);
	assert_true(storage_contents_are_new(disk.contents, disk.bs));
	assert_true(storage_contents_are_lost(disk.contents, disk.bs));
	/*
	 * Neither the memory of the other size nor the empty memory is kept, because nobody has accepted the
	 * loss.
	 */
	assert_int_equal(nstored, 0);
	close_disk(disk, false);
}

static void test_loss_is_noticed_until_it_is_accepted(void **state)
{
	struct disk disk = open_disk("a/0", SIZE);

	(void)state;
	note_write(disk);
	close_disk(disk, false);
	lose_memory();
	/* The second restart must not treat the empty memory of the first restart as the contents. */
	for (unsigned i = 0; i < 2; i++) {
		restart();
		disk = open_disk("a/0", SIZE);
		assert_true(storage_contents_are_lost(disk.contents, disk.bs));
		close_disk(disk, false);
	}
	restart();
	disk = open_disk("a/0", SIZE);
	storage_contents_accept_loss(disk.contents);
	assert_int_equal(nstored, 1);
	assert_false(storage_contents_are_lost(disk.contents, disk.bs));
	close_disk(disk, false);
	lose_memory();
	restart();
	disk = open_disk("a/0", SIZE);
	assert_false(storage_contents_are_lost(disk.contents, disk.bs));
	close_disk(disk, false);
}

static void test_unwritten_disk_loses_nothing(void **state)
{
	struct disk disk = open_disk("a/0", SIZE);

	(void)state;
	close_disk(disk, false);
	lose_memory();
	restart();
	disk = open_disk("a/0", SIZE);
	assert_false(storage_contents_are_lost(disk.contents, disk.bs));
	close_disk(disk, false);
}

/* After a boot of the host, every disk in memory starts empty, and initiators are notified. */
static void test_boot_of_the_host(void **state)
{
	struct storage_state *known = malloc(sizeof(*known));
	struct disk disk = open_disk("a/0", SIZE);
	struct error error;
	int fd;

	(void)state;
	note_write(disk);
	close_disk(disk, false);
	lose_memory();
	fd = open(folder_path("state"), O_RDONLY | O_DIRECTORY);
	assert_int_equal(storage_state_read(fd, "alloc/x (a/0)", known, &error), 0);
	assert_int_equal(strlen(known->written_boot), 36);
	strcpy(known->written_boot, "01234567-89ab-cdef-0123-456789abcdef");
	assert_int_equal(storage_state_write(fd, "alloc/x (a/0)", known, &error), 0);
	close(fd);
	free(known);
	restart();
	disk = open_disk("a/0", SIZE);
	assert_false(storage_contents_are_lost(disk.contents, disk.bs));
	close_disk(disk, false);
}

static void test_removed_disk_is_forgotten(void **state)
{
	struct disk disk = open_disk("a/0", SIZE);

	(void)state;
	note_write(disk);
	close_disk(disk, true);
	assert_int_equal(nstored, 0);
	restart();
	disk = open_disk("a/0", SIZE);
	assert_true(storage_contents_are_new(disk.contents, disk.bs));
	assert_false(storage_contents_are_lost(disk.contents, disk.bs));
	close_disk(disk, false);
}

/* Initiators treat another disk with the same serial number as the disk that they know. */
static void test_another_disk_with_the_serial_number(void **state)
{
	struct disk disk = open_disk_as("a/0", "one", SIZE);

	(void)state;
	note_write(disk);
	close_disk(disk, false);
	restart();
	disk = open_disk_as("b/0", "two", SIZE);
	assert_false(storage_contents_are_lost(disk.contents, disk.bs));
	close_disk(disk, false);
	for (int i = 0; i < 2; i++) {
		disk = open_disk_as("b/0", "one", SIZE);
		assert_int_equal(storage_contents_are_lost(disk.contents, disk.bs), !i);
		storage_contents_accept_loss(disk.contents);
		note_write(disk);
		close_disk(disk, true);
	}
	/* The loss of the disk that was deleted with its state is not reported. */
	disk = open_disk_as("c/0", "one", SIZE);
	assert_false(storage_contents_are_lost(disk.contents, disk.bs));
	close_disk(disk, false);
}

static void test_the_serial_number_is_set_later(void **state)
{
	struct disk disk = open_disk("a/0", SIZE);

	(void)state;
	assert_false(storage_contents_set_serial(disk.contents, "one"));
	note_write(disk);
	assert_false(storage_contents_set_serial(disk.contents, "two"));
	assert_false(storage_contents_set_serial(disk.contents, "two"));
	close_disk(disk, false);
	restart();
	disk = open_disk("b/0", SIZE);
	assert_false(storage_contents_set_serial(disk.contents, "one"));
	assert_false(storage_contents_set_serial(disk.contents, ""));
	assert_true(storage_contents_set_serial(disk.contents, "two"));
	close_disk(disk, false);
	/* The disk that still has the contents has not lost them. */
	disk = open_disk("a/0", SIZE);
	assert_false(storage_contents_are_lost(disk.contents, disk.bs));
	assert_false(storage_contents_set_serial(disk.contents, "two"));
	close_disk(disk, false);
}

/* A daemon that does not have the contents either does not hide the loss from the daemon that had them. */
static void test_deleting_a_lost_disk_does_not_accept_the_loss(void **state)
{
	struct disk disk = open_disk_as("a/0", "one", SIZE);

	(void)state;
	note_write(disk);
	close_disk(disk, false);
	lose_memory();
	restart();
	disk = open_disk_as("a/0", "one", SIZE);
	assert_true(storage_contents_are_lost(disk.contents, disk.bs));
	close_disk(disk, true);
	/* An export without a serial number gets a new one, so its loss is accepted for it alone. */
	disk = open_disk("a/0", SIZE);
	assert_true(storage_contents_are_lost(disk.contents, disk.bs));
	storage_contents_accept_loss(disk.contents);
	close_disk(disk, true);
	restart();
	disk = open_disk_as("a/0", "one", SIZE);
	assert_true(storage_contents_are_lost(disk.contents, disk.bs));
	close_disk(disk, false);
}

/* Empty memory replaces the disk's memory, and is written before the old memory is freed. */
static void test_replaced_memory_leaves_the_note_of_the_new_one(void **state)
{
	struct disk old = open_disk("a/0", SIZE), disk;

	(void)state;
	note_write(old);
	disk = open_disk("a/0", SIZE);
	storage_contents_accept_loss(disk.contents);
	note_write(disk);
	close_disk(old, true);
	close_disk(disk, false);
	lose_memory();
	restart();
	disk = open_disk("a/0", SIZE);
	assert_true(storage_contents_are_lost(disk.contents, disk.bs));
	close_disk(disk, false);
}

static void test_memory_without_a_store(void **state)
{
	struct disk disk;

	(void)state;
	absent = true;
	disk = open_disk("a/0", SIZE);
	assert_int_equal(nstored, 0);
	note_write(disk);
	close_disk(disk, false);
	restart();
	disk = open_disk("a/0", SIZE);
	assert_true(storage_contents_are_lost(disk.contents, disk.bs));
	close_disk(disk, false);
}

/* Another registry in the same folder has open files of its own, as another process has. */
static void test_second_daemon_is_refused_the_disk(void **state)
{
	struct storage_registry *first = registry;
	struct disk disk = open_disk("a/0", SIZE), again = open_disk("a/0", SIZE), other;
	struct storage_contents *contents;
	struct error error;
	char process[32];
	unsigned before = nstored;

	(void)state;
	snprintf(process, sizeof(process), "process %d ", getpid());
	close_disk(again, false);
	start();
	contents = storage_contents_new(registry, "alloc/x", "a/0", "a/0", NULL);
	assert_int_equal(storage_contents_lock(contents, disk.bs, &error), -EBUSY);
	assert_non_null(strstr(error.text, process));
	assert_non_null(strstr(error.text, folder_path("state")));
	assert_non_null(strstr(error.text, "--state-dir"));
	/* Nothing is kept that the next daemon would take for the contents of the disk. */
	const struct backstore_keeper *keeper = storage_contents_keeper(contents);
	bool found = false;
	assert_int_equal(keeper->memory(keeper->arg, SIZE, &found), -EBUSY);
	assert_int_equal(nstored, before);
	other = open_disk("b/0", SIZE);
	close_disk(other, true);
	storage_contents_free(contents, false);
	close_disk(disk, false);
	close_disk(open_disk("a/0", SIZE), false);
	close_registry();
	registry = first;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct loop_options loops = {.nloops = 1, .npool = 1};
	const struct CMUnitTest tests[] = {
	    TEST(test_memory_survives),
	    TEST(test_each_disk_finds_its_own),
	    TEST(test_other_size_is_another_disk),
	    TEST(test_loss_is_noticed_until_it_is_accepted),
	    TEST(test_unwritten_disk_loses_nothing),
	    TEST(test_boot_of_the_host),
	    TEST(test_removed_disk_is_forgotten),
	    TEST(test_another_disk_with_the_serial_number),
	    TEST(test_the_serial_number_is_set_later),
	    TEST(test_deleting_a_lost_disk_does_not_accept_the_loss),
	    TEST(test_replaced_memory_leaves_the_note_of_the_new_one),
	    TEST(test_memory_without_a_store),
	    TEST(test_second_daemon_is_refused_the_disk),
	};
	struct error error;

	if (backstore_load_handlers(HANDLERS, &error) < 0 || loop_set_start(&set, &loops, &error)) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	int failed = cmocka_run_group_tests_name("contents", tests, NULL, NULL);
	loop_set_stop(&set);
	backstore_unload_handlers();
	return failed;
}
