/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of the loaded handlers. Only the main thread changes the list, before the first backstore is
 * opened and after the last one is closed. plugin.c loads the shared objects.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "backstore/private.h"
#include "util/bytes.h"
#include "util/cleanup.h"

static const struct plugin_kind kind = {
    .kind = "handler",
    .entry = "tcmur_handler_entry",
    .macro = "TCMUR_REGISTER_HANDLER",
    .table_size = sizeof(struct tcmur_handler),
    .table_size_min = offsetof(struct tcmur_handler, write),
};
static struct plugin_list handlers;

static struct handler *handler_of(struct plugin *plugin)
{
	return plugin ? container_of(plugin, struct handler, plugin) : NULL;
}

/* Checks the table of a handler. Returns 0, or -errno with error set. */
static int validate(const struct tcmur_handler *api, struct error *error)
{
	int err = plugin_check_name(&kind, &handlers, api->name, error);

	if (err)
		return err;
	if (api->thread_model < TCMUR_ASYNC || api->thread_model > TCMUR_SERIAL_ALL)
		return error_set(error, EINVAL, "unknown thread model %u", api->thread_model);
	if (api->io_size > TCMUR_IO_SCRATCH_MAX)
		return error_set(error, EINVAL, "io_size %u is larger than %u", api->io_size,
				 TCMUR_IO_SCRATCH_MAX);
	if (!api->summary || !api->config_desc)
		return error_set(error, EINVAL, "summary or config_desc is missing");
	if (!api->open || !api->close)
		return error_set(error, EINVAL, "open or close is missing");
	if (!api->read && !api->scsi)
		return error_set(error, EINVAL, "read is missing");
	if (api->cancel && api->thread_model != TCMUR_ASYNC)
		return error_set(error, EINVAL, "cancel needs the thread model TCMUR_ASYNC");
	return 0;
}

/*
 * Returns whether the file is a handler of tcmu-runner 1.x. Such a handler uses functions that this daemon
 * does not have, so it cannot be loaded, and its file is searched for the name of its entry point instead.
 */
static bool is_old_handler(const char *path)
{
	static const char old_entry[] = "\0handler_init";
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		return false;
	size_t size = (size_t)st.st_size;
	void *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		return false;
	bool old = memmem(file, size, old_entry, sizeof(old_entry)) &&
		   !memmem(file, size, kind.entry, strlen(kind.entry) + 1);
	munmap(file, size);
	return old;
}

static void free_handler(struct plugin *plugin)
{
	struct handler *handler = handler_of(plugin);

	if (handler->plugin.object)
		dlclose(handler->plugin.object);
	loop_lane_destroy(&handler->lane);
	free(handler);
}

static void unload(struct plugin *plugin)
{
	struct handler *handler = handler_of(plugin);

	if (handler->api.unload)
		handler->api.unload();
	free_handler(plugin);
}

static int open_object(struct handler *handler, const char *path, struct error *error)
{
	handler->plugin.object = plugin_open(&kind, path, &handler->api, error);
	handler->plugin.name = handler->api.name;
	if (handler->plugin.object)
		return 0;
	if (is_old_handler(path))
		error_set(error, ENOEXEC,
			  "it belongs to tcmu-runner 1.x, whose handlers this daemon cannot load");
	return -ENOEXEC;
}

static int load(const char *path, struct error *error)
{
	struct handler *handler = calloc(1, sizeof(*handler));

	if (!handler)
		return error_set(error, ENOMEM, "out of memory");
	loop_lane_init(&handler->lane);
	int err = open_object(handler, path, error);
	if (!err)
		err = validate(&handler->api, error);
	if (!err)
		err = plugin_check_file(&kind, path, handler->api.name, error);
	if (!err && handler->api.load && (err = handler->api.load()) < 0)
		error_set(error, -err, "its load() failed: %s", strerror(-err));
	if (err) {
		free_handler(&handler->plugin);
		return err;
	}
	err = plugin_list_add(&handlers, &handler->plugin, error);
	if (err)
		unload(&handler->plugin);
	return err;
}

int backstore_load_handlers(const char *dir, struct error *error)
{
	return plugin_load_all(&kind, dir, load, error);
}

void backstore_unload_handlers(void)
{
	plugin_list_clear(&handlers, unload);
}

const struct tcmur_handler *backstore_handler(const char *name)
{
	const struct handler *handler = handler_of(plugin_list_find(&handlers, name, strlen(name)));

	return handler ? &handler->api : NULL;
}

const struct tcmur_handler *backstore_handler_at(unsigned i)
{
	return i < handlers.n ? &handler_of(handlers.items[i])->api : NULL;
}

struct handler *handler_of_config(const char *config, struct error *error)
{
	const char *slash = strchr(config, '/');

	if (!slash) {
		error_set(error, EINVAL, "\"%s\" is not of the form HANDLER/CONFIG", config);
		return NULL;
	}
	size_t len = (size_t)(slash - config);
	struct handler *handler = handler_of(plugin_list_find(&handlers, config, len));
	if (!handler)
		plugin_list_missing(&handlers, kind.kind, config, len, error);
	return handler;
}
