/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies the running model into a tree, attribute by attribute, and joins this tree with the entries of the
 * file. Names of storage objects differ: LIO's folder has the number of an HBA ("user_0/disk"), and the
 * file does not ("user/disk").
 */
#include "config/saveconfig_dump.h"

#include <errno.h>
#include <string.h>

#include "config/saveconfig_keys.h"

/* --- names --- */

/*
 * "user/disk" for "user_0/disk". A folder that is not LIO's is taken for one of the plugin user. The caller
 * frees it.
 */
static char *name_of_storage(const char *object)
{
	const char *slash = strchr(object, '/');
	const char *name = slash ? slash + 1 : object;
	g_autofree char *folder = g_strndup(object, (gsize)(name - object));
	char *number = strrchr(folder, '_');

	if (number)
		*number = '\0';
	const char *plugin = config_plugin_of_folder(folder);

	return g_strconcat(plugin ? plugin : "user", "/", name, NULL);
}

static char *name_of(const struct model_object *object)
{
	return model_kind(object) == MODEL_STORAGE ? name_of_storage(model_name(object))
						   : g_strdup(model_name(object));
}

struct config_node *saveconfig_node_of(const struct config_node *root, const struct model_object *object)
{
	if (!model_parent(object))
		return (struct config_node *)root;
	const struct config_node *parent = saveconfig_node_of(root, model_parent(object));
	g_autofree char *name = name_of(object);

	return parent ? config_node_find(parent, model_kind(object), name) : NULL;
}

struct model_object *saveconfig_storage_named(struct model *model, const char *name)
{
	struct model_object *object = model_first(model_root(model), MODEL_STORAGE);

	for (; object; object = model_next(object)) {
		g_autofree char *own = name_of_storage(model_name(object));

		if (!strcmp(own, name))
			return object;
	}
	return NULL;
}

struct model_object *saveconfig_object_of(struct model *model, const struct config_node *node)
{
	if (!node->parent)
		return model_root(model);
	struct model_object *parent = saveconfig_object_of(model, node->parent);
	const char *name = node->kind == MODEL_STORAGE ? node->object : node->name;

	return parent && name ? model_find(parent, node->kind, name) : NULL;
}

/* --- values --- */

/* Values that can only be read are saved if LIO's configfs can write them. */
static bool is_copied(const struct model_attribute *attribute)
{
	return config_attribute_is_saved(attribute) ||
	       (attribute->kind == MODEL_STORAGE && !strcmp(attribute->group, "attrib"));
}

static void copy_values(const struct model_object *object, struct config_node *node)
{
	const struct model_attribute *attribute;
	g_autofree char *text = g_malloc(MODEL_TEXT_SIZE);

	for (unsigned i = 0; (attribute = model_attribute_at(node->kind, i)); i++) {
		if (!is_copied(attribute))
			continue;
		struct config_value *value =
		    config_node_set(node, attribute, model_get(object, attribute, text));

		value->is_shown = attribute->flags & MODEL_READ_ONLY || !model_is_set(object, attribute);
	}
	explicit_bzero(text, MODEL_TEXT_SIZE);
}

/*
 * If the model has no value of its own, the file gets the value that is in effect, because LIO needs a size,
 * for example.
 */
static void copy_effective_values(const struct model_object *object, struct config_node *node)
{
	g_autofree char *text = g_malloc(MODEL_TEXT_SIZE);
	const struct config_key *key;

	for (unsigned i = 0; (key = config_key_at(node, i)); i++) {
		const struct model_attribute *shown = config_key_shown(key);
		struct config_value *value =
		    shown ? config_node_value(node, config_key_attribute(key)) : NULL;

		if (!value)
			continue;
		if (!config_text_is_same(value->attribute, value->text, value->attribute->fallback))
			continue;
		config_node_set(node, value->attribute, model_get(object, shown, text))->is_shown = true;
	}
}

/* --- objects --- */

static bool is_dumped(const struct model_object *object)
{
	if (model_kind(object) != MODEL_STORAGE)
		return true;
	enum storage_status status = storage_status(model_storage(object));

	return status != STORAGE_CONFIGURED && status != STORAGE_REMOVING;
}

static void copy_storage(const struct model_object *object, struct config_node *node)
{
	struct storage_view view;

	storage_view(model_storage(object), &view);
	node->object = g_strdup(model_name(object));
	node->is_in_memory = view.is_in_memory;
}

static int dump_children(struct model_object *parent, struct config_node *node, struct error *error);

static int dump(struct model_object *object, struct config_node *parent, struct error *error)
{
	g_autofree char *name = name_of(object);
	struct config_node *same = config_node_find(parent, model_kind(object), name);

	if (same)
		return error_set(
		    error, EEXIST,
		    "%s and %s have the same name for LIO, so a file cannot hold both; delete one of them",
		    same->object, model_name(object));
	struct config_node *node = config_node_new(parent, model_kind(object), name);

	node->enable = model_is_enabled(object);
	if (node->kind == MODEL_STORAGE)
		copy_storage(object, node);
	if (model_to(object))
		node->to = name_of(model_to(object));
	copy_values(object, node);
	copy_effective_values(object, node);
	return dump_children(object, node, error);
}

static int dump_children(struct model_object *parent, struct config_node *node, struct error *error)
{
	int err = 0;

	for (unsigned kind = MODEL_STORAGE; kind < MODEL_KINDS; kind++)
		for (struct model_object *child = model_first(parent, kind); child && !err;
		     child = model_next(child))
			if (is_dumped(child))
				err = dump(child, node, error);
	return err;
}

