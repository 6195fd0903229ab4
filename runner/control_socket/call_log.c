/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Describes calls for the log. The value of an attribute is written to the log only if the table of
 * attributes has the attribute and does not mark it as a secret, so that a secret with a misspelled name is
 * not written either.
 */
#include "control_socket/call_log.h"

#include "control_socket/values.h"

static void append_value(GString *text, const char *attribute, JsonNode *value)
{
	g_autofree char *shown = control_value_text(value);

	g_string_append_printf(text, " %s=%s", attribute,
			       control_attribute_is_public(attribute) ? shown : "(hidden)");
}

static void append_values(GString *text, JsonObject *values)
{
	JsonObjectIter iter;
	const char *name;
	JsonNode *value;

	json_object_iter_init_ordered(&iter, values);
	while (json_object_iter_next_ordered(&iter, &name, &value))
		append_value(text, name, value);
}

char *control_call_describe(const struct control_call *call)
{
	GString *text = g_string_new(call->method->name);
	const char *attribute = NULL;

	for (const struct control_param *param = call->method->params; param->name; param++) {
		JsonNode *node = control_call_value(call, param->name);

		if (!node)
			continue;
		if (param->type == CONTROL_VALUES) {
			append_values(text, json_node_get_object(node));
		} else if (param->type == CONTROL_ATTRIBUTE) {
			/* The value of this attribute is the next parameter. */
			attribute = json_node_get_string(node);
		} else if (param->type == CONTROL_VALUE) {
			append_value(text, attribute ? attribute : param->name, node);
		} else {
			g_autofree char *shown = control_value_text(node);

			g_string_append_printf(text, " %s=%s", param->name, shown);
		}
	}
	return g_string_free(text, FALSE);
}
