/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places for connections: which connection gets one, which waits and which loses its place. All members of
 * struct iscsi_places and struct iscsi_address are read and written under server->lock.
 */
#ifndef ISCSI_PLACES_H
#define ISCSI_PLACES_H

#include <stdbool.h>
#include <sys/socket.h>

#include "loop/loop.h"
#include "util/list.h"

#define ISCSI_ADDRESS_BUCKETS 1024

struct iscsi_conn;
struct iscsi_server;

/*
 * An address from which there are connections: an IPv4 address, or the first 64 bits of an IPv6 address,
 * because one machine can use all addresses of such a network.
 */
struct iscsi_address {
	/* Links the address into the hash table. */
	struct list node;
	/*
	 * A list of struct iscsi_conn (member waiting): the connections that wait for a place, the oldest
	 * first.
	 */
	struct list queue;
	/* Links the address into places->waiters while queue is not empty. */
	struct list waiter;
	uint8_t key[16];
	/* The number of all connections of the address, including those that wait. */
	unsigned nconnections;
	unsigned nhalf_open;
	/* The number of normal sessions. */
	unsigned nsessions;
};

struct iscsi_places {
	struct list addresses[ISCSI_ADDRESS_BUCKETS];
	/*
	 * A list of struct iscsi_address (member waiter). The addresses get places in turn, so that no
	 * address waits for the queue of another one.
	 */
	struct list waiters;
	/*
	 * A list of struct iscsi_conn (member half_open), the oldest first: connections that have not logged
	 * in, and discovery sessions.
	 */
	struct list half_open;
	unsigned nhalf_open, ndiscovery;
	/* The number of addresses with half-open connections. */
	unsigned naddresses;
	/* The work resume was posted and has not run yet. */
	bool resuming;
	/* Loop 0. Is posted when a place has become free while connections wait. */
	struct loop_work resume;
	/* Loop 0. Expires when a half-open connection may have had its time. */
	struct loop_timer retry;
};

void iscsi_places_init(struct iscsi_server *server);
/*
 * Loop 0. Enters a new connection from addr. The connection arrives at its loop at once, or as soon as there
 * is a place for it. If it is refused, the function logs the reason and returns false, and the caller frees
 * the connection.
 */
bool iscsi_place_enter(struct iscsi_conn *conn, const struct sockaddr_storage *addr);
/* Loop 0. Frees the connections that wait. To be called when the server stops. */
void iscsi_places_dismiss(struct iscsi_server *server);

/*
 * On the connection's loop. Releases the half-open place when the connection has logged in to a target, or
 * ends. Nothing happens if the connection is not half-open any more.
 */
void iscsi_place_free_half_open(struct iscsi_conn *conn);
/*
 * On the connection's loop. Records that the connection is in a discovery session from now on. It stays
 * half-open.
 */
void iscsi_place_begin_discovery(struct iscsi_conn *conn);
/*
 * On the connection's loop. Releases the place of a connection that is closed, but whose storage has not
 * completed its commands.
 */
void iscsi_place_hang(struct iscsi_conn *conn);
/* Removes a connection that has entered. This must be the last call for it. */
void iscsi_place_leave(struct iscsi_conn *conn);
#endif
