/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of attributes as JSON. A value of the type MODEL_BOOL is true or false, a MODEL_NUMBER is a number,
 * and all other types are text. A secret is never shown: in its place there is an object that says whether
 * the secret is set. Main thread.
 */
#ifndef CONTROL_SOCKET_VALUES_H
#define CONTROL_SOCKET_VALUES_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

#include "control_socket/call.h"
#include "model/attribute.h"

/* Returns a node for the object, and takes over the reference. */
JsonNode *control_object_node(JsonObject *object);
/* Sets a member to text from any source. Bytes that are not UTF-8 are replaced. NULL is the same as "". */
void control_set_text(JsonObject *object, const char *member, const char *text);

/* Returns whether the node is text, an integer, true or false. */
bool control_value_is(JsonNode *node);
/* Returns the value in the form that model_set() takes. The caller frees the text with g_free(). */
char *control_value_text(JsonNode *node);
/* Returns a description of the type, such as "a text" or "a number". */
const char *control_param_type_text(enum control_param_type type);

/*
 * Returns the name of the attribute with its group, "attrib/authentication", or without a group if it is in
 * none, "write_protect". The caller frees it with g_free().
 */
char *control_attribute_name(const struct model_attribute *attribute);
/* Finds an attribute by this name. Returns NULL with error set if the kind has no such attribute. */
const struct model_attribute *control_attribute_find(enum model_kind kind, const char *name,
						     struct error *error);
/*
 * Returns whether values of an attribute of this name may be written to the log: such an attribute exists,
 * and is a secret in no kind of object.
 */
bool control_attribute_is_public(const char *name);
/* Returns the value of an attribute. The caller frees it with json_node_unref(). */
JsonNode *control_attribute_value(const struct model_object *object, const struct model_attribute *attribute);
/* Returns whether text is equal to the value of the attribute. */
bool control_attribute_equals(const struct model_object *object, const struct model_attribute *attribute,
			      const char *text);
/* Returns an object with the names and values of all attributes. */
JsonObject *control_attributes(const struct model_object *object);
#endif
