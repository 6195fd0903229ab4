/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The iSCSI server (iscsi.h): the data that all connections share, and the data that the connections of one
 * loop share. server->lock guards the session table with its waiting connections, and the places. A loop
 * takes this lock when a connection is accepted, logs in or ends, but never while it holds another lock, and
 * never on the data path.
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

/* The phases of a stop, in this order. Each connection acts on the newest phase (conn.c). */
enum iscsi_stop_phase {
	/* Connections are accepted and served. */
	ISCSI_STOP_SERVE,
	/* Initiators are asked to log out. Connections that have not logged in are closed. */
	ISCSI_STOP_ASK,
	/* A connection is closed as soon as it has no task. */
	ISCSI_STOP_IDLE,
	/* Connections are closed at once, and their tasks are aborted. */
	ISCSI_STOP_FORCE,
};

/* The part of the front end that belongs to one event loop. Only this loop uses it. */
struct iscsi_loop {
	struct iscsi_server *server;
	struct loop *loop;
	struct list conns;
	struct slab tasks;
	/*
	 * The batch is shared by all connections of the loop, and is empty between two calls of
	 * iscsi_tx_flush().
	 */
	struct iscsi_tx_batch *batch;
	/* See memory.h. */
	size_t request_bytes;
	/* See work.h. */
	uint64_t work_turn;
	unsigned work;
	/* A list of struct iscsi_answer that are kept, the oldest first. */
	struct list answers;
	unsigned nanswers;
	enum iscsi_stop_phase phase;
	/*
	 * The number of nexuses whose commands have a time limit, plus the sessions with a dataout_timeout,
	 * plus the sessions that have ended while commands of them were in flight.
	 */
	unsigned nlimited;
	/* Examines the commands of all these as long as nlimited is not 0. */
	struct loop_timer expiry;
};

struct iscsi_server {
	struct loop_set *set;
	struct model *model;
	struct main_queue *main;
	struct iscsi_options options;
	/* An array with one element for each loop of the set. */
	struct iscsi_loop *loops;
	/*
	 * A list of struct iscsi_listener. Loop 0 uses it, and the main thread until the server is running.
	 */
	struct list listeners;
	/* Main thread: the listener that listener_broadcast adds or removes on loop 0. */
	struct iscsi_listener *listener;
	struct loop_broadcast *listener_broadcast;
	/* Main thread: whether all portals are bound and their connections are accepted. */
	bool running;
	/* Main thread: whether the sockets stay in options.fd_store for the next process. */
	bool stopping;
	/* Loop 0: the loop that gets the next connection. */
	unsigned next_loop;
	/* Loop 0: the timer that accepts again after a shortage of descriptors. */
	struct loop_timer retry;
	/* Loop 0: whether the shortage is in the log already. */
	bool short_of_descriptors;
	/* The number of connections that have entered (places.h). */
	atomic_uint connections;
	/*
	 * The number of connections that are closed and have no place, but whose storage has not completed
	 * its commands.
	 */
	atomic_uint hanging;
	struct iscsi_places places;

	/* The newest phase (enum iscsi_stop_phase). */
	atomic_uint phase;
	/* Makes the newest phase known to all loops. */
	struct loop_broadcast *phase_broadcast;
	/* Used on the main thread. */
	struct iscsi_front_end front_end;

	pthread_mutex_t lock;
	struct iscsi_session_table sessions;
};

/*
 * Returns the largest number of connections of one address, which is also the largest number of sessions of
 * one initiator.
 */
unsigned iscsi_server_share(const struct iscsi_server *server);
#endif
