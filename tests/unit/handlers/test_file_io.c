/* SPDX-License-Identifier: Apache-2.0 */
/* I/O of the handler file. */
#include "kernel_features.h"
#include "test_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct tcmur_handler *file; /* The handler that is tested. */
static uint8_t data[MIB], back[MIB];

/* --- read and write --------------------------------------------------------------------------- */

static void test_one_request_a_read(void **state)
{
	void *handle = open_new("rw", NULL, 0);

	(void)state;
	fill(data, 4096, 1);
	assert_int_equal(fake_daemon_write(handle, 8192, data, 4096, 0), TCMUR_OK);
	assert_int_equal(counts.transfers, 1);
	assert_int_equal(fake_daemon_read(handle, 8192, back, 4096), TCMUR_OK);
	assert_int_equal(counts.transfers, 2);
	assert_int_equal(counts.blocking + counts.syncs, 0);
	assert_memory_equal(data, back, 4096);
	close_and_remove(handle, "rw");
}

/* If the storage is memory, nothing is queued. If buffered writes would block, they go to the pool. */
static void test_transfer_ways(void **state)
{
	const struct {
		long fs_type;
		unsigned transfers, blocking; /* For a write and a read. */
	} ways[] = {{TMPFS_MAGIC, 0, 0}, {EXT4_SUPER_MAGIC, 1, 1}, {BTRFS_SUPER_MAGIC, 2, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		fs_type = ways[i].fs_type;
		void *handle = open_new("way", NULL, 0);

		fake_daemon_reset(NULL);
		fill(data, 8192, (unsigned)i);
		assert_int_equal(fake_daemon_write(handle, 4096, data, 8192, 0), TCMUR_OK);
		assert_int_equal(fake_daemon_read(handle, 4096, back, 8192), TCMUR_OK);
		assert_memory_equal(data, back, 8192);
		assert_int_equal(counts.transfers, ways[i].transfers);
		assert_int_equal(counts.blocking, ways[i].blocking);
		assert_int_equal(counts.blocking_serial, ways[i].blocking);
		/* This write waits for the disk without the inode's lock, so it need not wait for others. */
		if (kernel_writes_dsync(dir)) {
			assert_int_equal(fake_daemon_write(handle, 0, data, 4096, TCMUR_IO_FUA), TCMUR_OK);
			assert_int_equal(counts.blocking_serial, ways[i].blocking);
		}
		assert_int_equal(fake_daemon_read(handle, 2 * MIB, back, 4096), TCMUR_OK);
		assert_true(all_zero(back, 4096));
		close_and_remove(handle, "way");
	}
	fs_type = XFS_SUPER_MAGIC;
}

/* Every transfer is shortened, also inside an iovec and across empty ones. */
static void test_short_transfers_go_on(void **state)
{
	enum { LEN = 3 * 4096 };
	struct iovec out[] = {{data, 100}, {data, 0}, {data + 100, 5000}, {data + 5100, LEN - 5100}};
	struct iovec in[] = {{back, 7000}, {back + 7000, LEN - 7000}, {back, 0}};
	struct tcmur_io write = {.offset = 4096, .len = LEN, .iov = out, .iovcnt = 4};
	struct tcmur_io read = {.offset = 4096, .len = LEN, .iov = in, .iovcnt = 3};
	void *handle = open_new("short", NULL, 0);

	(void)state;
	fill(data, LEN, 2);
	faults.at_most = 999;
	assert_int_equal(fake_daemon_io(file->write, handle, &write), TCMUR_OK);
	assert_true(counts.transfers > LEN / 999);
	assert_int_equal(fake_daemon_io(file->read, handle, &read), TCMUR_OK);
	assert_memory_equal(data, back, LEN);
	close_and_remove(handle, "short");
}

static void test_more_iovecs_than_the_kernel_takes(void **state)
{
	enum { COUNT = 2000 };
	static struct iovec iov[COUNT];
	struct tcmur_io io = {.len = COUNT * 512, .iov = iov, .iovcnt = COUNT};
	void *handle = open_new("many", NULL, 0);

	(void)state;
	fill(data, COUNT * 512, 3);
	for (unsigned i = 0; i < COUNT; i++)
		iov[i] = (struct iovec){data + (size_t)i * 512, 512};
	assert_int_equal(fake_daemon_io(file->write, handle, &io), TCMUR_OK);
	assert_int_equal(counts.transfers, 2);
	assert_int_equal(fake_daemon_read(handle, 0, back, COUNT * 512), TCMUR_OK);
	assert_memory_equal(data, back, COUNT * 512);
	close_and_remove(handle, "many");
}

static off_t size_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(in_dir(name), &st), 0);
	return st.st_size;
}

