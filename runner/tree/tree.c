/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a tree: creates and ends its parts in the right order. Everything else is left to the other
 * files of this folder.
 */
#include "tree/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree/private.h"

static void free_tree(struct tree *tree)
{
	tree_folders_free(tree);
	free(tree->mount_point);
	free(tree->version);
	free(tree);
}

static int fill(struct tree *tree, const struct tree_options *options, struct error *error)
{
	tree->model = options->model;
	tree->main = options->main;
	tree->uid = geteuid();
	tree->gid = getegid();
	clock_gettime(CLOCK_REALTIME, &tree->started);
	list_init(&tree->waiting);
	list_init(&tree->opens);
	strcpy(tree->dbroot, "/var/target"); /* This is the kernel's default. */
	tree->mount_point = strdup(options->folder);
	tree->version = strdup(options->version);
	if (tree->mount_point && tree->version && !tree_folders_init(tree))
		return 0;
	return error_set(error, ENOMEM, "out of memory");
}

struct tree *tree_start(const struct tree_options *options, struct error *error)
{
	struct tree *tree;
	int err = tree_mount_prepare(options->folder, error);

	if (err) {
		errno = -err;
		return NULL;
	}
	tree = calloc(1, sizeof(*tree));
	if (!tree) {
		error_set(error, ENOMEM, "out of memory");
		errno = ENOMEM;
		return NULL;
	}
	err = fill(tree, options, error);
	if (!err)
		err = tree_session_start(tree, options->folder, error);
	if (!err)
		return tree;
	free_tree(tree);
	errno = -err;
	return NULL;
}

void tree_stop(struct tree *tree)
{
	if (!tree)
		return;
	tree_session_stop(tree);
	free_tree(tree);
}
