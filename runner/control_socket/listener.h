/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket: RUN_FOLDER/control. It is served on GLib's default main context. Main thread. */
#ifndef CONTROL_SOCKET_LISTENER_H
#define CONTROL_SOCKET_LISTENER_H

#include "control_socket/call.h"

struct control_socket;

/*
 * Listens in the run folder, which is created if it is missing. NULL: the daemon has no socket; a
 * line in the log has said why, and which option gives it one. run_dir may be NULL. The context
 * outlives the socket.
 */
struct control_socket *control_socket_open(const char *run_dir, struct control_context *context);
/*
 * Ends all connections, and removes the socket. Calls that have not ended yet end without an
 * answer. NULL: nothing happens.
 */
void control_socket_close(struct control_socket *socket);
#endif
