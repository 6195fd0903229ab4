/* SPDX-License-Identifier: Apache-2.0 */
/* The handler's table, and the data callbacks that only this handler has. */
#include "file.h"
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void file_close(void *handle)
{
	struct file *file = handle;

	map_close(&file->map);
	tail_close(&file->tail);
	close(file->fdio.fd); /* This also releases the lock. */
	free(file->path);
	free(file);
}

static void file_discard(void *handle)
{
	const struct file *file = handle;

	if (file->is_created && unlink(file->path) < 0)
		tcmur_log(NULL, TCMUR_LOG_WARN, "%s: cannot be removed after the failed start: %s",
			  file->path, strerror(errno));
}

static int file_resize(void *handle, uint64_t size)
{
	const struct file *file = handle;

	/* The size may have changed since the last check, and a file must never be shortened. */
	struct stat st;
	if (fstat(file->fdio.fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size >= size)
		return 0;
	return ftruncate(file->fdio.fd, (off_t)size) < 0 ? -errno : 0;
}

static void file_read(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	const struct file *file = handle;

	if (map_read(&file->map, io))
		tcmur_io_complete(io, TCMUR_OK);
	else
		fdio_read(&file->fdio, queue, io);
}

static void file_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct file *file = handle;

	if (map_write(&file->map, io)) {
		tcmur_io_complete(io, TCMUR_OK);
		return;
	}
	map_filled(&file->map, io);
	if (file->fdio.direct)
		tail_changed(&file->tail, io->offset + io->len);
	fdio_write(&file->fdio, queue, io);
}

static void file_flush(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	fdio_flush(&((struct file *)handle)->fdio, queue, io);
}

static void file_unmap(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct file *file = handle;

	map_emptied(&file->map, io);
	tail_changed(&file->tail, io->offset + io->len);
	fdio_unmap(&file->fdio, queue, io);
}

static void file_write_zeroes(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct file *file = handle;

	map_emptied(&file->map, io);
	tail_changed(&file->tail, io->offset + io->len);
	fdio_write_zeroes(&file->fdio, queue, io);
}

static void add_extent(struct tcmur_io *io, uint64_t offset, uint64_t end, enum tcmur_extent_state state)
{
	if (offset < end && io->nextents < io->max_extents)
		io->extents[io->nextents++] =
		    (struct tcmur_extent){.offset = offset, .len = end - offset, .state = state};
}

/*
 * Called on a pool thread. A block that contains any data counts as mapped, so data is extended to whole
 * blocks and holes become smaller.
 */
static int find_extents(struct tcmur_op *op)
{
	/* fdio is the first member of struct file. */
	const struct file *file = (const struct file *)fdio_of(op);
	uint64_t block_size = file->info.block_size;
	struct tcmur_io *io = op->io;
	uint64_t end = io->offset + io->len;
	uint64_t at = io->offset;

	io->nextents = 0;
	while (at < end && io->nextents < io->max_extents) {
		off_t data = lseek(file->fdio.fd, (off_t)at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(file->fdio.fd, data, SEEK_HOLE);
		uint64_t data_start, data_end;

		if (hole < 0 && errno != ENXIO) /* ENXIO means that there is no data after this offset. */
			return -errno;
		data_start = data < 0 ? end : (uint64_t)data / block_size * block_size;
		data_end = hole < 0 ? end : ((uint64_t)hole + block_size - 1) / block_size * block_size;
		data_start = data_start < end ? data_start : end;
		data_end = data_end < end ? data_end : end;
		add_extent(io, at, data_start, TCMUR_EXTENT_DEALLOCATED);
		add_extent(io, data_start, data_end, TCMUR_EXTENT_MAPPED);
		at = data_end;
	}
	return 0;
}

static void file_extents(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	fdio_blocking(&((struct file *)handle)->fdio, queue, io, false, find_extents);
}

/* Called on a pool thread. */
static int file_usage(void *handle, struct tcmur_usage *usage)
{
	const struct file *file = handle;
	struct stat st;
	struct statvfs fs;

	if (fstat(file->fdio.fd, &st) < 0 || fstatvfs(file->fdio.fd, &fs) < 0)
		return -errno;
	usage->used = (uint64_t)st.st_blocks * 512;
	usage->available = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

/*
 * A file does not contain a name of its own that could identify it, because a copy of the file would have the
 * same name.
 */
static int file_identify(const struct tcmur_open *open, struct tcmur_identity *identity)
{
	return config_place(open, identity->place, sizeof(identity->place));
}

static const struct tcmur_option file_options[] = {
    {"cache", "writeback|writethrough|none: how writes are cached; none bypasses the page cache (writeback)"},
    {"grow", "on|off: enlarge a file that is smaller than the size of its disk (off)"},
    {"shared",
     "on|off: share the file with programs that lock it in the same way, such as another gateway (off)"},
    {NULL, NULL},
};

static struct tcmur_handler file_handler = {
    .io_size = sizeof(struct fdio_request),
    .name = "file",
    .summary = "a regular file",
    .config_desc = "PATH of the file; created when absent and a size is given",
    .options = file_options,
    .load = map_load,
    .unload = map_unload,
    .check_config = config_check_path,
    .open = file_open,
    .close = file_close,
    .discard = file_discard,
    .refresh = file_refresh,
    .read = file_read,
    .write = file_write,
    .flush = file_flush,
    .unmap = file_unmap,
    .write_zeroes = file_write_zeroes,
    .extents = file_extents,
    .resize = file_resize,
    .usage = file_usage,
    .identify = file_identify,
};
TCMUR_REGISTER_HANDLER(file_handler, TCMUR_ASYNC)
