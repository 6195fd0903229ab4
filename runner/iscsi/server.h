/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server behind iscsi.h: what all connections share, and what those of one loop share.
 *
 * Locks: server->lock guards the session table, the waiters in it, the TSIH map and the list of half-open
 * connections; taken at accept, at login and at the end of a session, never with another lock held and never
 * on the data path.
 */
#ifndef ISCSI_SERVER_H
#define ISCSI_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "iscsi/iscsi.h"
#include "iscsi/places.h"
#include "iscsi/session_table.h"
#include "util/list.h"
#include "util/slab.h"

struct iscsi_conn;
struct iscsi_listener;
struct iscsi_tx_batch;

/* Stages of a stop, in order; each connection acts on the newest (conn.c). */
enum iscsi_stop_phase {
	ISCSI_STOP_SERVE,
	ISCSI_STOP_ASK,   /* initiators are asked to log out, what is not logged in is closed */
	ISCSI_STOP_IDLE,  /* close as soon as no task is left */
	ISCSI_STOP_FORCE, /* close now, abort what runs */
};

/* The front end's part of one event loop; everything but the counters is touched on that loop only. */
struct iscsi_loop {
	struct iscsi_server *server;
	struct loop *loop;
	struct list conns;
	struct slab tasks;
	struct iscsi_tx_batch
	    *batch; /* shared by the loop's connections: empty between two calls of iscsi_tx_flush */
	size_t request_bytes; /* see memory.h */
	uint64_t work_turn;   /* see work.h */
	unsigned work;
	struct list answers; /* struct iscsi_answer: kept, oldest first */
	unsigned nanswers;
	enum iscsi_stop_phase phase;
	struct loop_work phase_work;
};

struct iscsi_server {
	struct loop_set *set;
	struct target_model *model;
	struct iscsi_options options;
	struct iscsi_loop *loops;  /* one a loop of the set */
	struct list listeners;     /* loop 0 */
	unsigned next_loop;        /* loop 0: where the next connection goes */
	struct loop_timer retry;   /* loop 0: accepts again after descriptors were short */
	bool short_of_descriptors; /* loop 0 */
	atomic_uint connections;   /* that have entered (places.h) */
	struct iscsi_places places;

	atomic_uint phase;         /* enum iscsi_stop_phase of iscsi_server_stop() */
	atomic_uint phase_pending; /* loops that have not seen it */

	pthread_mutex_t lock;
	struct iscsi_session_table sessions;
};

/* The most connections of one address, and the most sessions of one initiator. */
unsigned iscsi_server_share(const struct iscsi_server *server);

#endif
