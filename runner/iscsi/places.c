/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of places. Anybody who can connect can hold a connection for a while without a name or
 * a secret. So the number of connections that have not logged in is limited, and discovery
 * sessions, which need no secret either, are included in this number. If all half-open places are taken,
 * the next connection gets the place of
 *   1. a connection that has sent nothing;
 *   2. a connection of an address that has more places than its share;
 *   3. a connection that has had its place for GRACE_NS, of the address that has the most places.
 * If there is none, the connection waits in the queue of its address. The addresses get free places
 * in turn: a queue in the order of arrival, such as the socket's backlog, would make an honest
 * initiator wait for all connections of an attacker. An address that has its share can only take
 * places from its own connections.
 *
 * How a connection is accepted and closed is left to listener.c and conn.c.
 */
#include "iscsi/places.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi/conn.h"
#include "util/cleanup.h"
#include "util/hash.h"

/*
 * A half-open connection that has sent something keeps its place for at least this time, even if other
 * connections wait.
 */
#define GRACE_NS NS_PER_S
/* How often the server checks whether a half-open connection has had its time. */
#define RETRY_NS 100000000ull
/* If fewer connections than this are allowed, there is no limit for a single address or initiator. */
#define SHARE_MIN 16u

unsigned iscsi_server_share(const struct iscsi_server *server)
{
	return MAX(server->options.max_connections / 2, SHARE_MIN);
}

/*
 * Returns the number of half-open places that each address gets if all addresses with half-open connections,
 * and one more address, get the same number.
 */
static unsigned half_open_share(const struct iscsi_server *server)
{
	return MAX(server->options.max_half_open / (MAX(server->places.naddresses, 1u) + 1), 1u);
}

static unsigned discovery_max(const struct iscsi_server *server)
{
	return MAX(server->options.max_half_open / 2, 1u);
}

/*
 * Returns the number of places that are reserved for initiators that already have a session, for session
 * reinstatement (RFC 7143 6.3.5).
 */
static unsigned reserve(const struct iscsi_server *server)
{
	return server->options.max_connections / 16;
}

/* --- addresses -------------------------------------------------------------------------------- */

