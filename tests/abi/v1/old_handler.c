/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handler of the first API version, kept as it was: built against the headers beside it, never against
 * those of the tree. It uses each field and function that this version has, so that a change of any of them
 * shows. Do not change this file or its headers; a later version gets a folder of its own.
 */
#define TCMUR_API_VERSION 1
#include <tcmur/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 65536u

struct disk {
	char bytes[SIZE];
	struct tcmur_info info;
	struct tcmur_lun *lun;
};

struct request {
	struct tcmur_op op; /* what the daemon keeps in it must fit */
	uint64_t canary;
};

static int loads;

static int old_load(void)
{
	loads++;
	return 0;
}

static void old_unload(void)
{
	loads--;
}

static int old_check_config(const char *config, char *reason, size_t reason_len)
{
	if (strcmp(config, "bad") != 0)
		return 0;
	strncpy(reason, "bad is bad", reason_len);
	return -EINVAL;
}

static void describe(struct tcmur_info *info)
{
	info->size = SIZE;
	info->block_size = 512;
	info->physical_block_size = 4096;
	info->rotational = true;
	info->write_cache = true;
	info->write_cache_off = true;
	info->thin = true;
	info->unmap_zeroes = true;
	info->unmap_granularity = 1024;
	info->unmap_alignment = 512;
	info->max_io = 32768;
	info->max_unmap = 16384;
	info->optimal_io = 8192;
}

static int old_open(struct tcmur_open *open)
{
	struct disk *disk;
	uint64_t half;

	if (loads != 1 || strcmp(open->state_dir, "/state") != 0)
		return tcmur_open_error(open, EIO, "load() or state_dir");
	if (open->noptions != 1 || strcmp(open->options[0].name, "half") != 0 ||
	    tcmur_parse_size(tcmur_open_option(open, "half", "0"), &half) < 0 || half * 2 != open->size)
		return tcmur_open_error(open, EINVAL, "%s: half is not half", open->config);
	if (tcmur_open_option(open, "absent", NULL))
		return tcmur_open_error(open, EINVAL, "absent is there");
	disk = calloc(1, sizeof(*disk));
	if (!disk)
		return tcmur_open_error(open, ENOMEM, "no memory");
	describe(&disk->info);
	disk->info.read_only = open->read_only;
	disk->info.block_size = open->block_size;
	disk->lun = open->lun;
	open->info = disk->info;
	open->handle = disk;
	tcmur_log(open->lun, TCMUR_LOG_DEBUG, "opened %s", open->config);
	return 0;
}

static void old_close(void *handle)
{
	free(handle);
}

static int old_refresh(void *handle, struct tcmur_info *info)
{
	const struct disk *disk = handle;

	*info = disk->info;
	info->size = 2 * SIZE;
	return 0;
}

static char *place(void *handle, const struct tcmur_io *io)
{
	return ((struct disk *)handle)->bytes + io->offset;
}

static void old_read(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	const char *at = place(handle, io);

	(void)queue;
	for (uint32_t i = 0; i < io->iovcnt; at += io->iov[i].iov_len, i++)
		memcpy(io->iov[i].iov_base, at, io->iov[i].iov_len);
	tcmur_io_complete(io, TCMUR_OK);
}

static void old_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct disk *disk = handle;
	char *at = place(handle, io);

	(void)queue;
	if (io->flags & TCMUR_IO_FUA) {
		tcmur_lun_changed(disk->lun);
		tcmur_io_complete(io, tcmur_status_from_errno(ENOSPC, true));
		return;
	}
	for (uint32_t i = 0; i < io->iovcnt; at += io->iov[i].iov_len, i++)
		memcpy(at, io->iov[i].iov_base, io->iov[i].iov_len);
	tcmur_io_complete(io, TCMUR_OK);
}

static int work(struct tcmur_op *op)
{
	return ((struct request *)op)->canary == 0x5ca1ab1e ? 42 : 0;
}

