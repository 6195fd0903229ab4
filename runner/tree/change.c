/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that create and delete objects: mkdir, rmdir and symbolic links. The errors are those of configfs:
 * EPERM if nothing can be created or deleted there, ENOTEMPTY and EBUSY for objects in use, and otherwise the
 * model's own errors.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/np.h"
#include "storage/spec.h"
#include "tree/private.h"

/*
 * Finds the parent of a request. Refuses the request and returns false if the parent was deleted, or does not
 * belong to the user.
 */
static bool find_parent(struct tree_request *request, struct tree_node *parent)
{
	if (!tree_request_is_owners(request)) {
		tree_refuse(request, EACCES, "only root and the user of the daemon may change the tree");
		return false;
	}
	if (tree_node_find(request->tree, request->number, parent) && parent->type == TREE_NODE_DIRECTORY)
		return true;
	tree_refuse(request, ENOENT, "%s: its folder was deleted meanwhile", request->name);
	return false;
}

static void answer_folder(struct tree_request *request, const struct tree_node *parent,
			  struct tree_folder *folder)
{
	const struct tree_node node = {folder, TREE_NODE_DIRECTORY, 0, parent->for_targetcli};

	if (folder)
		tree_answer_entry(request, &node);
	else
		tree_refuse(request, ENOMEM, "%s: out of memory", request->name);
}

static void ignore_result(void *arg, int err, const struct error *error)
{
	(void)arg, (void)err, (void)error;
}

/* --- mkdir ------------------------------------------------------------------------------------ */

/* Returns whether the name has the form "lun_7", the only one that LIO accepts. */
static bool is_lun_name(const char *name)
{
	unsigned long number;
	char *end;

	if (strncmp(name, "lun_", 4) != 0 || name[4] < '0' || name[4] > '9' || (name[4] == '0' && name[5]))
		return false;
	number = strtoul(name + 4, &end, 10);
	return !*end && number <= MODEL_LUN_MAX;
}

/*
 * Makes a folder that exists only in the tree and is not an object of the model: an HBA, or a LUN without a
 * link.
 */
static void make_own(struct tree_request *request, const struct tree_node *parent, enum tree_kind kind)
{
	if (kind == TREE_HBA && !tree_plugin_of(request->name)) {
		tree_refuse(request, EINVAL,
			    "'%s' cannot be created: use user_N, fileio_N, iblock_N or rd_mcp_N",
			    request->name);
		return;
	}
	if (kind != TREE_HBA && !is_lun_name(request->name)) {
		tree_refuse(request, EINVAL, "'%s' is not the name of a LUN: use lun_N, with N from 0 to %d",
			    request->name, MODEL_LUN_MAX);
		return;
	}
	struct tree_folder *folder =
	    tree_folder_new(request->tree, parent->folder, parent->index, request->name);
	if (folder)
		folder->made = true;
	answer_folder(request, parent, folder);
}

/* Sets the configuration of a ramdisk, which has no setting except its size in LIO. */
static void set_defaults(const struct tree_request *request, struct model_object *object)
{
	char config[MODEL_TEXT_SIZE], *name = storage_spec_escape(request->name);

	snprintf(config, sizeof(config), "alloc/%s", name ? name : request->name);
	free(name);
	model_set(object, "control", "config", config, ignore_result, NULL);
}

/* Finds what the request has made: a folder, or the link of a LUN, which may have another name. */
static bool find_made(const struct tree_request *request, const struct tree_node *parent,
		      struct tree_node *made)
{
	struct tree_folder *folder = parent->folder;

	if (folder->kind != TREE_LUN && folder->kind != TREE_MAPPED_LUN)
		return tree_node_lookup(request->tree, parent, request->name, made);
	*made = (struct tree_node){folder, TREE_NODE_LINK, 0, parent->for_targetcli};
	return folder->object;
}

/* Is called when the sessions see what the request has changed. */
static void on_seen(void *arg, int err, const struct error *error)
{
	struct tree_request *request = arg;
	struct tree_node parent, node;

	if (!request->fuse) {
		tree_done(request, err, error);
		return;
	}
	if (!find_parent(request, &parent))
		return;
	if (find_made(request, &parent, &node))
		tree_answer_entry(request, &node);
	else
		tree_refuse(request, ENOENT, "%s was deleted meanwhile", request->name);
}

static void answer_when_seen(struct tree_request *request)
{
	tree_wait(request);
	model_visit_loops(request->tree->model, on_seen, request);
}

static void make_object(struct tree_request *request, const struct tree_node *parent, enum tree_kind kind)
{
	struct tree *tree = request->tree;
	struct model_object *object;
	char name[600], portal[MODEL_PORTAL_SIZE];
	struct error error;

	/* The name of a storage object contains the name of its HBA. */
	snprintf(name, sizeof(name), "%s%s%s", kind == TREE_DEVICE ? parent->folder->name : "",
		 kind == TREE_DEVICE ? "/" : "", request->name);
	if (kind == TREE_PORTAL && model_portal_from_lio(request->name, portal, &error)) {
		tree_refuse_error(request, -EINVAL, &error);
		return;
	}
	object = model_create(tree_object(tree, parent->folder), tree_layout(kind)->model_kind,
			      kind == TREE_PORTAL ? portal : name, NULL, &error);
	if (!object) {
		tree_refuse_error(request, -errno, &error);
		return;
	}
	if (kind == TREE_DEVICE && !strncmp(name, "rd_mcp_", 7))
		set_defaults(request, object);
	if (model_is_seen_by_sessions(model_kind(object)))
		answer_when_seen(request);
	else
		answer_folder(request, parent, tree_folder_of(tree, object));
}