/* The I/O must fail, the first bad byte must be known, and the file must not grow. */
static void expect_past_end(data_callback *callback, void *handle, uint64_t offset, uint64_t len,
			    uint64_t bad)
{
	struct iovec iov = {back, len};
	struct tcmur_io io = {.offset = offset, .len = len, .iov = &iov, .iovcnt = 1};

	assert_int_equal(fake_daemon_io(callback, handle, &io), TCMUR_READ_ERROR);
	assert_int_equal(offset + io.miscompare_offset, bad);
	assert_int_equal(size_of("cut"), 5000);
}

static void test_past_the_end_fails(void **state)
{
	void *handle = open_new("cut", NULL, 0);
	struct tcmur_info info;

	(void)state;
	if (!kernel_tells_which_page_is_gone()) {
		close_and_remove(handle, "cut");
		skip();
	}
	/* This is done here because cmocka installs a signal handler for each test. */
	assert_int_equal(file->load(), 0);
	fill(data, 8192, 4);
	assert_int_equal(fake_daemon_write(handle, 0, data, 8192, 0), TCMUR_OK);
	logged[0] = '\0';
	assert_int_equal(truncate(in_dir("cut"), 5000), 0);
	expect_past_end(file->read, handle, 0, 8192, 5000);
	assert_non_null(strstr(logged, in_dir("cut")));
	assert_non_null(strstr(logged, "5000 bytes"));
	assert_non_null(strstr(logged, "4194304 bytes"));
	logged[0] = '\0';
	expect_past_end(file->read, handle, MIB, 8192, MIB);
	expect_past_end(file->write, handle, 4096, 4096, 5000);
	expect_past_end(file->write, handle, MIB, 4096, MIB);
	expect_past_end(file->write_zeroes, handle, MIB, 4096, MIB);
	expect_past_end(file->unmap, handle, MIB, 4096, MIB);
	assert_int_equal(fake_daemon_write(handle, 0, data, 4096, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, 0, back, 4096), TCMUR_OK);
	assert_int_equal(file->refresh(handle, &info), 0);
	assert_int_equal(info.size, FILE_SIZE);
	assert_true(info.flags & TCMUR_INFO_SHORT);
	assert_string_equal(logged, ""); /* there is only one warning */

	assert_int_equal(truncate(in_dir("cut"), FILE_SIZE), 0);
	assert_int_equal(fake_daemon_write(handle, MIB, data, 8192, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, MIB, back, 8192), TCMUR_OK);
	assert_memory_equal(data, back, 8192);
	assert_int_equal(file->refresh(handle, &info), 0);
	assert_false(info.flags & TCMUR_INFO_SHORT);
	assert_int_equal(truncate(in_dir("cut"), 5000), 0);
	expect_past_end(file->read, handle, MIB, 8192, MIB);
	assert_non_null(strstr(logged, "5000 bytes")); /* there is a new warning for a new fault */
	file->unload();
	close_and_remove(handle, "cut");
}

static uint64_t flags_of(void *handle)
{
	struct tcmur_info info;

	assert_int_equal(file->refresh(handle, &info), 0);
	assert_int_equal(info.size, FILE_SIZE);
	return info.flags;
}

