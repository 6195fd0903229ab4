/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a file: checks it, locks it, and finds out its size and what its file system can do. */
#include "file.h"
#include "in_use.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

_Static_assert(offsetof(struct file, fdio) == 0, "file_note_end() casts a struct fdio to the struct file");

struct opening {
	struct tcmur_open *open;
	char path[PATH_MAX];
	enum cache_mode cache;
	bool grow;
	bool shared;
	bool locked;
	bool created; /* This open() has created the file, and removes it again if a later step fails. */
	bool taken_over;
	int fd;
	struct stat st;
};

static int fail(const struct opening *opening, int err, const char *what)
{
	return tcmur_open_error(opening->open, err, "%s: %s%s%s", opening->path, what, what[0] ? ": " : "",
				strerror(err));
}

static int refuse_kind(const struct opening *opening)
{
	struct tcmur_open *open = opening->open;

	switch (opening->st.st_mode & S_IFMT) {
	case S_IFREG:
		return 0;
	case S_IFDIR:
		return tcmur_open_error(open, EISDIR, "%s: is a directory, not a file", opening->path);
	case S_IFBLK:
		return tcmur_open_error(open, EINVAL, "%s: is a block device: use the block handler",
					opening->path);
	default:
		return tcmur_open_error(open, EINVAL, "%s: is not a regular file", opening->path);
	}
}

/*
 * Checks the kind of the file before it is opened, because opening a FIFO may block, and opening a device may
 * have effects.
 */
static int open_file(struct opening *opening)
{
	struct tcmur_open *open = opening->open;
	int flags =
	    O_CLOEXEC | (open->read_only ? O_RDONLY : O_RDWR) | (opening->cache == CACHE_NONE ? O_DIRECT : 0);
	int result;

	if (stat(opening->path, &opening->st) == 0) {
		result = refuse_kind(opening);
		if (result < 0)
			return result;
	} else if (errno != ENOENT) {
		return fail(opening, errno, "");
	} else if (!open->create || open->size == 0 || open->read_only || open->existing) {
		return tcmur_open_error(open, ENOENT, "%s: no such file%s", opening->path,
					open->read_only || open->existing ? ""
					: open->create
					    ? "; to create it, give the disk a size"
					    : "; to create it, set create and a size for the disk");
	} else {
		flags |= O_CREAT | O_EXCL;
		opening->created = true;
	}
	/* Everybody who can read the image can read all data of the disk, so only its owner may read it. */
	opening->fd = openat(AT_FDCWD, opening->path, flags, 0600);
	if (opening->fd >= 0)
		return 0;
	result = errno;
	/*
	 * The kernel creates the file before it refuses O_DIRECT. After other errors, there is no new file.
	 */
	opening->created = opening->created && result == EINVAL;
	if (result == EINVAL && opening->cache == CACHE_NONE)
		return tcmur_open_error(open, EINVAL,
					"%s: this file system has no O_DIRECT: cache=none cannot work",
					opening->path);
	if (result == EACCES || result == EROFS || result == EPERM)
		return fail(opening, result, open->read_only ? "" : "cannot be written (export it with ro?)");
	return fail(opening, result, "");
}

/*
 * Uses the lock of the handle that the new one replaces, if both are for the same file. The lock belongs to
 * the descriptor of the old handle, and a duplicate of this descriptor shares it. If the two descriptors need
 * different flags, a duplicate cannot be used, and each needs a lock of its own.
 */