void tree_run_mkdir(struct tree_request *request)
{
	char path[TREE_PATH_SIZE];
	struct tree_node parent, node;

	if (!find_parent(request, &parent))
		return;
	enum tree_kind kind = tree_layout(parent.folder->kind)->directories[parent.index].child;

	if (tree_node_lookup(request->tree, &parent, request->name, &node) ||
	    tree_folder_find(request->tree, parent.folder, parent.index, request->name))
		tree_refuse(request, EEXIST, "%s/%s already exists",
			    tree_path(parent.folder, parent.index, path), request->name);
	else if (kind == TREE_NONE)
		tree_refuse(request, EPERM, "%s/%s cannot be created: nothing can be created in this folder",
			    tree_path(parent.folder, parent.index, path), request->name);
	else if (kind == TREE_HBA || kind == TREE_LUN || kind == TREE_MAPPED_LUN)
		make_own(request, &parent, kind);
	else
		make_object(request, &parent, kind);
}

/* --- rmdir ------------------------------------------------------------------------------------ */

static bool stands_empty(const struct tree_folder *folder)
{
	bool is_lun = folder->kind == TREE_LUN || folder->kind == TREE_MAPPED_LUN;

	return !tree_folder_has_children(folder) && !(is_lun && folder->object);
}

void tree_run_rmdir(struct tree_request *request)
{
	struct tree_node parent, node;
	char path[TREE_PATH_SIZE];

	if (!find_parent(request, &parent))
		return;
	if (!tree_node_lookup(request->tree, &parent, request->name, &node)) {
		tree_refuse(request, ENOENT, "%s does not exist", request->name);
		return;
	}
	tree_path(node.folder, node.index, path);
	if (node.type != TREE_NODE_DIRECTORY)
		tree_refuse(request, ENOTDIR, "%s is not a folder", request->name);
	else if (node.index != 0 || !node.folder->parent)
		tree_refuse(request, EPERM,
			    "%s is part of the folder that contains it, and cannot be deleted", path);
	else if (!stands_empty(node.folder))
		tree_refuse(request, ENOTEMPTY, "%s is not empty; delete what is in it first", path);
	else if (!node.folder->object) {
		tree_folder_remove(request->tree, node.folder);
		tree_answer(request, 0);
	} else {
		/* Without this, the folder of the HBA would be removed together with its last device. */
		node.folder->parent->made |= node.folder->kind == TREE_DEVICE;
		tree_wait(request);
		model_delete(node.folder->object, false, tree_done, request);
	}
}

/* --- symbolic links --------------------------------------------------------------------------- */

static void make_link(struct tree_request *request, const struct tree_node *parent, struct model_object *to)
{
	const struct tree_folder *folder = parent->folder;
	struct model_object *object;
	struct error error;

	object = model_create(folder->parent->object, tree_layout(folder->kind)->model_kind, folder->name, to,
			      &error);
	if (!object || !tree_folder_of(request->tree, object)) {
		tree_refuse_error(request, -errno, &error);
		return;
	}
	/* If the model refuses the name of the link as an alias, the link gets another name. */
	model_set(object, "", "alias", request->name, ignore_result, NULL);
	answer_when_seen(request);
}

void tree_run_symlink(struct tree_request *request)
{
	struct tree_node parent;
	struct model_object *to;
	char path[TREE_PATH_SIZE];
	struct error error;

	if (!find_parent(request, &parent))
		return;
	tree_path(parent.folder, parent.index, path);
	if (parent.folder->kind != TREE_LUN && parent.folder->kind != TREE_MAPPED_LUN)
		tree_refuse(request, EPERM, "%s: only a LUN or a mapped LUN can have a symbolic link", path);
	else if (parent.index != 0)
		tree_refuse(request, EPERM, "%s: the link must be in the folder of the LUN", path);
	else if (parent.folder->object)
		tree_refuse(request, EEXIST, "%s has a link already", path);
	else if (!(to = tree_link_destination(request->tree, request->data, &error)))
		tree_refuse_error(request, -errno, &error);
	else
		make_link(request, &parent, to);
}

void tree_run_unlink(struct tree_request *request)
{
	struct tree_node parent, node;

	if (!find_parent(request, &parent))
		return;
	if (!tree_node_lookup(request->tree, &parent, request->name, &node)) {
		tree_refuse(request, ENOENT, "%s does not exist", request->name);
		return;
	}
	if (node.type != TREE_NODE_LINK) {
		tree_refuse(request, EPERM, "the file %s belongs to its folder, and cannot be deleted",
			    request->name);
		return;
	}
	node.folder->made = true; /* The folder stays until rmdir. */
	tree_wait(request);
	model_delete(node.folder->object, false, tree_done, request);
}

/* Refuses mknod, create, rename and link, because configfs has none of these. */
void tree_run_refuse(struct tree_request *request)
{
	int err = request->flags ? request->flags : EPERM;

	tree_refuse(
	    request, err,
	    "'%s': files cannot be created here, and nothing can be renamed; use mkdir, rmdir and ln -s",
	    request->name);
}
