/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers that must not be loaded, one for each value of REFUSED. */
#include <errno.h>

#define TCMUR_API_VERSION 1
#include <tcmur/handler.h>

static int refused_open(struct tcmur_open *open)
{
	return tcmur_open_error(open, EIO, "never called");
}

static void refused_close(void *handle)
{
	(void)handle;
}

static void refused_read(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)handle;
	(void)queue;
	tcmur_io_complete(io, TCMUR_OK);
}

static int refused_load(void)
{
	return -ENODEV;
}

static void refused_cancel(void *handle, struct tcmur_io *io)
{
	(void)handle;
	tcmur_io_complete(io, TCMUR_ABORTED);
}

enum {
	VERSION,
	NAME,
	DUPLICATE,
	SCRATCH,
	READ,
	OPEN,
	MODEL,
	LOAD,
	LENGTH,
	NOTHING,
	SUMMARY,
	UNDEFINED,
	CANCEL
};

static struct tcmur_handler refused = {
    .name = REFUSED == NAME        ? "Bad-Name"
	    : REFUSED == DUPLICATE ? "async"
				   : HANDLER,
    .summary = REFUSED == SUMMARY ? NULL : "never loads",
    .config_desc = "",
    .io_size = REFUSED == SCRATCH ? TCMUR_IO_SCRATCH_MAX + 1 : 0,
    .open = REFUSED == OPEN ? NULL : refused_open,
    .close = refused_close,
    .read = REFUSED == READ ? NULL : refused_read,
    .load = REFUSED == LOAD ? refused_load : NULL,
    .cancel = REFUSED == CANCEL ? refused_cancel : NULL,
};

#if REFUSED == 11 /* UNDEFINED */
void tcmur_from_a_newer_daemon(void);
#endif

struct tcmur_handler *tcmur_handler_entry(void)
{
#if REFUSED == 11
	tcmur_from_a_newer_daemon();
#endif
	refused.struct_size = REFUSED == LENGTH ? 40 : sizeof(refused);
	refused.api_version = REFUSED == VERSION ? 99 : TCMUR_API_VERSION;
	refused.thread_model = REFUSED == MODEL ? 9 : REFUSED == CANCEL ? TCMUR_PARALLEL : TCMUR_ASYNC;
	return REFUSED == NOTHING ? NULL : &refused;
}
