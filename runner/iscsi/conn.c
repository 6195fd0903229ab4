/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creates and closes connections. Before a closing connection is freed, three things must have happened, in
 * any order: the socket is closed, the tasks of the session have ended, and posted work has run. Then
 * conn_turn() frees the connection. The socket is closed at once after an error, otherwise after the output
 * queue was sent (drain()). rx.c receives, and tx.c sends.
 */
#include "iscsi/conn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "iscsi/expiry.h"
#include "iscsi/login_phase.h"
#include "iscsi/logout.h"
#include "iscsi/nop.h"
#include "iscsi/session.h"
#include "iscsi/task.h"
#include "iscsi_login/text.h"
#include "model/portal.h"
#include "util/clock.h"

/* The time that an initiator gets to close the connection after the last PDU was sent. */
#define DRAIN_NS NS_PER_S
/* The time that an initiator gets to log out after it was asked to. */
#define LEAVE_S 2

void iscsi_conn_wake(struct iscsi_conn *conn)
{
	loop_defer(conn->il->loop, &conn->turn);
}

static void close_socket(struct iscsi_conn *conn)
{
	if (conn->watch.fd < 0)
		return;
	if (loop_watch_is_active(&conn->watch))
		loop_watch_del(&conn->watch);
	close(conn->watch.fd);
	conn->watch.fd = -1;
	loop_timer_cancel(&conn->timer);
}

/* Begins to close the connection: from this call on, nothing is received or queued. The socket stays open. */
static void begin_close(struct iscsi_conn *conn, const char *reason)
{
	bool joining = conn->state == ISCSI_CONN_JOINING;

	bool heard = atomic_load_explicit(&conn->heard, memory_order_relaxed);

	log_at(reason && heard ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, conn->name, "connection closed%s%s",
	       reason ? ": " : "", reason ? reason : "");
	conn->state = ISCSI_CONN_CLOSING;
	iscsi_rx_free(conn);
	conn->rx.paused = false;
	iscsi_tx_drop(conn);
	iscsi_login_free(conn->login);
	conn->login = NULL;
	if (conn->session && joining) { /* The session is not in the table yet. */
		iscsi_session_unwait(conn);
		iscsi_session_free(conn->session);
		conn->session = NULL;
	} else if (conn->session) {
		iscsi_session_end(conn->session);
	}
	iscsi_place_free_half_open(conn);
	iscsi_conn_wake(conn);
}

void iscsi_conn_close(struct iscsi_conn *conn, const char *reason)
{
	if (conn->state != ISCSI_CONN_CLOSING)
		begin_close(conn, reason);
	close_socket(conn);
	iscsi_conn_wake(conn);
}

void iscsi_conn_finish(struct iscsi_conn *conn)
{
	conn->close_after_send = true;
	iscsi_conn_wake(conn);
}

/*
 * Waits until the initiator has closed the connection, and drops what it still sends. If the socket were
 * closed with unread bytes, TCP would send a reset, which could overtake the last PDU.
 */
static void drain(struct iscsi_conn *conn)
{
	begin_close(conn, NULL);
	shutdown(conn->watch.fd, SHUT_WR);
	loop_timer_arm(conn->il->loop, &conn->timer, DRAIN_NS);
	loop_watch_again(&conn->watch);
}

/* Frees a closing connection as soon as all three parts of the close have ended. */
static void reap(struct iscsi_conn *conn)
{
	if (conn->session && iscsi_session_reap(conn->session))
		conn->session = NULL;
	if (conn->watch.fd >= 0 || conn->moving || conn->evicting)
		return;
	if (conn->session && !conn->session->registered)
		iscsi_place_hang(conn);
	if (conn->session)
		return;
	loop_timer_cancel(&conn->timer);
	list_del(&conn->node);
	iscsi_place_leave(conn);
	iscsi_conn_free(conn);
}

static void when_idle(struct iscsi_conn *conn)
{
	if (conn->session->logout)
		iscsi_logout_answer(conn);
	else if (conn->close_when_idle)
		iscsi_conn_finish(conn);
}

/*
 * The deferred work of a connection. It runs at the end of each turn in which something happened on the
 * connection.
 */
