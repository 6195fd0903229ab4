/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts and stops the iSCSI front end. A stop goes through phases: the main thread posts each phase to all
 * loops and waits, and each connection does what the phase demands (conn.c). Between start and stop, the
 * loops do all work.
 */
#include "iscsi/server.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "iscsi/answer.h"
#include "iscsi/conn.h"
#include "iscsi/expiry.h"
#include "iscsi/listener.h"
#include "iscsi/task.h"
#include "util/clock.h"

#define POLL_NS     10000000 /* How often the main thread checks whether a stop has made progress. */
#define ASK_SECONDS 1        /* The time that initiators get to log out. */

static void retry(struct loop_timer *timer)
{
	iscsi_listeners_accept(container_of(timer, struct iscsi_server, retry));
}

/* --- phases: main thread to all loops --------------------------------------------------------- */

static void visit_loop(void *owner, struct loop *loop)
{
	struct iscsi_server *server = owner;
	struct iscsi_loop *il = &server->loops[loop_index(loop)];
	struct list *node, *tmp;
	bool first = il == &server->loops[0];

	il->phase = (enum iscsi_stop_phase)atomic_load(&server->phase);
	if (first && il->phase == ISCSI_STOP_SERVE)
		iscsi_listeners_accept(server);
	if (first && il->phase == ISCSI_STOP_ASK) {
		loop_timer_cancel(&server->retry);
		iscsi_places_dismiss(server);
	}
	list_for_each (&il->conns, node, tmp)
		iscsi_conn_phase(list_entry(node, struct iscsi_conn, node));
	loop_broadcast_ack(server->phase_broadcast);
}

static const struct loop_broadcast_ops phase_ops = {.visit = visit_loop};

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
}

static void enter_phase(struct iscsi_server *server, enum iscsi_stop_phase phase)
{
	atomic_store(&server->phase, phase);
	loop_broadcast_run(server->phase_broadcast);
}

/*
 * A connection whose storage hangs is first added to hanging and then subtracted from connections, so it is
 * never missing in the sum.
 */
static unsigned count_connections(struct iscsi_server *server)
{
	unsigned connections = atomic_load(&server->connections);

	return connections + atomic_load(&server->hanging);
}

/* Returns false if there still are connections at the deadline. */
static bool wait_for_connections(struct iscsi_server *server, uint64_t deadline)
{
	while (count_connections(server)) {
		if (clock_now_ns() >= deadline)
			return false;
		nap();
	}
	return true;
}

/* --- start and stop --------------------------------------------------------------------------- */

static void server_free(struct iscsi_server *server)
{
	for (unsigned i = 0; server->loops && i < server->set->nloops; i++) {
		if (server->loops[i].server) {
			iscsi_answers_drop(&server->loops[i]);
			slab_destroy(&server->loops[i].tasks);
		}
		free(server->loops[i].batch);
	}
	free(server->loops);
	loop_broadcast_free(server->phase_broadcast);
	loop_broadcast_free(server->listener_broadcast);
	loop_broadcast_free(server->front_end.broadcast);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

static int init_loops(struct iscsi_server *server)
{
	server->loops = calloc(server->set->nloops, sizeof(*server->loops));
	if (!server->loops)
		return -ENOMEM;
	for (unsigned i = 0; i < server->set->nloops; i++) {
		struct iscsi_loop *il = &server->loops[i];

		il->server = server;
		il->loop = server->set->loops[i];
		list_init(&il->conns);
		list_init(&il->answers);
		slab_init(&il->tasks, sizeof(struct iscsi_task));
		iscsi_expiry_init(il);
		if (iscsi_tx_batch_new(&il->batch) < 0)
			return -ENOMEM;
	}
	return 0;
}

/*
 * Fixes the size from which malloc() uses mmap() for each piece, so that free() returns the memory to the
 * system. By default, glibc raises this size whenever such a piece is freed. After that, one small piece in
 * use can keep megabytes from being returned.
 */
static void set_up_malloc(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
#endif
}

static int init(struct iscsi_server *server)
{
	pthread_mutex_init(&server->lock, NULL);
	list_init(&server->listeners);
	iscsi_places_init(server);
	server->retry.fn = retry;
	iscsi_session_table_init(&server->sessions);
	iscsi_front_end_init(server);
	server->phase_broadcast = loop_broadcast_new(server->set, &phase_ops, server);
	server->listener_broadcast = loop_broadcast_new(server->set, &iscsi_listener_ops, server);
	server->front_end.broadcast = loop_broadcast_new(server->set, &iscsi_update_ops, server);
	if (!server->phase_broadcast || !server->listener_broadcast || !server->front_end.broadcast)
		return -ENOMEM;
	return init_loops(server);
}

struct iscsi_server *iscsi_server_start(struct loop_set *set, struct model *model, struct main_queue *main,
					const struct iscsi_options *options, struct error *error)
{
	struct iscsi_server *server = calloc(1, sizeof(*server));

	if (!server) {
		error_set(error, ENOMEM, "out of memory");
		return NULL;
	}
	set_up_malloc();
	server->set = set;
	server->model = model;
	server->main = main;
	server->options = *options;
	if (init(server) < 0) {
		error_set(error, ENOMEM, "out of memory");
	} else if (!model_set_front_end(model, &server->front_end.ops, error)) {
		server->running = true;
		enter_phase(server, ISCSI_STOP_SERVE);
		return server;
	}
	server_free(server);
	return NULL;
}

bool iscsi_server_stop(struct iscsi_server *server, unsigned timeout_ms)
{
	uint64_t start = clock_now_ns(), limit = timeout_ms * NS_PER_MS;
	bool over;

	iscsi_front_end_stop(server);
	enter_phase(server, ISCSI_STOP_ASK);
	over = wait_for_connections(server, start + MIN(limit / 4, ASK_SECONDS * NS_PER_S));
	if (!over) {
		enter_phase(server, ISCSI_STOP_IDLE);
		over = wait_for_connections(server, start + limit / 2);
	}
	if (!over) {
		enter_phase(server, ISCSI_STOP_FORCE);
		over = wait_for_connections(server, start + limit);
	}
	if (!over) {
		log_err(NULL, "%u connections still have commands in flight", count_connections(server));
		return false;
	}
	/*
	 * The last connection was subtracted during a turn of its loop. This waits for the end of the turn.
	 */
	enter_phase(server, ISCSI_STOP_FORCE);
	server_free(server);
	return true;
}
