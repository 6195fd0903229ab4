/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Portals: listening sockets on loop 0, which gives each connection to the next loop in turn.
 * Whether a connection gets a place is left to places.c.
 */
#include "iscsi/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "iscsi/conn.h"
#include "model/portal.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define BACKLOG        1024
#define RETRY_NS       100000000ull /* between attempts to accept without descriptors */
#define ACCEPTS_A_TURN 64
/* Seconds for which the kernel keeps a connection back on which nothing has been sent: an
 * initiator sends first. */
#define DEFER_ACCEPT_S 1

struct iscsi_listener {
	struct list node;
	struct iscsi_server *server;
	const struct target_portal *portal;
	struct loop_watch watch;
};

static void accept_some(struct iscsi_listener *listener);

static void listener_ready(struct loop_watch *watch, uint32_t events)
{
	(void)events;
	accept_some(container_of(watch, struct iscsi_listener, watch));
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

/* An address that no interface has yet, for example before the network is up, begins to work
 * when it appears. */
static int bind_address(int fd, const struct target_portal *portal)
{
	const struct sockaddr *addr = (const struct sockaddr *)&portal->addr;
	int on = 1;

	if (!bind(fd, addr, portal->addr_len))
		return 0;
	if (errno != EADDRNOTAVAIL)
		return -1;
	if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) < 0 ||
	    bind(fd, addr, portal->addr_len) < 0)
		return -1;
	log_warn(portal->text,
		 "no interface has this address yet; the portal can be reached as soon as one has it");
	return 0;
}

static int new_socket(const struct target_portal *portal)
{
	const struct sockaddr *addr = (const struct sockaddr *)&portal->addr;
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, err;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (addr->sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind_address(fd, portal) < 0 || listen(fd, BACKLOG) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

/* Without it, connections that never send anything take half-open places. */
static void defer_accept(int fd)
{
	int seconds = DEFER_ACCEPT_S;

	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds));
}

/* Returns a socket that the store has kept, on which initiators may be waiting already, or a new
 * one. */
static int open_socket(const struct target_portal *portal, const struct fd_store *store)
{
	struct fd_kept kept;

	if (store && store->take(listens_on, portal, &kept)) {
		fcntl(kept.fd, F_SETFL, O_NONBLOCK); /* systemd passes blocking sockets */
		return kept.fd;
	}
	kept.fd = new_socket(portal);
	if (store && kept.fd >= 0)
		store->keep(&kept, "portal");
	return kept.fd;
}

static void learn_port(struct iscsi_server *server, const struct target_portal *portal, int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (target_portal_has_port(&portal->addr) || getsockname(fd, (struct sockaddr *)&addr, &len))
		return;
	target_portal_set_bound(server->model, portal, &addr);
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
		defer_accept(fd);
		learn_port(server, portal, fd);
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

		if (loop_watch_is_active(&listener->watch)) {
			accept_some(listener);
			continue;
		}
		ret = loop_watch_add(server->loops[0].loop, &listener->watch);
		if (ret < 0) {
			log_err(listener->portal->text, "cannot watch the portal: %s", strerror(-ret));
		}
	}
}

void iscsi_listeners_stop(struct iscsi_server *server)
{
	struct list *node, *tmp;

	loop_timer_cancel(&server->retry);
	list_for_each (&server->listeners, node, tmp) {
		struct iscsi_listener *listener = list_entry(node, struct iscsi_listener, node);

		if (loop_watch_is_active(&listener->watch))
			loop_watch_del(&listener->watch);
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

static bool has_data(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

static void accepted(struct iscsi_listener *listener, int fd, const struct sockaddr_storage *addr)
{
	struct iscsi_server *server = listener->server;
	struct iscsi_loop *il = &server->loops[server->next_loop++ % server->set->nloops];
	struct iscsi_conn *conn = iscsi_conn_new(il, fd, listener->portal, addr);
	int on = 1;

	if (!conn)
		return;
	/* tx.c sends as much as possible with one call, so the Nagle algorithm could only delay
	 * PDUs. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	atomic_store_explicit(&conn->heard, has_data(fd), memory_order_relaxed);
	if (!iscsi_place_enter(conn, addr))
		iscsi_conn_free(conn);
}

static bool is_shortage(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

/* The log gets one line when a shortage begins, not one for each attempt. */
static void wait_for_descriptors(struct iscsi_listener *listener, int err)
{
	struct iscsi_server *server = listener->server;

	if (!server->short_of_descriptors)
		log_warn(listener->portal->text,
			 "cannot accept connections: %s; trying again every %llu ms (see --nofile)",
			 strerror(err), RETRY_NS / 1000000);
	server->short_of_descriptors = true;
	loop_timer_arm(server->loops[0].loop, &server->retry, RETRY_NS);
}

static void accept_some(struct iscsi_listener *listener)
{
	struct sockaddr_storage addr;

	for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
		socklen_t len = sizeof(addr);
		int fd =
		    accept4(listener->watch.fd, (struct sockaddr *)&addr, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			listener->server->short_of_descriptors = false;
			accepted(listener, fd, &addr);
		} else if (is_shortage(errno)) {
			wait_for_descriptors(listener, errno);
			return;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} /* else: the peer broke this connection off before it was accepted */
	}
	loop_watch_again(&listener->watch);
}
