/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemons that a command speaks to. Without --socket and TCMU_SOCKET, root's commands know two:
 * the one of the kernel front end and the one of the iSCSI front end.
 */
#ifndef TCMUCTL_SERVICES_H
#define TCMUCTL_SERVICES_H

#include <glib.h>

#include "tcmuctl/rpc.h"

struct service {
	/* "tcmu-runner", "tcmu-runner-iscsi", or the path of the socket. */
	char *name;
	char *socket;
	struct rpc *rpc;
};

/*
 * Connects to all daemons that answer. Returns an array of struct service, or NULL with error set
 * if there is none. path: the option --socket, or NULL.
 */
GPtrArray *services_connect(const char *path, struct error *error);
#endif
