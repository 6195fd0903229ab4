/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the secrets of saveconfig.json away from GLib, whose strings and parsers leave copies in freed
 * memory. Placeholders replace the secrets in the text before json-glib parses it, and the secrets replace
 * the placeholders in the text that json-glib has written. The table of attributes says which keys have
 * secrets.
 */
#include "config/saveconfig_secrets.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "config/saveconfig_keys.h"
#include "util/secret_memory.h"

#define PREFIX "secret-"
/* A prefix is "secret-0123456789abcdef-". Its digits are random, so that no other text looks like it. */
#define PREFIX_SIZE (sizeof(PREFIX) + 17)
/* The longest JSON encoding of one byte is "\u0000". */
#define ESCAPED_MAX 6

struct secret {
	/* Memory of secret_alloc(). */
	char *text;
	gsize size;
	char *placeholder;
	bool is_marked;
};

static struct {
	char prefix[PREFIX_SIZE];
	guint64 last;
	/* The same struct secret by text and by placeholder. The second table owns the secrets. */
	GHashTable *by_text, *by_placeholder;
} secrets;

static void free_secret(gpointer data)
{
	struct secret *secret = data;

	secret_free(secret->text, secret->size);
	g_free(secret->placeholder);
	g_free(secret);
}

static void initialize(void)
{
	guint64 random = 0;

	if (secrets.by_text)
		return;
	while (getrandom(&random, sizeof(random), 0) != sizeof(random))
		;
	g_snprintf(secrets.prefix, PREFIX_SIZE, PREFIX "%016" G_GINT64_MODIFIER "x-", random);
	secrets.by_text = g_hash_table_new(g_str_hash, g_str_equal);
	secrets.by_placeholder = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_secret);
}

/* Returns the placeholder of the secret in text, and takes over the memory of text. */
static const char *hide(char *text, gsize size)
{
	initialize();
	struct secret *secret = g_hash_table_lookup(secrets.by_text, text);

	if (secret) {
		secret_free(text, size);
		return secret->placeholder;
	}
	secret = g_new0(struct secret, 1);
	secret->text = text;
	secret->size = size;
	secret->placeholder = g_strdup_printf("%s%" G_GUINT64_FORMAT, secrets.prefix, ++secrets.last);
	g_hash_table_insert(secrets.by_text, secret->text, secret);
	g_hash_table_insert(secrets.by_placeholder, secret->placeholder, secret);
	return secret->placeholder;
}

static char *allocate(gsize size)
{
	char *memory = secret_alloc(size);

	if (!memory)
		g_error("there is no memory for a secret");
	return memory;
}

const char *config_secret_hide(const char *secret)
{
	gsize size = strlen(secret) + 1;

	if (!*secret || config_secret_reveal(secret) != secret)
		return secret;
	char *text = allocate(size);

	memcpy(text, secret, size);
	return hide(text, size);
}

const char *config_secret_reveal(const char *text)
{
	const struct secret *secret =
	    secrets.by_placeholder ? g_hash_table_lookup(secrets.by_placeholder, text) : NULL;

	return secret ? secret->text : text;
}

const char *config_text_in_tree(const struct model_attribute *attribute, const char *text)
{
	return attribute->type == MODEL_SECRET ? config_secret_hide(text) : text;
}

/* --- strings of JSON (RFC 8259, 7) --- */

/* text begins with a quotation mark. Returns the position after the closing one, or end if there is none. */
static const char *end_of_string(const char *text, const char *end)
{
	for (text++; text < end && *text != '"'; text++)
		if (*text == '\\' && text + 1 < end)
			text++;
	return text < end ? text + 1 : end;
}

static bool read_hex(const char *text, const char *end, gunichar *value)
{
	*value = 0;
	for (int i = 0; i < 4; i++) {
		int digit = text + i < end ? g_ascii_xdigit_value(text[i]) : -1;

		if (digit < 0)
			return false;
		*value = *value << 4 | (gunichar)digit;
	}
	return true;
}

