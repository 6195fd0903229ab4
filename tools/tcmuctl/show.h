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
 * Members of an object; a member that is missing counts as "", 0 or false. The text is to be freed
 * with g_free().
 */
char *show_text(JsonObject *json, const char *member);
gint64 show_number(JsonObject *json, const char *member);
gboolean show_flag(JsonObject *json, const char *member);
/* The text as it is, for comparisons; valid as long as the object. */
const char *show_raw(JsonObject *json, const char *member);
/* Returns whether the member "kind" is this kind. */
gboolean show_has_kind(JsonObject *json, const char *kind);
/* The i-th text of an array, to be freed with g_free(). */
char *show_element(JsonArray *array, guint i);
/* Returns NULL if there is none. */
JsonArray *show_array(JsonObject *json, const char *member);

/* "10.0 GiB", "512 B"; to be freed with g_free(). */
char *show_size(uint64_t bytes);
/* The size of a disk; to be freed with g_free(). No size is known while its storage is not open. */
char *show_disk_size(JsonObject *disk);
/* "2 d 3 h", "5 min 10 s"; to be freed with g_free(). */
char *show_age(uint64_t seconds);
/* The value of an attribute; "(set)" or "(not set)" for a secret. To be freed with g_free(). */
char *show_value(JsonNode *value);
/* Prints the texts of the member "lines", each on one line. */
void show_lines(JsonObject *json, FILE *file);
#endif