static void conn_turn(struct loop_work *work)
{
	struct iscsi_conn *conn = container_of(work, struct iscsi_conn, turn);

	if (conn->state == ISCSI_CONN_CLOSING) {
		reap(conn);
		return;
	}
	iscsi_tx_flush(conn);
	if (conn->state == ISCSI_CONN_CLOSING)
		return;
	if (conn->state == ISCSI_CONN_FULL && !list_empty(&conn->session->luns.leaving))
		iscsi_luns_reap(&conn->session->luns);
	if (conn->state == ISCSI_CONN_FULL && !iscsi_session_is_busy(conn->session) &&
	    !conn->close_after_send)
		when_idle(conn);
	if (conn->close_after_send && list_empty(&conn->tx.queue)) {
		drain(conn);
		return;
	}
	if (conn->rx.paused && !iscsi_tx_congested(conn)) {
		conn->rx.paused = false;
		loop_watch_again(&conn->watch);
	}
}

static void conn_ready(struct loop_watch *watch, uint32_t events)
{
	struct iscsi_conn *conn = container_of(watch, struct iscsi_conn, watch);

	if ((events & EPOLLOUT) && conn->tx.blocked) {
		conn->tx.blocked = false;
		iscsi_conn_wake(conn);
	}
	if (!conn->rx.paused && !(conn->close_after_send && conn->state != ISCSI_CONN_CLOSING))
		iscsi_rx_ready(conn, events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR));
}

static void conn_timer(struct loop_timer *timer)
{
	struct iscsi_conn *conn = container_of(timer, struct iscsi_conn, timer);

	if (conn->leave_reason)
		iscsi_conn_close(conn, conn->leave_reason);
	else if (conn->state == ISCSI_CONN_FULL && !conn->discovery)
		iscsi_nop_timer(conn);
	else
		iscsi_conn_close(conn, conn->discovery ? "discovery took too long" : "login took too long");
}

void iscsi_conn_full(struct iscsi_conn *conn, const struct model_login *target)
{
	const struct iscsi_options *options = &conn->il->server->options;

	conn->state = ISCSI_CONN_FULL;
	if (!target) {
		iscsi_place_begin_discovery(conn);
		loop_timer_arm(conn->il->loop, &conn->timer, options->login_timeout_s * NS_PER_S);
		return;
	}
	iscsi_place_free_half_open(conn);
	conn->nopin_interval_s = target->nopin_interval_s == MODEL_UNSET ? options->nopin_interval_s
									 : (unsigned)target->nopin_interval_s;
	conn->nopin_timeout_s = target->nopin_timeout_s == MODEL_UNSET ? options->nopin_timeout_s
								       : (unsigned)target->nopin_timeout_s;
	if (target->dataout_timeout_s != MODEL_UNSET) {
		conn->dataout_timeout_s = (unsigned)target->dataout_timeout_s;
		iscsi_expiry_begin(conn->il);
	}
	iscsi_nop_start(conn);
}

void iscsi_conn_limit_login(struct iscsi_conn *conn, unsigned seconds)
{
	uint64_t end = conn->began_ns + seconds * NS_PER_S, now = loop_now_ns(conn->il->loop);

	if (conn->login_timed)
		return;
	conn->login_timed = true;
	loop_timer_arm(conn->il->loop, &conn->timer, end > now ? end - now : 0);
}

void iscsi_conn_phase(struct iscsi_conn *conn)
{
	enum iscsi_stop_phase phase = conn->il->phase;

	if (phase == ISCSI_STOP_SERVE)
		return;
	if (conn->state != ISCSI_CONN_FULL || phase == ISCSI_STOP_FORCE) {
		iscsi_conn_close(conn, "the server stops");
	} else if (phase == ISCSI_STOP_ASK) {
		iscsi_async_logout(conn, 1);
	} else {
		conn->close_when_idle = true;
		iscsi_conn_wake(conn);
	}
}

void iscsi_conn_ask_to_leave(struct iscsi_conn *conn, const char *reason)
{
	if (conn->state != ISCSI_CONN_FULL) {
		iscsi_conn_close(conn, reason);
		return;
	}
	if (conn->leave_reason || conn->close_after_send)
		return;
	conn->leave_reason = reason;
	iscsi_async_logout(conn, LEAVE_S);
	if (conn->state == ISCSI_CONN_FULL)
		loop_timer_arm(conn->il->loop, &conn->timer, LEAVE_S * NS_PER_S);
}

/* Returns the view of the model that the initiator has, or NULL if it has not logged in to a target. */
static struct model_view *view_of(const struct iscsi_conn *conn)
{
	const struct model_login *target = conn->login ? iscsi_login_result(conn->login)->target : NULL;

	if (conn->session)
		return conn->session->luns.view;
	return target ? target->view : NULL;
}