/* Reads the digits after "\u" and the second half of a surrogate pair. Returns the bytes read, or 0. */
static gsize read_unicode(const char *text, const char *end, gunichar *value)
{
	gunichar low;

	if (!read_hex(text, end, value))
		return 0;
	if (*value < 0xd800 || *value > 0xdfff)
		return 4;
	if (*value > 0xdbff || end - text < 10 || text[4] != '\\' || text[5] != 'u' ||
	    !read_hex(text + 6, end, &low) || low < 0xdc00 || low > 0xdfff)
		return 0;
	*value = 0x10000 + ((*value - 0xd800) << 10) + (low - 0xdc00);
	return 10;
}

/*
 * Decodes the text between the quotation marks into out, which has room for as many bytes and a NUL. Returns
 * false if the string is not valid, or contains a NUL.
 */
static bool decode(const char *text, const char *end, char *out)
{
	static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	gunichar value;

	while (text < end) {
		const char *escape;

		if (*text != '\\') {
			*out++ = *text++;
			continue;
		}
		if (++text == end)
			return false;
		escape = *text ? strchr(escapes, *text) : NULL;
		if (escape) {
			*out++ = meanings[escape - escapes];
			text++;
			continue;
		}
		gsize n = *text == 'u' ? read_unicode(text + 1, end, &value) : 0;
		if (!n || !value)
			return false;
		out += g_unichar_to_utf8(value, out);
		text += 1 + n;
	}
	*out = '\0';
	return true;
}

/*
 * Encodes the text as JSON into out, which has room for ESCAPED_MAX bytes for each byte of the text. Returns
 * the number of bytes in out.
 */
static gsize encode(const char *text, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const char *begin = out;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\') {
			*out++ = '\\';
			*out++ = *text;
		} else if (c >= 0x20 && c != 0x7f) {
			*out++ = *text;
		} else {
			memcpy(out, "\\u00", 4);
			out[4] = digits[c >> 4];
			out[5] = digits[c & 15];
			out += ESCAPED_MAX;
		}
	}
	return (gsize)(out - begin);
}

/* --- taking secrets out of JSON text --- */

static const char *skip_blanks(const char *text, const char *end)
{
	while (text < end && strchr(" \t\r\n", *text))
		text++;
	return text;
}

/*
 * Returns whether this is the key of a member that holds a secret. text and end exclude the quotation marks.
 */
static bool is_secret_key(const char *text, const char *end)
{
	g_autofree char *key = g_malloc((gsize)(end - text) + 1);

	return decode(text, end, key) && config_key_is_secret(key);
}

/*
 * Appends the placeholder of a secret. The string from text to end, with its quotation marks, is the value of
 * a key that holds a secret. A string that is empty or not valid is appended unchanged.
 */
static void append_hidden(GString *hidden, const char *text, const char *end)
{
	gsize size = (gsize)(end - text);
	char *secret = size > 2 && end[-1] == '"' ? allocate(size) : NULL;

	if (secret && decode(text + 1, end - 1, secret)) {
		g_string_append_printf(hidden, "\"%s\"", hide(secret, size));
		return;
	}
	secret_free(secret, size);
	g_string_append_len(hidden, text, end - text);
}

char *config_secrets_extract(const char *text, gsize len, gsize *hidden_len)
{
	const char *end = text + len, *at = text;
	GString *hidden = g_string_new("");
	bool is_secret = false;

	while (at < end) {
		const char *next = memchr(at, '"', (size_t)(end - at));

		g_string_append_len(hidden, at, next ? next - at : end - at);
		if (!next)
			break;
		at = end_of_string(next, end);
		if (is_secret)
			append_hidden(hidden, next, at);
		else
			g_string_append_len(hidden, next, at - next);
		const char *colon = skip_blanks(at, end);
		const char *value = colon < end && *colon == ':' ? skip_blanks(colon + 1, end) : end;

		is_secret = !is_secret && value < end && *value == '"' && is_secret_key(next + 1, at - 1);
	}
	*hidden_len = hidden->len;
	return g_string_free(hidden, FALSE);
}

