/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The destinations of symbolic links. Links are shown with paths relative to the folder of the link, so that
 * they are valid wherever the tree is mounted. The destination of a new link may begin with another root:
 * clients that see the tree at another place, or that build their paths for /sys/kernel/config/target, write
 * such paths.
 */
#include "tree/private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

/*
 * The path from iscsi/IQN/tpgt_N/lun/lun_N, and from iscsi/IQN/tpgt_N/acls/INITIATOR/lun_N, up to the root.
 */
#define FROM_LUN        "../../../../../"
#define FROM_MAPPED_LUN "../../../../../../"

/* Returns whether a link can have the name, because nothing else in the folder has it. */
static bool is_usable(const struct tree_folder *folder, const char *name)
{
	const struct tree_node directory = {(struct tree_folder *)folder, TREE_NODE_DIRECTORY, 0, false};

	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       strlen(name) <= NAME_MAX && !tree_node_is_fixed(&directory, name);
}

/* Returns the name of the disk. The scripts of tcmu-runner give a link the name of its disk, too. */
static const char *name_of_disk(const struct model_object *object)
{
	while (object && model_kind(object) != MODEL_STORAGE)
		object = model_to(object);
	const char *name = object ? model_name(object) : "";
	const char *slash = strchr(name, '/');
	return slash ? slash + 1 : name;
}

const char *tree_link_name(const struct tree_folder *folder, char *name)
{
	if (!folder->object || (folder->kind != TREE_LUN && folder->kind != TREE_MAPPED_LUN))
		return NULL;
	model_get(folder->object, model_attribute(model_kind(folder->object), "", "alias"), name);
	if (!is_usable(folder, name))
		snprintf(name, MODEL_TEXT_SIZE, "%s", name_of_disk(folder->object));
	return is_usable(folder, name) ? name : "link";
}

bool tree_link_text(struct tree *tree, const struct tree_folder *folder, char *text, size_t size)
{
	struct tree_folder *to = tree_folder_of(tree, model_to(folder->object));
	char path[TREE_PATH_SIZE];
	int length;

	if (!to)
		return false;
	length = snprintf(text, size, "%s%s", folder->kind == TREE_LUN ? FROM_LUN : FROM_MAPPED_LUN,
			  tree_path(to, 0, path));
	return length > 0 && (size_t)length < size;
}

/*
 * Returns the text after the last "/core/" or "/iscsi/", and sets *root to this root. Returns NULL if there
 * is none.
 */
static char *after_last_root(char *text, const char **root)
{
	static const char *const roots[] = {"/core/", "/iscsi/"};
	char *last = NULL;

	for (char *at = text; *at; at++)
		for (unsigned i = 0; i < ARRAY_SIZE(roots); i++)
			if (!strncmp(at, roots[i], strlen(roots[i]))) {
				*root = roots[i];
				last = at + strlen(roots[i]);
			}
	return last;
}

/*
 * Cuts text at its slashes. Returns the number of parts, or 0 if there are more than count or one of them is
 * "", "." or "..".
 */
static unsigned split(char *text, char *parts[], unsigned count)
{
	unsigned n = 0;
	char *rest;

	for (char *part = strtok_r(text, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
		if (n == count || !strcmp(part, ".") || !strcmp(part, ".."))
			return 0;
		parts[n++] = part;
	}
	return n;
}

/*
 * Follows the names down from the root. Each name is looked up in one directory of the folder above it.
 * Returns NULL if one of them does not exist.
 */
static struct tree_folder *descend(struct tree *tree, const unsigned slots[], char *const names[], unsigned n)
{
	struct tree_folder *folder = tree->root;

	for (unsigned i = 0; i < n && folder; i++)
		folder = tree_folder_find(tree, folder, slots[i], names[i]);
	return folder;
}

/* Finds a storage object. names are the parts of PLUGIN_N/NAME. */
static struct tree_folder *find_storage(struct tree *tree, char *names[], unsigned n)
{
	static const unsigned slots[] = {TREE_ROOT_CORE, 0};

	return n == 2 ? descend(tree, slots, names, n) : NULL;
}

/* Finds a LUN. parts are the parts of IQN/tpgt_N/lun/lun_N. */
static struct tree_folder *find_lun(struct tree *tree, char *parts[], unsigned n)
{
	static const unsigned slots[] = {TREE_ROOT_ISCSI, 0, TREE_TPG_LUN};

	if (n != 4 || strcmp(parts[2], "lun") != 0)
		return NULL;
	return descend(tree, slots, (char *[]){parts[0], parts[1], parts[3]}, 3);
}

struct model_object *tree_link_destination(struct tree *tree, const char *destination, struct error *error)
{
	char *text = strdup(destination), *rest = NULL, *parts[4];
	struct tree_folder *folder = NULL;
	const char *root = "";
	int err = 0;

	if (text)
		rest = after_last_root(text, &root);
	if (rest) {
		unsigned n = split(rest, parts, 4);

		folder = !strcmp(root, "/core/") ? find_storage(tree, parts, n) : find_lun(tree, parts, n);
	}
	if (!text)
		err = error_set(error, ENOMEM, "out of memory");
	else if (!folder)
		err = error_set(error, ENOENT,
				"'%s' names neither a storage object, core/PLUGIN_N/NAME, nor a LUN, "
				"iscsi/TARGET/tpgt_N/lun/lun_N",
				destination);
	else if (!folder->object)
		err = error_set(error, EINVAL, "'%s' has no storage object yet", destination);
	free(text);
	errno = -err;
	return err ? NULL : folder->object;
}
