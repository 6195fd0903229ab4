/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of the messages on the control socket. The input is not trusted: json-glib parses recursively and
 * cuts strings at a NUL, so each line is checked for deep nesting and for NULs before json-glib gets it.
 */
#include "control_socket/json_rpc.h"

#include <errno.h>
#include <string.h>

#include "util/errno_name.h"

/*
 * The state of a search for text that json-glib would change without an error, or that would exhaust the
 * stack.
 */
struct scan {
	bool in_string;
	unsigned depth;
};

static bool refuse_json(struct error *error)
{
	error_set(error, EINVAL, "the line is not JSON");
	return false;
}

/*
 * Examines the character at *p, and the whole escape if it is the beginning of one. Returns false if the line
 * must be refused.
 */
static bool scan_character(struct scan *scan, const char **p, const char *end, struct error *error)
{
	char c = **p;

	if (scan->in_string && c == '\\') {
		if (end - *p >= 6 && !memcmp(*p, "\\u0000", 6)) {
			error_set(error, EINVAL, "a text contains the character U+0000");
			return false;
		}
		*p += end - *p > 1;
	} else if (c == '"') {
		scan->in_string = !scan->in_string;
	} else if (!scan->in_string && (c == '{' || c == '[')) {
		if (++scan->depth > JSON_RPC_DEPTH_MAX) {
			error_set(error, EINVAL, "objects and arrays are nested more than %d levels deep",
				  JSON_RPC_DEPTH_MAX);
			return false;
		}
	} else if (!scan->in_string && (c == '}' || c == ']') && scan->depth) {
		scan->depth--;
	} else if (!scan->in_string && (c == '/' || c == '\'' || c == '#')) {
		/*
		 * json-glib also accepts comments and single quotation marks, in which this search would not
		 * find brackets.
		 */
		return refuse_json(error);
	}
	return true;
}

static int scan_line(const char *line, size_t len, struct error *error)
{
	struct scan scan = {0};
	const char *end = line + len;

	if (!g_utf8_validate_len(line, len, NULL))
		return error_set(error, EINVAL, "the line is not UTF-8");
	while (line < end && strchr(" \t\r", *line))
		line++;
	/* json-glib also accepts "var NAME = VALUE". */
	if (line == end || *line == 'v')
		return error_set(error, EINVAL, "the line is not JSON");
	for (const char *p = line; p < end; p++)
		if (!scan_character(&scan, &p, end, error))
			return -EINVAL;
	return 0;
}

static bool is_id(JsonNode *node)
{
	if (JSON_NODE_HOLDS_NULL(node))
		return true;
	if (!JSON_NODE_HOLDS_VALUE(node))
		return false;

	GType type = json_node_get_value_type(node);

	return type == G_TYPE_STRING || type == G_TYPE_INT64;
}

static const char *string_of(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
		return NULL;
	return json_node_get_string(node);
}

static int refuse(struct error *error, const char *text)
{
	error_set(error, EINVAL, "%s", text);
	return JSON_RPC_INVALID_REQUEST;
}

static int read_request(struct json_rpc_request *request, JsonObject *object, struct error *error)
{
	JsonNode *id = json_object_get_member(object, "id");
	JsonNode *params = json_object_get_member(object, "params");
	const char *version = string_of(object, "jsonrpc"), *method = string_of(object, "method");

	if (id && !is_id(id))
		return refuse(error, "\"id\" is neither a string nor an integer");
	request->id = id ? json_node_copy(id) : NULL;
	if (!version || strcmp(version, "2.0"))
		return refuse(error, "the request lacks \"jsonrpc\": \"2.0\"");
	if (!method)
		return refuse(error, "the request lacks \"method\", a string");
	if (params && !JSON_NODE_HOLDS_OBJECT(params)) {
		refuse(error, "\"params\" is not an object; parameters are given by name");
		return JSON_RPC_INVALID_PARAMS;
	}
	request->method = g_strdup(method);
	request->params = params ? json_node_dup_object(params) : json_object_new();
	return 0;
}

int json_rpc_parse(struct json_rpc_request *request, const char *line, size_t len, struct error *error)
{
	*request = (struct json_rpc_request){0};

	if (scan_line(line, len, error))
		return JSON_RPC_PARSE_ERROR;

	g_autoptr(JsonParser) parser = json_parser_new();

	/* The reason that json-glib gives may quote the line, which may contain a secret. */
	if (!json_parser_load_from_data(parser, line, (gssize)len, NULL) || !json_parser_get_root(parser)) {
		error_set(error, EINVAL, "the line is not JSON");
		return JSON_RPC_PARSE_ERROR;
	}

	JsonNode *root = json_parser_get_root(parser);

	if (JSON_NODE_HOLDS_ARRAY(root))
		return refuse(
		    error, "a batch of requests in one line is not supported; send one request in each line");
	if (!JSON_NODE_HOLDS_OBJECT(root))
		return refuse(error, "the line is not a JSON object");
	return read_request(request, json_node_get_object(root), error);
}

void json_rpc_clear(struct json_rpc_request *request)
{
	if (request->id)
		json_node_unref(request->id);
	if (request->params)
		json_object_unref(request->params);
	g_free(request->method);
	*request = (struct json_rpc_request){0};
}

/* Returns the object as one line, and frees the object. */
static char *line_of(JsonObject *object)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(root, object);

	g_autofree char *text = json_to_string(root, FALSE);

	return g_strconcat(text, "\n", NULL);
}

static JsonObject *new_message(void)
{
	JsonObject *message = json_object_new();

	json_object_set_string_member(message, "jsonrpc", "2.0");
	return message;
}

static void set_id(JsonObject *message, JsonNode *id)
{
	json_object_set_member(message, "id", id ? json_node_copy(id) : json_node_new(JSON_NODE_NULL));
}

char *json_rpc_result(JsonNode *id, JsonNode *result)
{
	JsonObject *message = new_message();

	set_id(message, id);
	json_object_set_member(message, "result", result);
	return line_of(message);
}

/* Writes the errno by its name, because the numbers differ between architectures. */
static JsonObject *error_data(const struct json_rpc_failure *failure)
{
	char name[ERRNO_NAME_SIZE];
	JsonObject *data = json_object_new();

	json_object_set_string_member(data, "errno", errno_name(failure->code, name));
	if (failure->no_object)
		json_object_set_boolean_member(data, "no_object", TRUE);
	if (failure->lines)
		json_object_set_array_member(data, "lines", json_rpc_array(failure->lines));
	return data;
}

JsonArray *json_rpc_array(const char *const *lines)
{
	JsonArray *array = json_array_new();

	for (; lines && *lines; lines++) {
		g_autofree char *valid = g_utf8_make_valid(*lines, -1);

		json_array_add_string_element(array, valid);
	}
	return array;
}

char *json_rpc_error(JsonNode *id, const struct json_rpc_failure *failure)
{
	JsonObject *message = new_message(), *error = json_object_new();
	/* Text that the error quotes may come from a file with any encoding, but JSON is UTF-8. */
	g_autofree char *text = g_utf8_make_valid(failure->text, -1);

	set_id(message, id);
	json_object_set_int_member(error, "code", failure->code);
	json_object_set_string_member(error, "message", text);
	if (failure->code > 0)
		json_object_set_object_member(error, "data", error_data(failure));
	json_object_set_object_member(message, "error", error);
	return line_of(message);
}

char *json_rpc_notification(const char *method, JsonNode *params)
{
	JsonObject *message = new_message();

	json_object_set_string_member(message, "method", method);
	json_object_set_member(message, "params", params);
	return line_of(message);
}
