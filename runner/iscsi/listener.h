/* SPDX-License-Identifier: Apache-2.0 */
/* Portals. */
#ifndef ISCSI_LISTENER_H
#define ISCSI_LISTENER_H

#include "util/error.h"

struct iscsi_server;

/* On loop 0, but for iscsi_listeners_open(), which runs on the main thread before anything is
 * accepted. */
int iscsi_listeners_open(struct iscsi_server *server, struct error *error);
void iscsi_listeners_accept(struct iscsi_server *server);
void iscsi_listeners_stop(struct iscsi_server *server);
/* Main thread, after iscsi_listeners_stop() or where nothing was started. */
void iscsi_listeners_free(struct iscsi_server *server);
#endif
