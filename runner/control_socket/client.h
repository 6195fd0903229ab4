/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of the control socket. Its messages are handled one after another: the next one is
 * read when the answer to the one before has been sent. So a client that sends without reading
 * waits, and holds little memory. Main thread.
 */
#ifndef CONTROL_SOCKET_CLIENT_H
#define CONTROL_SOCKET_CLIENT_H

#include "control_socket/call.h"

struct control_client;

struct control_client_owner {
	/* The client has closed itself, and may not be used any more. */
	void (*closed)(void *arg, struct control_client *client);
	void *arg;
};

/* Takes over the descriptor. */
struct control_client *control_client_new(struct control_context *context, int fd, uid_t uid, pid_t pid,
					  const struct control_client_owner *owner);
/*
 * Ends the connection, without a call of owner.closed(). A call that is in progress ends without an answer.
 */
void control_client_close(struct control_client *client);
/*
 * The client waits for nothing: no call is in progress, no answer is being sent, and it has not subscribed.
 */
bool control_client_is_idle(const struct control_client *client);
/* Returns the time of g_get_monotonic_time() at which the client last sent or received something. */
int64_t control_client_last_use(const struct control_client *client);
#endif
