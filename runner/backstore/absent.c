/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in for storage that cannot be opened: there, but never ready. */
#include <errno.h>
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

struct backstore *backstore_open_absent(struct loop_set *set, const struct backstore_spec *spec,
					struct error *error)
{
	struct backstore *bs = backstore_allocate(set, &absent, spec);

	if (!bs) {
		error_set(error, ENOMEM, "%s: out of memory", spec->config);
		errno = ENOMEM;
		return NULL;
	}
	bs->info = (struct tcmur_info){.size = spec->size, .block_size = spec->block_size};
	int err = info_normalize(&absent, spec, &bs->info, error);
	if (err < 0) {
		backstore_unref(bs);
		errno = -err;
		return NULL;
	}
	__atomic_store_n(&bs->size, bs->info.size, __ATOMIC_RELAXED);
	/* Initiators know the disk by the identity that it had and will have again. */
	if (backstore_identify(spec, &bs->identity, NULL) < 0)
		snprintf(bs->identity.place, sizeof(bs->identity.place), "%s", strchr(spec->config, '/') + 1);
	refresh_begin(bs);
	return bs;
}

bool backstore_is_absent(const struct backstore *bs)
{
	return bs->handler == &absent;
}
