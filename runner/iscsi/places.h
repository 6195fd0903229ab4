/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places for connections: who gets one, who waits and who gives way. Everything in struct
 * iscsi_places and struct iscsi_address is read and written under server->lock.
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

/* An address from which there are connections: an IPv4 address, or the first 64 bits of an IPv6
 * address, because one machine can have all addresses of such a network. */
struct iscsi_address {
	/* In the hash table. */
	struct list node;
	/* Struct iscsi_conn.waiting: connections that wait for a place, oldest first. */
	struct list queue;
	/* In places->waiters, while queue is not empty. */
	struct list waiter;
	uint8_t key[16];
	/* All, also those that wait. */
	unsigned nconnections;
	unsigned nhalf_open;
	/* Normal sessions. */
	unsigned nsessions;
};

struct iscsi_places {
	struct list addresses[ISCSI_ADDRESS_BUCKETS];
	/* struct iscsi_address.waiter: they get places in turn, so that no address waits for the
	 * queue of another. */
	struct list waiters;
	/* struct iscsi_conn.half_open, oldest first: connections that have not logged in, and
	 * discovery sessions */
	struct list half_open;
	unsigned nhalf_open, ndiscovery;
	/* The number of addresses with half-open connections. */
	unsigned naddresses;
	/* Resume is posted and has not run yet. */
	bool resuming;
	/* Loop 0: a place became free while connections wait. */
	struct loop_work resume;
	/* Loop 0: a connection may have had its time by now. */
	struct loop_timer retry;
};

void iscsi_places_init(struct iscsi_server *server);
/*
 * Loop 0: a new connection from addr enters. It arrives at its loop at once, or when there is a place for it.
 * Returns false if it is refused, and the log says why; the caller frees it.
 */
bool iscsi_place_enter(struct iscsi_conn *conn, const struct sockaddr_storage *addr);
/* Loop 0, when the server stops: frees the connections that wait. */
void iscsi_places_dismiss(struct iscsi_server *server);

/* On the connection's loop: it has logged in to a target, or ends. Harmless when it is not
 * half-open any more. */
void iscsi_place_free_half_open(struct iscsi_conn *conn);
/* On the connection's loop: it is in a discovery session from now on, and stays half-open. */
void iscsi_place_begin_discovery(struct iscsi_conn *conn);
/* On the connection's loop: it is closed, and only its storage is not. Its place is free for another. */
void iscsi_place_hang(struct iscsi_conn *conn);
/* The last call for a connection that has entered. */
void iscsi_place_leave(struct iscsi_conn *conn);
#endif
