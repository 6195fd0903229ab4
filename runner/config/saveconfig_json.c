/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes JSON text with json-glib. The parser of json-glib calls itself for each nested value, so
 * text that is nested deeply is refused before it is parsed. What the values mean is left to
 * saveconfig_read.c and saveconfig_write.c.
 */
#include "config/saveconfig_json.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "config/saveconfig_secrets.h"
#include "util/secret_memory.h"

/* The values of a valid configuration are nested at most eight levels deep. */
#define DEPTH_MAX 64

/* --- parsing --- */

/* Returns whether the brackets outside of strings are nested at most DEPTH_MAX levels deep. */
static bool is_shallow(const char *text, gsize len)
{
	bool in_string = false;
	int depth = 0;

	for (gsize i = 0; i < len; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!in_string && (text[i] == '}' || text[i] == ']'))
			depth--;
		if (depth > DEPTH_MAX)
			return false;
	}
	return true;
}

/* A JSON object whose end the parser has not reached yet. */
struct open_object {
	guint line;
	/* The set of the keys (char *) that the parser has found so far. */
	GHashTable *keys;
};

struct recorder {
	GHashTable *lines;
	/* The stack of struct open_object; the innermost object is the last one. */
	GArray *open;
	/* The first key that occurs twice in one object, or NULL, and the line where the parser found it. */
	char *double_key;
	guint double_line;
};

static void clear_open_object(gpointer data)
{
	g_hash_table_unref(((struct open_object *)data)->keys);
}

static void on_object_start(JsonParser *parser, gpointer data)
{
	struct recorder *recorder = data;
	const struct open_object object = {json_parser_get_current_line(parser),
					   g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};

	g_array_append_val(recorder->open, object);
}

/* Looks for keys that occur twice in one object: json-glib keeps the last one, and does not report this. */
static void on_object_member(JsonParser *parser, JsonObject *object, const char *key, gpointer data)
{
	struct recorder *recorder = data;
	guint last = recorder->open->len;

	(void)object;
	if (!last || recorder->double_key ||
	    g_hash_table_add(g_array_index(recorder->open, struct open_object, last - 1).keys, g_strdup(key)))
		return;
	recorder->double_key = g_strdup(key);
	recorder->double_line = json_parser_get_current_line(parser);
}

static void on_object_end(JsonParser *parser, JsonObject *object, gpointer data)
{
	struct recorder *recorder = data;
	guint last = recorder->open->len;

	(void)parser;
	if (!last)
		return;
	g_hash_table_insert(
	    recorder->lines, object,
	    GUINT_TO_POINTER(g_array_index(recorder->open, struct open_object, last - 1).line));
	g_array_set_size(recorder->open, last - 1);
}

static int parse(struct saveconfig_json *json, const char *text, gsize len, struct error *error)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(struct open_object));
	struct recorder recorder = {json->lines, open, NULL, 0};
	g_autoptr(GError) gerror = NULL;

	g_array_set_clear_func(open, clear_open_object);
	g_signal_connect(parser, "object-start", G_CALLBACK(on_object_start), &recorder);
	g_signal_connect(parser, "object-member", G_CALLBACK(on_object_member), &recorder);
	g_signal_connect(parser, "object-end", G_CALLBACK(on_object_end), &recorder);
	bool is_json = json_parser_load_from_data(parser, text, (gssize)len, &gerror);
	g_autofree char *double_key = recorder.double_key;

	if (!is_json)
		return error_set(error, EINVAL, "it is not JSON: %s", gerror->message);
	/*
	 * RFC 8259, section 4, leaves the meaning open. One of the two values may limit access, and a save
	 * could not keep both.
	 */
	if (double_key)
		return error_set(
		    error, EINVAL,
		    "line %u: the key \"%.80s\" occurs twice in one object; remove one of the two",
		    recorder.double_line, double_key);
	json->root = json_parser_steal_root(parser);
	if (!json->root || !JSON_NODE_HOLDS_OBJECT(json->root))
		return error_set(error, EINVAL, "it does not contain one JSON object");
	return 0;
}

/* Parses the text with placeholders in the place of secrets, so that json-glib has no copies of secrets. */
static int parse_hidden(struct saveconfig_json *json, const char *text, gsize len, struct error *error)
{
	gsize hidden_len;
	g_autofree char *hidden = config_secrets_extract(text, len, &hidden_len);

	return parse(json, hidden, hidden_len, error);
}

int saveconfig_json_parse(struct saveconfig_json *json, const char *text, gsize len, struct error *error)
{
	*json = (struct saveconfig_json){.lines = g_hash_table_new(NULL, NULL)};
	int err;

	if (len > SAVECONFIG_TEXT_MAX)
		err = error_set(error, EINVAL, "it has more than %u bytes", SAVECONFIG_TEXT_MAX);
	else if (!g_utf8_validate(text, (gssize)len, NULL))
		err = error_set(error, EINVAL, "it is not JSON: it is not UTF-8 text, or contains a NUL");
	else if (!is_shallow(text, len))
		err = error_set(error, EINVAL, "its values are nested more than %d levels deep", DEPTH_MAX);
	else
		err = parse_hidden(json, text, len, error);
	if (err)
		saveconfig_json_free(json);
	return err;
}