static void make_key(const struct sockaddr_storage *addr, uint8_t key[16])
{
	const struct sockaddr_in *v4 = (const void *)addr;
	const struct sockaddr_in6 *v6 = (const void *)addr;

	memset(key, 0, 16);
	if (addr->ss_family == AF_INET)
		memcpy(key + 12, &v4->sin_addr, 4);
	else if (addr->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		memcpy(key + 12, v6->sin6_addr.s6_addr + 12, 4);
	else if (addr->ss_family == AF_INET6)
		memcpy(key, &v6->sin6_addr, IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ? 16 : 8);
}

static struct iscsi_address *find_address(struct iscsi_places *places, const uint8_t key[16])
{
	struct list *bucket =
	    &places->addresses[hash_bytes(HASH_INIT, key, 16) % ARRAY_SIZE(places->addresses)];
	struct iscsi_address *address;
	struct list *node, *tmp;

	list_for_each (bucket, node, tmp) {
		address = list_entry(node, struct iscsi_address, node);
		if (!memcmp(address->key, key, sizeof(address->key)))
			return address;
	}
	address = calloc(1, sizeof(*address));
	if (!address)
		return NULL;
	memcpy(address->key, key, sizeof(address->key));
	list_init(&address->queue);
	list_init(&address->waiter);
	list_add_tail(bucket, &address->node);
	return address;
}

static void put_address(struct iscsi_address *address)
{
	if (address->nconnections)
		return;
	list_del(&address->node);
	free(address);
}

/* --- half-open connections -------------------------------------------------------------------- */

static void free_place(struct iscsi_places *places, struct iscsi_conn *conn)
{
	list_del(&conn->half_open);
	places->nhalf_open--;
	places->naddresses -= !--conn->address->nhalf_open;
	places->ndiscovery -= conn->discovery;
}

static void evict(struct iscsi_places *places, struct iscsi_conn *conn)
{
	free_place(places, conn);
	conn->evicting = true;
	loop_post(conn->il->loop, &conn->evict);
}

static bool is_silent(struct iscsi_conn *conn)
{
	return !atomic_load_explicit(&conn->heard, memory_order_relaxed);
}

/* Returns whether a must lose its place rather than b, which is an older connection, or NULL. */
static bool yields_before(struct iscsi_conn *a, struct iscsi_conn *b)
{
	if (!b || is_silent(a) != is_silent(b))
		return !b || is_silent(a);
	return !is_silent(a) && a->address->nhalf_open > b->address->nhalf_open;
}

/*
 * Returns the connection that must give its place to a connection of address, or NULL if the new connection
 * has to wait.
 */
static struct iscsi_conn *find_victim(struct iscsi_server *server, const struct iscsi_address *address)
{
	unsigned share = half_open_share(server);
	uint64_t now = loop_now_ns(server->loops[0].loop);
	struct iscsi_conn *victim = NULL;
	struct list *node, *tmp;

	list_for_each (&server->places.half_open, node, tmp) {
		struct iscsi_conn *conn = list_entry(node, struct iscsi_conn, half_open);
		bool had_time = is_silent(conn) || conn->address->nhalf_open > share ||
				now - conn->admitted_ns >= GRACE_NS;

		if (address->nhalf_open >= share && conn->address != address)
			continue;
		/* Connections of the same address must not evict each other before GRACE_NS has passed. */
		if (conn->address == address && !is_silent(conn) && now - conn->admitted_ns < GRACE_NS)
			continue;
		if (had_time && yields_before(conn, victim))
			victim = conn;
	}
	return victim;
}

static bool make_room(struct iscsi_server *server, const struct iscsi_address *address)
{
	struct iscsi_conn *victim;

	if (server->places.nhalf_open < server->options.max_half_open)
		return true;
	victim = find_victim(server, address);
	if (victim)
		evict(&server->places, victim);
	return victim;
}

/* --- admission -------------------------------------------------------------------------------- */

static void admit(struct iscsi_server *server, struct iscsi_address *address)
{
	struct iscsi_conn *conn = list_entry(list_pop(&address->queue), struct iscsi_conn, waiting);

	list_del(&address->waiter);
	if (!list_empty(&address->queue))
		list_add_tail(&server->places.waiters, &address->waiter);
	conn->admitted_ns = loop_now_ns(server->loops[0].loop);
	list_add_tail(&server->places.half_open, &conn->half_open);
	server->places.nhalf_open++;
	server->places.naddresses += !address->nhalf_open++;
	conn->moving = true;
	loop_post(conn->il->loop, &conn->move);
}

static bool admit_one(struct iscsi_server *server)
{
	struct list *node, *tmp;

	list_for_each (&server->places.waiters, node, tmp) {
		struct iscsi_address *address = list_entry(node, struct iscsi_address, waiter);

		if (make_room(server, address)) {
			admit(server, address);
			return true;
		}
	}
	return false;
}

/* Loop 0. server->lock must be held. */
static void admit_all(struct iscsi_server *server)
{
	while (!list_empty(&server->places.waiters)) {
		if (!admit_one(server)) {
			loop_timer_arm(server->loops[0].loop, &server->places.retry, RETRY_NS);
			return;
		}
	}
}

static void retry(struct loop_timer *timer)
{
	struct iscsi_server *server = container_of(timer, struct iscsi_server, places.retry);
	SCOPE_LOCK(&server->lock);

	admit_all(server);
}

static void resume(struct loop_work *work)
{
	struct iscsi_server *server = container_of(work, struct iscsi_server, places.resume);
	SCOPE_LOCK(&server->lock);

	server->places.resuming = false;
	admit_all(server);
}

/* Returns why there is no place for a connection of address, or NULL if there is one. */
static const char *find_refusal(struct iscsi_server *server, const struct iscsi_address *address)
{
	unsigned n = atomic_load(&server->connections), max = server->options.max_connections;

	if (n >= max)
		return "all places are taken (--max-connections)";
	if (address->nconnections >= iscsi_server_share(server))
		return "its address has half of all places (--max-connections) already";
	if (n >= max - reserve(server) && !address->nsessions)
		return "the last places (--max-connections) are reserved for addresses with a session";
	return NULL;
}

static const char *enter(struct iscsi_conn *conn, const uint8_t key[16])
{
	struct iscsi_server *server = conn->il->server;
	SCOPE_LOCK(&server->lock);
	struct iscsi_address *address = find_address(&server->places, key);
	const char *refusal = address ? find_refusal(server, address) : "out of memory";

	if (refusal) {
		if (address)
			put_address(address);
		return refusal;
	}
	conn->address = address;
	address->nconnections++;
	atomic_fetch_add(&server->connections, 1);
	if (list_empty(&address->queue))
		list_add_tail(&server->places.waiters, &address->waiter);
	list_add_tail(&address->queue, &conn->waiting);
	admit_all(server);
	return NULL;
}

bool iscsi_place_enter(struct iscsi_conn *conn, const struct sockaddr_storage *addr)
{
	const char *refusal;
	uint8_t key[16];

	make_key(addr, key);
	refusal = enter(conn, key);
	if (refusal)
		log_warn(conn->peer, "connection refused: %s", refusal);
	return !refusal;
}

void iscsi_place_free_half_open(struct iscsi_conn *conn)
{
	struct iscsi_server *server = conn->il->server;
	struct iscsi_places *places = &server->places;
	SCOPE_LOCK(&server->lock);

	if (list_empty(&conn->half_open))
		return;
	free_place(places, conn);
	if (list_empty(&places->waiters) || places->resuming)
		return;
	places->resuming = true;
	loop_post(server->loops[0].loop, &places->resume);
}

void iscsi_place_begin_discovery(struct iscsi_conn *conn)
{
	struct iscsi_server *server = conn->il->server;
	struct iscsi_places *places = &server->places;
	struct iscsi_conn *victim = NULL;
	struct list *node, *tmp;
	SCOPE_LOCK(&server->lock);

	if (list_empty(&conn->half_open))
		return; /* The work evict was posted already. */
	list_for_each (&places->half_open, node, tmp) {
		struct iscsi_conn *other = list_entry(node, struct iscsi_conn, half_open);

		if (other->discovery && yields_before(other, victim))
			victim = other;
	}
	if (places->ndiscovery >= discovery_max(server) && victim)
		evict(places, victim);
	conn->discovery = true;
	places->ndiscovery++;
}

/* server->lock must be held. */
static void leave_address(struct iscsi_conn *conn)
{
	conn->address->nconnections--;
	put_address(conn->address);
	conn->address = NULL;
}

void iscsi_place_hang(struct iscsi_conn *conn)
{
	struct iscsi_server *server = conn->il->server;
	SCOPE_LOCK(&server->lock);

	if (!conn->address)
		return;
	leave_address(conn);
	/*
	 * The counters are changed in this order, so that the main thread never finds both of them zero too
	 * early.
	 */
	atomic_fetch_add(&server->hanging, 1);
	atomic_fetch_sub(&server->connections, 1);
}

void iscsi_place_leave(struct iscsi_conn *conn)
{
	struct iscsi_server *server = conn->il->server;
	SCOPE_LOCK(&server->lock);
	bool hangs = !conn->address;

	if (!hangs)
		leave_address(conn);
	/*
	 * When there are no connections, the main thread frees the server, so this is the last access to it.
	 */
	atomic_fetch_sub(hangs ? &server->hanging : &server->connections, 1);
}

/* --- start and stop --------------------------------------------------------------------------- */

void iscsi_places_init(struct iscsi_server *server)
{
	struct iscsi_places *places = &server->places;

	for (unsigned i = 0; i < ISCSI_ADDRESS_BUCKETS; i++)
		list_init(&places->addresses[i]);
	list_init(&places->waiters);
	list_init(&places->half_open);
	places->resume.fn = resume;
	places->retry.fn = retry;
}

static struct iscsi_conn *pop_waiting(struct iscsi_server *server)
{
	SCOPE_LOCK(&server->lock);
	struct list *waiters = &server->places.waiters;
	struct iscsi_address *address = list_entry(waiters->next, struct iscsi_address, waiter);
	struct iscsi_conn *conn;

	if (list_empty(waiters))
		return NULL;
	conn = list_entry(list_pop(&address->queue), struct iscsi_conn, waiting);
	if (list_empty(&address->queue))
		list_del(&address->waiter);
	return conn;
}

void iscsi_places_dismiss(struct iscsi_server *server)
{
	struct iscsi_conn *conn;

	loop_timer_cancel(&server->places.retry);
	while ((conn = pop_waiting(server))) {
		iscsi_place_leave(conn);
		iscsi_conn_free(conn);
	}
}
