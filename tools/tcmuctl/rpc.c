/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of the control socket. Only one call is in progress at a time. The commands choose the
 * methods.
 */
#include "tcmuctl/rpc.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tcmuctl/progress.h"
#include "util/text.h"

/* How often the terminal shows that the daemon is still busy. */
#define PROGRESS_MS 1000

struct rpc {
	int fd;
	gint64 last_id;
	GString *in;
};

void rpc_error_clear(struct rpc_error *error)
{
	if (error->json)
		json_object_unref(error->json);
	*error = (struct rpc_error){0};
}

struct rpc *rpc_connect(const char *path, struct error *error)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path)) >= sizeof(addr.sun_path)) {
		error_set(error, ENAMETOOLONG, "%s: the path of a socket has at most %zu bytes", path,
			  sizeof(addr.sun_path) - 1);
		errno = ENAMETOOLONG;
		return NULL;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof(addr))) {
		int err = errno;

		if (fd >= 0)
			close(fd);
		error_set(error, err, "%s: %s", path, strerror(err));
		errno = err;
		return NULL;
	}

	struct rpc *rpc = g_new0(struct rpc, 1);

	rpc->fd = fd;
	rpc->in = g_string_new(NULL);
	return rpc;
}

void rpc_free(struct rpc *rpc)
{
	close(rpc->fd);
	g_string_free(rpc->in, TRUE);
	g_free(rpc);
}

int rpc_fd(const struct rpc *rpc)
{
	return rpc->fd;
}

/* --- lines ------------------------------------------------------------------------------------------- */

static bool send_all(struct rpc *rpc, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(rpc->fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

bool rpc_receive(struct rpc *rpc)
{
	char bytes[16 << 10];
	ssize_t n = recv(rpc->fd, bytes, sizeof(bytes), 0);

	if (n > 0)
		g_string_append_len(rpc->in, bytes, n);
	return n > 0 || (n < 0 && errno == EINTR);
}

/*
 * Returns the next complete message, or NULL. A message that is not a JSON object counts as an empty object.
 */
static JsonObject *next_message(struct rpc *rpc)
{
	char *newline = memchr(rpc->in->str, '\n', rpc->in->len);
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *message = NULL;

	if (!newline)
		return NULL;
	if (json_parser_load_from_data(parser, rpc->in->str, newline - rpc->in->str, NULL) &&
	    JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)))
		message = json_object_ref(json_node_get_object(json_parser_get_root(parser)));
	g_string_erase(rpc->in, 0, newline + 1 - rpc->in->str);
	return message ? message : json_object_new();
}

JsonObject *rpc_event(struct rpc *rpc)
{
	JsonObject *message;

	while ((message = next_message(rpc))) {
		JsonObject *params = json_object_has_member(message, "method")
					 ? json_object_ref(json_object_get_object_member(message, "params"))
					 : NULL;

		json_object_unref(message);
		if (params)
			return params;
	}
	return NULL;
}

/* --- calls ------------------------------------------------------------------------------------------- */

/* Waits for the next message, and shows the progress meanwhile. Returns NULL if the connection has ended. */
static JsonObject *wait_message(struct rpc *rpc, struct progress *progress)
{
	struct pollfd poll_fd = {.fd = rpc->fd, .events = POLLIN};
	JsonObject *message;

	while (!(message = next_message(rpc))) {
		int n = poll(&poll_fd, 1, PROGRESS_MS);

		progress_show(progress);
		if (n > 0 && !rpc_receive(rpc))
			break;
	}
	return message;
}

/* Records a notification of the method "progress". */
static void read_progress(JsonObject *message, struct progress *progress)
{
	JsonNode *params = json_object_get_member(message, "params");

	if (strcmp(json_object_get_string_member_with_default(message, "method", ""), "progress") ||
	    !params || !JSON_NODE_HOLDS_OBJECT(params))
		return;
	progress_report(progress,
			json_object_get_int_member_with_default(json_node_get_object(params), "done", 0),
			json_object_get_int_member_with_default(json_node_get_object(params), "total", 0));
}

/* Returns the answer, or NULL if the connection has ended without one. */
static JsonObject *wait_answer(struct rpc *rpc, struct progress *progress)
{
	JsonObject *message;

	while ((message = wait_message(rpc, progress)) && json_object_has_member(message, "method")) {
		read_progress(message, progress);
		json_object_unref(message);
	}
	return message;
}

static void read_error(JsonObject *json, struct rpc_error *error)
{
	JsonObject *data =
	    json_object_has_member(json, "data") ? json_object_get_object_member(json, "data") : NULL;

	error->json = json_object_ref(json);
	g_strlcpy(error->text, json_object_get_string_member_with_default(json, "message", ""),
		  sizeof(error->text));
	text_hide_control_chars(error->text);
	error->no_object = data && json_object_get_boolean_member_with_default(data, "no_object", FALSE);
}

static char *request_line(gint64 id, const char *method, JsonObject *params)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	JsonObject *request = json_object_new();

	json_object_set_string_member(request, "jsonrpc", "2.0");
	json_object_set_int_member(request, "id", id);
	json_object_set_string_member(request, "method", method);
	if (params)
		json_object_set_object_member(request, "params", params);
	json_node_take_object(root, request);

	g_autofree char *text = json_to_string(root, FALSE);

	return g_strconcat(text, "\n", NULL);
}

JsonObject *rpc_call(struct rpc *rpc, const char *method, JsonObject *params, const char *label,
		     struct rpc_error *error)
{
	g_autofree char *line = request_line(++rpc->last_id, method, params);
	g_autoptr(JsonObject) message = NULL;
	struct progress progress;

	*error = (struct rpc_error){0};
	progress_begin(&progress, label);
	if (send_all(rpc, line, strlen(line)))
		message = wait_answer(rpc, &progress);
	progress_end(&progress);
	if (message && json_object_has_member(message, "result"))
		return json_object_ref(json_object_get_object_member(message, "result"));
	if (message && json_object_has_member(message, "error"))
		read_error(json_object_get_object_member(message, "error"), error);
	else
		g_strlcpy(error->text, "the daemon has closed the connection without an answer",
			  sizeof(error->text));
	return NULL;
}
