/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handler to start from: a disk in memory that is filled with one byte. docs/writing-a-handler.md explains
 * it step by step. It needs nothing but the installed headers.
 */
#define TCMUR_API_VERSION 1 /* the API version for which this was written; must precede the include */
#include <tcmur/handler.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One LUN. open() gives this handle to the daemon, and each later call gets it back. */
struct disk {
	char *bytes;
	uint64_t size;
};

/*
 * Called on a pool thread, so it may block. Returns 0, or -errno with one line that names the storage and the
 * reason.
 */
static int template_open(struct tcmur_open *open)
{
	const char *fill = tcmur_open_option(open, "fill", "0");
	struct disk *disk;

	if (open->size == 0)
		return tcmur_open_error(open, EINVAL, "template/%s: the disk needs a size", open->config);
	disk = calloc(1, sizeof(*disk));
	if (disk)
		disk->bytes = malloc(open->size);
	if (!disk || !disk->bytes) {
		free(disk);
		return tcmur_open_error(open, ENOMEM, "template/%s: no memory for %llu bytes", open->config,
					(unsigned long long)open->size);
	}
	memset(disk->bytes, atoi(fill), open->size);
	disk->size = open->size;
	/* The properties of the disk. Each member that is zero has a default. */
	open->info.size = disk->size;
	open->info.block_size = open->block_size ? open->block_size : 512;
	open->info.read_only = open->read_only;
	/* This is memory of this process, so nobody else can use it. */
	open->info.flags = TCMUR_INFO_EXCLUSIVE;
	open->handle = disk;
	return 0;
}

/* Called on a pool thread after the last I/O. */
static void template_close(void *handle)
{
	struct disk *disk = handle;

	free(disk->bytes);
	free(disk);
}

/*
 * A data callback. It moves io->len bytes at io->offset from or to the pieces of memory in io->iov. The
 * daemon has checked that the range lies within the size. The callback ends with one tcmur_io_complete(), and
 * must not use io afterwards.
 */
static void template_read(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	const struct disk *disk = handle;
	const char *from = disk->bytes + io->offset;

	(void)queue; /* this handler has nothing to wait for */
	for (uint32_t i = 0; i < io->iovcnt; from += io->iov[i].iov_len, i++)
		memcpy(io->iov[i].iov_base, from, io->iov[i].iov_len);
	tcmur_io_complete(io, TCMUR_OK);
}

static void template_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	const struct disk *disk = handle;
	char *to = disk->bytes + io->offset;

	(void)queue;
	for (uint32_t i = 0; i < io->iovcnt; to += io->iov[i].iov_len, i++)
		memcpy(to, io->iov[i].iov_base, io->iov[i].iov_len);
	tcmur_io_complete(io, TCMUR_OK);
}

static const struct tcmur_option template_options[] = {
    {"fill", "BYTE: what the disk is filled with at start (0)"},
    {NULL, NULL},
};

/*
 * The daemon emulates operations that are not named here (WRITE SAME, COMPARE AND WRITE …), or reports that
 * they are not supported.
 */
static struct tcmur_handler template_handler = {
    .name = "template",
    .summary = "a disk in memory, to start a handler from",
    .config_desc = "any NAME",
    .options = template_options,
    .open = template_open,
    .close = template_close,
    .read = template_read,
    .write = template_write,
};

/*
 * TCMUR_ASYNC means that the data callbacks never block. A handler with a library that blocks uses
 * TCMUR_PARALLEL instead.
 */
TCMUR_REGISTER_HANDLER(template_handler, TCMUR_ASYNC)
