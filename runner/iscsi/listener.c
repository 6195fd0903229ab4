/* SPDX-License-Identifier: Apache-2.0 */
/* Portals: listening sockets on loop 0, which hands each connection to the next loop in turn. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "iscsi/conn.h"
#include "model/portal.h"
#include "util/cleanup.h"

#define BACKLOG  1024
#define RETRY_NS 100000000ull  /* out of descriptors: look again */
#define GRACE_NS 1000000000ull /* a half-open connection has so long at least, though others wait */

struct iscsi_listener {
	struct list node;
	struct iscsi_server *server;
	const struct target_portal *portal;
	struct loop_watch watch;
};

static void accept_all(struct iscsi_listener *listener);

static void listener_ready(struct loop_watch *watch, uint32_t events)
{
	(void)events;
	accept_all(container_of(watch, struct iscsi_listener, watch));
}

static bool listens_on(int fd, const void *arg)
{
	const struct target_portal *portal = arg;
	struct sockaddr_storage addr;
	char text[sizeof(portal->text)];
	socklen_t len = sizeof(addr), int_len = sizeof(int);
	int listens = 0;

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) && listens &&
	       !getsockname(fd, (struct sockaddr *)&addr, &len) &&
	       !target_portal_format(&addr, text, sizeof(text)) && !strcmp(text, portal->text);
}

