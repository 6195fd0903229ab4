/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receives lines from a connection of the control socket and sends lines to it. Limits all memory that a
 * client can make the daemon use. The meaning of a line is left to call.c.
 */
#include "control_socket/client.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/log.h"

#define READ_SIZE (64 << 10)
/* If data waits for a client and the client reads nothing for this time, it is dropped. */
#define SEND_TIMEOUT_S 30
/* The largest number of bytes of events that wait for a client to read them. */
#define EVENT_BYTES_MAX (16 << 20)

struct control_client {
	struct control_peer peer;
	struct control_context *context;
	struct control_client_owner owner;
	/* -1 if the connection has ended and only a call still refers to the client. */
	int fd;
	/*
	 * The condition of the descriptor for which the main context waits, and the source that waits; 0 if
	 * it does not wait.
	 */
	GIOCondition condition;
	guint watch;
	/* The timer that drops a client which does not read; 0 if there is nothing to read. */
	guint timer;
	GByteArray *in;
	/* The number of bytes at the beginning of `in` that contain no newline. */
	guint scanned;
	GString *out;
	/*
	 * The number of bytes at the beginning of `out` that were sent, and the number of bytes of events
	 * since `out` was last empty.
	 */
	gsize sent, event_bytes;
	/* Whether a message is being handled. */
	bool busy;
	/*
	 * Whether the client has ended its side of the connection, or the daemon does not read from it any
	 * more.
	 */
	bool in_ended;
	/* Whether more events wait than the client may leave unread. */
	bool overflowed;
	int64_t last_use;
};

/* --- end --------------------------------------------------------------------------------------------- */

static void remove_source(guint *source)
{
	if (*source)
		g_source_remove(*source);
	*source = 0;
}

void control_client_close(struct control_client *client)
{
	remove_source(&client->watch);
	remove_source(&client->timer);
	list_del(&client->peer.subscriber);
	close(client->fd);
	client->fd = -1;
	control_peer_put(&client->peer);
}

/* Ends the connection. reason is NULL if the client has closed the connection itself. */
static void drop(struct control_client *client, const char *reason)
{
	if (reason)
		log_warn("control", "the connection of process %d of user %u is closed: %s",
			 (int)client->peer.pid, (unsigned)client->peer.uid, reason);
	client->owner.closed(client->owner.arg, client);
	control_client_close(client);
}

/* Removes bytes from the buffer and overwrites their memory, because lines may contain secrets. */
static void forget_bytes(GByteArray *bytes, guint n)
{
	if (n)
		explicit_bzero(bytes->data, n);
	g_byte_array_remove_range(bytes, 0, n);
}

static void on_free(struct control_peer *peer)
{
	struct control_client *client = container_of(peer, struct control_client, peer);

	forget_bytes(client->in, client->in->len);
	g_byte_array_unref(client->in);
	g_string_free(client->out, TRUE);
	g_free(client);
}

/*
 * --- what the connection waits for ----------------------------------------------------------------------
 */

static gboolean on_ready(gint fd, GIOCondition condition, gpointer data);

static bool has_line(struct control_client *client)
{
	const GByteArray *in = client->in;
	const guint8 *newline = client->scanned < in->len
				    ? memchr(in->data + client->scanned, '\n', in->len - client->scanned)
				    : NULL;

	client->scanned = newline ? (guint)(newline - in->data) : in->len;
	return newline;
}

static bool is_subscribed(const struct control_client *client)
{
	return !list_empty(&client->peer.subscriber);
}

static GIOCondition wanted_condition(struct control_client *client)
{
	if (client->out->len)
		return G_IO_OUT;
	if (client->busy)
		return 0;
	/* The next line is handled as soon as the socket has room for its answer. */
	if (has_line(client))
		return G_IO_OUT;
	return client->in_ended ? G_IO_HUP : G_IO_IN;
}

static gboolean on_timeout(gpointer data)
{
	struct control_client *client = data;

	client->timer = 0;
	drop(client, "it does not read what the daemon sends");
	return G_SOURCE_REMOVE;
}

/* The timer runs while the socket is full. Only the client can change this state, by reading. */
static void update_timer(struct control_client *client)
{
	if (client->condition != G_IO_OUT)
		remove_source(&client->timer);
	else if (!client->timer)
		client->timer = g_timeout_add_seconds(SEND_TIMEOUT_S, on_timeout, client);
}

static void update_watch(struct control_client *client)
{
	GIOCondition condition = client->fd < 0 ? 0 : wanted_condition(client);

	if (condition != client->condition) {
		remove_source(&client->watch);
		client->condition = condition;
		if (condition)
			client->watch = g_unix_fd_add(client->fd, condition, on_ready, client);
	}
	if (!client->overflowed)
		update_timer(client);
}

