/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meaning of inode numbers: each one stands for a folder, or for one of the directories, files and
 * attributes in it. The number is computed, so the kernel may use any number of files without memory in the
 * daemon. The numbers of a removed folder have no meaning any more.
 */
#include "tree/private.h"

#include <string.h>

/* The lower bits are the index of a directory, a file, an attribute, or the link. */
#define INDEX_BITS      11
#define FIRST_FILE      64
#define FIRST_ATTRIBUTE 512
#define LINK_INDEX      2047
/* This bit says that the node is seen through .targetcli. */
#define FOR_TARGETCLI (UINT64_C(1) << 62)
/* The size that files report. LIO's largest files are not larger, and clients may write this much at once. */
#define FILE_SIZE 4096

/* --- numbers ---------------------------------------------------------------------------------- */

static unsigned index_of(const struct tree_node *node)
{
	switch (node->type) {
	case TREE_NODE_DIRECTORY:
		return node->index;
	case TREE_NODE_FILE:
		return FIRST_FILE + node->index;
	case TREE_NODE_ATTRIBUTE:
		return FIRST_ATTRIBUTE + node->index;
	default:
		return LINK_INDEX;
	}
}

fuse_ino_t tree_node_number(const struct tree_node *node)
{
	uint64_t number = node->folder->id << INDEX_BITS | index_of(node);

	/* The root, with the folder 0 and the index 0, has the number 1. */
	return (number + FUSE_ROOT_ID) | (node->for_targetcli ? FOR_TARGETCLI : 0);
}

static bool set_index(struct tree_node *node, unsigned index)
{
	const struct tree_layout *layout = tree_layout(node->folder->kind);
	char name[MODEL_TEXT_SIZE];

	if (index == LINK_INDEX) {
		node->type = TREE_NODE_LINK;
		return tree_link_name(node->folder, name);
	}
	if (index >= FIRST_ATTRIBUTE) {
		node->type = TREE_NODE_ATTRIBUTE;
		node->index = index - FIRST_ATTRIBUTE;
		return node->folder->object && model_attribute_at(layout->model_kind, node->index);
	}
	node->type = index >= FIRST_FILE ? TREE_NODE_FILE : TREE_NODE_DIRECTORY;
	node->index = index >= FIRST_FILE ? index - FIRST_FILE : index;
	return node->index < (index >= FIRST_FILE ? layout->files->count : layout->directory_count);
}

bool tree_node_find(struct tree *tree, fuse_ino_t number, struct tree_node *node)
{
	uint64_t plain = (number & ~FOR_TARGETCLI) - FUSE_ROOT_ID;

	node->for_targetcli = number & FOR_TARGETCLI;
	node->folder = tree_folder_by_id(tree, plain >> INDEX_BITS);
	return node->folder && set_index(node, plain & ((1 << INDEX_BITS) - 1));
}

/* --- names ------------------------------------------------------------------------------------ */

/*
 * Returns whether the folder has the file. A plug-in of LIO must not get an attribute that only others have,
 * because rtslib would save it.
 */
static bool has_file(const struct tree_folder *folder, const struct tree_file *file)
{
	return !file->plugin || !strncmp(folder->parent->name, file->plugin, strlen(file->plugin));
}

/* Looks for directories and for files that are not attributes. */
static bool lookup_fixed(const struct tree_node *parent, const char *name, struct tree_node *node)
{
	const struct tree_layout *layout = tree_layout(parent->folder->kind);

	*node = *parent;
	for (node->index = 1; node->index < layout->directory_count; node->index++)
		if (layout->directories[node->index].parent == parent->index &&
		    !strcmp(layout->directories[node->index].name, name))
			return true;
	node->type = TREE_NODE_FILE;
	for (node->index = 0; node->index < layout->files->count; node->index++) {
		const struct tree_file *file = &layout->files->files[node->index];

		if (file->directory == parent->index && !strcmp(file->name, name) &&
		    has_file(parent->folder, file))
			return true;
	}
	return false;
}

/*
 * Returns whether the directory shows the attribute. If the tree has a file with the same name, for any
 * plug-in, this file replaces the attribute.
 */
static bool shows_attribute(const struct tree_folder *folder, const struct model_attribute *attribute,
			    unsigned directory)
{
	const struct tree_files *files = tree_layout(folder->kind)->files;

	if (tree_directory_of(folder->kind, attribute) != (int)directory)
		return false;
	for (unsigned i = 0; i < files->count; i++)
		if (files->files[i].directory == directory && !strcmp(files->files[i].name, attribute->name))
			return false;
	return true;
}

static bool lookup_attribute(const struct tree_node *parent, const char *name, struct tree_node *node)
{
	enum model_kind kind = tree_layout(parent->folder->kind)->model_kind;
	const struct model_attribute *attribute;

	if (!parent->folder->object)
		return false;
	*node = *parent;
	node->type = TREE_NODE_ATTRIBUTE;
	for (node->index = 0; (attribute = model_attribute_at(kind, node->index)); node->index++)
		if (!strcmp(attribute->name, name) &&
		    shows_attribute(parent->folder, attribute, parent->index))
			return true;
	return false;
}

