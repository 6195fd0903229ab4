/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The iSCSI server (iscsi.h): what all connections share, and what the connections of one loop
 * share.
 *
 * server->lock guards the session table with its waiting connections, and the places. A loop takes
 * it when a connection is accepted, logs in or ends, never with another lock held and never on the
 * data path.
 */
#ifndef ISCSI_SERVER_H
#define ISCSI_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "iscsi/front_end.h"
#include "iscsi/iscsi.h"
#include "iscsi/places.h"
#include "iscsi/session_table.h"
#include "util/list.h"
#include "util/slab.h"

struct iscsi_conn;
struct iscsi_listener;
struct iscsi_tx_batch;

/* The stages of a stop, in order. Each connection acts on the newest one (conn.c). */
enum iscsi_stop_phase {
	ISCSI_STOP_SERVE,
	/* Initiators are asked to log out. Connections that have not logged in are closed. */
	ISCSI_STOP_ASK,
	/* A connection is closed as soon as it has no task. */
	ISCSI_STOP_IDLE,
	/* Connections are closed now, and their tasks aborted. */
	ISCSI_STOP_FORCE,
};

/* The front end's part of one event loop. Only this loop touches it. */
struct iscsi_loop {
	struct iscsi_server *server;
	struct loop *loop;
	struct list conns;
	struct slab tasks;
	/* Shared by the connections of the loop; empty between two calls of iscsi_tx_flush(). */
	struct iscsi_tx_batch *batch;
	/* See memory.h. */
	size_t request_bytes;
	/* See work.h. */
	uint64_t work_turn;
	unsigned work;
	/* struct iscsi_answer: answers that are kept, oldest first. */
	struct list answers;
	unsigned nanswers;
	enum iscsi_stop_phase phase;
	/*
	 * Nexuses whose commands have a time limit, sessions with a dataout_timeout, and sessions that
	 * have ended while commands of them were in flight; and the timer that looks at
	 * these commands while there are any.
	 */
	unsigned nlimited;
	struct loop_timer expiry;
};

struct iscsi_server {
	struct loop_set *set;
	struct model *model;
	struct main_queue *main;
	struct iscsi_options options;
	/* One for each loop of the set. */
	struct iscsi_loop *loops;
	/* struct iscsi_listener; loop 0, and the main thread until the server is running. */
	struct list listeners;
	/* Main thread: the listener that listener_broadcast has loop 0 add or remove. */
	struct iscsi_listener *listener;
	struct loop_broadcast *listener_broadcast;
	/* Main thread: all portals are bound, and their connections are accepted. */
	bool running;
	/* Main thread: sockets stay with the keeper of options.fd_store, for the next process. */
	bool stopping;
	/* Loop 0: the loop that gets the next connection. */
	unsigned next_loop;
	/* Loop 0: accepts again after a shortage of descriptors. */
	struct loop_timer retry;
	/* Loop 0: a shortage is in the log already. */
	bool short_of_descriptors;
	/* Connections that have entered (places.h). */
	atomic_uint connections;
	/* Connections that are closed and have no place, but whose storage has not answered yet. */
	atomic_uint hanging;
	struct iscsi_places places;

	/* enum iscsi_stop_phase: the newest. */
	atomic_uint phase;
	/* Makes the newest phase known to all loops. */
	struct loop_broadcast *phase_broadcast;
	/* Main thread. */
	struct iscsi_front_end front_end;

	pthread_mutex_t lock;
	struct iscsi_session_table sessions;
};

/* Returns the largest number of connections of one address, and of sessions of one initiator. */
unsigned iscsi_server_share(const struct iscsi_server *server);
#endif
