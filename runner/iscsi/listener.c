/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets. The main thread opens and closes them while the server runs. Loop 0 accepts connections
 * and gives them to the loops in turn. places.c decides whether a connection gets a place.
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

#define BACKLOG 1024
/* The time between attempts to accept connections after descriptors have run out. */
#define RETRY_NS       100000000ull
#define ACCEPTS_A_TURN 64
/*
 * The number of seconds for which the kernel does not report a connection on which nothing has been received.
 * The initiator always sends first.
 */
#define DEFER_ACCEPT_S 1

struct iscsi_listener {
	/* Links the listener into server->listeners. */
	struct list node;
	struct iscsi_server *server;
	/* The address of the portal; the listener holds a reference. */
	struct model_np *np;
	/* The socket, and its name in the descriptor store. */
	struct fd_kept kept;
	struct loop_watch watch;
};

static void accept_some(struct iscsi_listener *listener);

static void listener_ready(struct loop_watch *watch, uint32_t events)
{
	(void)events;
	accept_some(container_of(watch, struct iscsi_listener, watch));
}

/* Returns whether an IPv6 socket accepts only IPv6 connections. */
static int is_v6only(int fd)
{
	socklen_t len = sizeof(int);
	int on = 0;

	return !getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, &len) && on;
}

static bool listens_on(int fd, const void *arg)
{
	const struct model_np *np = arg;
	struct sockaddr_storage addr;
	char text[sizeof(np->text)], wanted[sizeof(np->text)];
	socklen_t len = sizeof(addr), int_len = sizeof(int);
	int listens = 0;

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) && listens &&
	       !getsockname(fd, (struct sockaddr *)&addr, &len) &&
	       !model_address_format(&addr, text, sizeof(text)) &&
	       !model_address_format(&np->addr, wanted, sizeof(wanted)) && !strcmp(text, wanted) &&
	       (addr.ss_family != AF_INET6 || is_v6only(fd) == !np->dual_stack);
}

/*
 * Binds the socket, even to an address that no interface has yet, for example before the network is up.
 * Connections arrive as soon as an interface has the address.
 */
static int bind_address(int fd, const struct model_np *np)
{
	const struct sockaddr *addr = (const struct sockaddr *)&np->addr;
	int on = 1;

	if (!bind(fd, addr, np->addr_len))
		return 0;
	if (errno != EADDRNOTAVAIL)
		return -1;
	if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) < 0 || bind(fd, addr, np->addr_len) < 0)
		return -1;
	log_warn(np->text,
		 "no interface has this address yet; the portal can be reached as soon as one has it");
	return 0;
}

static int new_socket(const struct model_np *np)
{
	int family = np->addr.ss_family, on = 1, v6only = !np->dual_stack, err;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) < 0) ||
	    bind_address(fd, np) < 0 || listen(fd, BACKLOG) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

/*
 * Makes the kernel report a connection only after the initiator has sent something. Otherwise, connections
 * that never send anything would take half-open places.
 */
static void defer_accept(int fd)
{
	int seconds = DEFER_ACCEPT_S;

	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds));
}

/* Takes the socket that the store has kept, on which initiators may already wait, or opens a new one. */
static void open_socket(struct iscsi_listener *listener, const struct fd_store *store)
{
	struct fd_kept *kept = &listener->kept;

	if (store && store->take(listens_on, listener->np, kept)) {
		fcntl(kept->fd, F_SETFL, O_NONBLOCK); /* systemd passes blocking sockets. */
		return;
	}
	kept->fd = new_socket(listener->np);
	if (store && kept->fd >= 0)
		store->keep(kept, "portal");
}

static void learn_port(struct model_np *np, int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (!model_address_has_port(&np->addr) && !getsockname(fd, (struct sockaddr *)&addr, &len))
		model_np_set_bound(np, &addr);
}

static int explain_error(const struct model_np *np, int err, struct error *error)
{
	if (err == EADDRINUSE)
		return error_set(error, err,
				 "cannot listen on %s: another socket listens there already; stop its "
				 "program, or choose another address or port",
				 np->text);
	if (err == EACCES)
		return error_set(error, err,
				 "cannot listen on %s: %s; an ordinary user needs the capability "
				 "CAP_NET_BIND_SERVICE for ports below 1024",
				 np->text, strerror(err));
	return error_set(error, err, "cannot listen on %s: %s", np->text, strerror(err));
}

/* --- loop 0 ----------------------------------------------------------------------------------- */

