/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of attributes as JSON. MODEL_BOOL is true or false, MODEL_NUMBER a number, the others are
 * text. A secret is never shown: it is an object that says whether it is set. Main thread.
 */
#ifndef CONTROL_SOCKET_VALUES_H
#define CONTROL_SOCKET_VALUES_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

#include "control_socket/call.h"
#include "model/attribute.h"

/* Consumes the object. */
JsonNode *control_object_node(JsonObject *object);
/* Sets a member to text of any origin: bytes that are not UTF-8 are replaced. NULL stands for "". */
void control_set_text(JsonObject *object, const char *member, const char *text);

/* Returns whether it is a text, an integer, true or false. */
bool control_value_is(JsonNode *node);
/* Returns the value as text, as model_set() takes it. The caller frees the text with g_free(). */
char *control_value_text(JsonNode *node);
/* "a text", "a number", ... */
const char *control_param_type_text(enum control_param_type type);

/* "attrib/authentication", or "write_protect" if the attribute is in no group. To be freed with g_free(). */
char *control_attribute_name(const struct model_attribute *attribute);
/* Finds an attribute by this name. Returns NULL with error set if the kind has no such attribute. */
const struct model_attribute *control_attribute_find(enum model_kind kind, const char *name,
						     struct error *error);
/*
 * Returns whether values of an attribute of this name may be written to the log: it exists, and is never a
 * secret.
 */
bool control_attribute_is_public(const char *name);
/* The value of an attribute, to be freed with json_node_unref(). */
JsonNode *control_attribute_value(const struct model_object *object, const struct model_attribute *attribute);
/* Returns whether the attribute has the value that text stands for. */
bool control_attribute_equals(const struct model_object *object, const struct model_attribute *attribute,
			      const char *text);
/* Returns all attributes: their names and values. */
JsonObject *control_attributes(const struct model_object *object);
#endif
