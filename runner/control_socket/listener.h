/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket: RUN_FOLDER/control. It is served on GLib's default main context. Main thread. */
#ifndef CONTROL_SOCKET_LISTENER_H
#define CONTROL_SOCKET_LISTENER_H

#include "control_socket/call.h"

struct control_socket;

/*
 * Listens in the run folder, which is created if it is missing. Returns NULL with error set if the daemon
 * gets no socket. The context must exist longer than the socket.
 */
struct control_socket *control_socket_open(const char *run_dir, struct control_context *context,
					   struct error *error);
/*
 * Ends all connections, and removes the socket. Calls that are in progress end without an answer. If socket
 * is NULL, nothing happens.
 */
void control_socket_close(struct control_socket *socket);
#endif
