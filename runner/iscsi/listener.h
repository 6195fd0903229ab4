/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets. */
#ifndef ISCSI_LISTENER_H
#define ISCSI_LISTENER_H

#include "loop/loop.h"
#include "model/np.h"
#include "util/error.h"

struct iscsi_server;

/*
 * Main thread. Listens on the address of np. Connections are accepted at once, or when the server runs.
 * Returns 0, or -errno with error set: -EADDRINUSE when another socket listens there.
 */
int iscsi_listener_open(struct iscsi_server *server, struct model_np *np, struct error *error);
/* Main thread. Ends the listening; the address is free when this returns. Connections stay. */
void iscsi_listener_close(struct iscsi_server *server, struct model_np *np);
/* Loop 0. Accepts what has come at any listener. */
void iscsi_listeners_accept(struct iscsi_server *server);
/* For server->listener_broadcast: adds a listener on loop 0, or removes it. */
extern const struct loop_broadcast_ops iscsi_listener_ops;
#endif
