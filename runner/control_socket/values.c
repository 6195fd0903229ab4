/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Converts between the texts of the table of attributes and JSON. The model decides which values are valid.
 */
#include "control_socket/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control_socket/object_path.h"

bool control_value_is(JsonNode *node)
{
	if (!JSON_NODE_HOLDS_VALUE(node))
		return false;

	GType type = json_node_get_value_type(node);

	return type == G_TYPE_STRING || type == G_TYPE_INT64 || type == G_TYPE_BOOLEAN;
}

char *control_value_text(JsonNode *node)
{
	GType type = json_node_get_value_type(node);

	if (type == G_TYPE_STRING)
		return g_strdup(json_node_get_string(node));
	if (type == G_TYPE_BOOLEAN)
		return g_strdup(json_node_get_boolean(node) ? "1" : "0");
	return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
}

const char *control_param_type_text(enum control_param_type type)
{
	static const char *const texts[] = {
	    [CONTROL_TEXT] = "a text",
	    [CONTROL_NUMBER] = "a number that is not negative",
	    [CONTROL_FLAG] = "true or false",
	    [CONTROL_ATTRIBUTE] = "a text",
	    [CONTROL_VALUE] = "a text, a number, true or false",
	    [CONTROL_VALUES] = "an object of texts, numbers, true and false",
	};

	return texts[type];
}

char *control_attribute_name(const struct model_attribute *attribute)
{
	return g_strconcat(attribute->group, *attribute->group ? "/" : "", attribute->name, NULL);
}

static const struct model_attribute *find(enum model_kind kind, const char *name)
{
	const struct model_attribute *attribute;

	for (unsigned i = 0; (attribute = model_attribute_at(kind, i)); i++) {
		g_autofree char *full = control_attribute_name(attribute);

		if (!strcmp(full, name))
			return attribute;
	}
	return NULL;
}

const struct model_attribute *control_attribute_find(enum model_kind kind, const char *name,
						     struct error *error)
{
	const struct model_attribute *attribute = find(kind, name), *similar;

	if (attribute)
		return attribute;
	for (unsigned i = 0; (similar = model_attribute_at(kind, i)); i++)
		if (!strcmp(similar->name, name))
			break;
	if (similar) {
		g_autofree char *full = control_attribute_name(similar);

		error_set(error, ENOENT, "a %s has no attribute \"%.60s\"; it is called %s",
			  model_kind_name(kind), name, full);
	} else {
		error_set(error, ENOENT, "%s%s has no attribute \"%.60s\"; \"get\" lists its attributes",
			  kind == MODEL_ROOT ? "" : "a ", kind == MODEL_ROOT ? "/" : model_kind_name(kind),
			  name);
	}
	return NULL;
}

bool control_attribute_is_public(const char *name)
{
	bool found = false;

	for (int kind = 0; kind < MODEL_KINDS; kind++) {
		const struct model_attribute *attribute = find((enum model_kind)kind, name);

		if (attribute && attribute->type == MODEL_SECRET)
			return false;
		found |= attribute != NULL;
	}
	return found;
}

JsonNode *control_object_node(JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, object);
	return node;
}

void control_set_text(JsonObject *object, const char *member, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);

	json_object_set_string_member(object, member, valid);
}

static JsonNode *secret_value(bool is_set)
{
	JsonObject *object = json_object_new();

	json_object_set_boolean_member(object, "is_set", is_set);
	return control_object_node(object);
}

JsonNode *control_attribute_value(const struct model_object *object, const struct model_attribute *attribute)
{
	char text[MODEL_TEXT_SIZE];
	gint64 number;

	model_get(object, attribute, text);
	if (attribute->type == MODEL_SECRET) {
		bool is_set = *text;

		explicit_bzero(text, sizeof(text));
		return secret_value(is_set);
	}
	if (attribute->type == MODEL_BOOL)
		return json_node_init_boolean(json_node_alloc(), !strcmp(text, "1"));
	/* JSON numbers are limited to the numbers that json-glib can represent. */
	if (attribute->type == MODEL_NUMBER &&
	    g_ascii_string_to_signed(text, 10, 0, G_MAXINT64, &number, NULL))
		return json_node_init_int(json_node_alloc(), number);

	g_autofree char *valid = g_utf8_make_valid(text, -1);

	return json_node_init_string(json_node_alloc(), valid);
}

bool control_attribute_equals(const struct model_object *object, const struct model_attribute *attribute,
			      const char *text)
{
	char now[MODEL_TEXT_SIZE];
	guint64 wanted, is;

	if (model_attribute_unsets(attribute, text))
		return !model_is_set(object, attribute);
	model_get(object, attribute, now);
	if (attribute->type == MODEL_NUMBER &&
	    g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &wanted, NULL) &&
	    g_ascii_string_to_unsigned(now, 10, 0, G_MAXUINT64, &is, NULL))
		return wanted == is;
	return !strcmp(now, text);
}

JsonObject *control_attributes(const struct model_object *object)
{
	JsonObject *values = json_object_new();
	const struct model_attribute *attribute;

	for (unsigned i = 0; (attribute = model_attribute_at(model_kind(object), i)); i++) {
		g_autofree char *name = control_attribute_name(attribute);

		json_object_set_member(values, name, control_attribute_value(object, attribute));
	}
	return values;
}
