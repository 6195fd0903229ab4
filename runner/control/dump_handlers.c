/* SPDX-License-Identifier: Apache-2.0 */
/* --dump-handlers: prints what handlers can do as KEY=VALUE lines, for people and for scripts. */
#include "control/dump_handlers.h"

#include <errno.h>
#include <stdio.h>

#include "backstore/backstore.h"
#include "util/bytes.h"

static const char *model_name(uint32_t model)
{
	static const char *const names[] = {
	    [TCMUR_ASYNC] = "async",
	    [TCMUR_PARALLEL] = "parallel",
	    [TCMUR_SERIAL_LUN] = "serial_lun",
	    [TCMUR_SERIAL_ALL] = "serial_all",
	};

	return model < ARRAY_SIZE(names) && names[model] ? names[model] : "unknown";
}

static void dump(const struct tcmur_handler *h)
{
	const struct {
		const char *name;
		bool has;
	} callbacks[] = {
	    {"read", h->read},
	    {"write", h->write},
	    {"flush", h->flush},
	    {"unmap", h->unmap},
	    {"write_zeroes", h->write_zeroes},
	    {"write_same", h->write_same},
	    {"compare_and_write", h->compare_and_write},
	    {"extents", h->extents},
	    {"data", h->data},
	    {"scsi", h->scsi},
	    {"refresh", h->refresh},
	    {"resize", h->resize},
	    {"usage", h->usage},
	    {"check_config", h->check_config},
	};

	printf("name=%s\nsummary=%s\nconfig=%s\napi_version=%u\nthread_model=%s\nio_size=%u\n", h->name,
	       h->summary, h->config_desc, h->api_version, model_name(h->thread_model), h->io_size);
	for (size_t i = 0; i < ARRAY_SIZE(callbacks); i++)
		printf("has_%s=%d\n", callbacks[i].name, callbacks[i].has);
	for (const struct tcmur_option *o = h->options; o && o->name; o++)
		printf("option_%s=%s\n", o->name, o->desc);
}

int control_dump_handlers(const char *name, struct error *error)
{
	const struct tcmur_handler *h = *name ? backstore_handler(name) : NULL;

	if (*name && !h)
		return error_set(error, ENOENT, "--dump-handlers %s: there is no such handler", name);
	if (h)
		dump(h);
	for (unsigned i = 0; !*name && (h = backstore_handler_at(i)); i++) {
		if (i)
			putchar('\n');
		dump(h);
	}
	return 0;
}
