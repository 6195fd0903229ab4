/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stand-in for storage that cannot be opened. It has a name and a size, and all its I/O ends with "not
 * ready".
 */
#include <stdio.h>
#include <string.h>

#include "backstore/private.h"

static void not_ready(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)handle;
	(void)queue;
	tcmur_io_complete(io, TCMUR_NOT_READY);
}

static void nothing_to_close(void *handle)
{
	(void)handle;
}

static struct handler absent = {
    .api = {.thread_model = TCMUR_ASYNC,
	    .name = "absent",
	    .close = nothing_to_close,
	    .read = not_ready,
	    .write = not_ready,
	    .flush = not_ready},
};

static int open_absent(struct backstore *bs, const struct backstore_spec *spec, struct error *error)
{
	bs->info = (struct tcmur_info){.size = spec->size, .block_size = spec->block_size};
	/*
	 * The stand-in has the same identity as the storage, by which initiators recognise the disk when it
	 * is served again.
	 */
	if (spec->is_hanging || backstore_identify(spec, &bs->identity, NULL) < 0)
		snprintf(bs->identity.place, sizeof(bs->identity.place), "%s", strchr(spec->config, '/') + 1);
	return info_normalize(bs->handler, spec, &bs->info, error);
}

struct backstore *backstore_open_absent(struct loop_set *set, const struct backstore_spec *spec,
					struct error *error)
{
	return backstore_build(set, &absent, spec, open_absent, error);
}

bool backstore_is_absent(const struct backstore *bs)
{
	return bs->handler == &absent;
}
