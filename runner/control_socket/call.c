/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a call: parses its message, compares its parameters with the table of its method, sends its
 * answer, and logs its result. The methods themselves are in method_*.c, and the connection is left to
 * client.c.
 */
#include "control_socket/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control_socket/call_log.h"
#include "control_socket/values.h"
#include "util/log.h"

struct control_peer *control_peer_get(struct control_peer *peer)
{
	peer->refs++;
	return peer;
}

void control_peer_put(struct control_peer *peer)
{
	if (!--peer->refs)
		peer->free(peer);
}

/* --- checks ------------------------------------------------------------------------------------------ */

static const struct control_method *find_method(const char *name)
{
	const struct control_method *method;

	for (unsigned i = 0; (method = control_method_at(i)); i++)
		if (!strcmp(method->name, name))
			return method;
	return NULL;
}

static const struct control_param *find_param(const struct control_method *method, const char *name)
{
	for (const struct control_param *param = method->params; param->name; param++)
		if (!strcmp(param->name, name))
			return param;
	return NULL;
}

static bool is_values(JsonNode *node)
{
	if (!JSON_NODE_HOLDS_OBJECT(node))
		return false;

	g_autoptr(GList) members = json_object_get_values(json_node_get_object(node));

	for (GList *item = members; item; item = item->next)
		if (!control_value_is(item->data))
			return false;
	return true;
}

static bool param_fits(const struct control_param *param, JsonNode *node)
{
	GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;

	switch (param->type) {
	case CONTROL_TEXT:
	case CONTROL_ATTRIBUTE:
		return type == G_TYPE_STRING;
	case CONTROL_NUMBER:
		return type == G_TYPE_INT64 && json_node_get_int(node) >= 0;
	case CONTROL_FLAG:
		return type == G_TYPE_BOOLEAN;
	case CONTROL_VALUE:
		return control_value_is(node);
	case CONTROL_VALUES:
		return is_values(node);
	}
	return false;
}

static int refuse_param(const struct control_method *method, const char *name, struct error *error)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (const struct control_param *param = method->params; param->name; param++)
		g_string_append_printf(names, "%s%s", names->len ? ", " : "", param->name);
	error_set(error, EINVAL, "%s has no parameter \"%.40s\"; its parameters are: %s", method->name, name,
		  names->len ? names->str : "none");
	return JSON_RPC_INVALID_PARAMS;
}

static int check_params(const struct control_call *call, struct error *error)
{
	const struct control_method *method = call->method;
	g_autoptr(GList) names = json_object_get_members(call->request.params);

	for (GList *item = names; item; item = item->next)
		if (!find_param(method, item->data))
			return refuse_param(method, item->data, error);
	for (const struct control_param *param = method->params; param->name; param++) {
		JsonNode *node = json_object_get_member(call->request.params, param->name);

		if (node && !param_fits(param, node)) {
			error_set(error, EINVAL, "%s: the parameter \"%s\" is not %s", method->name,
				  param->name, control_param_type_text(param->type));
			return JSON_RPC_INVALID_PARAMS;
		}
		if (!node && param->required) {
			error_set(error, EINVAL, "%s lacks the parameter \"%s\" (%s)", method->name,
				  param->name, param->help);
			return JSON_RPC_INVALID_PARAMS;
		}
	}
	return 0;
}

/* --- beginning and end ---------------------------------------------------------------------------------- */

static void end_call(struct control_call *call)
{
	struct control_peer *peer = call->peer;

	json_rpc_clear(&call->request);
	g_free(call->description);
	g_free(call);
	peer->answered(peer);
	control_peer_put(peer);
}

static void answer_error(struct control_call *call, const struct json_rpc_failure *failure)
{
	/*
	 * A notification gets no answer. But if the message is not a valid request, its sender may expect an
	 * answer.
	 */
	if (call->request.id || !call->method)
		call->peer->send(call->peer, json_rpc_error(call->request.id, failure), false);
	end_call(call);
}

void control_call_start(struct control_context *context, struct control_peer *peer, const char *line,
			size_t len)
{
	struct control_call *call = g_new0(struct control_call, 1);
	struct error error = {""};

	call->context = context;
	call->peer = control_peer_get(peer);

	int code = json_rpc_parse(&call->request, line, len, &error);

	if (!code) {
		call->method = find_method(call->request.method);
		if (!call->method)
			code = JSON_RPC_METHOD_NOT_FOUND;
		else
			code = check_params(call, &error);
	}
	if (code == JSON_RPC_METHOD_NOT_FOUND)
		error_set(&error, ENOSYS,
			  "there is no method \"%.40s\"; the method \"schema\" lists all methods",
			  call->request.method);
	if (code) {
		answer_error(call, &(struct json_rpc_failure){.code = code, .text = error.text});
		return;
	}
	if (call->method->changes)
		call->description = control_call_describe(call);
	call->method->run(call);
}

void control_call_finish(struct control_call *call, JsonNode *result)
{
	if (call->description)
		log_info("control", "user %u: %s", (unsigned)call->peer->uid, call->description);
	if (call->request.id)
		call->peer->send(call->peer, json_rpc_result(call->request.id, result), false);
	else
		json_node_unref(result);
	end_call(call);
}

static void end_with_error(struct control_call *call, const struct json_rpc_failure *failure)
{
	if (call->description)
		log_info("control", "user %u: %s: refused: %s", (unsigned)call->peer->uid, call->description,
			 failure->text);
	answer_error(call, failure);
}

static const char *text_of(int err, const struct error *error)
{
	return error && *error->text ? error->text : strerror(-err);
}

void control_call_refuse(struct control_call *call, int err, const struct error *error)
{
	end_with_error(call, &(struct json_rpc_failure){
				 .code = -err, .text = text_of(err, error), .no_object = err == -ENOENT});
}

void control_call_refuse_text(struct control_call *call, int err, const char *format, ...)
{
	struct error error;
	va_list args;

	va_start(args, format);
	vsnprintf(error.text, sizeof(error.text), format, args);
	va_end(args);
	control_call_refuse(call, err, &error);
}

void control_call_fail(struct control_call *call, int err, const struct error *error,
		       const char *const *lines)
{
	end_with_error(call,
		       &(struct json_rpc_failure){.code = -err, .text = text_of(err, error), .lines = lines});
}

void control_call_done(void *arg, int err, const struct error *error)
{
	struct control_call *call = arg;

	if (err)
		control_call_fail(call, err, error, NULL);
	else
		control_call_finish(call, control_object_node(json_object_new()));
}

/* --- parameters --- */

JsonNode *control_call_value(const struct control_call *call, const char *param)
{
	return json_object_get_member(call->request.params, param);
}

const char *control_call_text(const struct control_call *call, const char *param)
{
	JsonNode *node = control_call_value(call, param);

	return node ? json_node_get_string(node) : NULL;
}

bool control_call_number(const struct control_call *call, const char *param, uint64_t *number)
{
	JsonNode *node = control_call_value(call, param);

	if (node)
		*number = (uint64_t)json_node_get_int(node);
	return node;
}

bool control_call_flag(const struct control_call *call, const char *param)
{
	JsonNode *node = control_call_value(call, param);

	return node && json_node_get_boolean(node);
}
