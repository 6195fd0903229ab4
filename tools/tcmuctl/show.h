/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of answers as text for people. Names and errors may come from other machines, so control
 * characters are never printed.
 */
#ifndef TCMUCTL_SHOW_H
#define TCMUCTL_SHOW_H

#include <json-glib/json-glib.h>
#include <stdint.h>
#include <stdio.h>

/*
 * These functions return a member of an object; a missing member counts as "", 0 or false. The caller frees
 * the text with g_free().
 */
char *show_text(JsonObject *json, const char *member);
gint64 show_number(JsonObject *json, const char *member);
gboolean show_flag(JsonObject *json, const char *member);
/* Returns the unchanged text, for comparisons. It is valid as long as the object. */
const char *show_raw(JsonObject *json, const char *member);
/* Returns whether the member "kind" is this kind. */
gboolean show_has_kind(JsonObject *json, const char *kind);
/* Returns the i-th text of an array. The caller frees it with g_free(). */
char *show_element(JsonArray *array, guint i);
/* Returns the member if it is an array, otherwise NULL. */
JsonArray *show_array(JsonObject *json, const char *member);

/* Returns a size such as "10.0 GiB" or "512 B". The caller frees it with g_free(). */
char *show_size(uint64_t bytes);
/*
 * Returns the size of a disk, which is unknown while its storage is not open. The caller frees it with
 * g_free().
 */
char *show_disk_size(JsonObject *disk);
/* Returns a time such as "2 d 3 h" or "5 min 10 s". The caller frees it with g_free(). */
char *show_age(uint64_t seconds);
/*
 * Returns the value of an attribute. For a secret, this is "(set)" or "(not set)". The caller frees it with
 * g_free().
 */
char *show_value(JsonNode *value);
/* Prints the texts of the member "lines", each on one line. */
void show_lines(JsonObject *json, FILE *file);
#endif
