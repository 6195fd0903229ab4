/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of a method over the control socket: from the line that asks for it to the line that
 * answers it. A method may answer later, because operations of the model end later. Everything here
 * runs on the main thread.
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

/* The objects that the methods use. All of them outlive the calls. */
struct control_context {
	struct model *model;
	/* NULL: the daemon has no saveconfig.json and cannot read one. */
	struct saveconfig *saveconfig;
	/* Shows the kernel's devices; NULL: this daemon does not serve the kernel. */
	void (*devices)(void *arg, control_device_view *view, void *view_arg);
	void *devices_arg;
	/* The time of CLOCK_MONOTONIC at which the daemon started. */
	int64_t started_us;
	/* For events.h: the peers that are notified of changes. */
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
	 * Sends one line, which the function frees. After the connection has ended it only frees
	 * it. is_event: the line is not an answer, so a peer that does not read may get too many of
	 * them.
	 */
	void (*send)(struct control_peer *peer, char *line, bool is_event);
	/* The message that was passed to control_call_start() has been handled completely. */
	void (*answered)(struct control_peer *peer);
	void (*free)(struct control_peer *peer);
	unsigned refs;
	/* In control_context.subscribers, or a list of its own. */
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
	/* The value of the attribute that a parameter before names: text, a number, true or false. */
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
	/* Each call is logged with the user ID of the peer. */
	bool changes;
	/* The last one has no name. */
	const struct control_param *params;
	/*
	 * The function need not check what the table of parameters already defines. It ends with exactly one
	 * call of control_call_finish(), control_call_refuse() or control_call_fail(), now or later.
	 */
	void (*run)(struct control_call *call);
};
/* The i-th method, in the order of the documents; NULL after the last. */
const struct control_method *control_method_at(unsigned i);

struct control_call {
	struct control_context *context;
	struct control_peer *peer;
	const struct control_method *method;
	struct json_rpc_request request;
	/* For the log; NULL: the call changes nothing. */
	char *description;
};

/*
 * Handles one message. Sends the answer with peer->send(), unless the message is a notification,
 * and then calls peer->answered(), exactly once, possibly before it returns.
 */
void control_call_start(struct control_context *context, struct control_peer *peer, const char *line,
			size_t len);

/*
 * Return the value of a parameter; text and values are valid as long as the call. NULL or false: the
 * parameter was not given.
 */
const char *control_call_text(const struct control_call *call, const char *param);
bool control_call_number(const struct control_call *call, const char *param, uint64_t *number);
bool control_call_flag(const struct control_call *call, const char *param);
JsonNode *control_call_value(const struct control_call *call, const char *param);

/* Ends the call, which must not be used any more. The result is consumed. */
void control_call_finish(struct control_call *call, JsonNode *result);
/*
 * Refuses the call before anything was tried. err: -errno; -ENOENT means that the call names an
 * object or an attribute that does not exist.
 */
void control_call_refuse(struct control_call *call, int err, const struct error *error);
/* Does the same, with a text of its own. */
void control_call_refuse_text(struct control_call *call, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/*
 * The end of a call whose operation has failed. err: -errno. lines: a list that ends with NULL and names the
 * obstacles; or NULL.
 */
void control_call_fail(struct control_call *call, int err, const struct error *error,
		       const char *const *lines);
/* A model_done for operations whose end is the end of the call: arg is the call, and the result is {}. */
void control_call_done(void *arg, int err, const struct error *error);
#endif
