/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of a method over the control socket, from the line with the request to the line with the answer. A
 * method may answer later, because operations of the model may take longer than the call of the function.
 * Everything here runs on the main thread.
 */
#ifndef CONTROL_SOCKET_CALL_H
#define CONTROL_SOCKET_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/saveconfig.h"
#include "control_socket/json_rpc.h"
#include "control_socket/device.h"
#include "model/model.h"
#include "util/list.h"

/* The objects that the methods use. All of them exist longer than the calls. */
struct control_context {
	struct model *model;
	/* NULL if the daemon has no saveconfig.json and cannot read one. */
	struct saveconfig *saveconfig;
	/* Calls view for each of the kernel's devices. NULL if this daemon does not serve the kernel. */
	void (*devices)(void *arg, control_device_view *view, void *view_arg);
	void *devices_arg;
	/* The time of CLOCK_MONOTONIC at which the daemon started. */
	int64_t started_us;
	/* The peers that are notified of changes (events.h). */
	struct list subscribers;
	struct model_watch watch;
};

/*
 * The sender of messages: a connection, or a test. It is reference-counted, because calls may end after their
 * connection.
 */
struct control_peer {
	uid_t uid;
	pid_t pid;
	/*
	 * Sends one line, which the function frees. After the end of the connection, the function only frees
	 * the line. If is_event is true, the line is not an answer, so a peer that does not read may be sent
	 * too many of them.
	 */
	void (*send)(struct control_peer *peer, char *line, bool is_event);
	/* Is called when the message that was passed to control_call_start() has been handled completely. */
	void (*answered)(struct control_peer *peer);
	void (*free)(struct control_peer *peer);
	unsigned refs;
	/* Links the peer into control_context.subscribers, or is an empty list. */
	struct list subscriber;
};
struct control_peer *control_peer_get(struct control_peer *peer);
void control_peer_put(struct control_peer *peer);

enum control_param_type {
	CONTROL_TEXT,
	/* An integer that is not negative. */
	CONTROL_NUMBER,
	CONTROL_FLAG,
	/* The name of an attribute with its group: "attrib/authentication". */
	CONTROL_ATTRIBUTE,
	/* The value of the attribute that an earlier parameter names: text, a number, true or false. */
	CONTROL_VALUE,
	/* An object: the names of attributes ("attrib/authentication") and their values. */
	CONTROL_VALUES,
};

struct control_param {
	const char *name;
	enum control_param_type type;
	bool required;
	/* One sentence without a full stop. */
	const char *help;
};

struct control_call;

struct control_method {
	const char *name;
	/* One sentence without a full stop. */
	const char *help;
	/* A description of the result, for the documents. */
	const char *result;
	/*
	 * Whether the method changes something. Each call of such a method is logged with the user ID of the
	 * peer.
	 */
	bool changes;
	/* The parameters. The last element has no name. */
	const struct control_param *params;
	/*
	 * Runs the method. It need not check what the table of parameters already defines. It calls
	 * control_call_finish(), control_call_refuse() or control_call_fail() exactly once, at once or later.
	 */
	void (*run)(struct control_call *call);
};
/* Returns the i-th method, in the order of the documents, or NULL after the last one. */
const struct control_method *control_method_at(unsigned i);

struct control_call {
	struct control_context *context;
	struct control_peer *peer;
	const struct control_method *method;
	struct json_rpc_request request;
	/* The text for the log, or NULL if the call changes nothing. */
	char *description;
};

/*
 * Handles one message. Sends the answer with peer->send(), unless the message is a notification,
 * and then calls peer->answered(), exactly once, possibly before it returns.
 */
void control_call_start(struct control_context *context, struct control_peer *peer, const char *line,
			size_t len);

/*
 * These functions return the value of a parameter. Text and values are valid as long as the call. NULL or
 * false means that the parameter was not given.
 */
const char *control_call_text(const struct control_call *call, const char *param);
bool control_call_number(const struct control_call *call, const char *param, uint64_t *number);
bool control_call_flag(const struct control_call *call, const char *param);
JsonNode *control_call_value(const struct control_call *call, const char *param);

/* Ends the call, which must not be used afterwards. Consumes the result. */
void control_call_finish(struct control_call *call, JsonNode *result);
/*
 * Refuses the call before anything was tried. err is a negative errno; -ENOENT means that the call names an
 * object or an attribute that does not exist.
 */
void control_call_refuse(struct control_call *call, int err, const struct error *error);
/* Refuses the call with a text that the format describes. */
void control_call_refuse_text(struct control_call *call, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/*
 * Ends a call whose operation has failed. err is a negative errno. lines is NULL, or a list that ends with
 * NULL and names the obstacles.
 */
void control_call_fail(struct control_call *call, int err, const struct error *error,
		       const char *const *lines);
/*
 * A function of the type model_done for an operation whose end is also the end of the call. arg is the call.
 * The result of the call is {}.
 */
void control_call_done(void *arg, int err, const struct error *error);
#endif
