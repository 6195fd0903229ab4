/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of the front end for the model: visits all loops after a change of the model, opens and
 * closes listeners, and lists and ends sessions. conn.c and lun.c apply a change to a session.
 */
#include "iscsi/front_end.h"

#include <errno.h>

#include "iscsi/conn.h"
#include "iscsi/listener.h"
#include "iscsi/session.h"
#include "util/clock.h"
#include "util/counter.h"

/* --- updates ---------------------------------------------------------------------------------- */

static void visit(void *owner, struct loop *loop)
{
	struct iscsi_server *server = owner;
	struct iscsi_loop *il = &server->loops[loop_index(loop)];
	struct list *node, *tmp;

	list_for_each (&il->conns, node, tmp)
		iscsi_conn_update(list_entry(node, struct iscsi_conn, node));
	loop_broadcast_ack(server->front_end.broadcast);
}

/* Is called on the loop that was visited last. */
static void visited(void *owner)
{
	struct iscsi_server *server = owner;

	main_queue_post(server->main, &server->front_end.over);
}

const struct loop_broadcast_ops iscsi_update_ops = {.visit = visit, .done = visited};

static void start_update(struct iscsi_front_end *front_end)
{
	front_end->updating = true;
	list_splice_tail(&front_end->served, &front_end->waiting);
	loop_broadcast_start(front_end->broadcast, NULL);
}

static void update_over(struct main_work *work)
{
	struct iscsi_front_end *front_end = container_of(work, struct iscsi_front_end, over);
	struct list served = LIST_INIT(served), *node;

	front_end->updating = false;
	list_splice_tail(&served, &front_end->served);
	if (!list_empty(&front_end->waiting))
		start_update(front_end);
	while ((node = list_pop(&served))) {
		struct main_work *done = list_entry(node, struct main_work, node);

		done->fn(done);
	}
}

/*
 * Starts a visit of all loops. If a visit is in progress, it may have passed some loops before this change,
 * so the caller waits for the next visit.
 */
static void update(void *arg, struct main_work *done)
{
	struct iscsi_front_end *front_end = &((struct iscsi_server *)arg)->front_end;

	list_add_tail(&front_end->waiting, &done->node);
	if (!front_end->updating)
		start_update(front_end);
}

/* --- listeners -------------------------------------------------------------------------------- */

static int begin_listening(void *arg, struct model_np *np, struct error *error)
{
	return iscsi_listener_open(arg, np, error);
}

static void end_listening(void *arg, struct model_np *np)
{
	iscsi_listener_close(arg, np);
}

/* --- sessions --------------------------------------------------------------------------------- */

struct listing {
	void (*fn)(void *arg, const struct model_session *session);
	void *arg;
};

static bool list_one(struct iscsi_session *session, void *arg)
{
	const struct listing *listing = arg;
	char parameters[ISCSI_PARAMS_TEXT_SIZE];
	struct model_session shown = {
	    .target = session->target_name,
	    .tag = session->tag,
	    .initiator = session->initiator_name,
	    .alias = session->initiator_alias ? session->initiator_alias : "",
	    .peer = session->conn->peer,
	    .local = session->conn->local,
	    .tsih = session->tsih,
	    .cid = session->cid,
	    .discovery = session->discovery,
	    .age = (clock_now_ns() - session->began_ns) / NS_PER_S,
	    .commands = counter_read(&session->commands),
	    .read_bytes = counter_read(&session->read_bytes),
	    .write_bytes = counter_read(&session->write_bytes),
	    .parameters = iscsi_params_show(&session->params, session->discovery, parameters),
	};

	memcpy(shown.isid, session->isid, sizeof(shown.isid));
	listing->fn(listing->arg, &shown);
	return true;
}

static void list_sessions(void *arg, void (*fn)(void *fn_arg, const struct model_session *session),
			  void *fn_arg)
{
	iscsi_sessions_visit(arg, list_one, &(struct listing){fn, fn_arg});
}

struct wanted {
	uint16_t tsih;
	bool found;
};

static bool kick_wanted(struct iscsi_session *session, void *arg)
{
	struct wanted *wanted = arg;

	if (session->tsih != wanted->tsih)
		return true;
	wanted->found = true;
	iscsi_session_kick(session);
	return false;
}

static int kick(void *arg, uint16_t tsih)
{
	struct wanted wanted = {.tsih = tsih};

	iscsi_sessions_visit(arg, kick_wanted, &wanted);
	return wanted.found ? 0 : -ENOENT;
}

/* --- start and stop --------------------------------------------------------------------------- */

void iscsi_front_end_init(struct iscsi_server *server)
{
	struct iscsi_front_end *front_end = &server->front_end;

	front_end->ops = (struct model_front_end){
	    .update = update,
	    .listen = begin_listening,
	    .unlisten = end_listening,
	    .sessions = list_sessions,
	    .kick = kick,
	    .arg = server,
	};
	front_end->over.fn = update_over;
	list_init(&front_end->served);
	list_init(&front_end->waiting);
}

void iscsi_front_end_stop(struct iscsi_server *server)
{
	server->stopping = true;
	model_set_front_end(server->model, NULL, NULL);
	while (server->front_end.updating)
		main_queue_wait(server->main, 1000);
}