/* Marks a client that leaves too many events unread. It is dropped as soon as nothing uses it. */
static void overflow(struct control_client *client)
{
	client->overflowed = true;
	remove_source(&client->timer);
	client->timer = g_idle_add(on_timeout, client);
}

/* --- output ------------------------------------------------------------------------------------------ */

/* Sends as much as the socket accepts. Returns false if the connection has ended. */
static bool flush_out(struct control_client *client)
{
	while (client->sent < client->out->len) {
		ssize_t n = send(client->fd, client->out->str + client->sent, client->out->len - client->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		client->sent += (gsize)n;
		client->last_use = g_get_monotonic_time();
	}
	g_string_truncate(client->out, 0);
	client->sent = client->event_bytes = 0;
	return true;
}

static void append_out(struct control_client *client, const char *line, bool is_event)
{
	gsize len = strlen(line);

	if (client->overflowed)
		return;
	client->event_bytes += is_event ? len : 0;
	if (client->event_bytes > EVENT_BYTES_MAX)
		overflow(client);
	g_string_append_len(client->out, line, (gssize)len);
	update_watch(client);
}

static void on_send(struct control_peer *peer, char *line, bool is_event)
{
	struct control_client *client = container_of(peer, struct control_client, peer);

	if (client->fd >= 0)
		append_out(client, line, is_event);
	g_free(line);
}

/* --- input ------------------------------------------------------------------------------------------- */

static void on_answered(struct control_peer *peer)
{
	struct control_client *client = container_of(peer, struct control_client, peer);

	client->busy = false;
	update_watch(client);
}

static void handle_line(struct control_client *client)
{
	guint len = client->scanned;
	g_autofree char *line = g_malloc(len + 1);

	memcpy(line, client->in->data, len);
	line[len] = '\0';
	forget_bytes(client->in, len + 1);
	client->scanned = 0;
	client->busy = true;
	control_call_start(client->context, &client->peer, line, len);
	explicit_bzero(line, len);
}

static void refuse_long_line(struct control_client *client)
{
	g_autofree char *text = g_strdup_printf("a message has at most %d bytes", JSON_RPC_MESSAGE_MAX);
	const struct json_rpc_failure failure = {.code = JSON_RPC_INVALID_REQUEST, .text = text};

	forget_bytes(client->in, client->in->len);
	client->scanned = 0;
	client->in_ended = true;
	on_send(&client->peer, json_rpc_error(NULL, &failure), false);
}

/* Returns false if the connection has ended. */
static bool receive(struct control_client *client)
{
	guint8 bytes[READ_SIZE];
	ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->last_use = g_get_monotonic_time();
	client->in_ended = !n;
	g_byte_array_append(client->in, bytes, (guint)n);
	explicit_bzero(bytes, (size_t)n);
	if (!has_line(client) && client->in->len > JSON_RPC_MESSAGE_MAX)
		refuse_long_line(client);
	return true;
}

/* Returns whether the client has sent its last message and has its answer. A subscriber still gets events. */
static bool is_over(struct control_client *client, GIOCondition condition)
{
	if (!client->in_ended || client->busy || client->out->len || has_line(client))
		return false;
	return !is_subscribed(client) || (condition & (G_IO_HUP | G_IO_ERR));
}

static gboolean on_ready(gint fd, GIOCondition condition, gpointer data)
{
	struct control_client *client = data;
	bool alive = true;

	(void)fd;
	control_peer_get(&client->peer);
	if (condition & G_IO_OUT && !client->overflowed)
		remove_source(&client->timer);
	if (client->out->len)
		alive = flush_out(client);
	else if (has_line(client))
		handle_line(client);
	else if (!client->in_ended)
		alive = receive(client);
	if (client->fd >= 0) {
		if (!alive || is_over(client, condition))
			drop(client, NULL);
		else
			update_watch(client);
	}
	control_peer_put(&client->peer);
	return G_SOURCE_CONTINUE;
}

/* --- the client ---------------------------------------------------------------------------------------- */

struct control_client *control_client_new(struct control_context *context, int fd, uid_t uid, pid_t pid,
					  const struct control_client_owner *owner)
{
	struct control_client *client = g_new0(struct control_client, 1);

	client->peer = (struct control_peer){
	    .uid = uid, .pid = pid, .send = on_send, .answered = on_answered, .free = on_free, .refs = 1};
	list_init(&client->peer.subscriber);
	client->context = context;
	client->owner = *owner;
	client->fd = fd;
	client->in = g_byte_array_new();
	client->out = g_string_new(NULL);
	client->last_use = g_get_monotonic_time();
	update_watch(client);
	return client;
}

bool control_client_is_idle(const struct control_client *client)
{
	return !client->busy && !client->out->len && !is_subscribed(client);
}

int64_t control_client_last_use(const struct control_client *client)
{
	return client->last_use;
}
