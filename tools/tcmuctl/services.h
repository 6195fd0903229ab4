/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemons to which a command of tcmuctl connects. Without --socket and TCMU_SOCKET, root's commands
 * connect to two daemons: that of the kernel front end and that of the iSCSI front end.
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
 * Connects to all daemons that answer. path is the value of the option --socket, or NULL. Returns an array of
 * struct service, or NULL with error set if no daemon answers.
 */
GPtrArray *services_connect(const char *path, struct error *error);
#endif