static void test_replaced_is_noticed(void **state)
{
	void *handle = open_new("old", NULL, 0);
	char kept[256], away[256];

	(void)state;
	snprintf(kept, sizeof(kept), "%s", in_dir("old"));
	snprintf(away, sizeof(away), "%s", in_dir("away"));
	assert_false(flags_of(handle) & TCMUR_INFO_REPLACED);
	logged[0] = '\0';
	assert_int_equal(rename(kept, away), 0);
	assert_true(flags_of(handle) & TCMUR_INFO_REPLACED);
	assert_non_null(strstr(logged, "deleted"));
	logged[0] = '\0';
	close(open(kept, O_CREAT | O_WRONLY, 0600));
	assert_true(flags_of(handle) & TCMUR_INFO_REPLACED);
	assert_string_equal(logged, ""); /* there is only one warning */
	fill(data, 512, 5);
	assert_int_equal(fake_daemon_write(handle, 0, data, 512, 0), TCMUR_OK);
	assert_int_equal(rename(away, kept), 0);
	assert_false(flags_of(handle) & TCMUR_INFO_REPLACED);
	close(open(away, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(rename(away, kept), 0);
	assert_true(flags_of(handle) & TCMUR_INFO_REPLACED);
	assert_non_null(strstr(logged, "replaced"));
	close_and_remove(handle, "old");
}

static void test_errors_come_out(void **state)
{
	void *handle = open_new("err", NULL, 0);

	(void)state;
	faults.transfer = -EIO;
	assert_int_equal(fake_daemon_read(handle, 0, data, 512), TCMUR_READ_ERROR);
	faults.transfer = -EIO;
	assert_int_equal(fake_daemon_write(handle, 0, data, 512, 0), TCMUR_WRITE_ERROR);
	faults.transfer = -ENOSPC;
	assert_int_equal(fake_daemon_write(handle, 0, data, 512, 0), TCMUR_NO_SPACE);
	faults.transfer = -EINVAL; /* without O_DIRECT, no aligned buffer is used */
	assert_int_equal(fake_daemon_write(handle, 0, data, 512, 0), TCMUR_WRITE_ERROR);
	faults.sync = -EIO;
	assert_int_equal(fake_daemon_range(file->flush, handle, 0, 0, 0), TCMUR_WRITE_ERROR);
	faults.transfer = -EINTR;
	assert_int_equal(fake_daemon_write(handle, 0, data, 512, 0), TCMUR_OK);
	assert_int_equal(counts.blocking, 0);
	close_and_remove(handle, "err");
}

/* The kernel writes the first len bytes of any file, and refuses what follows. */
static void limit_file_size(rlim_t len)
{
	struct rlimit limit;

	signal(SIGXFSZ, len == RLIM_INFINITY ? SIG_DFL : SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = len == RLIM_INFINITY ? limit.rlim_max : len;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_refused_half_way(void **state)
{
	static const char *const direct[] = {"cache=none", NULL};
	static _Alignas(4096) uint8_t out[8192];
	void *handle, *bypassing;

	(void)state;
	if (!kernel_has_direct_io(dir))
		skip();
	handle = open_new("limit", NULL, 0);
	bypassing = open_new("limit_direct", direct, 4096);
	limit_file_size(4096);
	assert_int_equal(fake_daemon_write(handle, 0, out, 8192, 0), TCMUR_WRITE_ERROR);
	assert_int_equal(counts.transfers, 2); /* the part that fits, and then the refusal */
	faults.fallocate = -EOPNOTSUPP;
	assert_int_equal(fake_daemon_range(file->write_zeroes, handle, 0, 8192, 0), TCMUR_WRITE_ERROR);
	assert_int_equal(counts.blocking, 1);
	faults.transfer = -EINVAL;
	assert_int_equal(fake_daemon_write(bypassing, 0, out, 8192, TCMUR_IO_FUA), TCMUR_WRITE_ERROR);
	assert_int_equal(counts.blocking, 2);
	assert_int_equal(counts.syncs, 0);
	limit_file_size(RLIM_INFINITY);
	close_and_remove(handle, "limit");
	close_and_remove(bypassing, "limit_direct");
}

/* An offset that does not fit into 32 bits, and the place where its lower half would lead. */
static void test_offset_beyond_4_gib(void **state)
{
	enum { LOW = 64 * 1024 };
	const uint64_t high = (UINT64_C(4) << 30) + LOW;
	struct wanted wanted = {.config = "large", .size = UINT64_C(5) << 30};
	struct opening opening;
	void *handle;

	(void)state;
	if (fake_daemon_open(&opening, dir, wanted) < 0)
		fail_msg("%s", opening.open.error);
	handle = opening.open.handle;
	fill(data, 4096, 7);
	assert_int_equal(fake_daemon_write(handle, high, data, 4096, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, high, back, 4096), TCMUR_OK);
	assert_memory_equal(data, back, 4096);
	assert_int_equal(fake_daemon_read(handle, LOW, back, 4096), TCMUR_OK);
	assert_true(all_zero(back, 4096));
	assert_int_equal(fake_daemon_write(handle, LOW, data, 4096, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_range(file->write_zeroes, handle, high, 4096, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, high, back, 4096), TCMUR_OK);
	assert_true(all_zero(back, 4096));
	assert_int_equal(fake_daemon_read(handle, LOW, back, 4096), TCMUR_OK);
	assert_memory_equal(data, back, 4096);
	close_and_remove(handle, "large");
}

static void test_nothing_to_move(void **state)
{
	void *handle = open_new("empty", NULL, 0);

	(void)state;
	assert_int_equal(fake_daemon_write(handle, 0, data, 0, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, 0, data, 0), TCMUR_OK);
	close_and_remove(handle, "empty");
}

/* A file system that is really full. */
static void test_no_space(void **state)
{
	struct opening opening;
	char mounted[128];

	(void)state;
	snprintf(mounted, sizeof(mounted), "%s", in_dir("small"));
	assert_int_equal(mkdir(mounted, 0700), 0);
	if (mount("tmpfs", mounted, "tmpfs", 0, "size=512k") < 0) {
		rmdir(mounted);
		skip();
	}
	assert_int_equal(
	    fake_daemon_open(&opening, mounted, (struct wanted){.config = "full", .size = FILE_SIZE}), 0);
	fill(data, MIB, 5);
	assert_int_equal(fake_daemon_write(opening.open.handle, 0, data, MIB, 0), TCMUR_NO_SPACE);
	assert_int_equal(fake_daemon_range(file->unmap, opening.open.handle, 0, FILE_SIZE, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_write(opening.open.handle, 0, data, 4096, 0), TCMUR_OK);
	file->close(opening.open.handle);
	assert_int_equal(umount(mounted), 0);
	rmdir(mounted);
}

/* --- stable storage --------------------------------------------------------------------------- */

static void test_fua(void **state)
{
	void *handle;

	(void)state;
	if (!kernel_writes_dsync(dir))
		skip();
	handle = open_new("fua", NULL, 0);
	assert_int_equal(fake_daemon_write(handle, 0, data, 512, TCMUR_IO_FUA), TCMUR_OK);
	assert_int_equal(counts.last_rwf, RWF_DSYNC);
	assert_int_equal(counts.syncs, 0);

	faults.no_dsync = true; /* the data is written and then synchronised */
	assert_int_equal(fake_daemon_write(handle, 0, data, 512, TCMUR_IO_FUA), TCMUR_OK);
	assert_int_equal(counts.last_rwf, 0);
	assert_int_equal(counts.syncs, 1);
	faults.sync = -EIO;
	assert_int_equal(fake_daemon_write(handle, 0, data, 512, TCMUR_IO_FUA), TCMUR_WRITE_ERROR);

	assert_int_equal(fake_daemon_write(handle, 0, data, 512, 0), TCMUR_OK);
	assert_int_equal(counts.syncs, 2);
	assert_int_equal(fake_daemon_range(file->write_zeroes, handle, 0, 4096, TCMUR_IO_FUA), TCMUR_OK);
	assert_int_equal(counts.syncs, 3);
	assert_int_equal(fake_daemon_range(file->flush, handle, 0, 0, 0), TCMUR_OK);
	assert_int_equal(counts.syncs, 4);
	close_and_remove(handle, "fua");
}

static void test_writethrough(void **state)
{
	static const char *const options[] = {"cache=writethrough", NULL};
	struct wanted wanted = {.config = "wt", .size = FILE_SIZE, .options = options};
	struct opening opening;

	(void)state;
	assert_int_equal(fake_daemon_open(&opening, dir, wanted), 0);
	assert_true(opening.open.info.write_cache && opening.open.info.write_cache_off);
	close_and_remove(opening.open.handle, "wt");
}

/* --- O_DIRECT --------------------------------------------------------------------------------- */

static const char *const direct[] = {"cache=none", NULL};

static void test_direct(void **state)
{
	static _Alignas(4096) uint8_t out[16384], in[16384];
	void *handle;

	(void)state;
	if (!kernel_has_direct_io(dir))
		skip();
	handle = open_new("direct", direct, 4096);
	fill(out, sizeof(out), 6);
	assert_int_equal(fake_daemon_write(handle, 4096, out, sizeof(out), 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, 4096, in, sizeof(in)), TCMUR_OK);
	assert_memory_equal(out, in, sizeof(out));
	assert_int_equal(counts.blocking, 0);
	close_and_remove(handle, "direct");
}

/*
 * More data than one aligned buffer can hold, from an odd address, which is refused even if this file system
 * would accept it.
 */
static void test_direct_from_unaligned_memory(void **state)
{
	enum { LEN = 2 * MIB + 4096, CUT = 2 * 4096 + 700 };
	static _Alignas(4096) uint8_t out[LEN + 1], in[LEN + 1];
	void *handle;

	(void)state;
	if (!kernel_has_direct_io(dir))
		skip();
	handle = open_new("unaligned", direct, 4096);
	fill(out, sizeof(out), 7);
	faults.transfer = -EINVAL;
	assert_int_equal(fake_daemon_write(handle, 4096, out + 1, LEN, TCMUR_IO_FUA), TCMUR_OK);
	assert_int_equal(counts.blocking, 1);
	assert_int_equal(counts.syncs, 1);
	faults.transfer = -EINVAL;
	assert_int_equal(fake_daemon_read(handle, 4096, in + 1, LEN), TCMUR_OK);
	assert_int_equal(counts.blocking, 2);
	assert_memory_equal(out + 1, in + 1, LEN);

	assert_int_equal(truncate(in_dir("unaligned"), 4096 + CUT), 0);
	memset(in, 0xff, sizeof(in));
	faults.transfer = -EINVAL;
	assert_int_equal(fake_daemon_read(handle, 4096, in + 1, LEN), TCMUR_READ_ERROR);
	assert_memory_equal(out + 1, in + 1, CUT);
	close_and_remove(handle, "unaligned");
}

/* --- unmap, zeroes, extents ------------------------------------------------------------------- */

static uint64_t allocated(const char *name)
{
	struct stat st;

	assert_int_equal(stat(in_dir(name), &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void test_unmap_gives_back(void **state)
{
	void *handle = open_new("unmap", NULL, 0);

	(void)state;
	fill(data, MIB, 8);
	assert_int_equal(fake_daemon_write(handle, 0, data, MIB, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_range(file->flush, handle, 0, 0, 0), TCMUR_OK);
	assert_true(allocated("unmap") >= MIB);
	assert_int_equal(fake_daemon_range(file->unmap, handle, 0, MIB, 0), TCMUR_OK);
	assert_int_equal(allocated("unmap"), 0);
	assert_int_equal(fake_daemon_read(handle, 0, back, MIB), TCMUR_OK);
	assert_true(all_zero(back, MIB));
	faults.fallocate = -EIO;
	assert_int_equal(fake_daemon_range(file->unmap, handle, 0, MIB, 0), TCMUR_WRITE_ERROR);
	faults.fallocate = -EOPNOTSUPP; /* it is no longer supported */
	assert_int_equal(fake_daemon_range(file->unmap, handle, 0, MIB, 0), TCMUR_OK);
	close_and_remove(handle, "unmap");
}

/* Zeroes a part that starts and ends inside blocks of the file system. */
static void check_zeroes(uint32_t flags, int refusal, bool stays_allocated)
{
	enum { START = 4096 + 512, LEN = MIB / 2 };
	void *handle = open_new("zero", NULL, 0);

	fake_daemon_reset(NULL);
	fill(data, MIB, 9);
	assert_int_equal(fake_daemon_write(handle, 0, data, MIB, 0), TCMUR_OK);
	faults.fallocate = refusal;
	assert_int_equal(fake_daemon_range(file->write_zeroes, handle, START, LEN, flags), TCMUR_OK);
	memset(data + START, 0, LEN);
	assert_int_equal(fake_daemon_read(handle, 0, back, MIB), TCMUR_OK);
	assert_memory_equal(data, back, MIB);
	assert_int_equal(fake_daemon_range(file->flush, handle, 0, 0, 0), TCMUR_OK);
	assert_int_equal(allocated("zero") >= MIB, stays_allocated);
	close_and_remove(handle, "zero");
}

static void test_write_zeroes(void **state)
{
	(void)state;
	check_zeroes(0, 0, false);
	assert_int_equal(counts.last_mode, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	assert_int_equal(counts.blocking, 0);
	check_zeroes(TCMUR_IO_NO_UNMAP, 0, true);
	assert_int_equal(counts.last_mode, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
	check_zeroes(TCMUR_IO_NO_UNMAP, -EOPNOTSUPP, true);
	assert_int_equal(counts.blocking, 1);
}

static void assert_extent(const struct tcmur_extent *extent, uint64_t offset, uint64_t len, uint32_t state)
{
	assert_int_equal(extent->offset, offset);
	assert_int_equal(extent->len, len);
	assert_int_equal(extent->state, state);
}

static void test_extents(void **state)
{
	enum { LEN = 64 * 1024 };
	struct tcmur_extent extents[8];
	struct tcmur_io io = {.offset = 0, .len = FILE_SIZE, .extents = extents, .max_extents = 8};
	void *handle = open_new("extents", NULL, 4096);

	(void)state;
	fill(data, LEN, 10);
	assert_int_equal(fake_daemon_write(handle, MIB, data, LEN, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_io(file->extents, handle, &io), TCMUR_OK);
	assert_int_equal(io.nextents, 3);
	assert_extent(&extents[0], 0, MIB, TCMUR_EXTENT_DEALLOCATED);
	assert_extent(&extents[1], MIB, LEN, TCMUR_EXTENT_MAPPED);
	assert_extent(&extents[2], MIB + LEN, FILE_SIZE - MIB - LEN, TCMUR_EXTENT_DEALLOCATED);

	io.offset = MIB + 4096; /* begins inside the data, with room for one extent */
	io.len = FILE_SIZE - io.offset;
	io.max_extents = 1;
	assert_int_equal(fake_daemon_io(file->extents, handle, &io), TCMUR_OK);
	assert_int_equal(io.nextents, 1);
	assert_extent(&extents[0], MIB + 4096, LEN - 4096, TCMUR_EXTENT_MAPPED);
	close_and_remove(handle, "extents");
}

static void test_usage(void **state)
{
	struct tcmur_usage before, after;
	void *handle = open_new("usage", NULL, 0);

	(void)state;
	assert_int_equal(file->usage(handle, &before), 0);
	assert_true(before.used < MIB && before.available > 0);
	fill(data, MIB, 12);
	assert_int_equal(fake_daemon_write(handle, MIB, data, MIB, TCMUR_IO_FUA), TCMUR_OK);
	assert_int_equal(file->usage(handle, &after), 0);
	assert_true(after.used >= MIB && after.used < FILE_SIZE);
	assert_int_equal(fake_daemon_range(file->unmap, handle, MIB, MIB, 0), TCMUR_OK);
	assert_int_equal(file->usage(handle, &after), 0);
	assert_true(after.used < MIB);
	close_and_remove(handle, "usage");
}

static void test_growth(void **state)
{
	struct tcmur_info info;
	void *handle = open_new("grow", NULL, 0);

	(void)state;
	assert_int_equal(truncate(in_dir("grow"), 2 * FILE_SIZE), 0);
	assert_int_equal(file->refresh(handle, &info), 0);
	assert_int_equal(info.size, 2 * FILE_SIZE);
	assert_int_equal(info.block_size, 512);
	assert_true(info.thin);
	fill(data, 512, 11);
	assert_int_equal(fake_daemon_write(handle, FILE_SIZE + 512, data, 512, 0), TCMUR_OK);
	assert_int_equal(fake_daemon_read(handle, FILE_SIZE + 512, back, 512), TCMUR_OK);
	assert_memory_equal(data, back, 512);
	close_and_remove(handle, "grow");
}

int test_file_io(const char *title)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_one_request_a_read, fake_daemon_reset),
	    cmocka_unit_test_setup(test_transfer_ways, fake_daemon_reset),
	    cmocka_unit_test_setup(test_short_transfers_go_on, fake_daemon_reset),
	    cmocka_unit_test_setup(test_more_iovecs_than_the_kernel_takes, fake_daemon_reset),
	    cmocka_unit_test_setup(test_past_the_end_fails, fake_daemon_reset),
	    cmocka_unit_test_setup(test_replaced_is_noticed, fake_daemon_reset),
	    cmocka_unit_test_setup(test_errors_come_out, fake_daemon_reset),
	    cmocka_unit_test_setup(test_refused_half_way, fake_daemon_reset),
	    cmocka_unit_test_setup(test_offset_beyond_4_gib, fake_daemon_reset),
	    cmocka_unit_test_setup(test_nothing_to_move, fake_daemon_reset),
	    cmocka_unit_test_setup(test_no_space, fake_daemon_reset),
	    cmocka_unit_test_setup(test_fua, fake_daemon_reset),
	    cmocka_unit_test_setup(test_writethrough, fake_daemon_reset),
	    cmocka_unit_test_setup(test_direct, fake_daemon_reset),
	    cmocka_unit_test_setup(test_direct_from_unaligned_memory, fake_daemon_reset),
	    cmocka_unit_test_setup(test_unmap_gives_back, fake_daemon_reset),
	    cmocka_unit_test_setup(test_write_zeroes, fake_daemon_reset),
	    cmocka_unit_test_setup(test_extents, fake_daemon_reset),
	    cmocka_unit_test_setup(test_usage, fake_daemon_reset),
	    cmocka_unit_test_setup(test_growth, fake_daemon_reset),
	};

	file = tcmur_handler_entry();
	return cmocka_run_group_tests_name(title, tests, NULL, NULL);
}
