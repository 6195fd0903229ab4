/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads shared objects: lists the files of a folder, calls dlopen(), and checks the version and the size of a
 * plug-in's table. registry.c and filter_registry.c check what else the table of a handler or a filter
 * contains.
 */
#include "backstore/plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstore/backstore.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/log.h"

/* Copies the table of the plug-in, which may be shorter or longer than the table of this daemon. */
static int copy_table(const struct plugin_kind *kind, void *object, void *table, struct error *error)
{
	const struct plugin_table *(*entry)(void);
	void *symbol = dlsym(object, kind->entry);

	if (!symbol)
		return error_set(error, ENOEXEC, "it has no %s(), see %s", kind->entry, kind->macro);
	/* ISO C has no cast from an object pointer to a function pointer. */
	memcpy(&entry, &symbol, sizeof(entry));
	const struct plugin_table *theirs = entry();
	if (!theirs)
		return error_set(error, ENOEXEC, "%s() returned nothing", kind->entry);
	if (theirs->api_version != TCMUR_API_VERSION)
		return error_set(error, EPROTO, "it has API version %u, this daemon knows %u",
				 theirs->api_version, TCMUR_API_VERSION);
	if (theirs->struct_size < kind->table_size_min)
		return error_set(error, EPROTO, "its struct tcmur_%s of %u bytes is too short", kind->kind,
				 theirs->struct_size);
	memcpy(table, theirs, MIN(theirs->struct_size, kind->table_size));
	return 0;
}

void *plugin_open(const struct plugin_kind *kind, const char *path, void *table, struct error *error)
{
	/*
	 * RTLD_NOW makes dlopen() fail if a symbol is missing. RTLD_LOCAL hides the symbols of plug-ins from
	 * each other.
	 */
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!object) {
		error_set(error, ENOEXEC, "%s", dlerror());
		return NULL;
	}
	if (!copy_table(kind, object, table, error))
		return object;
	dlclose(object);
	return NULL;
}

static bool has_valid_characters(const char *name)
{
	return name && *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

int plugin_check_name(const struct plugin_kind *kind, const struct plugin_list *list, const char *name,
		      struct error *error)
{
	if (!has_valid_characters(name))
		return error_set(error, EINVAL, "bad %s name \"%s\": only a-z, 0-9 and _ are allowed",
				 kind->kind, name ? name : "");
	if (plugin_list_find(list, name, strlen(name)))
		return error_set(error, EEXIST, "a %s \"%s\" is loaded already", kind->kind, name);
	return 0;
}

/*
 * The name of a file must be that of its plug-in, so that the administrator can see which plug-ins are
 * installed.
 */
int plugin_check_file(const struct plugin_kind *kind, const char *path, const char *name, struct error *error)
{
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	CLEANUP_FREE char *expected = NULL;

	if (asprintf(&expected, "%s_%s.so", kind->kind, name) < 0) {
		expected = NULL;
		return error_set(error, ENOMEM, "out of memory");
	}
	if (!strcmp(file, expected))
		return 0;
	return error_set(error, EINVAL, "its name is \"%s\", so its file must be %s", name, expected);
}

/* --- all files of a folder --- */

/* KIND_NAME.so */
static bool is_of_kind(const char *file, const struct plugin_kind *kind)
{
	size_t prefix = strlen(kind->kind), len = strlen(file);

	return len > prefix + strlen("_.so") && !memcmp(file, kind->kind, prefix) && file[prefix] == '_' &&
	       !strcmp(file + len - strlen(".so"), ".so");
}

static bool load_file(const struct plugin_kind *kind, const char *dir, const char *file,
		      int (*load)(const char *path, struct error *error))
{
	CLEANUP_FREE char *path = NULL;
	struct error reason = {"out of memory"};

	if (asprintf(&path, "%s%s/%s", *dir == '/' ? "" : "./", dir, file) < 0)
		path = NULL;
	if (path && load(path, &reason) == 0)
		return true;
	log_err(NULL, "%s %s is not loaded: %s", kind->kind, path ? path : dir, reason.text);
	return false;
}

int plugin_load_all(const struct plugin_kind *kind, const char *dir,
		    int (*load)(const char *path, struct error *error), struct error *error)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort), loaded = 0;

	if (n < 0)
		return error_set(error, errno, "handler path %s: %s; --handler-path names another folder",
				 dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (is_of_kind(entries[i]->d_name, kind))
			loaded += load_file(kind, dir, entries[i]->d_name, load);
		free(entries[i]);
	}
	free(entries);
	return loaded;
}

/* --- the list --- */

int plugin_list_add(struct plugin_list *list, struct plugin *plugin, struct error *error)
{
	struct plugin **grown = realloc(list->items, (list->n + 1) * sizeof(struct plugin *));
	unsigned i = list->n;

	if (!grown)
		return error_set(error, ENOMEM, "out of memory");
	list->items = grown;
	for (; i > 0 && strcmp(list->items[i - 1]->name, plugin->name) > 0; i--)
		list->items[i] = list->items[i - 1];
	list->items[i] = plugin;
	list->n++;
	return 0;
}

struct plugin *plugin_list_find(const struct plugin_list *list, const char *name, size_t len)
{
	for (unsigned i = 0; i < list->n; i++) {
		const char *have = list->items[i]->name;

		if (strlen(have) == len && !memcmp(have, name, len))
			return list->items[i];
	}
	return NULL;
}

int plugin_list_missing(const struct plugin_list *list, const char *kind, const char *name, size_t len,
			struct error *error)
{
	char known[256] = "";
	size_t at = 0;

	for (unsigned i = 0; i < list->n && at < sizeof(known); i++)
		at += (size_t)snprintf(known + at, sizeof(known) - at, " %s", list->items[i]->name);
	return error_set(error, ENOENT, "no %s \"%.*s\" is loaded; the loaded %ss are:%s", kind, (int)len,
			 name, kind, list->n ? known : " none");
}

void plugin_list_clear(struct plugin_list *list, void (*unload)(struct plugin *plugin))
{
	for (unsigned i = 0; i < list->n; i++)
		unload(list->items[i]);
	free(list->items);
	*list = (struct plugin_list){0};
}
