/* SPDX-License-Identifier: Apache-2.0 */
/* Opens listening sockets, and accepts connections. */
#ifndef ISCSI_LISTENER_H
#define ISCSI_LISTENER_H

#include "loop/loop.h"
#include "model/np.h"
#include "util/error.h"

struct iscsi_server;

/*
 * Main thread. Listens on the address of np. Connections are accepted at once or, if the server is not
 * running yet, as soon as it runs. Returns 0, or -errno with error set; -EADDRINUSE means that another socket
 * listens on the address.
 */
int iscsi_listener_open(struct iscsi_server *server, struct model_np *np, struct error *error);
/* Main thread. Stops listening. When this returns, the address is free. Connections stay. */
void iscsi_listener_close(struct iscsi_server *server, struct model_np *np);
/* Loop 0. Accepts the connections that wait at all listeners. */
void iscsi_listeners_accept(struct iscsi_server *server);
/* The functions of server->listener_broadcast, which adds a listener on loop 0 or removes it. */
extern const struct loop_broadcast_ops iscsi_listener_ops;
#endif
