/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks all exports of a command line against each other before any storage is touched. Each export gets a
 * target and a LUN number, and no two exports get the same ones. runner/control creates the targets.
 */
#include "config/export_list.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* The exports that share one target, in the order of the command line. */
struct group {
	GPtrArray *exports;
	/* The number of exports in the group that have no lun=. */
	unsigned without_lun;
};

static void group_free(gpointer data)
{
	struct group *group = data;

	g_ptr_array_unref(group->exports);
	g_free(group);
}

/*
 * Returns text such as "file//srv/a.img, file//srv/b.img and 3 more" for the exports that filter selects.
 * NULL selects all.
 */
static char *list_exports(const struct group *group, bool (*filter)(const struct config_export *export))
{
	enum { SHOWN = 4 };
	GString *text = g_string_new(NULL);
	unsigned found = 0;

	for (unsigned i = 0; i < group->exports->len; i++) {
		const struct config_export *export = group->exports->pdata[i];

		if (filter && !filter(export))
			continue;
		if (found++ < SHOWN)
			g_string_append_printf(text, "%s%s", text->len ? ", " : "", export->spec.config);
	}
	if (found > SHOWN)
		g_string_append_printf(text, " and %u more", found - SHOWN);
	return g_string_free(text, FALSE);
}

static bool has_no_lun(const struct config_export *export)
{
	return !export->has_lun;
}

/*
 * Refuses two exports with the same default name. Different files easily have the same one ("vm_1.img" and
 * "vm-1.img"), so only name= makes exports share a target.
 */
static int check_default_name(const struct config_export *first, const struct config_export *second,
			      struct error *error)
{
	const struct config_export *unnamed = first->has_name ? second : first;

	if (first->has_name && second->has_name)
		return 0;
	return error_set(
	    error, EINVAL,
	    "--export %s and --export %s would both be target %s, because the default name of %s is "
	    "made from its path; give them different names with name=, or the same name= and a lun= each",
	    first->spec.config, second->spec.config, second->target, unnamed->spec.config);
}

static int check_luns(const struct group *group, struct error *error)
{
	g_autoptr(GHashTable) holders = g_hash_table_new(NULL, NULL);
	const struct config_export *first = group->exports->pdata[0];

	if (group->exports->len > 1 && group->without_lun) {
		g_autofree char *all = list_exports(group, NULL), *missing = list_exports(group, has_no_lun);

		return error_set(
		    error, EINVAL,
		    "the exports %s share target %s, so each of them needs lun=N; it is missing at %s", all,
		    first->target, missing);
	}
	for (unsigned i = 0; i < group->exports->len; i++) {
		const struct config_export *export = group->exports->pdata[i];
		const struct config_export *holder =
		    g_hash_table_lookup(holders, GUINT_TO_POINTER(export->lun));

		if (holder)
			return error_set(
			    error, EINVAL, "--export %s and --export %s are both LUN %u of target %s",
			    holder->spec.config, export->spec.config, export->lun, export->target);
		g_hash_table_insert(holders, GUINT_TO_POINTER(export->lun), (gpointer) export);
	}
	return 0;
}

static int place(GHashTable *groups, struct config_export *export, bool one_target, struct error *error)
{
	struct group *group = g_hash_table_lookup(groups, export->target);
	int err = 0;

	if (!group) {
		group = g_new0(struct group, 1);
		group->exports = g_ptr_array_new();
		g_hash_table_insert(groups, export->target, group);
	} else if (!one_target) {
		err = check_default_name(group->exports->pdata[0], export, error);
	}
	g_ptr_array_add(group->exports, export);
	group->without_lun += !export->has_lun;
	return err;
}

int config_exports_place(struct config_export *const *exports, unsigned n, const char *iqn,
			 const char *prefix, struct error *error)
{
	g_autoptr(GHashTable) groups = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, group_free);
	GHashTableIter iter;
	gpointer group;
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++) {
		struct config_export *export = exports[i];
		g_autofree char *name = iqn ? g_strdup(iqn) : g_strconcat(prefix, export->name, NULL);

		if (iqn && export->has_name)
			return error_set(
			    error, EINVAL,
			    "--export %s: name=%s has no effect with --iqn, which names the only target; "
			    "leave one of them out",
			    export->spec.config, export->name);
		export->target = g_ascii_strdown(name, -1);
		err = place(groups, export, iqn, error);
	}
	g_hash_table_iter_init(&iter, groups);
	while (!err && g_hash_table_iter_next(&iter, NULL, &group))
		err = check_luns(group, error);
	return err;
}
