/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handler whose writes hang as long as the script of the test says, and change the medium only afterwards.
 * If it has a queue, they hang on threads of the pool. It is built several times, like scripted.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "script.h"

#include <tcmur/queue.h>

struct scratch {
	struct tcmur_op op; /* The first member: work() finds the request from its op. */
	struct script *script;
};

static void copy_data(const struct script *script, const struct tcmur_io *io, bool write)
{
	uint8_t *medium = script->media + io->offset;

	for (uint32_t i = 0; i < io->iovcnt; medium += io->iov[i].iov_len, i++)
		memcpy(write ? medium : io->iov[i].iov_base, write ? io->iov[i].iov_base : medium,
		       io->iov[i].iov_len);
}

static void write_after_hang(struct script *script, const struct tcmur_io *io)
{
	__atomic_add_fetch(&script->calls[SCRIPT_WRITE], 1, __ATOMIC_RELAXED);
	while (io->offset < __atomic_load_n(&script->stuck_below, __ATOMIC_ACQUIRE))
		usleep(300);
	copy_data(script, io, true);
}

static int work(struct tcmur_op *op)
{
	write_after_hang(((struct scratch *)(void *)op)->script, op->io);
	return 0;
}

static void on_work_done(struct tcmur_op *op, int result)
{
	tcmur_io_complete(op->io, tcmur_status_from_errno(result, true));
}

static void stuck_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct scratch *scratch = io->scratch;

	if (queue) {
		*scratch = (struct scratch){.op = {.done = on_work_done, .io = io}, .script = handle};
		tcmur_queue_blocking(queue, &scratch->op, work);
		return;
	}
	write_after_hang(handle, io);
	tcmur_io_complete(io, TCMUR_OK);
}

static void stuck_read(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)queue;
	copy_data(handle, io, false);
	tcmur_io_complete(io, TCMUR_OK);
}

static int stuck_open(struct tcmur_open *open)
{
	void *address;

	if (sscanf(open->config, "%p", &address) != 1)
		return tcmur_open_error(open, EINVAL, "no script");
	open->info = ((struct script *)address)->info;
	open->info.thin = false;
	open->handle = address;
	return 0;
}

static void stuck_close(void *handle)
{
	(void)handle;
}

static struct tcmur_handler stuck = {
    .io_size = sizeof(struct scratch),
    .name = HANDLER,
    .summary = "Writes that hang",
    .config_desc = "the address of a script",
    .open = stuck_open,
    .close = stuck_close,
    .read = stuck_read,
    .write = stuck_write,
};

TCMUR_REGISTER_HANDLER(stuck, MODEL)
