/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The method schema: returns the table of methods and the table of attributes as JSON, for programs, for
 * completion in shells, and for the documents.
 */
#include "control_socket/methods.h"
#include "control_socket/object_path.h"
#include "control_socket/values.h"
#include "util/bytes.h"

/* The version increases when something is removed or changes its meaning, but not when something is added. */
#define SCHEMA_VERSION 1

static JsonObject *param_json(const struct control_param *param)
{
	static const char *const types[] = {
	    [CONTROL_TEXT] = "text",      [CONTROL_NUMBER] = "number", [CONTROL_FLAG] = "boolean",
	    [CONTROL_ATTRIBUTE] = "text", [CONTROL_VALUE] = "value",   [CONTROL_VALUES] = "object of values",
	};
	JsonObject *json = json_object_new();

	json_object_set_string_member(json, "name", param->name);
	json_object_set_string_member(json, "type", types[param->type]);
	json_object_set_boolean_member(json, "required", param->required);
	json_object_set_string_member(json, "help", param->help);
	return json;
}

static JsonObject *method_json(const struct control_method *method)
{
	JsonObject *json = json_object_new();
	JsonArray *params = json_array_new();

	for (const struct control_param *param = method->params; param->name; param++)
		json_array_add_object_element(params, param_json(param));
	json_object_set_string_member(json, "name", method->name);
	json_object_set_string_member(json, "help", method->help);
	json_object_set_boolean_member(json, "changes", method->changes);
	json_object_set_array_member(json, "params", params);
	json_object_set_string_member(json, "result", method->result);
	return json;
}

static JsonArray *flags_json(unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
	    {MODEL_READ_ONLY, "read_only"},   {MODEL_BEFORE_USE, "before_use"},
	    {MODEL_NEXT_LOGIN, "next_login"}, {MODEL_OURS, "not_in_lio"},
	    {MODEL_NO_EFFECT, "no_effect"},   {MODEL_NOT_SAVED, "not_saved"},
	};
	JsonArray *json = json_array_new();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			json_array_add_string_element(json, names[i].name);
	return json;
}

static void set_range(JsonObject *json, const struct model_attribute *attribute)
{
	if (attribute->type == MODEL_NUMBER) {
		json_object_set_int_member(json, "min", (gint64)MIN(attribute->min, (uint64_t)G_MAXINT64));
		json_object_set_int_member(json, "max", (gint64)MIN(attribute->max, (uint64_t)G_MAXINT64));
	} else if (attribute->type == MODEL_TEXT || attribute->type == MODEL_SECRET) {
		json_object_set_int_member(json, "max_length", (gint64)attribute->max);
	}
	if (attribute->unset)
		json_object_set_string_member(json, "unset", attribute->unset);
	if (attribute->choices)
		json_object_set_string_member(json, "choices", attribute->choices);
}

static JsonObject *attribute_json(const struct model_attribute *attribute)
{
	static const char *const types[] = {
	    [MODEL_BOOL] = "boolean",  [MODEL_NUMBER] = "number", [MODEL_TEXT] = "text",
	    [MODEL_SECRET] = "secret", [MODEL_YES_NO] = "yes_no", [MODEL_LIST] = "list",
	};
	JsonObject *json = json_object_new();
	g_autofree char *name = control_attribute_name(attribute);

	json_object_set_string_member(json, "kind", object_kind_word(attribute->kind));
	json_object_set_string_member(json, "name", name);
	json_object_set_string_member(json, "type", types[attribute->type]);
	set_range(json, attribute);
	if (attribute->fallback)
		json_object_set_string_member(json, "default", attribute->fallback);
	json_object_set_array_member(json, "flags", flags_json(attribute->flags));
	control_set_text(json, "help", attribute->help);
	return json;
}

void control_method_schema(struct control_call *call)
{
	JsonObject *json = json_object_new();
	JsonArray *methods = json_array_new(), *attributes = json_array_new();
	const struct control_method *method;
	const struct model_attribute *attribute;

	for (unsigned i = 0; (method = control_method_at(i)); i++)
		json_array_add_object_element(methods, method_json(method));
	for (int kind = 0; kind < MODEL_KINDS; kind++)
		for (unsigned i = 0; (attribute = model_attribute_at((enum model_kind)kind, i)); i++)
			json_array_add_object_element(attributes, attribute_json(attribute));
	json_object_set_int_member(json, "version", SCHEMA_VERSION);
	/* If a client sends a batch (JSON-RPC 2.0, section 6), the whole batch is answered with one error. */
	json_object_set_boolean_member(json, "batches", FALSE);
	json_object_set_array_member(json, "methods", methods);
	json_object_set_array_member(json, "attributes", attributes);
	control_call_finish(call, control_object_node(json));
}
