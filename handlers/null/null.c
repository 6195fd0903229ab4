/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handler for a disk that stores nothing. It is used to measure the code above the storage, and it is the
 * smallest possible handler.
 */
#include <string.h>

#define TCMUR_API_VERSION 1
#include <tcmur/handler.h>

#define DEFAULT_SIZE (1ull << 30)

static int null_open(struct tcmur_open *open)
{
	open->info.size = open->size ? open->size : DEFAULT_SIZE;
	open->info.block_size = open->block_size ? open->block_size : 512;
	open->info.read_only = open->read_only;
	open->info.flags = TCMUR_INFO_EXCLUSIVE; /* No I/O reaches storage, so nobody else can use it. */
	return 0;
}

static void null_close(void *handle)
{
	(void)handle;
}

static void null_read(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	uint64_t left = io->len;

	(void)handle;
	(void)queue;
	for (const struct iovec *iov = io->iov; left; iov++) {
		size_t len = iov->iov_len < left ? iov->iov_len : left;

		memset(iov->iov_base, 0, len);
		left -= len;
	}
	tcmur_io_complete(io, TCMUR_OK);
}

static void null_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)handle;
	(void)queue;
	tcmur_io_complete(io, TCMUR_OK);
}

/* Nothing is stored, so each disk is a different one. */
static int null_identify(const struct tcmur_open *open, struct tcmur_identity *identity)
{
	(void)open;
	(void)identity;
	return 0;
}

static struct tcmur_handler null = {
    .name = "null",
    .summary = "a disk that reads as zeros and ignores writes",
    .config_desc = "NAME: any name; the disk can be given a size (1G)",
    .open = null_open,
    .close = null_close,
    .read = null_read,
    .write = null_write,
    .identify = null_identify,
};

TCMUR_REGISTER_HANDLER(null, TCMUR_ASYNC)
