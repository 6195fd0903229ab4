/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies the running model into a tree, attribute by attribute, and joins this tree with the entries of the
 * file. Names of storage objects differ: LIO's folder has the number of an HBA ("user_0/disk"), and the
 * file does not ("user/disk").
 */
#include "config/saveconfig_dump.h"

#include <string.h>

#include "config/saveconfig_keys.h"
#include "config/saveconfig_numbers.h"
#include "config/saveconfig_read.h"
#include "config/saveconfig_secrets.h"

/* --- names --- */

/*
 * Returns the name in the file, "user/disk", for the name in the model, "user_0/disk". If LIO has no such
 * folder, the plugin is "user". The caller frees the name.
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

/*
 * Returns the name of the model's object that a restore has created for this entry of a file or, if the file
 * was not applied, would create at a start. Returns NULL if the entry has no usable name. The caller frees
 * it.
 */
static char *object_name_of(const struct config_node *storage)
{
	return storage->object ? g_strdup(storage->object) : config_storage_object_name(storage);
}

/*
 * Returns the entry of the file for the model's object of this name, or NULL. The names of several entries
 * can be the same, because an entry without a number of its own gets its position as the number of the HBA.
 * An entry whose settings have the name (saveconfig_read_own_name()) takes precedence.
 */
static struct config_node *find_entry(const struct config_node *file, const char *object)
{
	struct config_node *child, *without_own_name = NULL;

	for (guint i = 0; (child = config_node_child(file, i)); i++) {
		if (child->kind != MODEL_STORAGE || child->is_stray)
			continue;
		g_autofree char *name = child->object ? NULL : config_storage_object_name(child);

		if (g_strcmp0(child->object ? child->object : name, object) != 0)
			continue;
		if (saveconfig_read_own_name(child))
			return child;
		without_own_name = without_own_name ? without_own_name : child;
	}
	return without_own_name;
}

/* Returns a table of the entries that find_entry() finds, by the names of their objects. */
static GHashTable *index_objects(const struct config_node *file)
{
	GHashTable *index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct config_node *child;

	for (guint i = 0; (child = config_node_child(file, i)); i++) {
		char *name = child->kind == MODEL_STORAGE && !child->is_stray ? object_name_of(child) : NULL;

		if (name && (!g_hash_table_contains(index, name) || saveconfig_read_own_name(child)))
			g_hash_table_insert(index, name, child);
		else
			g_free(name);
	}
	return index;
}

struct config_node *saveconfig_node_of(const struct config_node *root, const struct model_object *object)
{
	if (!model_parent(object))
		return (struct config_node *)root;
	const struct config_node *parent = saveconfig_node_of(root, model_parent(object));

	if (!parent || model_kind(object) != MODEL_STORAGE)
		return parent ? config_node_find(parent, model_kind(object), model_name(object)) : NULL;
	struct config_node *node = find_entry(root, model_name(object));
	g_autofree char *name = name_of_storage(model_name(object));

	if (!node)
		node = config_node_find(root, MODEL_STORAGE, name);
	return node && (!node->object || !strcmp(node->object, model_name(object))) ? node : NULL;
}

/* --- names of storage objects in a tree --- */

/*
 * Two HBAs can have storage objects of the same name, as "user_0/disk" and "user_1/disk", and a file cannot
 * have "user/disk" twice. An object that has an entry in the file keeps the name of the entry. Of the other
 * objects, the first one is called "user/disk", and the next one "user/disk.1" after the number of its HBA.
 */
struct naming {
	struct model *model;
	const struct config_node *file;
	/* The names in the tree, by the names of the model's objects. */
	GHashTable *names;
	/* The set of the names in the tree. */
	GHashTable *taken;
};

static void claim(struct naming *naming, const struct model_object *object, char *name)
{
	g_hash_table_insert(naming->names, g_strdup(model_name(object)), name);
	g_hash_table_add(naming->taken, name);
}

