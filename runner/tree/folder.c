/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folders that can be created and removed. They follow the model: each object has a folder, whichever
 * interface has created the object. layout.c defines what is inside a folder, and node.c answers the kernel's
 * questions about it.
 */
#include "tree/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/np.h"
#include "util/bytes.h"
#include "util/hash.h"
#include "util/log.h"

static struct list *id_bucket(struct tree *tree, uint64_t id)
{
	return &tree->by_id[id % TREE_BUCKETS];
}

static struct list *object_bucket(struct tree *tree, const struct model_object *object)
{
	return &tree->by_object[hash_bytes(HASH_INIT, &object, sizeof(object)) % TREE_BUCKETS];
}

static struct list *name_bucket(struct tree *tree, const struct tree_folder *parent, unsigned slot,
				const char *name)
{
	const uint64_t place = parent->id << 8 | slot;
	uint64_t hash = hash_bytes(HASH_INIT, &place, sizeof(place));

	return &tree->by_name[hash_bytes(hash, name, strlen(name)) % TREE_BUCKETS];
}

int tree_set_string(char **string, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*string);
	*string = copy;
	return 0;
}

/* --- looking for folders ---------------------------------------------------------------------- */

struct tree_folder *tree_folder_by_id(struct tree *tree, uint64_t id)
{
	struct list *node, *next;

	list_for_each (id_bucket(tree, id), node, next) {
		struct tree_folder *folder = list_entry(node, struct tree_folder, by_id);

		if (folder->id == id)
			return folder;
	}
	return NULL;
}

static struct tree_folder *find_by_object(struct tree *tree, const struct model_object *object)
{
	struct list *node, *next;

	list_for_each (object_bucket(tree, object), node, next) {
		struct tree_folder *folder = list_entry(node, struct tree_folder, by_object);

		if (folder->object == object)
			return folder;
	}
	return NULL;
}

static struct tree_folder *find_by_name(struct tree *tree, const struct tree_folder *parent, unsigned slot,
					const char *name)
{
	struct list *node, *next;

	list_for_each (name_bucket(tree, parent, slot, name), node, next) {
		struct tree_folder *folder = list_entry(node, struct tree_folder, by_name);

		if (folder->parent == parent && folder->slot == slot && !strcmp(folder->name, name))
			return folder;
	}
	return NULL;
}

struct tree_folder *tree_folder_find(struct tree *tree, struct tree_folder *parent, unsigned slot,
				     const char *name)
{
	struct tree_folder *folder = find_by_name(tree, parent, slot, name);
	enum tree_kind kind = tree_layout(parent->kind)->directories[slot].child;

	if (folder || (kind != TREE_TARGET && kind != TREE_PORTAL && kind != TREE_ACL))
		return folder;
	/* The model also finds an object by another spelling of its name. */
	struct model_object *object = model_find(parent->object, tree_layout(kind)->model_kind, name);
	return object ? find_by_object(tree, object) : NULL;
}

bool tree_folder_has_children(const struct tree_folder *folder)
{
	return !list_empty(&folder->children);
}

struct model_object *tree_object(const struct tree *tree, const struct tree_folder *folder)
{
	return folder->kind == TREE_HBA ? tree->root->object : folder->object;
}

static size_t append_name(char path[TREE_PATH_SIZE], size_t length, const char *name)
{
	int added = snprintf(path + length, TREE_PATH_SIZE - length, "%s%s", length ? "/" : "", name);

	return MIN(length + (size_t)added, TREE_PATH_SIZE - 1);
}

static size_t write_path(const struct tree_folder *folder, unsigned directory, char path[TREE_PATH_SIZE])
{
	const struct tree_directory *d = &tree_layout(folder->kind)->directories[directory];

	if (directory)
		return append_name(path, write_path(folder, d->parent, path), d->name);
	if (!folder->parent)
		return 0;
	return append_name(path, write_path(folder->parent, folder->slot, path), folder->name);
}

const char *tree_path(const struct tree_folder *folder, unsigned directory, char path[TREE_PATH_SIZE])
{
	path[0] = '\0';
	write_path(folder, directory, path);
	return path;
}

/* --- creating and removing folders ------------------------------------------------------------ */

static void attach(struct tree *tree, struct tree_folder *folder, struct model_object *object)
{
	folder->object = object;
	list_add_tail(object_bucket(tree, object), &folder->by_object);
}

struct tree_folder *tree_folder_new(struct tree *tree, struct tree_folder *parent, unsigned slot,
				    const char *name)
{
	struct tree_folder *folder = calloc(1, sizeof(*folder));

	if (!folder || tree_set_string(&folder->name, name)) {
		free(folder);
		return NULL;
	}
	folder->id = ++tree->last_id;
	folder->kind = tree_layout(parent->kind)->directories[slot].child;
	folder->parent = parent;
	folder->slot = slot;
	list_init(&folder->children);
	list_init(&folder->by_object);
	list_add_tail(&parent->children, &folder->sibling);
	list_add_tail(id_bucket(tree, folder->id), &folder->by_id);
	list_add_tail(name_bucket(tree, parent, slot, name), &folder->by_name);
	return folder;
}