bool tree_node_is_fixed(const struct tree_node *parent, const char *name)
{
	struct tree_node node;

	return lookup_fixed(parent, name, &node) || lookup_attribute(parent, name, &node);
}

static bool is_visible(const struct tree_node *directory, const struct tree_folder *folder)
{
	return !directory->for_targetcli || !tree_view_fault(folder);
}

static bool is_link(const struct tree_node *directory, const char *name)
{
	char text[MODEL_TEXT_SIZE];
	const char *link = directory->index == 0 ? tree_link_name(directory->folder, text) : NULL;

	return link && !strcmp(link, name);
}

static bool lookup_folder(struct tree *tree, const struct tree_node *parent, const char *name,
			  struct tree_node *node)
{
	struct tree_folder *folder = parent->folder;

	*node = *parent;
	node->index = 0;
	if (folder == tree->root && parent->index == 0 && !strcmp(name, TREE_VIEW_NAME)) {
		node->for_targetcli = true;
		return true;
	}
	if (tree_layout(folder->kind)->directories[parent->index].child == TREE_NONE)
		return false;
	node->folder = tree_folder_find(tree, folder, parent->index, name);
	return node->folder && is_visible(parent, node->folder);
}

bool tree_node_lookup(struct tree *tree, const struct tree_node *parent, const char *name,
		      struct tree_node *node)
{
	if (parent->type != TREE_NODE_DIRECTORY)
		return false;
	if (lookup_fixed(parent, name, node) || lookup_attribute(parent, name, node))
		return true;
	if (!is_link(parent, name))
		return lookup_folder(tree, parent, name, node);
	*node = *parent;
	node->type = TREE_NODE_LINK;
	return true;
}

/* --- lists of names --------------------------------------------------------------------------- */

static void list_fixed(const struct tree_node *directory, tree_node_fn *fn, void *arg)
{
	const struct tree_layout *layout = tree_layout(directory->folder->kind);
	struct tree_node node = *directory;

	for (node.index = 1; node.index < layout->directory_count; node.index++)
		if (layout->directories[node.index].parent == directory->index)
			fn(arg, &node, layout->directories[node.index].name);
	node.type = TREE_NODE_FILE;
	for (node.index = 0; node.index < layout->files->count; node.index++) {
		const struct tree_file *file = &layout->files->files[node.index];

		if (file->directory == directory->index && has_file(directory->folder, file))
			fn(arg, &node, file->name);
	}
}

static void list_attributes(const struct tree_node *directory, tree_node_fn *fn, void *arg)
{
	enum model_kind kind = tree_layout(directory->folder->kind)->model_kind;
	const struct model_attribute *attribute;
	struct tree_node node = *directory;

	node.type = TREE_NODE_ATTRIBUTE;
	if (!directory->folder->object)
		return;
	for (node.index = 0; (attribute = model_attribute_at(kind, node.index)); node.index++)
		if (shows_attribute(directory->folder, attribute, directory->index))
			fn(arg, &node, attribute->name);
}

void tree_node_list(const struct tree_node *directory, tree_node_fn *fn, void *arg)
{
	struct tree_folder *folder = directory->folder;
	struct tree_node node = *directory;
	char text[MODEL_TEXT_SIZE];
	const char *link = directory->index == 0 ? tree_link_name(folder, text) : NULL;
	struct list *at, *next;

	list_fixed(directory, fn, arg);
	list_attributes(directory, fn, arg);
	node.type = TREE_NODE_LINK;
	if (link)
		fn(arg, &node, link);
	node.type = TREE_NODE_DIRECTORY;
	node.index = 0;
	list_for_each (&folder->children, at, next) {
		node.folder = list_entry(at, struct tree_folder, sibling);
		if (node.folder->slot == directory->index && is_visible(directory, node.folder))
			fn(arg, &node, node.folder->name);
	}
}

/* --- modes ------------------------------------------------------------------------------------ */

mode_t tree_node_mode(const struct tree_node *node)
{
	const struct tree_layout *layout = tree_layout(node->folder->kind);

	switch (node->type) {
	case TREE_NODE_DIRECTORY:
		return S_IFDIR | 0755;
	case TREE_NODE_LINK:
		return S_IFLNK | 0777;
	case TREE_NODE_FILE:
		return S_IFREG | layout->files->files[node->index].mode;
	default:
		return S_IFREG | tree_attribute_mode(model_attribute_at(layout->model_kind, node->index));
	}
}

void tree_node_stat(const struct tree *tree, const struct tree_node *node, struct stat *st)
{
	*st = (struct stat){
	    .st_ino = tree_node_number(node),
	    .st_mode = tree_node_mode(node),
	    .st_nlink = 1,
	    .st_uid = tree->uid,
	    .st_gid = tree->gid,
	    .st_blksize = FILE_SIZE,
	    .st_atim = tree->started,
	    .st_mtim = tree->started,
	    .st_ctim = tree->started,
	};
	if (S_ISREG(st->st_mode))
		st->st_size = FILE_SIZE;
}
