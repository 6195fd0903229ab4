/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the sockets of daemons, and the daemons that answer. */
#include "tcmuctl/services.h"

#include <errno.h>
#include <unistd.h>

static void service_free(void *data)
{
	struct service *service = data;

	rpc_free(service->rpc);
	g_free(service->name);
	g_free(service->socket);
	g_free(service);
}

/* The reasons for all sockets that were tried and at which no daemon has answered. */
struct attempt {
	GPtrArray *services;
	GString *reasons;
	bool denied;
};

static void try_socket(struct attempt *attempt, const char *name, const char *path)
{
	struct error error = {""};
	struct rpc *rpc = rpc_connect(path, &error);

	if (rpc) {
		struct service *service = g_new(struct service, 1);

		*service = (struct service){g_strdup(name), g_strdup(path), rpc};
		g_ptr_array_add(attempt->services, service);
		return;
	}
	attempt->denied |= errno == EACCES;
	g_string_append_printf(attempt->reasons, "%s%s", attempt->reasons->len ? "; " : "", error.text);
}

/* Tries the folders of root's daemons, and the folder of a daemon that an ordinary user has started. */
static void try_run_folders(struct attempt *attempt)
{
	const char *folder = g_getenv("XDG_RUNTIME_DIR");

	if (geteuid() && folder) {
		g_autofree char *path = g_build_filename(folder, "tcmu-runner", "control", NULL);

		try_socket(attempt, "tcmu-runner", path);
	}
	if (geteuid() && attempt->services->len)
		return;
	try_socket(attempt, "tcmu-runner", "/run/tcmu-runner/control");
	try_socket(attempt, "tcmu-runner-iscsi", "/run/tcmu-runner-iscsi/control");
}

GPtrArray *services_connect(const char *path, struct error *error)
{
	struct attempt attempt = {.services = g_ptr_array_new_with_free_func(service_free)};
	g_autoptr(GString) reasons = g_string_new(NULL);

	attempt.reasons = reasons;
	if (!path)
		path = g_getenv("TCMU_SOCKET");
	if (path && *path)
		try_socket(&attempt, path, path);
	else
		try_run_folders(&attempt);
	if (attempt.services->len)
		return attempt.services;
	g_ptr_array_unref(attempt.services);
	error_set(error, ENOENT, "no daemon answers (%s)%s", reasons->str,
		  attempt.denied ? "; try it as root"
		  : path         ? "; is this the socket of a daemon that runs?"
			 : "; start one, for example with: systemctl enable --now tcmu-runner-iscsi, or "
			   "name its socket with --socket");
	return NULL;
}
