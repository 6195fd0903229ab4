/* SPDX-License-Identifier: Apache-2.0 */
/* The handler's table, and the data callbacks that only this handler has. */
#include "block.h"
#include "identity.h"
#include "options.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

int block_size_of(int fd, uint64_t *bytes)
{
	return ioctl(fd, BLKGETSIZE64, bytes) < 0 ? -errno : 0;
}

static void block_close(void *handle)
{
	struct block *block = handle;

	close(block->fdio.fd);
	free(block);
}

static int block_refresh(void *handle, struct tcmur_info *info)
{
	const struct block *block = handle;

	*info = block->info;
	return block_size_of(block->fdio.fd, &info->size);
}

static void block_read(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	fdio_read(&((struct block *)handle)->fdio, queue, io);
}

static void block_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	fdio_write(&((struct block *)handle)->fdio, queue, io);
}

static void block_flush(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	fdio_flush(&((struct block *)handle)->fdio, queue, io);
}

/* Called on a pool thread. */
static int discard(struct tcmur_op *op)
{
	uint64_t range[2] = {op->io->offset, op->io->len};

	return ioctl(fdio_of(op)->fd, BLKDISCARD, range) < 0 ? -errno : 0;
}

static void block_unmap(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	const struct block *block = handle;

	if (block->fdio.punch)
		fdio_unmap(&block->fdio, queue, io);
	else
		fdio_blocking(&block->fdio, queue, io, true, discard);
}

static void block_write_zeroes(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	fdio_write_zeroes(&((struct block *)handle)->fdio, queue, io);
}

static const struct tcmur_option block_options[] = {
    {"cache", "writeback|writethrough|none: how writes are cached; none bypasses the page cache (none)"},
    {"shared", "on|off: open the device although it is mounted or otherwise in use (off)"},
    {NULL, NULL},
};

static struct tcmur_handler block_handler = {
    .io_size = sizeof(struct fdio_request),
    .name = "block",
    .summary = "a block device: a disk, a partition, a logical volume",
    .config_desc = "PATH of the device",
    .options = block_options,
    .check_config = config_check_path,
    .open = block_open,
    .close = block_close,
    .refresh = block_refresh,
    .read = block_read,
    .write = block_write,
    .flush = block_flush,
    .unmap = block_unmap,
    .write_zeroes = block_write_zeroes,
    .identify = block_identify,
};
TCMUR_REGISTER_HANDLER(block_handler, TCMUR_ASYNC)
