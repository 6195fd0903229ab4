/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text of saveconfig.json, and the few operations on JSON values that json-glib lacks. Main thread. */
#ifndef CONFIG_SAVECONFIG_JSON_H
#define CONFIG_SAVECONFIG_JSON_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

#include "util/error.h"

/* A parsed file. */
struct saveconfig_json {
	/* An object. */
	JsonNode *root;
	/* The line on which an object begins: JsonObject * to its number. */
	GHashTable *lines;
};

/* The text of a file, in memory of secret_alloc(), with a NUL after it. */
struct config_text {
	char *text;
	gsize len, size;
};

/* The structure is empty after that. */
void config_text_free(struct config_text *text);

/* The largest text that is parsed, in bytes. */
#define SAVECONFIG_TEXT_MAX (64u << 20)

/*
 * Parses text, which has len bytes and need not end with NUL. Secrets become placeholders
 * (saveconfig_secrets.h). Refuses text that is not an object, is larger
 * than SAVECONFIG_TEXT_MAX or is nested too deeply. Returns 0, or -EINVAL with error set; json is empty
 * then.
 */
int saveconfig_json_parse(struct saveconfig_json *json, const char *text, gsize len, struct error *error);
void saveconfig_json_free(struct saveconfig_json *json);
/* Returns the line on which the object begins, or 0 if it is unknown. */
unsigned saveconfig_json_line(const struct saveconfig_json *json, JsonObject *object);

/* Returns the member with this name if it has the wanted type, otherwise NULL. */
JsonObject *saveconfig_json_object(JsonObject *object, const char *name);
const char *saveconfig_json_string(JsonObject *object, const char *name);
/* A number that is written as a number or as text, from 0 to max. Returns false if there is none. */
bool saveconfig_json_number(JsonObject *object, const char *name, guint64 max, guint64 *number);
/*
 * Returns a scalar as text, as configfs shows it: a boolean is "0" or "1". A list of scalars is joined with
 * commas. The caller frees the text. Returns NULL if the value is an object, null, or a list with such a
 * value.
 */
char *saveconfig_json_text(JsonNode *value);
/* Returns text that consists of digits as a number, and other text as a string. */
JsonNode *saveconfig_json_from_text(const char *text);

/*
 * Returns a copy that shares nothing with the original. If object is NULL, returns a new object without
 * members.
 */
JsonObject *saveconfig_json_copy(JsonObject *object);
/*
 * Sets text to the text of a file, with the secrets, and with the members of each object in alphabetic order,
 * as rtslib writes it.
 */
void saveconfig_json_print(JsonObject *object, struct config_text *text);
#endif
