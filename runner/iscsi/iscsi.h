/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of the iSCSI front end (RFC 7143) for runner/control. */
#ifndef ISCSI_ISCSI_H
#define ISCSI_ISCSI_H

#include "loop/loop.h"
#include "model/model.h"
#include "storage/inventories.h"
#include "util/error.h"
#include "util/fd_store.h"
#include "util/main_queue.h"

/* The options of the server. The caller sets all values; the command line defines the defaults. */
struct iscsi_options {
	/* The largest number of connections of all portals together. */
	unsigned max_connections;
	/*
	 * The largest number of connections that have not finished their login, including discovery sessions.
	 */
	unsigned max_half_open;
	/*
	 * The time from accept() to the full feature phase, which is also the time limit of a discovery
	 * session.
	 */
	unsigned login_timeout_s;
	/* The time for which an initiator may be silent before it gets a NOP-In. */
	unsigned nopin_interval_s;
	/*
	 * An initiator loses its connection if it does not answer, does not read, or sends no Data-Out for
	 * this time.
	 */
	unsigned nopin_timeout_s;
	/* Keeps the listening sockets open while no process serves them; may be NULL. */
	const struct fd_store *fd_store;
	/* What initiators know of their LUNs; may be NULL. */
	struct storage_inventories *inventories;
};

struct iscsi_server;

/*
 * Main thread. Becomes the front end of the model (model/front_end.h): binds all portals that the model has,
 * and then accepts connections. The call fails if an address is in use. From then on, the server follows each
 * change of the model. It posts its work for the main thread to main. Returns NULL with error set.
 */
struct iscsi_server *iscsi_server_start(struct loop_set *set, struct model *model, struct main_queue *main,
					const struct iscsi_options *options, struct error *error);
/*
 * Main thread; may block for timeout_ms milliseconds. Separates the server from the model: stops accepting,
 * waits for commands in flight, asks initiators to log out (Asynchronous Message, RFC 7143 11.9), closes all
 * sessions and detaches their nexuses. Returns false if storage has not completed all commands in this time.
 * Everything to which these commands refer must then remain, including the model and the loops.
 */
bool iscsi_server_stop(struct iscsi_server *server, unsigned timeout_ms);
#endif
