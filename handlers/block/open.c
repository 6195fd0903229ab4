/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a block device: checks it, and finds out its properties and capabilities. */
#include "block.h"
#include "in_use.h"
#include "options.h"
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef BLKGETDISKSEQ /* This exists since Linux 5.15. */
#define BLKGETDISKSEQ _IOR(0x12, 128, uint64_t)
#endif

struct opening {
	struct tcmur_open *open;
	char path[PATH_MAX];
	enum cache_mode cache;
	bool shared;
	bool punch;
	bool taken_over;
	int fd;
	struct stat st;
};

static int fail(const struct opening *opening, int err, const char *what)
{
	return tcmur_open_error(opening->open, err, "%s: %s%s%s", opening->path, what, what[0] ? ": " : "",
				strerror(err));
}

/*
 * Checks the kind of the file before it is opened, because opening a FIFO may block, and opening a character
 * device may have effects.
 */
static int find_device(struct opening *opening)
{
	if (stat(opening->path, &opening->st) < 0)
		return fail(opening, errno, "");
	if (S_ISREG(opening->st.st_mode))
		return tcmur_open_error(opening->open, ENOTBLK, "%s: is a file: use the file handler",
					opening->path);
	if (!S_ISBLK(opening->st.st_mode))
		return tcmur_open_error(opening->open, ENOTBLK, "%s: is not a block device", opening->path);
	return 0;
}

static int refuse_user(const struct opening *opening, const char *user)
{
	return tcmur_open_error(opening->open, EBUSY, "%s: is in use: %s; shared=on opens it anyway",
				opening->path, user);
}

/* Refuses a device that another user has claimed with O_EXCL, and names the user in the error. */
static int refuse_claimed(const struct opening *opening)
{
	char user[160];

	if (!in_use_by_backstore(&opening->st, user, sizeof(user)) &&
	    !sysfs_find_user(opening->st.st_rdev, user, sizeof(user)))
		in_use_by_process(&opening->st, user, sizeof(user));
	return refuse_user(opening, user);
}

/* Returns whether the backing file of a loop device is locked, because the handler file may serve it. */
static bool is_file_locked(dev_t device, char *user, size_t len)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX];
	bool locked;
	int fd;

	if (!sysfs_own_text(device, "loop/backing_file", path, sizeof(path)))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	locked = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(fd);
	if (locked)
		snprintf(user, len, "its backing file %.100s is locked", path);
	return locked;
}

/* Refuses a device that is used without a claim. */
static int refuse_unclaimed(const struct opening *opening)
{
	char user[160];

	if (opening->shared || (!in_use_by_backstore(&opening->st, user, sizeof(user)) &&
				!is_file_locked(opening->st.st_rdev, user, sizeof(user))))
		return 0;
	return refuse_user(opening, user);
}

/*
 * Returns whether the path leads to the device that is open as fd. The caller has compared the device
 * numbers. But another device may have got the number of a device that was removed, so this function
 * compares the sequence numbers of the devices, which the kernel has since Linux 5.15.
 */
static bool path_is_device(const struct opening *opening, int fd)
{
	uint64_t before, now;
	int fresh = openat(AT_FDCWD, opening->path, O_RDONLY | O_CLOEXEC);
	bool is_same = fresh >= 0 && ioctl(fd, BLKGETDISKSEQ, &before) == 0 &&
		       ioctl(fresh, BLKGETDISKSEQ, &now) == 0 && before == now;

	if (fresh >= 0)
		close(fresh);
	return is_same;
}

/*
 * Uses the claim of the handle that the new one replaces, if that handle has claimed the device. The claim
 * belongs to the open file, so a duplicate of the descriptor has it, too, and nobody else can claim the
 * device meanwhile. If the two descriptors need different flags, a duplicate cannot be used, and the old one
 * must be closed first.
 */
static bool take_over(struct opening *opening, int flags)
{
	const struct block *old = tcmur_open_replaced(opening->open);
	const int kept = O_ACCMODE | O_DIRECT;
	struct stat before;

	if (!old || !(old->info.flags & TCMUR_INFO_EXCLUSIVE) || fstat(old->fdio.fd, &before) < 0 ||
	    before.st_rdev != opening->st.st_rdev || ((fcntl(old->fdio.fd, F_GETFL) ^ flags) & kept) ||
	    !path_is_device(opening, old->fdio.fd))
		return false;
	opening->fd = fcntl(old->fdio.fd, F_DUPFD_CLOEXEC, 0);
	opening->taken_over = opening->fd >= 0;
	return opening->taken_over;
}

static int open_device(struct opening *opening)
{
	bool read_only = opening->open->read_only;
	int flags = O_CLOEXEC | (read_only ? O_RDONLY : O_RDWR) | (opening->shared ? 0 : O_EXCL) |
		    (opening->cache == CACHE_NONE ? O_DIRECT : 0);
	int err, locked = 0;

	opening->fd = openat(AT_FDCWD, opening->path, flags);
	err = errno;
	if (opening->fd < 0 && err == EBUSY && !opening->shared && take_over(opening, flags))
		return 0;
	if (opening->fd >= 0) {
		if (read_only || ioctl(opening->fd, BLKROGET, &locked) < 0 || !locked)
			return refuse_unclaimed(opening);
		err = EROFS;
	}
	if (err == EBUSY)
		return refuse_claimed(opening);
	if ((err == EROFS || err == EACCES || err == EPERM) && !read_only)
		return fail(opening, err, "cannot be written (export it with ro?)");
	return fail(opening, err, "");
}

