/* SPDX-License-Identifier: Apache-2.0 */
/* Creates the objects of a file. Objects below it, and most values, are other steps. */
#include "config/saveconfig_create.h"

#include "config/saveconfig_dump.h"

/* Returns the object to which a LUN or a mapped LUN leads, or NULL with error set. */
static struct model_object *destination(struct model *model, const struct config_node *node,
					struct error *error)
{
	const struct config_node *root = node->parent;

	if (node->kind == MODEL_LUN)
		while (root->parent)
			root = root->parent;
	else
		root = root->parent;
	const struct config_node *to =
	    config_node_find(root, node->kind == MODEL_LUN ? MODEL_STORAGE : MODEL_LUN, node->to);
	struct model_object *object = to ? saveconfig_object_of(model, to) : NULL;

	if (!object && to && to->problem)
		error_set(error, 0, "%s, to which it leads, has an entry that cannot be used", node->to);
	else if (!object)
		error_set(error, 0, "%s, to which it leads, does not exist", node->to);
	return object;
}

/* Creates a LUN or a mapped LUN with the values that protect it. Its other values are set later. */
static struct model_object *create_lun(struct config_node *node, struct model_object *parent,
				       struct model_object *to, struct error *error)
{
	g_autofree struct model_setting *settings = g_new0(struct model_setting, node->values->len + 1);
	unsigned n = 0;

	for (guint i = 0; i < node->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(node->values, i);

		if (!(value->attribute->flags & MODEL_VISITS_LOOPS) || value->is_unset)
			continue;
		if (!value->is_unreadable) {
			settings[n++] = (struct model_setting){value->attribute, value->text};
		} else if (node->kind == MODEL_MAPPED_LUN) {
			error_set(error, 0, "%s cannot be set: %s", value->attribute->name, value->problem);
			return NULL;
		}
	}
	return model_create_lun(parent, node->kind, node->name, to, settings, n, error);
}

static struct model_object *create_object(struct config_node *node, struct model_object *parent,
					  struct model_object *to, struct error *error)
{
	return to ? create_lun(node, parent, to, error)
		  : model_create(parent, node->kind, node->object ? node->object : node->name, NULL, error);
}

/* Returns whether another administrator has created the object meanwhile. Later steps set its values. */
static bool is_there(struct model *model, const struct config_node *node, const struct model_object *to)
{
	const struct model_object *object = saveconfig_object_of(model, node);

	return object && (!to || model_to(object) == to);
}

void saveconfig_create(struct model *model, struct config_node *node)
{
	struct model_object *parent = saveconfig_object_of(model, node->parent), *to = NULL;
	struct error error = {"the object to which it belongs does not exist"};
	bool leads = node->kind == MODEL_LUN || node->kind == MODEL_MAPPED_LUN;

	g_clear_pointer(&node->problem, g_free);
	if (node->kind == MODEL_STORAGE && model_find(parent, node->kind, node->object)) {
		config_set_text(
		    &node->problem,
		    "the previous storage object of this name cannot be deleted, because it is in use");
		return;
	}
	if (leads)
		to = destination(model, node, &error);
	if (!parent || (leads && !to) ||
	    (!create_object(node, parent, to, &error) && !is_there(model, node, to)))
		config_set_text(&node->problem, "%s", error.text);
}
