/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network portals: the addresses at which the iSCSI front end listens (RFC 7143 4.1, LIO's "np"). TPGs share
 * an address: each portal object of the model with the same address refers to one np. Connections refer to it
 * as well, so it is reference-counted.
 */
#ifndef MODEL_NP_H
#define MODEL_NP_H

#include <stdatomic.h>
#include <sys/socket.h>

#include "util/error.h"
#include "util/list.h"

#define MODEL_PORTAL_SIZE 64

struct model_np {
	/* For the model: the list of all, under its lock; how many portal objects use it. */
	struct list node;
	unsigned portals;
	atomic_uint refs;

	/* With port 0, the front end sets the port that the kernel has chosen, by model_np_set_bound(). */
	struct sockaddr_storage addr;
	socklen_t addr_len;
	/* "127.0.0.1:3260", "[::1]:3260"; "*:3260" if dual_stack is set: [::] also takes IPv4 connections. */
	char text[MODEL_PORTAL_SIZE];
	bool dual_stack;
	/* For the front end: its listener. */
	void *listener;
};

/*
 * Any thread. Fills in the addresses of an np from text such as "127.0.0.1:3260" or "[::1]:3260". "[::]:3260"
 * listens for IPv6 only, and "*:3260" for IPv6 and IPv4. Returns 0, or -EINVAL with error set.
 */
int model_np_parse(struct model_np *np, const char *text, struct error *error);
/*
 * Any thread. In LIO, and so in the tree and in saveconfig.json, the portal "*:3260" is called "[::]:3260".
 * to: returns text, the name of the portal in LIO. from: text becomes the name here of the portal that LIO
 * calls name.
 * Returns 0, or -EINVAL with error set.
 */
const char *model_portal_to_lio(const char *name, char text[MODEL_PORTAL_SIZE]);
int model_portal_from_lio(const char *name, char text[MODEL_PORTAL_SIZE], struct error *error);
/* Any thread. */
struct model_np *model_np_get(struct model_np *np);
void model_np_put(struct model_np *np);
/* Main thread, inside front_end.listen(): records the port that the kernel has chosen. */
void model_np_set_bound(struct model_np *np, const struct sockaddr_storage *addr);
#endif