void tree_folder_remove(struct tree *tree, struct tree_folder *folder)
{
	struct list *node, *next;

	list_for_each (&folder->children, node, next)
		tree_folder_remove(tree, list_entry(node, struct tree_folder, sibling));
	list_del(&folder->sibling);
	list_del(&folder->by_id);
	list_del(&folder->by_name);
	list_del(&folder->by_object);
	for (unsigned i = 0; i < TREE_NOTES; i++)
		free(folder->notes[i]);
	free(folder->name);
	free(folder);
}

/* Returns the folder of the HBA for the name of a storage object, "user_0/disk". Sets *name to "disk". */
static struct tree_folder *hba_of(struct tree *tree, const char **name)
{
	const char *slash = strchr(*name, '/');
	char hba[64];

	if (!slash || (size_t)(slash - *name) >= sizeof(hba))
		return NULL;
	memcpy(hba, *name, (size_t)(slash - *name));
	hba[slash - *name] = '\0';
	*name = slash + 1;
	struct tree_folder *folder = find_by_name(tree, tree->root, TREE_ROOT_CORE, hba);
	return folder ? folder : tree_folder_new(tree, tree->root, TREE_ROOT_CORE, hba);
}

struct tree_folder *tree_folder_of(struct tree *tree, struct model_object *object)
{
	struct tree_folder *folder = find_by_object(tree, object), *parent;
	enum tree_kind kind = tree_kind_of(model_kind(object));
	char portal[MODEL_PORTAL_SIZE];
	const char *name =
	    kind == TREE_PORTAL ? model_portal_to_lio(model_name(object), portal) : model_name(object);

	if (folder)
		return folder;
	parent = kind == TREE_DEVICE ? hba_of(tree, &name) : tree_folder_of(tree, model_parent(object));
	if (!parent)
		return NULL;
	folder = find_by_name(tree, parent, tree_slot_of(kind), name);
	if (!folder)
		folder = tree_folder_new(tree, parent, tree_slot_of(kind), name);
	if (!folder)
		return NULL;
	attach(tree, folder, object);
	return folder;
}

/* --- following the model ---------------------------------------------------------------------- */

static void remove_empty_hba(struct tree *tree, struct tree_folder *folder)
{
	if (folder->kind == TREE_HBA && !folder->made && list_empty(&folder->children))
		tree_folder_remove(tree, folder);
}

static void on_deleted(struct tree *tree, struct model_object *object)
{
	struct tree_folder *folder = find_by_object(tree, object), *parent;

	if (!folder)
		return;
	if (folder->made) { /* This is a LUN whose link was removed. rmdir removes the folder. */
		list_del(&folder->by_object);
		folder->object = NULL;
		return;
	}
	parent = folder->parent;
	tree_folder_remove(tree, folder);
	remove_empty_hba(tree, parent);
}

static void on_model_event(struct model_watch *watch, enum model_event event, struct model_object *object)
{
	struct tree *tree = container_of(watch, struct tree, watch);

	if (event == MODEL_DELETED)
		on_deleted(tree, object);
	else if (event == MODEL_CREATED && !tree_folder_of(tree, object))
		log_err(model_name(object), "the tree does not show it: out of memory");
}

static int add_below(struct tree *tree, struct model_object *object)
{
	for (unsigned kind = MODEL_STORAGE; kind < MODEL_KINDS; kind++) {
		struct model_object *child = model_first(object, (enum model_kind)kind);

		for (; child; child = model_next(child))
			if (!tree_folder_of(tree, child) || add_below(tree, child))
				return -ENOMEM;
	}
	return 0;
}

int tree_folders_init(struct tree *tree)
{
	for (unsigned i = 0; i < TREE_BUCKETS; i++) {
		list_init(&tree->by_id[i]);
		list_init(&tree->by_name[i]);
		list_init(&tree->by_object[i]);
	}
	tree->root = calloc(1, sizeof(*tree->root));
	if (!tree->root || tree_set_string(&tree->root->name, ""))
		return -ENOMEM;
	tree->root->kind = TREE_ROOT;
	list_init(&tree->root->children);
	list_init(&tree->root->sibling);
	list_init(&tree->root->by_name);
	list_add_tail(id_bucket(tree, 0), &tree->root->by_id);
	attach(tree, tree->root, model_root(tree->model));
	tree->watch.fn = on_model_event;
	model_watch(tree->model, &tree->watch);
	return add_below(tree, tree->root->object);
}

void tree_folders_free(struct tree *tree)
{
	if (!tree->root)
		return;
	if (tree->watch.fn)
		model_unwatch(&tree->watch);
	tree_folder_remove(tree, tree->root);
}
