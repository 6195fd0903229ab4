/* SPDX-License-Identifier: Apache-2.0 */
/* The handler block on loop devices, in a fake daemon. Needs root. */
#include "block.h"
#include "fake_daemon.h"
#include "kernel_features.h"
#include "loop_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB       (1u << 20)
#define DISK_SIZE (16u * MIB)

static const struct tcmur_handler *block; /* The handler that is tested. */
static struct loop_device disk;           /* A disk with 512-byte blocks, a new one for each test. */
static _Alignas(4096) uint8_t data[2 * MIB + 4096], back[2 * MIB + 4096];

static const char *const writeback[] = {"cache=writeback", NULL};
static const char *const shared[] = {"shared=on", NULL};

static void assert_refused(struct wanted wanted, int err, const char *reason)
{
	struct opening opening;

	assert_int_equal(fake_daemon_open(&opening, "/nonexistent", wanted), -err);
	if (!strstr(opening.open.error, reason) || !strstr(opening.open.error, wanted.config))
		fail_msg("expected \"%s\" in \"%s\"", reason, opening.open.error);
	assert_null(opening.open.handle);
}

static struct tcmur_open open_disk(struct wanted wanted)
{
	struct opening opening;

	if (!wanted.config)
		wanted.config = disk.path;
	if (fake_daemon_open(&opening, "/nonexistent", wanted) < 0)
		fail_msg("%s", opening.open.error);
	return opening.open;
}

/* --- open ------------------------------------------------------------------------------------- */

static void test_geometry(void **state)
{
	struct tcmur_open open = open_disk((struct wanted){.size = DISK_SIZE});

	(void)state;
	assert_int_equal(open.info.size, DISK_SIZE);
	assert_int_equal(open.info.block_size, 512);
	assert_true(open.info.physical_block_size >= 512);
	assert_false(open.info.read_only);
	block->close(open.handle);

	open = open_disk((struct wanted){.block_size = 4096});
	assert_int_equal(open.info.block_size, 4096);
	assert_true(open.info.physical_block_size >= 4096);
	assert_int_equal(open.info.unmap_granularity % 4096, 0);
	block->close(open.handle);
	assert_refused((struct wanted){.config = disk.path, .size = MIB}, EINVAL,
		       "holds 16777216 bytes, but the size of its disk is set to 1048576");
	open = open_disk((struct wanted){.size = MIB, .existing = true});
	assert_int_equal(open.info.size, DISK_SIZE);
	block->close(open.handle);
}

static void test_native_4096(void **state)
{
	struct loop_device large;
	struct tcmur_open open;

	(void)state;
	assert_int_equal(
	    loop_device_make(&large, (struct loop_wanted){.size = DISK_SIZE, .block_size = 4096}), 0);
	open = open_disk((struct wanted){.config = large.path});
	assert_int_equal(open.info.block_size, 4096);
	block->close(open.handle);
	assert_refused((struct wanted){.config = large.path, .block_size = 512}, EINVAL,
		       "has blocks of 4096 bytes, so blocks of 512 bytes are too small");
	loop_device_drop(&large);
}

static void test_read_only(void **state)
{
	struct loop_device locked;
	struct tcmur_open open = open_disk((struct wanted){.read_only = true});

	(void)state;
	assert_true(open.info.read_only && !open.info.thin);
	block->close(open.handle);

	assert_int_equal(
	    loop_device_make(&locked, (struct loop_wanted){.size = DISK_SIZE, .read_only = true}), 0);
	assert_refused((struct wanted){.config = locked.path}, EROFS,
		       "cannot be written (export it with ro?)");
	open = open_disk((struct wanted){.config = locked.path, .read_only = true});
	block->close(open.handle);
	loop_device_drop(&locked);
}

static void test_only_block_devices(void **state)
{
	static const char *const fast[] = {"cache=fast", NULL};

	(void)state;
	assert_refused((struct wanted){.config = "/etc/passwd"}, ENOTBLK, "is a file: use the file handler");
	assert_refused((struct wanted){.config = "/dev/null"}, ENOTBLK, "is not a block device");
	assert_refused((struct wanted){.config = "/dev/absent"}, ENOENT, "No such file");
	assert_refused((struct wanted){.config = "cache=fast", .options = fast}, EINVAL, "must be");
}

static void test_second_opener(void **state)
{
	struct tcmur_open open = open_disk((struct wanted){0});
	struct tcmur_open other;

	(void)state;
	assert_int_equal(open.info.flags, TCMUR_INFO_EXCLUSIVE);
	assert_refused((struct wanted){.config = disk.path}, EBUSY, "another disk of this daemon");
	assert_refused((struct wanted){.config = disk.path, .read_only = true}, EBUSY, "is in use");
	other = open_disk((struct wanted){.options = shared});
	assert_int_equal(other.info.flags, 0);
	block->close(other.handle);
	block->close(open.handle);
	other = open_disk((struct wanted){0});
	block->close(other.handle);
}

