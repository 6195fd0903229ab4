/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk whose second half never answers, like storage that has failed. A flush ends only while no I/O hangs.
 * Storage can also hang while it is opened.
 */
#define TCMUR_API_VERSION 1
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <tcmur/handler.h>

static uint64_t half;
static atomic_bool hung;

/* "slow/NAME" opens after two seconds, and "stuck/NAME" never. */
static void wait_in_open(const char *config)
{
	if (!strncmp(config, "slow/", strlen("slow/")))
		sleep(2);
	while (!strncmp(config, "stuck/", strlen("stuck/")))
		pause();
}

static int hang_open(struct tcmur_open *open)
{
	wait_in_open(open->config);
	open->info.size = open->size;
	open->info.block_size = 512;
	open->info.write_cache = true;
	half = open->size / 2;
	return 0;
}

static void hang_close(void *handle)
{
	(void)handle;
}

static void answer(struct tcmur_io *io, bool never)
{
	if (never)
		hung = true;
	else
		tcmur_io_complete(io, TCMUR_OK);
}

static void hang_read(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)handle;
	(void)queue;
	if (io->offset < half)
		memset(io->iov->iov_base, 0, io->iov->iov_len);
	answer(io, io->offset >= half);
}

static void hang_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)handle;
	(void)queue;
	answer(io, io->offset >= half);
}

static void hang_flush(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)handle;
	(void)queue;
	answer(io, hung);
}

static struct tcmur_handler hang = {
    .name = "hang",
    .summary = "Never answers in its second half",
    .config_desc = "NAME: any name",
    .open = hang_open,
    .close = hang_close,
    .read = hang_read,
    .write = hang_write,
    .flush = hang_flush,
};

TCMUR_REGISTER_HANDLER(hang, TCMUR_ASYNC)
