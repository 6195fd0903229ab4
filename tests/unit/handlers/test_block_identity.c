/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of a block device, in folders that look like those of the kernel and of udev. Needs a node of
 * a block device, and therefore root.
 */
#include "fake_daemon.h"
#include "identity.h"
#include "sysfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A disk and its first partition. Nothing is read from the devices themselves. */
#define DISK      makedev(259, 4001)
#define PARTITION makedev(259, 4002)

static char root[64], node[96], link_path[96], sysfs[96], udev[96];

static void run(const char *format, const char *argument)
{
	char command[512];

	snprintf(command, sizeof(command), format, argument);
	assert_int_equal(system(command), 0);
}

static void put(const char *path, const void *bytes, size_t len)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	file = fopen(full, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

static int set_up(void **state)
{
	(void)state;
	strcpy(root, "/tmp/block_identity.XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(node, sizeof(node), "%s/disk", root);
	snprintf(link_path, sizeof(link_path), "%s/./link", root);
	snprintf(sysfs, sizeof(sysfs), "%s/sys", root);
	snprintf(udev, sizeof(udev), "%s/udev", root);
	run("cd %s && mkdir -p udev sys/disk/device sys/disk/dm sys/disk/loop sys/disk/part1 && ln -s disk "
	    "link && "
	    "ln -s disk sys/259:4001 && ln -s disk/part1 sys/259:4002",
	    root);
	put_text("sys/disk/dev", "259:4001\n");
	put_text("sys/disk/part1/partition", "1\n");
	sysfs_devices = sysfs;
	udev_data = udev;
	logged[0] = '\0';
	if (mknod(node, S_IFBLK | 0600, DISK))
		skip();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	run("rm -r %s", root);
	return 0;
}

static struct tcmur_identity identify(const char *config)
{
	struct tcmur_open open = {.config = config, .state_dir = "/nonexistent"};
	struct tcmur_identity identity = {.own = ""};

	assert_int_equal(block_identify(&open, &identity), 0);
	return identity;
}

static void make_partition_node(void)
{
	assert_int_equal(unlink(node), 0);
	assert_int_equal(mknod(node, S_IFBLK | 0600, PARTITION), 0);
}

static void test_path_is_the_last_resort(void **state)
{
	struct tcmur_identity identity = identify(link_path);
	char *real = realpath(node, NULL);

	(void)state;
	assert_string_equal(identity.own, "");
	assert_string_equal(identity.place, real);
	assert_non_null(strstr(logged, "may lead to another disk"));
	free(real);
}

static void test_missing_device_is_known_by_its_path(void **state)
{
	char *folder = realpath(root, NULL), expected[160];

	(void)state;
	assert_int_equal(unlink(node), 0);
	snprintf(expected, sizeof(expected), "%s/disk", folder);
	assert_string_equal(identify(node).place, expected);
	free(folder);
}

static void test_partition_uuid_comes_first(void **state)
{
	(void)state;
	make_partition_node();
	put_text("sys/disk/part1/uevent", "MAJOR=259\nPARTUUID=c91818f9-8025-47af-89d2-f030d7000c2c\n");
	put_text("sys/disk/wwid", "naa.5000c500a0b1c2d3\n");
	assert_string_equal(identify(node).own, "partuuid:c91818f9-8025-47af-89d2-f030d7000c2c");
	assert_string_equal(logged, "");
	put_text("sys/disk/part1/uevent", "MAJOR=259\n");
	put_text("udev/b259:4002", "S:x\nE:ID_PART_ENTRY_UUID=aa1818f9-8025-47af-89d2-f030d7000c2c\n");
	assert_string_equal(identify(node).own, "partuuid:aa1818f9-8025-47af-89d2-f030d7000c2c");
}

/* The 32 bits of an MBR disk are not unique in the world. */
static void test_mbr_partition_belongs_to_the_machine(void **state)
{
	(void)state;
	make_partition_node();
	put_text("sys/disk/part1/uevent", "PARTUUID=1234abcd-01\n");
	assert_string_equal(identify(node).own, "");
	assert_string_equal(identify(node).place, "partuuid:1234abcd-01");
}

static void test_partition_without_uuid_is_part_of_its_disk(void **state)
{
	(void)state;
	make_partition_node();
	put_text("sys/disk/wwid", "naa.5000c500a0b1c2d3\n");
	assert_string_equal(identify(node).own, "wwid:naa.5000c500a0b1c2d3:part1");
}

static void test_mapper_uuid(void **state)
{
	(void)state;
	put_text("sys/disk/dm/name", "vg-lv\n");
	assert_string_equal(identify(node).place, "dm:vg-lv");
	put_text("sys/disk/dm/uuid", "LVM-abc\n");
	put_text("sys/disk/wwid", "naa.5000c500a0b1c2d3\n");
	assert_string_equal(identify(node).own, "dm:LVM-abc");
}

/* A page with a T10 designator, one of the target port, and an NAA designator of the unit. */
static const uint8_t page[] = {0, 0x83,       0, 32, 2,    1,    0,    4, 'A', 'C', 'M', 'E',
			       1, 3 | 1 << 4, 0, 8,  1,    2,    3,    4, 5,   6,   7,   8,
			       1, 3,          0, 8,  0x50, 0x0c, 0x50, 0, 1,   2,   3,   4};

static void test_vpd83(void **state)
{
	(void)state;
	put("sys/disk/device/vpd_pg83", page, sizeof(page));
	put_text("sys/disk/wwid", "naa.5000c500a0b1c2d3\n");
	assert_string_equal(identify(node).own, "vpd83:3.500c500001020304");
}

/* Every virtual machine has a "QEMU HARDDISK QM00001". */
static void test_t10_name_belongs_to_the_machine(void **state)
{
	(void)state;
	put("sys/disk/device/vpd_pg83", page, 12);
	assert_string_equal(identify(node).own, "");
	assert_string_equal(identify(node).place, "vpd83:1.41434d45");
	run("rm %s/sys/disk/device/vpd_pg83", root);
	put_text("sys/disk/device/wwid", "t10.ATA     QEMU HARDDISK QM00001\n");
	assert_string_equal(identify(node).own, "");
	assert_string_equal(identify(node).place, "wwid:t10.ATA     QEMU HARDDISK QM00001");
}

static void test_vpd83_that_is_cut_or_hostile(void **state)
{
	uint8_t bytes[sizeof(page)];
	char text[64];
	bool unique;

	(void)state;
	for (size_t len = 0; len <= sizeof(page); len++) {
		/* memory of exactly this size, so that a sanitizer notices a read past its end */
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, page, len);
		block_vpd83_name(exact, len, text, sizeof(text), &unique);
		free(exact);
	}
	for (unsigned seed = 0; seed < 2000; seed++) {
		fill(bytes, sizeof(bytes), seed);
		block_vpd83_name(bytes, sizeof(bytes), text, sizeof(text), &unique);
	}
	assert_false(block_vpd83_name(page, 4, text, sizeof(text), &unique));
}

static void test_loop_device_is_its_file(void **state)
{
	(void)state;
	put_text("sys/disk/loop/backing_file", "/srv/x.img\n");
	assert_string_equal(identify(node).place, "loop:/srv/x.img@0");
	put_text("sys/disk/loop/backing_file", "/srv/y.img\n");
	put_text("sys/disk/loop/offset", "512\n");
	assert_string_equal(identify(node).place, "loop:/srv/y.img@512");
	assert_string_equal(identify(node).own, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_path_is_the_last_resort),
	    TEST(test_missing_device_is_known_by_its_path),
	    TEST(test_partition_uuid_comes_first),
	    TEST(test_mbr_partition_belongs_to_the_machine),
	    TEST(test_partition_without_uuid_is_part_of_its_disk),
	    TEST(test_mapper_uuid),
	    TEST(test_vpd83),
	    TEST(test_t10_name_belongs_to_the_machine),
	    TEST(test_vpd83_that_is_cut_or_hostile),
	    TEST(test_loop_device_is_its_file),
	};

	if (geteuid()) {
		fprintf(stderr, "SKIP: only root makes device nodes\n");
		return 77;
	}
	return cmocka_run_group_tests_name("block identity", tests, NULL, NULL);
}
