/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a daemon: JSON-RPC 2.0 over its control socket (docs/control-socket.md). */
#ifndef TCMUCTL_RPC_H
#define TCMUCTL_RPC_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

#include "util/error.h"

struct rpc;

/* Why a call was refused. */
struct rpc_error {
	/*
	 * The member "error" of the answer, which the caller frees with json_object_unref(), or NULL if the
	 * daemon has not answered.
	 */
	JsonObject *json;
	/* The reason in one line. */
	char text[1024];
	/* Whether the call names an object that does not exist. */
	bool no_object;
};
void rpc_error_clear(struct rpc_error *error);

/* Returns NULL with error set and errno set. */
struct rpc *rpc_connect(const char *path, struct error *error);
void rpc_free(struct rpc *rpc);
/*
 * Calls a method and waits for the answer, however long the operation takes. params, which may be NULL, is
 * consumed. label is the text that the terminal shows after a second, or NULL. Returns the result, which the
 * caller frees with json_object_unref(), or NULL with error set.
 */
JsonObject *rpc_call(struct rpc *rpc, const char *method, JsonObject *params, const char *label,
		     struct rpc_error *error);
/* Returns a descriptor that is readable when rpc_event() may have something. */
int rpc_fd(const struct rpc *rpc);
/* Reads what has arrived. Returns false if the daemon has ended the connection. */
bool rpc_receive(struct rpc *rpc);
/*
 * Returns the parameters of the next notification that has arrived, which the caller frees with
 * json_object_unref(), or NULL if there is none.
 */
JsonObject *rpc_event(struct rpc *rpc);
#endif
