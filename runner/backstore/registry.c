/* SPDX-License-Identifier: Apache-2.0 */
/* The loaded handlers, in the order of their names. Only the main thread changes the list, before
 * the first backstore is opened and after the last one is closed. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "backstore/private.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/log.h"

#define ENTRY "tcmur_handler_entry"
/* The first release's structure reached at least this far; no handler can be shorter. */
#define STRUCT_SIZE_MIN offsetof(struct tcmur_handler, write)

static struct handler **handlers;
static unsigned nhandlers;

static bool valid_name(const char *name)
{
	return name && *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static struct handler *find(const char *name, size_t len)
{
	for (unsigned i = 0; i < nhandlers; i++) {
		const char *have = handlers[i]->api.name;

		if (strlen(have) == len && !memcmp(have, name, len))
			return handlers[i];
	}
	return NULL;
}

/* Returns 0, or -errno with error set if something is wrong with the handler. */
static int validate(const struct tcmur_handler *api, struct error *error)
{
	if (!valid_name(api->name))
		return error_set(error, EINVAL, "bad handler name \"%s\": only a-z, 0-9 and _ are allowed",
				 api->name ? api->name : "");
	if (find(api->name, strlen(api->name)))
		return error_set(error, EEXIST, "a handler \"%s\" is loaded already", api->name);
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
	return 0;
}

/* Copies the structure that the handler was built with. Fields that the handler does not know stay
 * zero. */
static int copy_api(void *object, struct tcmur_handler *api, struct error *error)
{
	struct tcmur_handler *(*entry)(void);
	void *symbol = dlsym(object, ENTRY);

	if (!symbol)
		return error_set(error, ENOEXEC, "it has no " ENTRY "(), see TCMUR_REGISTER_HANDLER");
	memcpy(&entry, &symbol, sizeof(entry)); /* ISO C has no cast from object to function pointer */
	const struct tcmur_handler *theirs = entry();
	if (!theirs)
		return error_set(error, ENOEXEC, ENTRY "() returned nothing");
	if (theirs->api_version != TCMUR_API_VERSION)
		return error_set(error, EPROTO, "it has API version %u, this daemon knows %u",
				 theirs->api_version, TCMUR_API_VERSION);
	if (theirs->struct_size < STRUCT_SIZE_MIN)
		return error_set(error, EPROTO, "its struct tcmur_handler of %u bytes is too short",
				 theirs->struct_size);
	memcpy(api, theirs, MIN(theirs->struct_size, sizeof(*api)));
	return 0;
}

static int insert(struct handler *handler, struct error *error)
{
	struct handler **grown = realloc(handlers, (nhandlers + 1) * sizeof(*grown));
	unsigned i = nhandlers;

	if (!grown)
		return error_set(error, ENOMEM, "out of memory");
	handlers = grown;
	for (; i > 0 && strcmp(handlers[i - 1]->api.name, handler->api.name) > 0; i--)
		handlers[i] = handlers[i - 1];
	handlers[i] = handler;
	nhandlers++;
	return 0;
}

/*
 * A handler of 1.x uses functions that this daemon does not have, so it cannot be loaded, and its file is searched for the
 * name of its entry point instead.
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
	bool old =
	    memmem(file, size, old_entry, sizeof(old_entry)) && !memmem(file, size, ENTRY, sizeof(ENTRY));
	munmap(file, size);
	return old;
}

/* The administrator must be able to tell from its file which handler is loaded. */
static int check_file_name(const char *path, const char *name, struct error *error)
{
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	size_t len = strlen(name), prefix = strlen("handler_");

	if (strlen(file) == prefix + len + strlen(".so") && !memcmp(file + prefix, name, len))
		return 0;
	return error_set(error, EINVAL, "its name is \"%s\", so its file must be handler_%s.so", name, name);
}

static int load(const char *path, struct error *error)
{
	struct handler *handler = calloc(1, sizeof(*handler));
	int err;

	if (!handler)
		return error_set(error, ENOMEM, "out of memory");
	loop_lane_init(&handler->lane);
	/* RTLD_NOW finds a missing symbol here. RTLD_LOCAL hides the symbols of handlers from each
	 * other. */
	handler->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handler->object) {
		err = error_set(error, ENOEXEC, "%s", dlerror());
		if (is_old_handler(path))
			err = error_set(
			    error, ENOEXEC,
			    "it belongs to tcmu-runner 1.x, whose handlers this daemon cannot load");
		goto free_handler;
	}
	err = copy_api(handler->object, &handler->api, error);
	if (!err)
		err = validate(&handler->api, error);
	if (!err)
		err = check_file_name(path, handler->api.name, error);
	if (err)
		goto close_object;
	if (handler->api.load && (err = handler->api.load()) < 0) {
		error_set(error, -err, "its load() failed: %s", strerror(-err));
		goto close_object;
	}
	err = insert(handler, error);
	if (!err)
		return 0;
	if (handler->api.unload)
		handler->api.unload();
close_object:
	dlclose(handler->object);
free_handler:
	loop_lane_destroy(&handler->lane);
	free(handler);
	return err;
}

static int is_handler(const struct dirent *entry)
{
	return fnmatch("handler_*.so", entry->d_name, 0) == 0;
}

int backstore_load_handlers(const char *dir, struct error *error)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_handler, alphasort), loaded = 0;

	if (n < 0)
		return error_set(error, errno, "handler path %s: %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		CLEANUP_FREE char *path = NULL;
		struct error reason = {"out of memory"};

		if (asprintf(&path, "%s%s/%s", *dir == '/' ? "" : "./", dir, entries[i]->d_name) >= 0 &&
		    load(path, &reason) == 0)
			loaded++;
		else
			log_err(NULL, "handler %s is not loaded: %s", path ? path : dir, reason.text);
		free(entries[i]);
	}
	free(entries);
	return loaded;
}

void backstore_unload_handlers(void)
{
	for (unsigned i = 0; i < nhandlers; i++) {
		if (handlers[i]->api.unload)
			handlers[i]->api.unload();
		dlclose(handlers[i]->object);
		loop_lane_destroy(&handlers[i]->lane);
		free(handlers[i]);
	}
	free(handlers);
	handlers = NULL;
	nhandlers = 0;
}

const struct tcmur_handler *backstore_handler(const char *name)
{
	const struct handler *handler = find(name, strlen(name));

	return handler ? &handler->api : NULL;
}

const struct tcmur_handler *backstore_handler_at(unsigned i)
{
	return i < nhandlers ? &handlers[i]->api : NULL;
}

struct handler *handler_of_config(const char *config, struct error *error)
{
	const char *slash = strchr(config, '/');
	struct handler *handler = slash ? find(config, (size_t)(slash - config)) : NULL;
	char known[256] = "";
	size_t len = 0;

	if (!slash)
		error_set(error, EINVAL, "\"%s\" is not of the form HANDLER/CONFIG", config);
	if (handler || !slash)
		return handler;
	for (unsigned i = 0; i < nhandlers && len < sizeof(known); i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, " %s", handlers[i]->api.name);
	error_set(error, ENOENT, "no handler \"%.*s\" is loaded; there are:%s", (int)(slash - config), config,
		  nhandlers ? known : " none");
	return NULL;
}