static int new_socket(const struct target_portal *portal)
{
	const struct sockaddr *addr = (const struct sockaddr *)&portal->addr;
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, err;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (addr->sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind(fd, addr, portal->addr_len) < 0 || listen(fd, BACKLOG) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

/* One on which initiators may be waiting already, or a new one. */
static int open_socket(const struct target_portal *portal, const struct fd_store *store)
{
	struct fd_kept kept;

	if (store && store->take(listens_on, portal, &kept)) {
		fcntl(kept.fd, F_SETFL, O_NONBLOCK); /* a socket unit's blocks */
		return kept.fd;
	}
	kept.fd = new_socket(portal);
	if (store && kept.fd >= 0)
		store->keep(&kept, "portal");
	return kept.fd;
}

int iscsi_listeners_open(struct iscsi_server *server, struct error *error)
{
	const struct target_portal *portal;

	for (portal = target_portals(server->model); portal; portal = portal->next) {
		struct iscsi_listener *listener = calloc(1, sizeof(*listener));
		int fd = listener ? open_socket(portal, server->options.fd_store) : -ENOMEM;

		if (fd < 0) {
			free(listener);
			iscsi_listeners_free(server);
			return error_set(error, -fd, "cannot listen on %s: %s", portal->text, strerror(-fd));
		}
		listener->server = server;
		listener->portal = portal;
		listener->watch = (struct loop_watch){.fn = listener_ready, .fd = fd, .events = EPOLLIN};
		list_add_tail(&server->listeners, &listener->node);
	}
	return 0;
}

void iscsi_listeners_accept(struct iscsi_server *server)
{
	struct list *node, *tmp;

	list_for_each (&server->listeners, node, tmp) {
		struct iscsi_listener *listener = list_entry(node, struct iscsi_listener, node);
		int ret;

		if (listener->watch.loop) {
			accept_all(listener);
			continue;
		}
		ret = loop_watch_add(server->loops[0].loop, &listener->watch);
		if (ret < 0) {
			log_err(listener->portal->text, "cannot watch the portal: %s", strerror(-ret));
			listener->watch.loop = NULL;
		}
	}
}

void iscsi_listeners_stop(struct iscsi_server *server)
{
	struct list *node, *tmp;

	loop_timer_cancel(&server->retry);
	list_for_each (&server->listeners, node, tmp) {
		struct iscsi_listener *listener = list_entry(node, struct iscsi_listener, node);

		if (listener->watch.loop)
			loop_watch_del(&listener->watch);
		listener->watch.loop = NULL;
		close(listener->watch.fd);
		listener->watch.fd = -1;
	}
}

void iscsi_listeners_free(struct iscsi_server *server)
{
	struct list *node;

	while ((node = list_pop(&server->listeners))) {
		struct iscsi_listener *listener = list_entry(node, struct iscsi_listener, node);

		if (listener->watch.fd >= 0)
			close(listener->watch.fd);
		free(listener);
	}
}

/* --- accepting -------------------------------------------------------------------------------- */

void iscsi_half_open_begin(struct iscsi_conn *conn)
{
	struct iscsi_server *server = conn->il->server;
	SCOPE_LOCK(&server->lock);

	conn->accepted_ns = loop_now_ns(server->loops[0].loop);
	list_add_tail(&server->logging_in, &conn->logging_in);
	atomic_fetch_add(&server->half_open, 1);
}

static bool leave(struct iscsi_server *server, struct iscsi_conn *conn)
{
	SCOPE_LOCK(&server->lock);

	if (list_empty(&conn->logging_in))
		return false;
	list_del(&conn->logging_in);
	atomic_fetch_sub(&server->half_open, 1);
	return true;
}

void iscsi_half_open_end(struct iscsi_conn *conn)
{
	struct iscsi_server *server = conn->il->server;

	/* resume is one work: while it is in the mailbox it must not be posted again. */
	if (leave(server, conn) && atomic_load(&server->paused) && !atomic_exchange(&server->resuming, true))
		loop_post(server->loops[0].loop, &server->resume);
}

/* The oldest half-open connection gives way, unless it has not had its time yet. 0: there is room now; else
 * when to try again. */
static uint64_t evict_oldest(struct iscsi_server *server)
{
	uint64_t now = loop_now_ns(server->loops[0].loop);
	SCOPE_LOCK(&server->lock);
	struct iscsi_conn *oldest = list_entry(server->logging_in.next, struct iscsi_conn, logging_in);

	if (list_empty(&server->logging_in))
		return 0;
	if (now - oldest->accepted_ns < GRACE_NS)
		return oldest->accepted_ns + GRACE_NS - now;
	list_del(&oldest->logging_in);
	atomic_fetch_sub(&server->half_open, 1);
	oldest->evicting = true;
	loop_post(oldest->il->loop, &oldest->evict);
	return 0;
}

static bool somebody_waits(const struct iscsi_listener *listener)
{
	struct pollfd p = {.fd = listener->watch.fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

/*
 * Is there room for one more that has not logged in? If not, new connections wait in the backlog: a burst of
 * logins is then served in order, where closing would make it fail. But they do not wait for those that do
 * nothing, such as a port scanner's.
 */
static bool has_room(const struct iscsi_listener *listener)
{
	struct iscsi_server *server = listener->server;
	unsigned max = server->options.max_half_open;
	uint64_t wait_ns;

	if (atomic_load(&server->half_open) < max)
		return true;
	atomic_store(&server->paused, true);
	/* The last one may have ended before it could see that somebody waits. */
	if (atomic_load(&server->half_open) < max)
		return true;
	if (!somebody_waits(listener))
		return false;
	wait_ns = evict_oldest(server);
	if (wait_ns)
		loop_timer_arm(server->loops[0].loop, &server->retry, wait_ns);
	return !wait_ns;
}

static void take(struct iscsi_listener *listener, int fd)
{
	struct iscsi_server *server = listener->server;
	int on = 1;

	if (atomic_load(&server->connections) >= server->options.max_connections) {
		log_warn(listener->portal->text, "connection refused: there are %u already",
			 server->options.max_connections);
		close(fd);
		return;
	}
	/* PDUs are put together before they are sent, so there is nothing that waiting could gather. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	iscsi_conn_new(&server->loops[server->next_loop++ % server->set->nloops], fd, listener->portal);
}

static void accept_all(struct iscsi_listener *listener)
{
	struct iscsi_server *server = listener->server;

	while (has_room(listener)) {
		int fd = accept4(listener->watch.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			take(listener, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warn(listener->portal->text, "cannot accept: %s", strerror(errno));
			loop_timer_arm(server->loops[0].loop, &server->retry, RETRY_NS);
			return;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} /* else: this one connection was broken off meanwhile */
	}
}