static void take_over(struct opening *opening)
{
	const struct file *old = tcmur_open_replaced(opening->open);
	struct stat now, before;

	if (!old || old->is_shared != opening->shared || old->info.read_only != opening->open->read_only ||
	    old->fdio.direct != (opening->cache == CACHE_NONE) || fstat(opening->fd, &now) < 0 ||
	    fstat(old->fdio.fd, &before) < 0 || now.st_dev != before.st_dev || now.st_ino != before.st_ino)
		return;
	int fd = fcntl(old->fdio.fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return;
	close(opening->fd);
	opening->fd = fd;
	opening->taken_over = true;
}

/* Refuses a file that is used by something that does not take a lock. */
static int refuse_user(const struct opening *opening)
{
	struct tcmur_open *open = opening->open;
	char user[160];

	if (opening->shared || (!in_use_by_loop(&opening->st, open->read_only, user, sizeof(user)) &&
				!in_use_by_backstore(&opening->st, user, sizeof(user))))
		return 0;
	return tcmur_open_error(open, EBUSY, "%s: is in use: %s; shared=on opens it anyway", opening->path,
				user);
}

static int refuse_locked(const struct opening *opening)
{
	char user[160];

	in_use_by_process(&opening->st, user, sizeof(user));
	return tcmur_open_error(
	    opening->open, EBUSY, "%s: is in use: it is locked, %s%s", opening->path, user,
	    opening->shared ? "" : "; if all of its users may share it, give shared=on to each of them");
}

/*
 * Locks the file. An OFD lock belongs to this descriptor. Therefore, a second opener in this process is
 * refused as well, and the lock ends with the last close, in whatever way the daemon ends. If the file may be
 * shared, the lock is a shared one, which refuses only openers that do not share the file.
 */
static int lock_file(struct opening *opening)
{
	bool reads = opening->open->read_only || opening->shared;
	struct flock lock = {.l_type = reads ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

	if (fstat(opening->fd, &opening->st) < 0)
		return fail(opening, errno, "");
	opening->locked = fcntl(opening->fd, F_OFD_SETLK, &lock) == 0;
	if (opening->locked)
		return refuse_user(opening);
	if (errno == EAGAIN || errno == EACCES)
		return refuse_locked(opening);
	if (errno != ENOLCK && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
		return fail(opening, errno, "cannot be locked");
	tcmur_log(opening->open->lun, TCMUR_LOG_WARN,
		  "%s: this file system has no locks; nothing keeps others from using the file as well",
		  opening->path);
	return refuse_user(opening);
}

static int settle_size(struct opening *opening)
{
	struct tcmur_open *open = opening->open;
	uint64_t size;
	int result;

	if (fstat(opening->fd, &opening->st) < 0)
		return fail(opening, errno, "");
	result = refuse_kind(opening); /* The path may lead to another file now. */
	if (result < 0)
		return result;
	size = (uint64_t)opening->st.st_size;
	if (open->size == 0 || open->size == size || (open->existing && open->size < size))
		return 0;
	if (!opening->created) {
		bool may_grow = opening->grow && !open->read_only && open->size > size;
		const char *hint = open->existing ? "" : "; the option grow=on enlarges the file";

		if (!may_grow)
			return tcmur_open_error(open, EINVAL,
						"%s: holds %" PRIu64
						" bytes, but the size of its disk is set to %" PRIu64 "%s",
						opening->path, size, open->size,
						open->size > size ? hint : "; a file is never shortened");
	}
	if (open->size > INT64_MAX || ftruncate(opening->fd, (off_t)open->size) < 0)
		return fail(opening, open->size > INT64_MAX ? EFBIG : errno, "cannot be given its size");
	opening->st.st_size = (off_t)open->size;
	return 0;
}

/* Returns the alignment in bytes that offsets need with O_DIRECT, or 0 if O_DIRECT cannot be used. */
static uint32_t direct_alignment(const struct opening *opening)
{
	uint32_t align = 0;
	void *buffer;

#ifdef STATX_DIOALIGN
	struct statx stx;

	if (statx(opening->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) == 0 &&
	    (stx.stx_mask & STATX_DIOALIGN))
		return stx.stx_dio_offset_align;
#endif
	/* Older kernels and some file systems do not report the alignment, so it is found out by a read. */
	buffer = aligned_alloc(4096, 4096);
	if (!buffer)
		return 0;
	if (pread(opening->fd, buffer, 512, 0) >= 0)
		align = 512;
	else if (pread(opening->fd, buffer, 4096, 0) >= 0)
		align = 4096;
	free(buffer);
	return align;
}

static int settle_block_size(const struct opening *opening, struct tcmur_info *info)
{
	struct tcmur_open *open = opening->open;
	uint32_t least = 512;

	if (opening->cache == CACHE_NONE) {
		least = direct_alignment(opening);
		if (least == 0 || least > 4096)
			return tcmur_open_error(
			    open, EINVAL, "%s: this file system has no O_DIRECT: cache=none cannot work",
			    opening->path);
		if (open->block_size != 0 && open->block_size < least)
			return tcmur_open_error(open, EINVAL,
						"%s: cache=none needs blocks of %" PRIu32
						" bytes on this file system",
						opening->path, least);
	}
	info->block_size = open->block_size ? open->block_size : least <= 512 ? 512 : 4096;
	if (info->size < info->block_size)
		return tcmur_open_error(
		    open, EINVAL, "%s: holds %" PRIu64 " bytes, less than one block%s", opening->path,
		    info->size,
		    info->size == 0 ? "; to enlarge it, give the disk a size and the option grow=on" : "");
	return 0;
}

/*
 * Returns whether the file system can punch holes. Only an attempt shows this. The attempt is past the end of
 * the file, where no data can be lost.
 */
static bool can_punch(const struct opening *opening)
{
	off_t end = (opening->st.st_size + 4095) / 4096 * 4096;

	return !opening->open->read_only &&
	       fallocate(opening->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, end, 4096) == 0;
}

static int settle_info(const struct opening *opening, struct tcmur_info *info)
{
	uint32_t fs_block = (uint32_t)opening->st.st_blksize;
	int result;

	info->size = (uint64_t)opening->st.st_size;
	result = settle_block_size(opening, info);
	if (result < 0)
		return result;
	/*
	 * Initiators align their I/O to this size. Network file systems report their transfer size in this
	 * field, and not a block size.
	 */
	info->physical_block_size = fs_block == 4096 ? fs_block : info->block_size;
	info->read_only = opening->open->read_only;
	info->write_cache = true;
	info->write_cache_off = opening->cache == CACHE_WRITETHROUGH;
	info->thin = can_punch(opening);
	info->unmap_zeroes = info->thin;
	info->unmap_granularity = info->thin ? info->physical_block_size : 0;
	/*
	 * The lock belongs to the open file, and each request in the kernel holds a reference to it. Readers
	 * share their lock.
	 */
	info->flags = opening->locked && !info->read_only && !opening->shared ? TCMUR_INFO_EXCLUSIVE : 0;
	info->flags |= opening->taken_over ? TCMUR_INFO_TAKEN_OVER : 0;
	return 0;
}

/*
 * Returns how transfers are executed. XFS and Btrfs execute buffered writes from io_uring without a worker
 * thread. Whether other file systems do this is unknown.
 */
static enum fdio_way transfer_way(const struct opening *opening)
{
	struct statfs fs;

	if (fstatfs(opening->fd, &fs) == 0) {
		/* f_type is signed, and on 32-bit systems it cannot hold the magic number of Btrfs. */
		uint32_t type = (uint32_t)fs.f_type;

		if (type == TMPFS_MAGIC || type == RAMFS_MAGIC)
			return FDIO_INLINE;
		if (type == XFS_SUPER_MAGIC || type == BTRFS_SUPER_MAGIC)
			return FDIO_QUEUE;
	}
	return opening->cache == CACHE_NONE ? FDIO_QUEUE : FDIO_POOL_WRITES;
}

static int build(struct opening *opening)
{
	struct tcmur_open *open = opening->open;
	struct file *file;
	int result;

	if ((result = config_path(open, opening->path, sizeof(opening->path))) < 0 ||
	    (result = open_file(opening)) < 0)
		return result;
	take_over(opening);
	if ((result = lock_file(opening)) < 0 || (result = settle_size(opening)) < 0 ||
	    (result = settle_info(opening, &open->info)) < 0)
		return result;
	file = calloc(1, sizeof(*file));
	if (!file || !(file->path = strdup(opening->path))) {
		free(file);
		return fail(opening, ENOMEM, "");
	}
	if (opening->created)
		open->info.flags |= TCMUR_INFO_CREATED;
	file->is_created = opening->created;
	file->is_shared = opening->shared;
	file->lun = open->lun;
	file->served = open->existing && open->size ? open->size : open->info.size;
	file->fdio.fd = opening->fd;
	file->fdio.way = transfer_way(opening);
	file->fdio.direct = opening->cache == CACHE_NONE;
	file->fdio.past_end = file_note_end;
	file->fdio.reaches = file_reaches;
	file->fdio.punch = open->info.thin;
	file->info = open->info;
	if (file->fdio.way == FDIO_INLINE)
		map_open(&file->map, opening->fd, open->info.size, open->read_only);
	else if (!open->read_only)
		tail_open(&file->tail, opening->fd, open->info.size);
	open->handle = file;
	return 0;
}

int file_open(struct tcmur_open *open)
{
	struct opening opening = {.open = open, .fd = -1};
	int result;

	if ((result = option_cache(open, CACHE_WRITEBACK, &opening.cache)) < 0 ||
	    (result = option_switch(open, "grow", false, &opening.grow)) < 0 ||
	    (result = option_switch(open, "shared", false, &opening.shared)) < 0)
		return result;
	result = build(&opening);
	if (result == 0)
		return 0;
	if (opening.created)
		unlink(opening.path);
	if (opening.fd >= 0)
		close(opening.fd);
	return result;
}
