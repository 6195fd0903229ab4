/* SPDX-License-Identifier: Apache-2.0 */
/* Converts JSON to text. The commands and tree.c arrange the texts on the screen. */
#include "tcmuctl/show.h"

#include <string.h>

#include "util/bytes.h"
#include "util/text.h"

const char *show_raw(JsonObject *json, const char *member)
{
	return json_object_get_string_member_with_default(json, member, "");
}

gboolean show_has_kind(JsonObject *json, const char *kind)
{
	return !strcmp(show_raw(json, "kind"), kind);
}

char *show_text(JsonObject *json, const char *member)
{
	char *text = g_strdup(show_raw(json, member));

	text_hide_control_chars(text);
	return text;
}

char *show_element(JsonArray *array, guint i)
{
	char *text = g_strdup(json_array_get_string_element(array, i));

	text_hide_control_chars(text);
	return text;
}

gint64 show_number(JsonObject *json, const char *member)
{
	return json_object_get_int_member_with_default(json, member, 0);
}

gboolean show_flag(JsonObject *json, const char *member)
{
	return json_object_get_boolean_member_with_default(json, member, FALSE);
}

JsonArray *show_array(JsonObject *json, const char *member)
{
	JsonNode *node = json_object_get_member(json, member);

	return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

char *show_size(uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double size = (double)bytes;
	unsigned unit = 0;

	while (size >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		size /= 1024;
		unit++;
	}
	return g_strdup_printf(unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

char *show_disk_size(JsonObject *disk)
{
	gint64 size = show_number(disk, "size");

	return size ? show_size((uint64_t)size) : g_strdup("unknown size");
}

char *show_age(uint64_t seconds)
{
	uint64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

	if (days)
		return g_strdup_printf("%" G_GUINT64_FORMAT " d %" G_GUINT64_FORMAT " h", days, hours % 24);
	if (hours)
		return g_strdup_printf("%" G_GUINT64_FORMAT " h %" G_GUINT64_FORMAT " min", hours,
				       minutes % 60);
	if (minutes)
		return g_strdup_printf("%" G_GUINT64_FORMAT " min %" G_GUINT64_FORMAT " s", minutes,
				       seconds % 60);
	return g_strdup_printf("%" G_GUINT64_FORMAT " s", seconds);
}

char *show_value(JsonNode *value)
{
	GType type = JSON_NODE_HOLDS_VALUE(value) ? json_node_get_value_type(value) : G_TYPE_INVALID;
	char *text;

	if (JSON_NODE_HOLDS_OBJECT(value))
		return g_strdup(show_flag(json_node_get_object(value), "is_set") ? "(set)" : "(not set)");
	if (type == G_TYPE_BOOLEAN)
		return g_strdup(json_node_get_boolean(value) ? "1" : "0");
	if (type == G_TYPE_INT64)
		return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(value));
	text = type == G_TYPE_STRING ? json_node_dup_string(value) : g_strdup("");
	text_hide_control_chars(text);
	return text;
}

void show_lines(JsonObject *json, FILE *file)
{
	JsonArray *lines = show_array(json, "lines");

	for (guint i = 0; lines && i < json_array_get_length(lines); i++) {
		g_autofree char *line = show_element(lines, i);

		fprintf(file, "%s\n", line);
	}
}
