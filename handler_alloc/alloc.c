/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk in memory. If systemd keeps the memory, the contents survive a restart of the daemon. Each I/O is a
 * copy and completes inside its callback. The only exception is the first write, which waits until the daemon
 * has recorded that the disk has contents, so that a later loss is noticed. The memory is managed in pages.c.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define TCMUR_API_VERSION 1
#include <tcmur/queue.h>

#include "copy.h"
#include "pages.h"

/*
 * The number of bytes to discard at a time. Freeing memory takes time, and other I/O of the loop waits
 * meanwhile.
 */
#define UNMAP_STEP (32ull << 20)

struct disk {
	struct pages pages;
	uint32_t block_size;
	struct tcmur_lun *lun;
	atomic_bool noted; /* Whether the daemon has recorded that the disk was written. */
};

/* --- open and close --------------------------------------------------------------------------- */

static int check_config(const char *config, char *reason, size_t reason_len)
{
	if (*config)
		return 0;
	snprintf(reason, reason_len, "alloc/NAME needs a name");
	return -EINVAL;
}

static int wants_huge_pages(struct tcmur_open *open, bool *huge)
{
	const char *value = tcmur_open_option(open, "hugepages", "on");

	*huge = !*value || !strcmp(value, "on");
	if (!*huge && strcmp(value, "off") != 0)
		return tcmur_open_error(open, EINVAL, "hugepages=%s is neither on nor off", value);
	return 0;
}

static int check_size(struct tcmur_open *open)
{
	struct sysinfo info;
	uint64_t memory;

	if (!open->size)
		return tcmur_open_error(open, EINVAL, "a memory disk needs a size, for example 64M");
	if (sysinfo(&info) < 0)
		return tcmur_open_error(open, errno, "cannot find out how much memory this machine has: %s",
					strerror(errno));
	memory = (uint64_t)info.totalram * info.mem_unit;
	if (open->size > memory)
		return tcmur_open_error(
		    open, ENOMEM, "%llu MiB do not fit in this machine's memory of %llu MiB",
		    (unsigned long long)(open->size >> 20), (unsigned long long)(memory >> 20));
	return 0;
}

/* Maps memory that the daemon keeps outside of this process, or memory of this process if there is none. */
static int map_pages(struct tcmur_open *open, struct disk *disk, bool huge)
{
	bool found = false;
	int fd = tcmur_open_memory(open, pages_length(open->size), &found);
	int err =
	    fd < 0 ? pages_map(&disk->pages, open->size, huge) : pages_map_kept(&disk->pages, open->size, fd);

	if (fd >= 0)
		close(fd);
	if (!err && found)
		tcmur_log(open->lun, TCMUR_LOG_INFO, "the contents have survived the restart");
	return err;
}

static int map_disk(struct tcmur_open *open, struct disk **disk)
{
	bool huge;
	int err = wants_huge_pages(open, &huge);

	if (err || (err = check_size(open)))
		return err;
	*disk = calloc(1, sizeof(**disk));
	err = *disk ? map_pages(open, *disk, huge) : -ENOMEM;
	if (!err)
		return 0;
	free(*disk);
	return tcmur_open_error(open, -err, "cannot reserve %llu MiB of memory: %s",
				(unsigned long long)(open->size >> 20), strerror(-err));
}

static int wants_loss(struct tcmur_open *open, bool *accepted)
{
	const char *value = tcmur_open_option(open, "lost", "refuse");

	*accepted = !strcmp(value, "accept");
	if (!*accepted && strcmp(value, "refuse") != 0)
		return tcmur_open_error(open, EINVAL, "lost=%s is neither refuse nor accept", value);
	return 0;
}

static int alloc_open(struct tcmur_open *open)
{
	struct disk *disk;
	bool accepted;
	int err = wants_loss(open, &accepted);

	if (err || (err = map_disk(open, &disk)))
		return err;
	disk->lun = open->lun;
	disk->block_size = open->block_size ? open->block_size : 512;
	open->handle = disk;
	open->info = (struct tcmur_info){
	    .size = open->size,
	    .block_size = disk->block_size,
	    .thin = true,
	    .unmap_zeroes = true,
	    .unmap_granularity = PAGE_MARKS_PAGE,
	    .max_unmap = UNMAP_STEP,
	    /* No other process can use the memory, because this call has created it or taken it back. */
	    .flags = TCMUR_INFO_EXCLUSIVE | TCMUR_INFO_VOLATILE | TCMUR_INFO_CREATED |
		     (accepted ? TCMUR_INFO_LOSS_ACCEPTED : 0),
	};
	return 0;
}

static void alloc_close(void *handle)
{
	struct disk *disk = handle;

	pages_unmap(&disk->pages);
	free(disk);
}

/* --- I/O, on an event loop -------------------------------------------------------------------- */

static void alloc_read(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	const struct disk *disk = handle;

	(void)queue;
	copy_to_iov(io->iov, disk->pages.base + io->offset, io->len);
	tcmur_io_complete(io, TCMUR_OK);
}

static void write_pages(struct disk *disk, struct tcmur_io *io)
{
	page_marks_set(&disk->pages.written, io->offset, io->len);
	copy_from_iov(disk->pages.base + io->offset, io->iov, io->len);
	tcmur_io_complete(io, TCMUR_OK);
}

