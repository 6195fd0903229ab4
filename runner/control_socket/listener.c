/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepts connections of the control socket from root and from the daemon's own user, and limits their
 * number. The bytes of a connection are left to client.c, and the path of the socket to run_folder.c.
 */
#include "control_socket/listener.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control_socket/client.h"
#include "control_socket/run_folder.h"
#include "util/log.h"

#define CLIENTS_MAX 64

struct control_socket {
	struct control_context *context;
	char *folder;
	int fd, lock;
	guint source;
	GPtrArray *clients;
};

static void on_closed(void *arg, struct control_client *client)
{
	struct control_socket *s = arg;

	g_ptr_array_remove_fast(s->clients, client);
}

/*
 * Ends the connection that has not been used for the longest time. Returns false if all connections are in
 * use.
 */
static bool make_room(struct control_socket *s)
{
	struct control_client *oldest = NULL;

	for (unsigned i = 0; i < s->clients->len; i++) {
		struct control_client *client = s->clients->pdata[i];

		if (control_client_is_idle(client) &&
		    (!oldest || control_client_last_use(client) < control_client_last_use(oldest)))
			oldest = client;
	}
	if (!oldest)
		return false;
	on_closed(s, oldest);
	control_client_close(oldest);
	return true;
}

/* Sends the reason as an answer, so that the refusal does not look like a failure of the connection. */
static void refuse(int fd, const struct ucred *peer, int err, const char *why)
{
	g_autofree char *line = json_rpc_error(NULL, &(struct json_rpc_failure){.code = err, .text = why});

	log_warn("control", "process %d of user %u may not connect: %s", (int)peer->pid, (unsigned)peer->uid,
		 why);
	if (send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("control", "the refused process has gone already");
	close(fd);
}

static void admit(struct control_socket *s, int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || (peer.uid && peer.uid != geteuid())) {
		refuse(fd, &peer, EACCES, "only root and the user of the daemon may use the control socket");
		return;
	}
	if (s->clients->len >= CLIENTS_MAX && !make_room(s)) {
		refuse(fd, &peer, EAGAIN,
		       "all connections of the control socket are in use; try again later");
		return;
	}

	struct control_client_owner owner = {on_closed, s};

	g_ptr_array_add(s->clients, control_client_new(s->context, fd, peer.uid, peer.pid, &owner));
}

static gboolean on_connection(gint fd, GIOCondition condition, gpointer data)
{
	int client;

	(void)condition;
	while ((client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		admit(data, client);
	if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		log_warn("control", "a connection cannot be accepted: %s", strerror(errno));
	return G_SOURCE_CONTINUE;
}

struct control_socket *control_socket_open(const char *run_dir, struct control_context *context,
					   struct error *error)
{
	struct control_socket *s = g_new0(struct control_socket, 1);

	s->fd = run_folder_listen(run_dir, &s->lock, error);
	if (s->fd < 0) {
		g_free(s);
		return NULL;
	}
	s->context = context;
	s->folder = g_strdup(run_dir);
	s->clients = g_ptr_array_new();
	s->source = g_unix_fd_add(s->fd, G_IO_IN, on_connection, s);
	return s;
}

void control_socket_close(struct control_socket *s)
{
	if (!s)
		return;
	g_source_remove(s->source);
	run_folder_close(s->folder, s->fd, s->lock);
	for (unsigned i = 0; i < s->clients->len; i++)
		control_client_close(s->clients->pdata[i]);
	g_ptr_array_unref(s->clients);
	g_free(s->folder);
	g_free(s);
}
