/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemons to which a command of tcmuctl connects. Without --socket and TCMU_SOCKET, root's commands
 * know two daemons: the kernel front end's daemon and the iSCSI front end's daemon.
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
 * if no daemon answers. path: the option --socket, or NULL.
 */
GPtrArray *services_connect(const char *path, struct error *error);
#endif