static void claim_entries(struct naming *naming)
{
	struct model_object *object = model_first(model_root(naming->model), MODEL_STORAGE);
	g_autoptr(GHashTable) index = index_objects(naming->file);

	for (; object; object = model_next(object)) {
		const struct config_node *node = g_hash_table_lookup(index, model_name(object));

		if (node && !g_hash_table_contains(naming->taken, node->name))
			claim(naming, object, g_strdup(node->name));
	}
}

/* Returns a name that neither the tree nor the file has. */
static char *new_name(const struct naming *naming, const struct model_object *object, const char *plain)
{
	guint number = 0;

	config_object_hba(model_name(object), &number);
	char *name = g_strdup_printf("%s.%u", plain, number);

	for (unsigned i = 2; g_hash_table_contains(naming->taken, name) ||
			     config_node_find(naming->file, MODEL_STORAGE, name);
	     i++)
		config_set_text(&name, "%s.%u-%u", plain, number, i);
	return name;
}

/*
 * Gives a name in the tree to each object that does not have one yet. If is_plain is true, the name is
 * "PLUGIN/NAME", and objects for which this name is taken are passed over.
 */
static void claim_others(struct naming *naming, bool is_plain)
{
	struct model_object *object = model_first(model_root(naming->model), MODEL_STORAGE);

	for (; object; object = model_next(object)) {
		g_autofree char *plain = name_of_storage(model_name(object));

		if (g_hash_table_contains(naming->names, model_name(object)))
			continue;
		if (!is_plain)
			claim(naming, object, new_name(naming, object, plain));
		else if (!g_hash_table_contains(naming->taken, plain))
			claim(naming, object, g_steal_pointer(&plain));
	}
}

static const char *name_of(const struct naming *naming, const struct model_object *object)
{
	return model_kind(object) == MODEL_STORAGE ? g_hash_table_lookup(naming->names, model_name(object))
						   : model_name(object);
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

/* Attributes that are read-only here are copied if programs can write them in LIO's configfs. */
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
		struct config_value *value = config_node_set(
		    node, attribute, config_text_in_tree(attribute, model_get(object, attribute, text)));

		value->is_unset = attribute->flags & MODEL_READ_ONLY || !model_is_set(object, attribute);
	}
	explicit_bzero(text, MODEL_TEXT_SIZE);
}

/*
 * Copies the effective values of attributes that nobody has set, because LIO needs some of them in the file,
 * for example the size.
 */
