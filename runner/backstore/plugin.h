/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plug-ins: shared objects that give the daemon a table of callbacks. registry.c uses these functions for
 * handlers, and filter_registry.c for filters. All functions must be called on the main thread, except where
 * a comment says "any thread".
 */
#ifndef BACKSTORE_PLUGIN_H
#define BACKSTORE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* One of the two kinds of plug-ins: handlers or filters. */
struct plugin_kind {
	/* "handler" or "filter", for messages and for file names: a file is called KIND_NAME.so. */
	const char *kind;
	/*
	 * The name of the function that returns the table, and the name of the macro that defines this
	 * function.
	 */
	const char *entry, *macro;
	/*
	 * The size of the table in this daemon, and in the first release; no table can be shorter than that.
	 */
	size_t table_size, table_size_min;
};

/* The members with which the table of a handler or a filter begins. */
struct plugin_table {
	uint32_t struct_size;
	uint32_t api_version;
};

/* A plug-in that is loaded. struct handler and struct filter contain this structure. */
struct plugin {
	/* The result of dlopen(). */
	void *object;
	/* The name in the plug-in's table. */
	const char *name;
};

/* The loaded plug-ins of one kind, in the order of their names. */
struct plugin_list {
	struct plugin **items;
	unsigned n;
};

/*
 * Loads the object and copies its table to table, which has table_size zeroed bytes, so members that an older
 * plug-in does not have stay zero. Returns the object for dlclose(), or NULL with error set.
 */
void *plugin_open(const struct plugin_kind *kind, const char *path, void *table, struct error *error);
/*
 * Returns 0, or -EINVAL or -EEXIST with error set if the name has a character that is not allowed, or is
 * already in the list.
 */
int plugin_check_name(const struct plugin_kind *kind, const struct plugin_list *list, const char *name,
		      struct error *error);
/* Returns 0, or -EINVAL with error set if a file with this path may not contain a plug-in of this name. */
int plugin_check_file(const struct plugin_kind *kind, const char *path, const char *name,
		      struct error *error);
/*
 * Calls load() with the path of each file in dir whose name matches this kind. If load() refuses a file, this
 * is logged. Returns how many files were loaded, or -errno with error set if dir cannot be read.
 */
int plugin_load_all(const struct plugin_kind *kind, const char *dir,
		    int (*load)(const char *path, struct error *error), struct error *error);

/* Returns 0, or -ENOMEM with error set. */
int plugin_list_add(struct plugin_list *list, struct plugin *plugin, struct error *error);
/* Any thread. Returns the plug-in whose name is the first len bytes of name, or NULL. */
struct plugin *plugin_list_find(const struct plugin_list *list, const char *name, size_t len);
/* Any thread. Sets error to a text that lists the loaded plug-ins, and returns -ENOENT. */
int plugin_list_missing(const struct plugin_list *list, const char *kind, const char *name, size_t len,
			struct error *error);
/* Calls unload(), which frees the plug-in, for each plug-in, and empties the list. */
void plugin_list_clear(struct plugin_list *list, void (*unload)(struct plugin *plugin));
#endif