/* --- putting secrets into JSON text --- */

/* Returns the secret if the string from text to end is a placeholder in quotation marks, otherwise NULL. */
static const struct secret *secret_at(const char *text, const char *end)
{
	gsize len = (gsize)(end - text);
	char placeholder[PREFIX_SIZE + 24];

	if (!secrets.by_placeholder || len < 2 || len - 2 >= sizeof(placeholder))
		return NULL;
	memcpy(placeholder, text + 1, len - 2);
	placeholder[len - 2] = '\0';
	return g_hash_table_lookup(secrets.by_placeholder, placeholder);
}

/* Returns the number of bytes that suffices for the text with all its secrets and a NUL. */
static gsize size_with_secrets(const char *text, const char *end)
{
	gsize size = (gsize)(end - text) + 1;

	while ((text = memchr(text, '"', (size_t)(end - text)))) {
		const char *next = end_of_string(text, end);
		const struct secret *secret = secret_at(text, next);

		size += secret ? secret->size * ESCAPED_MAX : 0;
		text = next;
	}
	return size;
}

void config_secrets_insert(const char *text, gsize len, struct config_text *full)
{
	const char *end = text + len;

	full->size = size_with_secrets(text, end);
	full->text = allocate(full->size);
	char *out = full->text;

	while (text < end) {
		const char *string = memchr(text, '"', (size_t)(end - text));
		const char *next = string ? end_of_string(string, end) : end;
		const struct secret *secret = string ? secret_at(string, next) : NULL;
		const char *copied = secret ? string + 1 : next;

		memcpy(out, text, (size_t)(copied - text));
		out += copied - text;
		if (secret) {
			out += encode(secret->text, out);
			*out++ = '"';
		}
		text = next;
	}
	full->len = (gsize)(out - full->text);
}

/* --- secrets that are no longer needed --- */

static void mark(const char *text)
{
	struct secret *secret = text ? g_hash_table_lookup(secrets.by_placeholder, text) : NULL;

	if (secret)
		secret->is_marked = true;
}

static void mark_json(JsonNode *node);

static void mark_object(JsonObject *object)
{
	g_autoptr(GList) values = object ? json_object_get_values(object) : NULL;

	for (GList *value = values; value; value = value->next)
		mark_json(value->data);
}

static void mark_json(JsonNode *node)
{
	if (JSON_NODE_HOLDS_OBJECT(node)) {
		mark_object(json_node_get_object(node));
	} else if (JSON_NODE_HOLDS_ARRAY(node)) {
		JsonArray *array = json_node_get_array(node);

		for (guint i = 0; i < json_array_get_length(array); i++)
			mark_json(json_array_get_element(array, i));
	} else if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING) {
		mark(json_node_get_string(node));
	}
}

static void mark_tree(const struct config_node *node)
{
	const struct config_node *child;

	if (node->raw)
		mark_json(node->raw);
	mark_object(node->ours);
	for (guint i = 0; i < node->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(node->values, i);

		mark(value->text);
		mark(value->running);
	}
	for (guint i = 0; (child = config_node_child(node, i)); i++)
		mark_tree(child);
}

static gboolean is_unused(gpointer key, gpointer value, gpointer data)
{
	struct secret *secret = value;
	bool is_used = secret->is_marked;

	(void)key, (void)data;
	secret->is_marked = false;
	if (!is_used)
		g_hash_table_remove(secrets.by_text, secret->text);
	return !is_used;
}

void config_secrets_sweep(const struct config_node *const *trees)
{
	if (!secrets.by_placeholder)
		return;
	for (; *trees; trees++)
		mark_tree(*trees);
	g_hash_table_foreach_remove(secrets.by_placeholder, is_unused, NULL);
}
