/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a connection to the bus: connects at the start, and again whenever the connection is lost. */
#include "dbus/interfaces.h"
#include "dbus/private.h"
#include "util/log.h"

#define RETRY_S 5
/* How long a stop waits for a bus that takes no messages. */
#define FLUSH_MS 500
/* org.freedesktop.DBus.RequestName */
#define BUS_CALL_TIMEOUT_MS  10000
#define REQUEST_NAME_OWNER   1u
#define REQUEST_NAME_ALREADY 4u

static void connect_soon(struct dbus_service *s);

static void export_objects(struct dbus_service *s)
{
	const struct {
		const char *path;
		const GDBusInterfaceInfo *interface;
	} objects[ARRAY_SIZE(s->objects)] = {
	    {SERVICE_PATH, &org_freedesktop_dbus_object_manager_interface},
	    {SERVICE_PATH "/" HANDLER_MANAGER, &org_kernel_tcmuservice1_handler_manager1_interface},
	    {SERVICE_PATH "/" DEVICES, &org_kernel_tcmuservice1_devices1_interface},
	};

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		s->objects[i] = dbus_export(s, objects[i].path, objects[i].interface);
	dbus_handlers_export(s);
}

static void drop_bus(struct dbus_service *s)
{
	dbus_handlers_unexport(s);
	for (size_t i = 0; i < ARRAY_SIZE(s->objects); i++)
		g_dbus_connection_unregister_object(s->bus, s->objects[i]);
	g_signal_handlers_disconnect_by_data(s->bus, s);
	g_clear_object(&s->bus);
}

static void on_closed(GDBusConnection *bus, gboolean by_peer, GError *error, gpointer data)
{
	(void)bus, (void)by_peer;
	log_warn(NULL, "D-Bus: connection lost: %s", error ? error->message : "closed");
	drop_bus(data);
	connect_soon(data);
}

static void on_name(GObject *bus, GAsyncResult *result, gpointer data)
{
	struct dbus_service *s = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
	guint32 answer;

	s->pending--;
	if (!reply) {
		if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
			log_err(NULL, "D-Bus: the name " SERVICE_NAME " is refused: %s", error->message);
		return;
	}
	g_variant_get(reply, "(u)", &answer);
	if (answer == REQUEST_NAME_OWNER || answer == REQUEST_NAME_ALREADY)
		log_info(NULL, "D-Bus: this daemon owns " SERVICE_NAME);
	else
		log_err(NULL, "D-Bus: another process owns " SERVICE_NAME
			      "; this daemon takes the name when that process ends");
}

/*
 * Requests the name of the service. The objects are registered before, so that they exist as soon as a caller
 * can find the name. g_bus_own_name() is not used, because it waits for the bus when the name is released.
 */
static void request_name(struct dbus_service *s)
{
	s->pending++;
	g_dbus_connection_call(s->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
			       "org.freedesktop.DBus", "RequestName", g_variant_new("(su)", SERVICE_NAME, 0),
			       G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NONE, BUS_CALL_TIMEOUT_MS, s->stopped,
			       on_name, s);
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer data)
{
	struct dbus_service *s = data;
	g_autoptr(GError) error = NULL;

	(void)source;
	s->pending--;
	s->bus = g_dbus_connection_new_for_address_finish(result, &error);
	if (!s->bus) {
		if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
			return;
		if (!s->bus_missing)
			log_warn(NULL,
				 "D-Bus: there is no system bus; the daemon connects when it is there: %s",
				 error->message);
		s->bus_missing = true;
		connect_soon(s);
		return;
	}
	s->bus_missing = false;
	g_signal_connect(s->bus, "closed", G_CALLBACK(on_closed), s);
	export_objects(s);
	request_name(s);
}

/*
 * Connects to the bus. The shared connection of g_bus_get() is not used, because it ends the process when the
 * bus ends.
 */
static void connect_now(struct dbus_service *s)
{
	g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);

	s->pending++;
	g_dbus_connection_new_for_address(address,
					  G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
					      G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
					  NULL, s->stopped, on_connected, s);
}

static gboolean on_retry(gpointer data)
{
	struct dbus_service *s = data;

	s->retry = 0;
	connect_now(s);
	return G_SOURCE_REMOVE;
}

static void connect_soon(struct dbus_service *s)
{
	if (!g_cancellable_is_cancelled(s->stopped))
		s->retry = g_timeout_add_seconds(RETRY_S, on_retry, s);
}

struct dbus_service *dbus_service_start(struct control_service *control)
{
	struct dbus_service *s = g_new0(struct dbus_service, 1);

	s->control = control;
	s->stopped = g_cancellable_new();
	list_init(&s->handlers);
	dbus_handlers_load(s);
	connect_now(s);
	return s;
}

/* --- stop --- */

struct flush {
	bool is_over;
	guint limit;
};

static void on_flushed(GObject *bus, GAsyncResult *result, gpointer data)
{
	struct flush *flush = data;

	g_dbus_connection_flush_finish(G_DBUS_CONNECTION(bus), result, NULL);
	flush->is_over = true;
}

static gboolean on_flush_limit(gpointer data)
{
	struct flush *flush = data;

	flush->limit = 0;
	return G_SOURCE_REMOVE;
}

/*
 * A bus that hangs takes no messages when its socket is full, and g_dbus_connection_flush_sync() would wait
 * forever. Closing the connection ends the write that waits.
 */
static void flush_and_close(GDBusConnection *bus)
{
	struct flush flush = {.is_over = false};

	flush.limit = g_timeout_add(FLUSH_MS, on_flush_limit, &flush);
	g_dbus_connection_flush(bus, NULL, on_flushed, &flush);
	while (!flush.is_over && flush.limit)
		g_main_context_iteration(NULL, TRUE);
	if (!flush.is_over)
		log_warn(NULL, "D-Bus: the bus does not take the last messages; the daemon ends without it");
	g_dbus_connection_close_sync(bus, NULL, NULL);
	while (!flush.is_over)
		g_main_context_iteration(NULL, TRUE);
	if (flush.limit)
		g_source_remove(flush.limit);
}

void dbus_service_stop(struct dbus_service *s)
{
	if (s->retry)
		g_source_remove(s->retry);
	g_cancellable_cancel(s->stopped);
	while (s->pending)
		g_main_context_iteration(NULL, TRUE);
	if (s->bus) {
		GDBusConnection *bus = g_object_ref(s->bus);

		drop_bus(s);
		flush_and_close(bus);
		g_object_unref(bus);
	}
	dbus_handlers_free(s);
	g_object_unref(s->stopped);
	g_free(s);
}