void saveconfig_json_free(struct saveconfig_json *json)
{
	g_clear_pointer(&json->root, json_node_unref);
	g_clear_pointer(&json->lines, g_hash_table_unref);
}

unsigned saveconfig_json_line(const struct saveconfig_json *json, JsonObject *object)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(json->lines, object));
}

void config_text_free(struct config_text *text)
{
	secret_free(text->text, text->size);
	*text = (struct config_text){.text = NULL};
}

/* --- values --- */

JsonObject *saveconfig_json_object(JsonObject *object, const char *name)
{
	JsonNode *member = object ? json_object_get_member(object, name) : NULL;

	return member && JSON_NODE_HOLDS_OBJECT(member) ? json_node_get_object(member) : NULL;
}

const char *saveconfig_json_string(JsonObject *object, const char *name)
{
	JsonNode *member = json_object_get_member(object, name);

	if (!member || !JSON_NODE_HOLDS_VALUE(member) || json_node_get_value_type(member) != G_TYPE_STRING)
		return NULL;
	return json_node_get_string(member);
}

bool saveconfig_json_number(JsonObject *object, const char *name, guint64 max, guint64 *number)
{
	JsonNode *member = json_object_get_member(object, name);
	g_autofree char *text = member ? saveconfig_json_text(member) : NULL;

	return text && g_ascii_string_to_unsigned(text, 10, 0, max, number, NULL);
}

static char *text_of_list(JsonArray *list)
{
	g_autoptr(GString) text = g_string_new("");

	for (guint i = 0; i < json_array_get_length(list); i++) {
		JsonNode *element = json_array_get_element(list, i);
		g_autofree char *item = JSON_NODE_HOLDS_ARRAY(element) ? NULL : saveconfig_json_text(element);

		if (!item)
			return NULL;
		g_string_append_printf(text, "%s%s", i ? "," : "", item);
	}
	return g_strdup(text->str);
}

char *saveconfig_json_text(JsonNode *value)
{
	if (JSON_NODE_HOLDS_ARRAY(value))
		return text_of_list(json_node_get_array(value));
	if (!JSON_NODE_HOLDS_VALUE(value))
		return NULL;
	switch (json_node_get_value_type(value)) {
	case G_TYPE_BOOLEAN:
		return g_strdup(json_node_get_boolean(value) ? "1" : "0");
	case G_TYPE_INT64:
		return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(value));
	case G_TYPE_DOUBLE:
		return g_strdup_printf("%.17g", json_node_get_double(value));
	default:
		return g_strdup(json_node_get_string(value));
	}
}

JsonNode *saveconfig_json_from_text(const char *text)
{
	char back[24];
	gint64 number;

	/* "007" is written as text, because a number would be read back as another text. */
	if (g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL)) {
		g_snprintf(back, sizeof(back), "%" G_GINT64_FORMAT, number);
		if (!strcmp(back, text))
			return json_node_init_int(json_node_alloc(), number);
	}
	return json_node_init_string(json_node_alloc(), text);
}

/* --- writing --- */

static JsonNode *sorted_copy(JsonNode *value);

static JsonNode *sorted_list(JsonArray *list)
{
	JsonArray *copy = json_array_new();
	JsonNode *node = json_node_alloc();

	for (guint i = 0; i < json_array_get_length(list); i++)
		json_array_add_element(copy, sorted_copy(json_array_get_element(list, i)));
	json_node_init_array(node, copy);
	json_array_unref(copy);
	return node;
}

static JsonObject *sorted_object(JsonObject *object)
{
	JsonObject *copy = json_object_new();
	g_autoptr(GList) names = g_list_sort(json_object_get_members(object), (GCompareFunc)strcmp);

	for (GList *name = names; name; name = name->next)
		json_object_set_member(copy, name->data,
				       sorted_copy(json_object_get_member(object, name->data)));
	return copy;
}

static JsonNode *sorted_copy(JsonNode *value)
{
	if (JSON_NODE_HOLDS_ARRAY(value))
		return sorted_list(json_node_get_array(value));
	if (!JSON_NODE_HOLDS_OBJECT(value))
		return json_node_copy(value);
	JsonNode *node = json_node_alloc();

	json_node_take_object(json_node_init(node, JSON_NODE_OBJECT),
			      sorted_object(json_node_get_object(value)));
	return node;
}

JsonObject *saveconfig_json_copy(JsonObject *object)
{
	return object ? sorted_object(object) : json_object_new();
}

void saveconfig_json_print(JsonObject *object, struct config_text *text)
{
	g_autoptr(JsonGenerator) generator = json_generator_new();
	g_autoptr(JsonObject) sorted = sorted_object(object);
	g_autoptr(JsonNode) root = json_node_alloc();

	json_node_init_object(root, sorted);
	json_generator_set_root(generator, root);
	json_generator_set_pretty(generator, TRUE);
	g_autofree char *hidden = json_generator_to_data(generator, NULL);
	g_autofree char *line = g_strconcat(hidden, "\n", NULL);

	config_secrets_insert(line, strlen(line), text);
}