static void repeat_block(struct disk *disk, struct tcmur_io *io)
{
	uint8_t *block = disk->pages.base + io->offset;

	page_marks_set(&disk->pages.written, io->offset, io->len);
	copy_from_iov(block, io->iov, disk->block_size);
	for (uint64_t done = disk->block_size; done < io->len; done += disk->block_size)
		memcpy(block + done, block, disk->block_size);
	tcmur_io_complete(io, TCMUR_OK);
}

/* A write that waits until the daemon has recorded it. The structure is in the scratch space of the I/O. */
struct first_write {
	struct tcmur_op op;
	struct disk *disk;
	void (*write)(struct disk *disk, struct tcmur_io *io);
};

/* Called on a pool thread. Makes the daemon record that the disk was written. */
static int note(struct tcmur_op *op)
{
	tcmur_lun_written(((struct first_write *)op)->disk->lun);
	return 0;
}

static void on_noted(struct tcmur_op *op, int result)
{
	struct first_write *first = (struct first_write *)op;

	if (result < 0) { /* The write was cancelled. */
		tcmur_io_complete(op->io, tcmur_status_from_errno(result, true));
		return;
	}
	atomic_store_explicit(&first->disk->noted, true, memory_order_relaxed);
	first->write(first->disk, op->io);
}

static void write_noted(struct disk *disk, struct tcmur_queue *queue, struct tcmur_io *io,
			void (*write)(struct disk *disk, struct tcmur_io *io))
{
	struct first_write *first = io->scratch;

	if (atomic_load_explicit(&disk->noted, memory_order_relaxed)) {
		write(disk, io);
		return;
	}
	*first = (struct first_write){.op = {.done = on_noted, .io = io}, .disk = disk, .write = write};
	tcmur_queue_blocking(queue, &first->op, note);
}

static void alloc_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	write_noted(handle, queue, io, write_pages);
}

static void alloc_write_same(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	write_noted(handle, queue, io, repeat_block);
}

static void alloc_unmap(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct disk *disk = handle;

	(void)queue;
	pages_discard(&disk->pages, io->offset, io->len);
	tcmur_io_complete(io, TCMUR_OK);
}

static void alloc_write_zeroes(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct disk *disk = handle;

	(void)queue;
	if (io->flags & TCMUR_IO_NO_UNMAP) {
		page_marks_set(&disk->pages.written, io->offset, io->len);
		memset(disk->pages.base + io->offset, 0, io->len);
	} else {
		pages_discard(&disk->pages, io->offset, io->len);
	}
	tcmur_io_complete(io, TCMUR_OK);
}

static void alloc_extents(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	const struct disk *disk = handle;
	uint64_t offset = io->offset, end = io->offset + io->len;

	(void)queue;
	for (io->nextents = 0; offset < end && io->nextents < io->max_extents; io->nextents++) {
		bool written;
		uint64_t len = page_marks_run(&disk->pages.written, offset, end - offset, &written);

		io->extents[io->nextents] = (struct tcmur_extent){
		    offset, len, written ? TCMUR_EXTENT_MAPPED : TCMUR_EXTENT_DEALLOCATED};
		offset += len;
	}
	tcmur_io_complete(io, TCMUR_OK);
}

static uint32_t alloc_data(void *handle, uint64_t offset, uint64_t len, struct iovec *iov, uint32_t iovcnt)
{
	const struct disk *disk = handle;

	if (!iovcnt)
		return 0;
	iov[0] = (struct iovec){disk->pages.base + offset, len};
	return 1;
}

/*
 * Returns the number of bytes of memory that the kernel could still provide (proc(5)), or 0 if this is
 * unknown.
 */
static uint64_t memory_available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && sscanf(line, "MemAvailable: %llu kB", &kib) != 1)
		;
	fclose(file);
	return kib << 10;
}

/* Called on a pool thread. */
static int alloc_usage(void *handle, struct tcmur_usage *usage)
{
	const struct disk *disk = handle;

	usage->used = page_marks_bytes(&disk->pages.written);
	usage->available = memory_available();
	return 0;
}

/* Each disk has memory of its own, even if two disks have the same name. */
static int alloc_identify(const struct tcmur_open *open, struct tcmur_identity *identity)
{
	(void)open;
	(void)identity;
	return 0;
}

static const struct tcmur_option options[] = {
    {"hugepages", "on|off: ask the kernel for huge pages (on)"},
    {"lost", "refuse|accept: what to do if the contents were lost and the serial number is fixed (refuse)"},
    {NULL, NULL},
};

static struct tcmur_handler alloc = {
    .io_size = sizeof(struct first_write),
    .name = "alloc",
    .summary = "A disk in memory; its contents survive a restart only if systemd keeps them",
    .config_desc = "NAME: any name; the disk must be given a size",
    .options = options,
    .check_config = check_config,
    .open = alloc_open,
    .close = alloc_close,
    .read = alloc_read,
    .write = alloc_write,
    .unmap = alloc_unmap,
    .write_zeroes = alloc_write_zeroes,
    .write_same = alloc_write_same,
    .extents = alloc_extents,
    .data = alloc_data,
    .usage = alloc_usage,
    .identify = alloc_identify,
};

TCMUR_REGISTER_HANDLER(alloc, TCMUR_ASYNC)
