/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network portals: the addresses at which the iSCSI front end listens (RFC 7143 4.1). LIO calls such an
 * address an "np". TPGs can share an address: all portal objects with the same address refer to one np.
 * Connections refer to it as well, so it is reference-counted.
 */
#ifndef MODEL_NP_H
#define MODEL_NP_H

#include <stdatomic.h>
#include <sys/socket.h>

#include "util/error.h"
#include "util/list.h"

#define MODEL_PORTAL_SIZE 64

struct model_np {
	/*
	 * For the model: the node in the list of all nps, under the lock of the model, and the number of
	 * portal objects that use this np.
	 */
	struct list node;
	unsigned portals;
	atomic_uint refs;

	/*
	 * The address. If its port is 0, the front end sets the port that the kernel has chosen with
	 * model_np_set_bound().
	 */
	struct sockaddr_storage addr;
	socklen_t addr_len;
	/*
	 * The address as text: "127.0.0.1:3260" or "[::1]:3260". It is "*:3260" if dual_stack is set, which
	 * means that [::] also accepts IPv4 connections.
	 */
	char text[MODEL_PORTAL_SIZE];
	bool dual_stack;
	/* The listener of the front end. */
	void *listener;
};

/*
 * Any thread. Sets the address of an np from text such as "127.0.0.1:3260" or "[::1]:3260". "[::]:3260"
 * accepts only IPv6 connections, and "*:3260" accepts IPv6 and IPv4 connections. Returns 0, or -EINVAL with
 * error set.
 */
int model_np_parse(struct model_np *np, const char *text, struct error *error);
/*
 * Any thread. LIO, and therefore the tree and saveconfig.json, use the name "[::]:3260" for the portal
 * "*:3260". model_portal_to_lio() returns the name of the portal in LIO, in text. model_portal_from_lio()
 * sets text to the name here of the portal that LIO calls name, and returns 0, or -EINVAL with error set.
 */
const char *model_portal_to_lio(const char *name, char text[MODEL_PORTAL_SIZE]);
int model_portal_from_lio(const char *name, char text[MODEL_PORTAL_SIZE], struct error *error);
/* Any thread. */
struct model_np *model_np_get(struct model_np *np);
void model_np_put(struct model_np *np);
/* Main thread, inside front_end.listen(). Records the port that the kernel has chosen. */
void model_np_set_bound(struct model_np *np, const struct sockaddr_storage *addr);
#endif
