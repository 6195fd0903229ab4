/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON-RPC 2.0: parses requests, and builds answers and notifications. A message is one line of UTF-8. What
 * the methods mean is left to methods.h. Main thread.
 */
#ifndef CONTROL_SOCKET_JSON_RPC_H
#define CONTROL_SOCKET_JSON_RPC_H

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* A message has at most this many bytes without its newline. */
#define JSON_RPC_MESSAGE_MAX (1 << 20)
/* Objects and arrays may be nested at most this deeply. */
#define JSON_RPC_DEPTH_MAX 16

/* The codes of JSON-RPC 2.0, section 5.1. An error of a method has the errno as its code. */
enum json_rpc_code {
	JSON_RPC_PARSE_ERROR = -32700,
	JSON_RPC_INVALID_REQUEST = -32600,
	JSON_RPC_METHOD_NOT_FOUND = -32601,
	JSON_RPC_INVALID_PARAMS = -32602,
};

struct json_rpc_request {
	/* NULL for a notification, which gets no answer. */
	JsonNode *id;
	char *method;
	/* Never NULL. */
	JsonObject *params;
};

/*
 * Parses one line. Returns 0, or a code with error set. The text of the error never contains a part of the
 * line, because the line may contain a secret. The caller must clear the request in both cases. The request
 * contains the id if it could be read.
 */
int json_rpc_parse(struct json_rpc_request *request, const char *line, size_t len, struct error *error);
void json_rpc_clear(struct json_rpc_request *request);

/*
 * These functions return one line with its newline; the caller frees it with g_free(). An id that is NULL is
 * written as null. The node is consumed.
 */
char *json_rpc_result(JsonNode *id, JsonNode *result);
struct json_rpc_failure {
	/* A code of JSON-RPC, or a positive errno. */
	int code;
	const char *text;
	/* The request names an object or an attribute that does not exist. */
	bool no_object;
	/* A list that ends with NULL and is a part of the error, or NULL. */
	const char *const *lines;
};
char *json_rpc_error(JsonNode *id, const struct json_rpc_failure *failure);
/*
 * Returns the lines as an array. lines is a list that ends with NULL, or NULL. Bytes that are not UTF-8 are
 * replaced.
 */
JsonArray *json_rpc_array(const char *const *lines);
char *json_rpc_notification(const char *method, JsonNode *params);
#endif
