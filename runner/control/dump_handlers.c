/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Implements --dump-handlers: prints the capabilities of handlers and filters as KEY=VALUE lines, for people
 * and for scripts.
 */
#include "control/dump_handlers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

static void dump_options(const struct tcmur_option *options)
{
	for (const struct tcmur_option *o = options; o && o->name; o++)
		printf("option_%s=%s\n", o->name, o->desc);
}

static void dump_handler(const struct tcmur_handler *h)
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
	    {"cancel", h->cancel},
	};

	printf("name=%s\nsummary=%s\nconfig=%s\napi_version=%u\nthread_model=%s\nio_size=%u\n", h->name,
	       h->summary, h->config_desc, h->api_version, model_name(h->thread_model), h->io_size);
	for (size_t i = 0; i < ARRAY_SIZE(callbacks); i++)
		printf("has_%s=%d\n", callbacks[i].name, callbacks[i].has);
	dump_options(h->options);
}

/*
 * The first key is "filter" and not "name", so that a script which lists the handlers does not find the
 * filters.
 */
static void dump_filter(const struct tcmur_filter *f)
{
	const struct {
		const char *name;
		bool has;
	} callbacks[] = {
	    {"read", f->read},
	    {"write", f->write},
	    {"flush", f->flush},
	    {"unmap", f->unmap},
	    {"write_zeroes", f->write_zeroes},
	    {"write_same", f->write_same},
	    {"compare_and_write", f->compare_and_write},
	    {"extents", f->extents},
	    {"cancel", f->cancel},
	};

	printf("filter=%s\nsummary=%s\napi_version=%u\nio_size=%u\n", f->name, f->summary, f->api_version,
	       f->io_size);
	for (size_t i = 0; i < ARRAY_SIZE(callbacks); i++)
		printf("has_%s=%d\n", callbacks[i].name, callbacks[i].has);
	dump_options(f->options);
}

/* Prints an empty line between paragraphs. */
static void begin_paragraph(unsigned *printed)
{
	if ((*printed)++)
		putchar('\n');
}

int control_dump_handlers(const char *name, struct error *error)
{
	const struct tcmur_handler *handler;
	const struct tcmur_filter *filter;
	unsigned printed = 0;

	for (unsigned i = 0; (handler = backstore_handler_at(i)); i++) {
		if (*name && strcmp(name, handler->name) != 0)
			continue;
		begin_paragraph(&printed);
		dump_handler(handler);
	}
	for (unsigned i = 0; (filter = backstore_filter_at(i)); i++) {
		if (*name && strcmp(name, filter->name) != 0)
			continue;
		begin_paragraph(&printed);
		dump_filter(filter);
	}
	if (*name && !printed)
		return error_set(error, ENOENT,
				 "--dump-handlers %s: there is no handler or filter of this name", name);
	return 0;
}
