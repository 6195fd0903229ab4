/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hidden folder .targetcli: the same tree without the folders that rtslib, the library of targetcli,
 * cannot handle. One folder with such a name makes each command of targetcli fail, so these folders are left
 * out, and the file left_out lists them.
 */
#include "tree/private.h"

#include <ctype.h>
#include <string.h>

/* The value of MappedLUN.MAX_LUN in rtslib. */
#define TARGETCLI_LUN_MAX 255

static bool all_of(bool (*accepts)(unsigned char), const char *text, size_t length)
{
	if (strlen(text) != length)
		return false;
	for (; *text; text++)
		if (!accepts((unsigned char)*text))
			return false;
	return true;
}

static bool is_lower_hex(unsigned char c)
{
	return isdigit(c) || (c >= 'a' && c <= 'f');
}

/*
 * Returns why rtslib refuses the name. Its regular expression is iqn\.[0-9]{4}-[0-1][0-9]\..*\..*, and blanks
 * and underscores are not allowed.
 */
static const char *iqn_fault(const char *name)
{
	const char *authority = strlen(name) > 12 && name[11] == '.' ? name + 12 : "";

	if (strchr(name, '_'))
		return "targetcli refuses an underscore in an iSCSI name";
	if (!strchr(authority, '.'))
		return "targetcli accepts only names with two parts of a domain, such as "
		       "iqn.2026-11.com.example:disks";
	return NULL;
}

/* Does the checks of normalize_wwn() in rtslib. */
static const char *name_fault(const char *name)
{
	if (!strncmp(name, "iqn.", 4))
		return iqn_fault(name);
	if (!strncmp(name, "naa.", 4) && (!all_of(is_lower_hex, name + 4, 16) || !strchr("125", name[4])))
		return "targetcli accepts only naa. names of 16 digits that begin with 1, 2 or 5";
	return NULL;
}

const char *tree_view_fault(const struct tree_folder *folder)
{
	switch (folder->kind) {
	case TREE_HBA:
		return tree_plugin_of(folder->name) ? NULL : "targetcli knows no such plug-in";
	case TREE_TARGET:
	case TREE_ACL:
		return name_fault(folder->name);
	case TREE_LUN:
	case TREE_MAPPED_LUN:
		if (folder->object && model_number(folder->object) > TARGETCLI_LUN_MAX)
			return "targetcli accepts LUNs only up to 255";
		return NULL;
	default:
		return NULL;
	}
}

static void show_below(const struct tree_folder *folder, FILE *out)
{
	struct list *node, *next;
	char path[TREE_PATH_SIZE];

	list_for_each (&folder->children, node, next) {
		const struct tree_folder *child = list_entry(node, struct tree_folder, sibling);
		const char *fault = tree_view_fault(child);

		if (fault)
			fprintf(out, "%s: %s\n", tree_path(child, 0, path), fault);
		else
			show_below(child, out);
	}
}

int tree_view_show(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	(void)folder;
	(void)argument;
	show_below(tree->root, out);
	return 0;
}
