/* SPDX-License-Identifier: Apache-2.0 */
/* A handler that opens, hangs, fails and grows as a test says. It has no medium. */
#define TCMUR_API_VERSION 1
#include <tcmur/handler.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "staged.h"

static void wait_while(const atomic_bool *hangs)
{
	while (atomic_load(hangs))
		usleep(1000);
}

static int staged_open(struct tcmur_open *open)
{
	void *address;

	if (sscanf(open->config, "%p", &address) != 1)
		return tcmur_open_error(open, EINVAL, "no stage");
	struct stage *stage = address;
	atomic_fetch_add(&stage->opens, 1);
	wait_while(&stage->hangs_in_open);
	int err = atomic_load(&stage->open_error);
	if (err)
		return tcmur_open_error(open, err, "staged: %s", strerror(err));
	open->info = (struct tcmur_info){
	    .size = stage->size, .block_size = 512, .write_cache = true, .flags = stage->flags};
	open->handle = stage;
	return 0;
}

static void staged_close(void *handle)
{
	struct stage *stage = handle;

	wait_while(&stage->hangs_in_close);
	atomic_fetch_add(&stage->closes, 1);
}

static int staged_refresh(void *handle, struct tcmur_info *info)
{
	struct stage *stage = handle;

	info->size = stage->size;
	info->flags = stage->flags;
	atomic_fetch_add(&stage->refreshes, 1);
	return 0;
}

static int staged_resize(void *handle, uint64_t size)
{
	struct stage *stage = handle;
	int err = stage->resize_error;

	if (!err)
		stage->size = size;
	return -err;
}

static void end(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	tcmur_io_complete(io, (enum tcmur_status)atomic_load(&((struct stage *)handle)->status));
}

static void staged_flush(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	atomic_fetch_add(&((struct stage *)handle)->flushes, 1);
	end(handle, queue, io);
}

static struct tcmur_handler staged = {
    .name = "staged",
    .summary = "Behaves as a test demands",
    .config_desc = "the address of a stage",
    .open = staged_open,
    .close = staged_close,
    .refresh = staged_refresh,
    .resize = staged_resize,
    .read = end,
    .write = end,
    .flush = staged_flush,
};

TCMUR_REGISTER_HANDLER(staged, TCMUR_ASYNC)