static void begin(struct iscsi_listener *listener)
{
	const struct model_np *np = listener->np;
	int ret = loop_watch_add(listener->server->loops[0].loop, &listener->watch);
	bool all_ipv6 = np->addr.ss_family == AF_INET6 && model_address_is_wildcard(&np->addr);

	if (ret < 0)
		log_err(np->text, "cannot watch the portal: %s", strerror(-ret));
	else
		log_info(NULL, "listening on %s%s", np->text,
			 all_ipv6 && !np->dual_stack ? ", for IPv6 only; *:PORT listens for IPv4, too" : "");
}

static bool is_loop_0(const void *owner, unsigned index)
{
	(void)owner;
	return !index;
}

static void visit(void *owner, struct loop *loop)
{
	struct iscsi_server *server = owner;
	struct iscsi_listener *listener = server->listener;

	(void)loop;
	if (list_empty(&listener->node)) {
		list_add_tail(&server->listeners, &listener->node);
		begin(listener);
	} else {
		list_del(&listener->node);
		if (loop_watch_is_active(&listener->watch))
			loop_watch_del(&listener->watch);
	}
	loop_broadcast_ack(server->listener_broadcast);
}

const struct loop_broadcast_ops iscsi_listener_ops = {.visit = visit, .wants = is_loop_0};

void iscsi_listeners_accept(struct iscsi_server *server)
{
	struct list *node, *tmp;

	list_for_each (&server->listeners, node, tmp) {
		struct iscsi_listener *listener = list_entry(node, struct iscsi_listener, node);

		if (loop_watch_is_active(&listener->watch))
			accept_some(listener);
		else
			begin(listener);
	}
}

/* --- opening and closing ---------------------------------------------------------------------- */

/* Adds the listener to the list, or removes it. Until the server runs, loop 0 does not look at the list. */
static void change_list(struct iscsi_listener *listener)
{
	struct iscsi_server *server = listener->server;

	if (server->running) {
		server->listener = listener;
		loop_broadcast_run(server->listener_broadcast);
	} else if (list_empty(&listener->node)) {
		list_add_tail(&server->listeners, &listener->node);
	} else {
		list_del(&listener->node);
	}
}

int iscsi_listener_open(struct iscsi_server *server, struct model_np *np, struct error *error)
{
	struct iscsi_listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return explain_error(np, ENOMEM, error);
	listener->server = server;
	listener->np = np;
	open_socket(listener, server->options.fd_store);
	if (listener->kept.fd < 0) {
		int err = -listener->kept.fd;

		free(listener);
		return explain_error(np, err, error);
	}
	model_np_get(np);
	defer_accept(listener->kept.fd);
	learn_port(np, listener->kept.fd);
	list_init(&listener->node);
	listener->watch =
	    (struct loop_watch){.fn = listener_ready, .fd = listener->kept.fd, .events = EPOLLIN};
	np->listener = listener;
	change_list(listener);
	return 0;
}

void iscsi_listener_close(struct iscsi_server *server, struct model_np *np)
{
	const struct fd_store *store = server->options.fd_store;
	struct iscsi_listener *listener = np->listener;

	if (!listener)
		return;
	change_list(listener);
	if (!server->stopping) {
		/* The listening must end now, and loop 0 may use the socket until the end of its turn. */
		shutdown(listener->kept.fd, SHUT_RDWR);
		if (store)
			store->forget(&listener->kept);
	}
	close(listener->kept.fd);
	np->listener = NULL;
	model_np_put(np);
	free(listener);
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
	struct iscsi_conn *conn = iscsi_conn_new(il, fd, listener->np, addr);
	int on = 1;

	if (!conn)
		return;
	/* tx.c sends as much as possible with one call, so the Nagle algorithm would only delay PDUs. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	atomic_store_explicit(&conn->heard, has_data(fd), memory_order_relaxed);
	if (!iscsi_place_enter(conn, addr))
		iscsi_conn_free(conn);
}

static bool is_shortage(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

/*
 * Waits before the next attempt to accept. The log gets one line when a shortage begins, not one for each
 * attempt. The shortage lasts until no connection waits any more.
 */
static void wait_for_descriptors(struct iscsi_listener *listener, int err)
{
	struct iscsi_server *server = listener->server;

	if (!server->short_of_descriptors)
		log_warn(listener->np->text,
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
			accepted(listener, fd, &addr);
		} else if (is_shortage(errno)) {
			wait_for_descriptors(listener, errno);
			return;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			listener->server->short_of_descriptors = false;
			return;
		} /* In all other cases, the peer has closed this connection before it was accepted. */
	}
	loop_watch_again(&listener->watch);
}