void iscsi_conn_update(struct iscsi_conn *conn)
{
	if (conn->state == ISCSI_CONN_CLOSING || !view_of(conn))
		return;
	/* The session must not see the LUNs of the ACL, so there is no time to log out. */
	if (conn->session && !iscsi_session_follow_acl(conn->session)) {
		iscsi_conn_close(conn, "an ACL was created for its initiator, which must log in again");
		return;
	}
	const struct model_view *view = view_of(conn);
	/* A login that is in progress ends as well, because the model waits until nothing uses the view. */
	if (model_view_is_closed(view))
		iscsi_conn_ask_to_leave(
		    conn, "its TPG was disabled, or the target, the TPG or the initiator's ACL was deleted");
	if (conn->state != ISCSI_CONN_CLOSING && conn->session)
		iscsi_luns_update(conn->session);
}

static void format_address(const struct sockaddr_storage *addr, char text[64])
{
	struct sockaddr_storage plain = iscsi_plain_address(addr);

	if ((plain.ss_family != AF_INET && plain.ss_family != AF_INET6) ||
	    model_address_format(&plain, text, 64) < 0)
		snprintf(text, 64, "unknown");
}

static struct iscsi_login *new_login(struct iscsi_conn *conn)
{
	struct sockaddr_storage local = {0}, peer = {0};
	socklen_t local_len = sizeof(local), peer_len = sizeof(peer);

	getsockname(conn->watch.fd, (struct sockaddr *)&local, &local_len);
	getpeername(conn->watch.fd, (struct sockaddr *)&peer, &peer_len);
	format_address(&local, conn->local);
	peer = iscsi_plain_address(&peer);
	return iscsi_login_new(conn->il->server->model, conn->np, &peer, conn->peer);
}

/* Runs on the loop of the connection after the connection has got its place. */
static void arrive(struct iscsi_conn *conn)
{
	list_add_tail(&conn->il->conns, &conn->node);
	conn->last_rx_ns = conn->began_ns = loop_now_ns(conn->il->loop);
	conn->login = new_login(conn);
	if (!conn->login || loop_watch_add(conn->il->loop, &conn->watch) < 0) {
		iscsi_conn_close(conn, "out of memory");
		return;
	}
	loop_timer_arm(conn->il->loop, &conn->timer, conn->il->server->options.login_timeout_s * NS_PER_S);
	iscsi_conn_phase(conn);
}

static void conn_move(struct loop_work *work)
{
	struct iscsi_conn *conn = container_of(work, struct iscsi_conn, move);

	conn->moving = false;
	if (conn->state == ISCSI_CONN_CLOSING)
		iscsi_conn_wake(conn);
	else if (conn->state == ISCSI_CONN_JOINING)
		iscsi_login_join(conn);
	else
		arrive(conn);
}

static void conn_evict(struct loop_work *work)
{
	struct iscsi_conn *conn = container_of(work, struct iscsi_conn, evict);

	conn->evicting = false;
	if (conn->state == ISCSI_CONN_CLOSING)
		iscsi_conn_wake(conn);
	else if (conn->discovery)
		iscsi_conn_close(conn, "discovery session closed in favour of newer ones");
	/* If the state is FULL, the initiator has logged in meanwhile. */
	else if (conn->state != ISCSI_CONN_FULL)
		iscsi_conn_close(conn, "not logged in, closed in favour of waiting connections");
}

struct iscsi_conn *iscsi_conn_new(struct iscsi_loop *il, int fd, struct model_np *np,
				  const struct sockaddr_storage *addr)
{
	struct iscsi_conn *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		close(fd);
		return NULL;
	}
	conn->il = il;
	conn->np = model_np_get(np);
	list_init(&conn->node);
	list_init(&conn->wait);
	list_init(&conn->waiting);
	list_init(&conn->half_open);
	list_init(&conn->tx.queue);
	conn->watch =
	    (struct loop_watch){.fn = conn_ready, .fd = fd, .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP};
	conn->timer.fn = conn_timer;
	conn->turn.fn = conn_turn;
	conn->move.fn = conn_move;
	conn->evict.fn = conn_evict;
	format_address(addr, conn->peer);
	conn->name = conn->peer;
	iscsi_rx_start(conn);
	return conn;
}

void iscsi_conn_free(struct iscsi_conn *conn)
{
	if (conn->watch.fd >= 0)
		close(conn->watch.fd);
	model_np_put(conn->np);
	free(conn->login_last);
	free(conn->name_memory);
	free(conn);
}
