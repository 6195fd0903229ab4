/* SPDX-License-Identifier: Apache-2.0 */
/* The iSCSI front end as control sees it (RFC 7143). */
#ifndef ISCSI_ISCSI_H
#define ISCSI_ISCSI_H

#include "loop/loop.h"
#include "model/target.h"
#include "util/error.h"
#include "util/fd_store.h"

struct iscsi_options {
	unsigned max_connections;  /* all portals together, 0: 4096 */
	unsigned max_half_open;    /* connections that have not finished login, 0: 128 */
	unsigned login_timeout_s;  /* from accept to full feature phase, 0: 15 */
	unsigned nopin_interval_s; /* silence before a NOP-In probe, 0: 30 */
	unsigned nopin_timeout_s;  /* no answer for so long: the peer is dead, 0: 30 */
	unsigned queue_depth;      /* commands a session may have outstanding (MaxCmdSN window), 0: 128 */
	const struct fd_store *fd_store; /* NULL: nobody keeps the portals open while there is no process */
};

struct iscsi_server;

/* Main thread. Binds all portals of the model first, then accepts; a busy address fails the whole call. */
struct iscsi_server *iscsi_server_start(struct loop_set *set, struct target_model *model,
					const struct iscsi_options *options, struct error *error);
/* Main thread, may block up to timeout_s: stops accepting, lets commands in flight end, sends Async Message
 * (logout request, RFC 7143 11.9), closes all sessions and detaches their nexuses. False: storage has not
 * ended the commands of some in that time; what they refer to, LUs and loops too, must stay. */
bool iscsi_server_stop(struct iscsi_server *server, unsigned timeout_s);
#endif