struct config_node *saveconfig_dump(struct model *model, struct error *error)
{
	struct config_node *root = config_node_new(NULL, MODEL_ROOT, "");

	copy_values(model_root(model), root);
	if (!dump_children(model_root(model), root, error))
		return root;
	config_node_free(root);
	return NULL;
}

/* --- closed TPGs --- */

static char *closing_value(const struct config_node *node)
{
	for (guint i = 0; i < node->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(node->values, i);

		if (value->problem && config_attribute_closes(node, value->attribute))
			return g_strdup_printf("%s cannot be set: %s", value->attribute->name,
					       value->problem);
	}
	return NULL;
}

/*
 * Returns whether an entry that cannot be restored may give more access: without its ACL, an initiator may
 * count as one that needs none, and a LUN that is still there may be one that the file restricts.
 */
static bool closes(struct model *model, const struct config_node *node)
{
	return node->kind == MODEL_ACL || ((node->kind == MODEL_LUN || node->kind == MODEL_MAPPED_LUN) &&
					   model && saveconfig_object_of(model, node));
}

char *saveconfig_closing_reason(struct model *model, const struct config_node *node)
{
	struct config_node *child;
	char *reason = node->problem ? NULL : closing_value(node);

	if (node->problem && !node->is_stray && closes(model, node))
		reason = g_strdup_printf("its %s %s cannot be restored: %s", model_kind_name(node->kind),
					 node->name, node->problem);
	for (guint i = 0; !reason && !node->problem && (child = config_node_child(node, i)); i++)
		reason = saveconfig_closing_reason(model, child);
	return reason;
}

/* --- joining --- */

/* Returns whether a refused value still counts, because no other value was set since. */
static bool is_refused_still(const struct config_value *refused, const struct config_value *value)
{
	if (!refused->problem || !value)
		return false;
	return refused->running ? !strcmp(refused->running, value->text) : value->is_shown;
}

static void merge_values(struct config_node *running, const struct config_node *file)
{
	for (guint i = 0; i < file->values->len; i++) {
		const struct config_value *refused = g_ptr_array_index(file->values, i);
		struct config_value *value = config_node_value(running, refused->attribute);

		if (!is_refused_still(refused, value))
			continue;
		config_node_set(running, refused->attribute, refused->text)->is_shown = false;
		value->problem = g_strdup(refused->problem);
		value->running = g_strdup(refused->running);
	}
}

static void merge_node(struct config_node *running, const struct config_node *file)
{
	running->raw = file->raw ? json_node_ref(file->raw) : NULL;
	running->ours = file->ours ? json_object_ref(file->ours) : NULL;
	running->line = file->line;
	running->place = g_strdup(file->place);
	running->is_candidate = file->is_candidate;
	if (file->closed && (!running->enable || file->is_unusable)) {
		config_set_text(&running->closed, "%s", file->closed);
		running->is_unusable = file->is_unusable;
		running->is_opened = running->enable;
		running->enable = running->enable || file->enable;
	}
	merge_values(running, file);
}

/*
 * The saved file has the present values of the object, so it no longer shows why the TPG was closed. The TPG
 * is therefore saved as disabled.
 */
static void keep_disabled(struct config_node *tpg)
{
	while (tpg && tpg->kind != MODEL_TPG)
		tpg = tpg->parent;
	if (!tpg || !tpg->closed || tpg->is_unusable || tpg->is_opened)
		return;
	g_clear_pointer(&tpg->closed, g_free);
	tpg->enable = false;
}

/* The user has enabled a TPG although something in the file that may restrict it could not be applied. */
static void note_opened(struct config_node *tpg)
{
	if (tpg->kind != MODEL_TPG || !tpg->enable || tpg->closed)
		return;
	tpg->closed = saveconfig_closing_reason(NULL, tpg);
	tpg->is_opened = tpg->closed != NULL;
}

/*
 * Returns the running object of the entry, or NULL. Settings that the file had without their object belong to
 * an object that was created since, unless the file had the object under another spelling of its name.
 */
static struct config_node *twin_of_entry(const struct config_node *running, const struct config_node *entry)
{
	bool has_spellings = entry->is_stray && (entry->kind == MODEL_TARGET || entry->kind == MODEL_ACL);
	g_autofree char *name = has_spellings ? g_ascii_strdown(entry->name, -1) : g_strdup(entry->name);

	if (has_spellings && config_node_find(entry->parent, entry->kind, name))
		return NULL;
	return config_node_find(running, entry->kind, name);
}

void saveconfig_merge(struct config_node *running, const struct config_node *file)
{
	const struct config_node *entry;

	merge_node(running, file);
	for (guint i = 0; (entry = config_node_child(file, i)); i++) {
		struct config_node *twin = twin_of_entry(running, entry);

		if (entry->is_forgotten)
			continue;
		/* What the file says of this disk may be less than what the disk allows now. */
		if (twin && entry->is_withheld) {
			config_node_remove(twin);
			twin = NULL;
		}
		/* An object whose entry could not be applied is saved with its present values. */
		if (twin && !entry->problem)
			saveconfig_merge(twin, entry);
		else if (twin)
			keep_disabled(twin);
		else if (entry->problem)
			config_node_move(config_node_copy(entry, running), i);
	}
	note_opened(running);
}