static int settle_geometry(const struct opening *opening, struct tcmur_info *info)
{
	struct tcmur_open *open = opening->open;
	int logical;
	unsigned physical;
	int result = block_size_of(opening->fd, &info->size);

	if (result < 0 || ioctl(opening->fd, BLKSSZGET, &logical) < 0 ||
	    ioctl(opening->fd, BLKPBSZGET, &physical) < 0)
		return fail(opening, result < 0 ? -result : errno, "does not report its size");
	if (logical != 512 && logical != 4096)
		return tcmur_open_error(open, EINVAL, "%s: has blocks of %d bytes, neither 512 nor 4096",
					opening->path, logical);
	info->block_size = open->block_size ? open->block_size : (uint32_t)logical;
	if (info->block_size < (uint32_t)logical)
		return tcmur_open_error(
		    open, EINVAL, "%s: has blocks of %d bytes, so blocks of %" PRIu32 " bytes are too small",
		    opening->path, logical, info->block_size);
	info->physical_block_size = physical > info->block_size ? physical : info->block_size;
	if (info->size < info->block_size)
		return tcmur_open_error(open, ENOMEDIUM, "%s: is empty", opening->path);
	if (open->size != 0 && open->size != info->size && !(open->existing && open->size < info->size))
		return tcmur_open_error(
		    open, EINVAL, "%s: holds %" PRIu64 " bytes, but the size of its disk is set to %" PRIu64,
		    opening->path, info->size, open->size);
	return 0;
}

/*
 * Decides how UNMAP is executed. Zeroing that deallocates guarantees zeros, and a discard guarantees nothing.
 * Kernels before 6.17 do not report whether zeroing deallocates. Devices that can zero and discard usually
 * do.
 */
static void settle_unmap(struct opening *opening, struct tcmur_info *info)
{
	uint64_t zero_max = sysfs_number(opening->st.st_rdev, "queue/write_zeroes_max_bytes", 0);

	info->thin = !info->read_only && sysfs_number(opening->st.st_rdev, "queue/discard_max_bytes", 0) > 0;
	if (!info->thin)
		return;
	opening->punch =
	    sysfs_number(opening->st.st_rdev, "queue/write_zeroes_unmap_max_bytes", zero_max) > 0;
	info->unmap_zeroes = opening->punch;
	info->unmap_granularity = (uint32_t)sysfs_number(opening->st.st_rdev, "queue/discard_granularity", 0);
	info->unmap_alignment = (uint32_t)sysfs_number(opening->st.st_rdev, "discard_alignment", 0);
	/*
	 * If the device is served with larger blocks than its own, its granularity may not be a multiple of
	 * these larger blocks.
	 */
	if (info->unmap_granularity % info->block_size)
		info->unmap_granularity = info->block_size;
	if (info->unmap_alignment % info->block_size)
		info->unmap_alignment = 0;
}

static void settle_info(struct opening *opening, struct tcmur_info *info)
{
	char cache[32];

	sysfs_text(opening->st.st_rdev, "queue/write_cache", cache, sizeof(cache));
	info->read_only = opening->open->read_only;
	info->rotational = sysfs_number(opening->st.st_rdev, "queue/rotational", 0) != 0;
	info->write_cache = opening->cache != CACHE_NONE || strcmp(cache, "write through") != 0;
	info->write_cache_off = opening->cache == CACHE_WRITETHROUGH;
	info->optimal_io = (uint32_t)sysfs_number(opening->st.st_rdev, "queue/optimal_io_size", 0);
	/*
	 * The claim of O_EXCL belongs to the open file, and each request in the kernel holds a reference to
	 * it.
	 */
	info->flags = opening->shared ? 0 : TCMUR_INFO_EXCLUSIVE;
	info->flags |= opening->taken_over ? TCMUR_INFO_TAKEN_OVER : 0;
	settle_unmap(opening, info);
}

static int build(struct opening *opening)
{
	struct tcmur_open *open = opening->open;
	struct block *block;
	int result;

	if ((result = config_path(open, opening->path, sizeof(opening->path))) < 0 ||
	    (result = find_device(opening)) < 0 || (result = open_device(opening)) < 0 ||
	    (result = settle_geometry(opening, &open->info)) < 0)
		return result;
	settle_info(opening, &open->info);
	block = calloc(1, sizeof(*block));
	if (!block)
		return fail(opening, ENOMEM, "");
	block->fdio.fd = opening->fd;
	block->fdio.direct = opening->cache == CACHE_NONE;
	block->fdio.punch = opening->punch;
	block->info = open->info;
	open->handle = block;
	return 0;
}

int block_open(struct tcmur_open *open)
{
	struct opening opening = {.open = open, .fd = -1};
	int result;

	if ((result = option_cache(open, CACHE_NONE, &opening.cache)) < 0 ||
	    (result = option_switch(open, "shared", false, &opening.shared)) < 0)
		return result;
	result = build(&opening);
	if (result < 0 && opening.fd >= 0)
		close(opening.fd);
	return result;
}