static void worked(struct tcmur_op *op, int result)
{
	const struct request *request = (struct request *)op;

	tcmur_io_complete(op->io,
			  result == 42 && request->canary == 0x5ca1ab1e ? TCMUR_OK : TCMUR_HARDWARE_ERROR);
}

static void old_flush(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct request *request = io->scratch;

	(void)handle;
	request->op.done = worked;
	request->op.io = io;
	request->canary = 0x5ca1ab1e;
	tcmur_queue_blocking(queue, &request->op, work);
}

static void old_unmap(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	memset(place(handle, io), 0, io->len);
	tcmur_io_complete(io, TCMUR_OK);
}

static void old_write_zeroes(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	memset(place(handle, io), 0, io->len);
	tcmur_io_complete(io, io->flags & TCMUR_IO_NO_UNMAP ? TCMUR_OK : TCMUR_BUSY);
}

static void old_write_same(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	for (uint64_t at = 0; at < io->len; at += io->iov[0].iov_len)
		memcpy(place(handle, io) + at, io->iov[0].iov_base, io->iov[0].iov_len);
	tcmur_io_complete(io, TCMUR_OK);
}

/* iov[0]: what to compare; iov[1]: what to write. */
static void old_compare_and_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	char *at = place(handle, io);
	const char *expected = io->iov[0].iov_base;

	(void)queue;
	for (uint64_t i = 0; i < io->len; i++) {
		if (at[i] != expected[i]) {
			io->miscompare_offset = i;
			tcmur_io_complete(io, TCMUR_MISCOMPARE);
			return;
		}
	}
	memcpy(at, io->iov[1].iov_base, io->len);
	tcmur_io_complete(io, TCMUR_OK);
}

static void old_extents(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)handle;
	(void)queue;
	for (io->nextents = 0; io->nextents < io->max_extents; io->nextents++) {
		struct tcmur_extent *extent = &io->extents[io->nextents];

		extent->offset = io->offset + io->nextents * 512u;
		extent->len = 512;
		extent->state = TCMUR_EXTENT_ANCHORED;
	}
	tcmur_io_complete(io, TCMUR_OK);
}

static uint32_t old_data(void *handle, uint64_t offset, uint64_t len, struct iovec *iov, uint32_t iovcnt)
{
	if (iovcnt == 0)
		return 0;
	iov[0].iov_base = ((struct disk *)handle)->bytes + offset;
	iov[0].iov_len = len;
	return 1;
}

static bool old_scsi(void *handle, struct tcmur_queue *queue, struct tcmur_scsi *cmd)
{
	(void)handle;
	(void)queue;
	if (cmd->cdb_len != 6 || cmd->cdb[0] != 0xc0)
		return false;
	memset(cmd->iov[0].iov_base, 0x77, cmd->data_in_max);
	cmd->data_in_len = cmd->data_in_max;
	cmd->sense[0] = 0x70;
	cmd->sense[95] = 0x95;
	cmd->sense_len = 96;
	memset(cmd->scratch, 0, sizeof(struct request));
	tcmur_scsi_complete(cmd, 0x02);
	return true;
}

static const struct tcmur_option old_options[] = {
    {"half", "SIZE: half of size="},
    {NULL, NULL},
};

static struct tcmur_handler old_handler = {
    .io_size = sizeof(struct request),
    .name = "old_v1",
    .summary = "a handler of API version 1",
    .config_desc = "NAME",
    .options = old_options,
    .load = old_load,
    .unload = old_unload,
    .check_config = old_check_config,
    .open = old_open,
    .close = old_close,
    .refresh = old_refresh,
    .read = old_read,
    .write = old_write,
    .flush = old_flush,
    .unmap = old_unmap,
    .write_zeroes = old_write_zeroes,
    .write_same = old_write_same,
    .compare_and_write = old_compare_and_write,
    .extents = old_extents,
    .data = old_data,
    .scsi = old_scsi,
};
TCMUR_REGISTER_HANDLER(old_handler, TCMUR_ASYNC)
