/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of the control socket. Its messages are handled one after another: the next message is read
 * after the answer to the previous one has been sent. Therefore a client that sends without reading has to
 * wait, and uses little memory. Main thread.
 */
#ifndef CONTROL_SOCKET_CLIENT_H
#define CONTROL_SOCKET_CLIENT_H

#include "control_socket/call.h"

struct control_client;

struct control_client_owner {
	/* Is called when the connection has ended by itself. The client must not be used afterwards. */
	void (*closed)(void *arg, struct control_client *client);
	void *arg;
};

/* Returns a client for a connection, and takes over its descriptor. */
struct control_client *control_client_new(struct control_context *context, int fd, uid_t uid, pid_t pid,
					  const struct control_client_owner *owner);
/* Ends the connection without calling owner.closed(). A call that is in progress ends without an answer. */
void control_client_close(struct control_client *client);
/*
 * Returns whether the client waits for nothing: no call is in progress, no answer is being sent, and the
 * client has not subscribed.
 */
bool control_client_is_idle(const struct control_client *client);
/* Returns the time of g_get_monotonic_time() at which the client last sent or received something. */
int64_t control_client_last_use(const struct control_client *client);
#endif