static void copy_effective_values(const struct model_object *object, struct config_node *node)
{
	g_autofree char *text = g_malloc(MODEL_TEXT_SIZE);
	const struct config_key *key;

	for (unsigned i = 0; (key = config_key_at(node, i)); i++) {
		const struct model_attribute *effective = config_key_effective(key);
		struct config_value *value =
		    effective ? config_node_value(node, config_key_attribute(key)) : NULL;

		if (!value)
			continue;
		if (!config_text_is_same(value->attribute, value->text, value->attribute->fallback))
			continue;
		config_node_set(node, value->attribute, model_get(object, effective, text))->is_unset = true;
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
	enum storage_status status = storage_status(model_storage(object));
	struct storage_view view;

	storage_view(model_storage(object), &view);
	node->is_served = status == STORAGE_SERVED || status == STORAGE_CONTENTS_LOST;
	node->object = g_strdup(model_name(object));
	node->is_in_memory = view.is_in_memory;
}

static void dump_children(const struct naming *naming, struct model_object *parent, struct config_node *node);

static void dump(const struct naming *naming, struct model_object *object, struct config_node *parent)
{
	struct config_node *node = config_node_new(parent, model_kind(object), name_of(naming, object));

	node->enable = model_is_enabled(object);
	if (node->kind == MODEL_STORAGE)
		copy_storage(object, node);
	if (model_to(object))
		node->to = g_strdup(name_of(naming, model_to(object)));
	copy_values(object, node);
	copy_effective_values(object, node);
	dump_children(naming, object, node);
}

static void dump_children(const struct naming *naming, struct model_object *parent, struct config_node *node)
{
	for (unsigned kind = MODEL_STORAGE; kind < MODEL_KINDS; kind++)
		for (struct model_object *child = model_first(parent, kind); child; child = model_next(child))
			if (is_dumped(child))
				dump(naming, child, node);
}

struct config_node *saveconfig_dump(struct model *model, const struct config_node *file)
{
	struct config_node *root = config_node_new(NULL, MODEL_ROOT, "");
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
	struct naming naming = {model, file, names, taken};

	claim_entries(&naming);
	claim_others(&naming, true);
	claim_others(&naming, false);
	copy_values(model_root(model), root);
	dump_children(&naming, model_root(model), root);
	return root;
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
 * Returns whether initiators may get more access because this entry cannot be restored. Without its ACL, an
 * initiator may be accepted as one that needs no ACL. A LUN that still exists may allow more than its entry.
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

/* --- combining the model with the file --- */

/* Returns whether the model still has the value that it kept when it refused the file's value. */
static bool is_still_refused(const struct config_value *refused, const struct config_value *value)
{
	if (!refused->problem || !value)
		return false;
	return refused->running ? !strcmp(refused->running, value->text) : value->is_unset;
}

static void merge_values(struct config_node *running, const struct config_node *file)
{
	for (guint i = 0; i < file->values->len; i++) {
		const struct config_value *refused = g_ptr_array_index(file->values, i);
		struct config_value *value = config_node_value(running, refused->attribute);

		if (!is_still_refused(refused, value))
			continue;
		config_node_set(running, refused->attribute, refused->text)->is_unset = false;
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
	running->may_own_stray_settings = file->may_own_stray_settings;
	if (file->closing_reason && (!running->enable || file->is_permanent)) {
		config_set_text(&running->closing_reason, "%s", file->closing_reason);
		running->is_permanent = file->is_permanent;
		running->is_enabled_by_user = running->enable;
		running->enable = running->enable || file->enable;
	}
	merge_values(running, file);
}

/*
 * Saves the TPG of the object as disabled. A save writes the present values of the object over the entry that
 * could not be applied, so the next restore would not find a reason to keep the TPG disabled.
 */
static void keep_disabled(struct config_node *tpg)
{
	while (tpg && tpg->kind != MODEL_TPG)
		tpg = tpg->parent;
	if (!tpg || !tpg->closing_reason || tpg->is_permanent || tpg->is_enabled_by_user)
		return;
	g_clear_pointer(&tpg->closing_reason, g_free);
	tpg->enable = false;
}

/* Records that the user has enabled the TPG although a restriction in the file could not be applied. */
static void note_enabled_by_user(struct config_node *tpg)
{
	if (tpg->kind != MODEL_TPG || !tpg->enable || tpg->closing_reason)
		return;
	tpg->closing_reason = saveconfig_closing_reason(NULL, tpg);
	tpg->is_enabled_by_user = tpg->closing_reason != NULL;
}

/*
 * Returns the running object of the entry, or NULL. If the entry is stray, its settings belong to an object
 * of this name that was created since, unless the file describes the object under another spelling of its
 * name.
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
		/* The disk may allow more than its entry, so the entry is saved and not the disk. */
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
	note_enabled_by_user(running);
}

bool saveconfig_has_value(const struct model_object *object, const struct model_attribute *attribute,
			  const char *wanted)
{
	g_autofree char *text = g_malloc(MODEL_TEXT_SIZE);
	bool same =
	    model_is_set(object, attribute) &&
	    config_text_is_same(attribute, model_get(object, attribute, text), config_secret_reveal(wanted));

	explicit_bzero(text, MODEL_TEXT_SIZE);
	return same;
}
