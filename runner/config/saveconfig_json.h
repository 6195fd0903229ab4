/* SPDX-License-Identifier: Apache-2.0 */
/* Parses and prints saveconfig.json, and has functions for JSON values that json-glib lacks. Main thread. */
#ifndef CONFIG_SAVECONFIG_JSON_H
#define CONFIG_SAVECONFIG_JSON_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

#include "util/error.h"

/* A parsed file. */
struct saveconfig_json {
	/* The JSON value of the whole file, which is an object. */
	JsonNode *root;
	/* The number of the line on which an object begins, by JsonObject *. */
	GHashTable *lines;
};

/* The text of a file, in memory of secret_alloc(). A NUL follows the text. */
struct config_text {
	char *text;
	/* The length of the text, and the size of the memory. */
	gsize len, size;
};

/* Overwrites and frees the text, and makes the structure empty. */
void config_text_free(struct config_text *text);

/* The largest text that is parsed, in bytes. */
#define SAVECONFIG_TEXT_MAX (64u << 20)

/*
 * Parses text, which has len bytes and need not end with NUL. Secrets become placeholders
 * (saveconfig_secrets.h). Refuses text that is not an object, is larger than SAVECONFIG_TEXT_MAX or is nested
 * too deeply. Returns 0, or -EINVAL with error set and json empty.
 */
int saveconfig_json_parse(struct saveconfig_json *json, const char *text, gsize len, struct error *error);
void saveconfig_json_free(struct saveconfig_json *json);
/* Returns the line on which the object begins, or 0 if it is unknown. */
unsigned saveconfig_json_line(const struct saveconfig_json *json, JsonObject *object);

/* Returns the member with this name if it has the wanted type, otherwise NULL. */
JsonObject *saveconfig_json_object(JsonObject *object, const char *name);
const char *saveconfig_json_string(JsonObject *object, const char *name);
/*
 * Sets number to the value of the member, which is a number from 0 to max or text that consists of such a
 * number. Returns false if there is no such member.
 */
bool saveconfig_json_number(JsonObject *object, const char *name, guint64 max, guint64 *number);
/*
 * Returns the value as configfs shows it: a boolean is "0" or "1", and a list is the text of its elements,
 * joined with commas. The caller frees the text. Returns NULL if the value is null or an object, or is a list
 * that contains null, an object or another list.
 */
char *saveconfig_json_text(JsonNode *value);
/* Returns a number if the text is a decimal number without leading zeros, otherwise a string. */
JsonNode *saveconfig_json_from_text(const char *text);

/*
 * Returns a copy that shares nothing with the original. If object is NULL, returns a new object without
 * members.
 */
JsonObject *saveconfig_json_copy(JsonObject *object);
/*
 * Sets text to the JSON text of the object. The text contains the secrets in the place of their placeholders.
 * As in the files that rtslib writes, the members of each object are in alphabetic order.
 */
void saveconfig_json_print(JsonObject *object, struct config_text *text);
#endif
