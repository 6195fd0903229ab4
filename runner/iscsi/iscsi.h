/* SPDX-License-Identifier: Apache-2.0 */
/* The iSCSI front end as control sees it (RFC 7143). */
#ifndef ISCSI_ISCSI_H
#define ISCSI_ISCSI_H

#include "loop/loop.h"
#include "model/model.h"
#include "util/error.h"
#include "util/fd_store.h"
#include "util/main_queue.h"

/* The caller sets all values; the options of the command line have the defaults. */
struct iscsi_options {
	/* Of all portals together. */
	unsigned max_connections;
	/* Connections that have not finished login, and discovery sessions. */
	unsigned max_half_open;
	/* From accept to full feature phase; also the time of a discovery session. */
	unsigned login_timeout_s;
	/* Silence of an initiator before it gets a NOP-In. */
	unsigned nopin_interval_s;
	/* An initiator that does not answer, does not read, or sends no Data-Out for this time
	 * loses its connection. */
	unsigned nopin_timeout_s;
	/* Keeps the listening sockets open while there is no process; may be NULL. */
	const struct fd_store *fd_store;
};

struct iscsi_server;

/*
 * Main thread. Becomes the front end of the model (model/front_end.h): binds all portals that the model has
 * now, and then accepts connections; the call fails if an address is busy. From then on it follows each
 * change of the model. It posts its work for the main thread to main. Returns NULL with error set.
 */
struct iscsi_server *iscsi_server_start(struct loop_set *set, struct model *model, struct main_queue *main,
					const struct iscsi_options *options, struct error *error);
/*
 * Main thread, may block for timeout_ms milliseconds: the model has no front end any more. Stops accepting,
 * lets commands in flight end, sends Async Message (logout request, RFC 7143 11.9), closes all sessions and
 * detaches their nexuses. Returns false if storage has not ended all commands in that time. Everything that
 * these commands refer to must then remain, including the model and the loops.
 */
bool iscsi_server_stop(struct iscsi_server *server, unsigned timeout_ms);
#endif