static bool is_claimed(void)
{
	int fd = open(disk.path, O_RDWR | O_EXCL | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EBUSY;
}

/* The claim passes from the old handle to the new one, and nobody can get it in between. */
static void test_replaced_handle_passes_on_its_claim(void **state)
{
	struct tcmur_open old = open_disk((struct wanted){0}), new;
	uint64_t seq;

	(void)state;
	if (ioctl(((struct block *)old.handle)->fdio.fd, _IOR(0x12, 128, uint64_t), &seq)) {
		block->close(old.handle);
		skip(); /* Linux before 5.15 */
	}
	replaced = old.handle;
	/* With other options the handler would need a descriptor with other flags. */
	assert_refused((struct wanted){.config = disk.path, .options = writeback}, EBUSY, "is in use");
	assert_refused((struct wanted){.config = disk.path, .read_only = true}, EBUSY, "is in use");
	new = open_disk((struct wanted){0});
	replaced = NULL;
	assert_int_equal(new.info.flags, TCMUR_INFO_EXCLUSIVE | TCMUR_INFO_TAKEN_OVER);
	assert_true(is_claimed());
	block->close(old.handle);
	assert_true(is_claimed());
	fill(data, 4096, 3);
	assert_int_equal(fake_daemon_write(new.handle, 0, data, 4096, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(new.handle, 0, back, 4096), TCMUR_OK);
	assert_memory_equal(data, back, 4096);
	block->close(new.handle);
	assert_false(is_claimed());
}

/* Opening refused_path must fail, and the reason must say where mounted_path is mounted. */
static void check_mounted(const char *mounted_path, const char *refused_path)
{
	char command[64], dir[] = "/var/tmp/tcmur-block-XXXXXX", reason[128];

	snprintf(command, sizeof(command), "mkfs.ext4 -q -F %s 2>/dev/null", mounted_path);
	if (system(command) != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mount(mounted_path, dir, "ext4", 0, ""), 0);
	snprintf(reason, sizeof(reason), "is in use: it is mounted at %s; shared=on", dir);
	assert_refused((struct wanted){.config = refused_path}, EBUSY, reason);
	assert_int_equal(umount(dir), 0);
	rmdir(dir);
}

static void test_mounted(void **state)
{
	(void)state;
	check_mounted(disk.path, disk.path);
}

static void test_partition(void **state)
{
	struct loop_wanted wanted = {.size = DISK_SIZE, .partition = true};
	struct loop_device parted;
	struct tcmur_open whole, part;
	char path[48];

	(void)state;
	assert_int_equal(loop_device_make(&parted, wanted), 0);
	snprintf(path, sizeof(path), "%sp1", parted.path);
	if (access(path, F_OK) < 0 || access("/sys/dev/block", F_OK) < 0) {
		loop_device_drop(&parted);
		/* This system creates no device nodes for partitions, or sysfs does not show their disk. */
		skip();
	}
	whole = open_disk((struct wanted){.config = parted.path});
	block->close(whole.handle);
	part = open_disk((struct wanted){.config = path});
	assert_int_equal(part.info.size, DISK_SIZE - PARTITION_START);
	/* the disk, not the partition, decides whether UNMAP works */
	assert_int_equal(part.info.thin, whole.info.thin);
	assert_int_equal(part.info.unmap_granularity, whole.info.unmap_granularity);
	assert_refused((struct wanted){.config = parted.path}, EBUSY, "is in use");
	fill(data, 4096, 6);
	assert_int_equal(fake_daemon_write(part.handle, 0, data, 4096, TCMUR_IO_FUA), TCMUR_OK);
	assert_int_equal(pread(parted.backing, back, 4096, PARTITION_START), 4096);
	assert_memory_equal(data, back, 4096);
	block->close(part.handle);
	check_mounted(path, parted.path);
	loop_device_drop(&parted);
}

static void test_capacity_change(void **state)
{
	struct tcmur_open open = open_disk((struct wanted){0});
	struct tcmur_info info;

	(void)state;
	assert_int_equal(loop_device_resize(&disk, 2 * DISK_SIZE), 0);
	assert_int_equal(block->refresh(open.handle, &info), 0);
	assert_int_equal(info.size, 2 * DISK_SIZE);
	assert_int_equal(info.block_size, 512);
	fill(data, 4096, 1);
	assert_int_equal(fake_daemon_write(open.handle, DISK_SIZE + MIB, data, 4096, 0), TCMUR_OK);
	block->close(open.handle);
}

/* --- I/O -------------------------------------------------------------------------------------- */

static void round_trip(const char *const *options)
{
	struct tcmur_open open = open_disk((struct wanted){.options = options});

	fake_daemon_reset(NULL);
	fill(data, MIB, 2);
	memset(back, 0, MIB);
	assert_int_equal(fake_daemon_write(open.handle, MIB, data, MIB, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_write(open.handle, MIB, data, 512, TCMUR_IO_FUA), TCMUR_OK);
	assert_int_equal(fake_daemon_range(block->flush, open.handle, 0, 0, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(open.handle, MIB, back, MIB), TCMUR_OK);
	assert_memory_equal(data, back, MIB);
	assert_int_equal(counts.transfers, 3);
	assert_int_equal(counts.blocking, 0);
	block->close(open.handle);
}

static void test_round_trip(void **state)
{
	static const char *const writethrough[] = {"cache=writethrough", NULL};

	(void)state;
	if (!kernel_writes_dsync("/var/tmp"))
		skip();
	round_trip(NULL);
	round_trip(writeback);
	round_trip(writethrough);
}

/* The kernel refuses direct I/O with memory at an odd address, so the handler copies the data. */
static void test_unaligned_memory(void **state)
{
	struct tcmur_open open = open_disk((struct wanted){0});
	size_t len = sizeof(data) - 4096;

	(void)state;
	fill(data, sizeof(data), 3);
	assert_int_equal(fake_daemon_write(open.handle, 512, data + 1, len, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(open.handle, 512, back + 3, len), TCMUR_OK);
	assert_int_equal(counts.blocking, 2);
	assert_memory_equal(data + 1, back + 3, len);
	block->close(open.handle);
}

/* Blocks that a device has lost cannot be read as zeros, because they may come back. */
static void test_past_the_end_is_an_error(void **state)
{
	struct tcmur_open open = open_disk((struct wanted){0});

	(void)state;
	assert_int_equal(fake_daemon_read(open.handle, DISK_SIZE - 4096, back, 8192), TCMUR_READ_ERROR);
	assert_int_equal(fake_daemon_read(open.handle, DISK_SIZE, back, 4096), TCMUR_READ_ERROR);
	assert_int_not_equal(fake_daemon_write(open.handle, DISK_SIZE, data, 4096, 0), TCMUR_OK);
	block->close(open.handle);
}

static uint64_t allocated(void)
{
	struct stat st;

	assert_int_equal(fstat(disk.backing, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void test_unmap(void **state)
{
	struct tcmur_open open = open_disk((struct wanted){0});

	(void)state;
	if (!open.info.thin) {
		block->close(open.handle);
		skip(); /* this file system cannot punch holes */
	}
	assert_true(open.info.unmap_granularity >= 512);
	fill(data, MIB, 4);
	assert_int_equal(fake_daemon_write(open.handle, 0, data, MIB, TCMUR_IO_FUA), TCMUR_OK);
	assert_true(allocated() >= MIB);
	assert_int_equal(fake_daemon_range(block->unmap, open.handle, 0, MIB, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_range(block->flush, open.handle, 0, 0, 0), TCMUR_OK);
	assert_true(allocated() < MIB);
	assert_int_equal(fake_daemon_read(open.handle, 0, back, MIB), TCMUR_OK);
	if (open.info.unmap_zeroes)
		assert_true(all_zero(back, MIB));
	assert_int_equal(counts.blocking, open.info.unmap_zeroes ? 0 : 1);
	block->close(open.handle);
}

static void test_write_zeroes(void **state)
{
	struct tcmur_open open = open_disk((struct wanted){0});

	(void)state;
	fill(data, MIB, 5);
	for (uint32_t flags = 0; flags <= TCMUR_IO_NO_UNMAP; flags += TCMUR_IO_NO_UNMAP) {
		assert_int_equal(fake_daemon_write(open.handle, 0, data, MIB, 0), TCMUR_OK);
		assert_int_equal(fake_daemon_range(block->write_zeroes, open.handle, 512, MIB - 1024, flags),
				 TCMUR_OK);
		assert_int_equal(fake_daemon_read(open.handle, 0, back, MIB), TCMUR_OK);
		assert_memory_equal(back, data, 512);
		assert_true(all_zero(back + 512, MIB - 1024));
		assert_memory_equal(back + MIB - 512, data + MIB - 512, 512);
	}
	assert_int_equal(counts.last_mode, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
	block->close(open.handle);
}

/* --- the group -------------------------------------------------------------------------------- */

static int make_disk(void **state)
{
	fake_daemon_reset(state);
	return loop_device_make(&disk, (struct loop_wanted){.size = DISK_SIZE, .block_size = 512});
}

static int drop_disk(void **state)
{
	(void)state;
	loop_device_drop(&disk);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_disk, drop_disk)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_geometry),
	    TEST(test_native_4096),
	    TEST(test_read_only),
	    TEST(test_only_block_devices),
	    TEST(test_second_opener),
	    TEST(test_replaced_handle_passes_on_its_claim),
	    TEST(test_mounted),
	    TEST(test_partition),
	    TEST(test_capacity_change),
	    TEST(test_round_trip),
	    TEST(test_unaligned_memory),
	    TEST(test_past_the_end_is_an_error),
	    TEST(test_unmap),
	    TEST(test_write_zeroes),
	};

	if (make_disk(NULL) < 0) {
		fprintf(stderr, "no loop devices here, or no right to make one\n");
		return 77;
	}
	drop_disk(NULL);
	block = tcmur_handler_entry();
	return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
