/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon of another project, with a handler of its own: external SUBTYPE DESC BEHAVIOUR
 *
 * The program requests its bus name unless BEHAVIOUR is "nameless", registers its handler, and prints the
 * reply. Until SIGTERM it answers CheckConfig as BEHAVIOUR says:
 *   good     (true, "") if the text begins with SUBTYPE/, otherwise (false, "not mine")
 *   silent   no answer
 *   wrong    a reply of a wrong type
 *   error    an error
 * After SIGUSR1 it sends CALLS calls without waiting for replies, and then prints "sent". The replies to
 * these calls are long.
 */
#include <gio/gio.h>
#include <glib-unix.h>
#include <stdio.h>

#include "dbus/interfaces.h"

#define SERVICE "org.kernel.TCMUService1"
#define PATH    "/org/kernel/TCMUService1/HandlerManager1"

#define CALLS 2000

static const char *subtype, *behaviour;

static void check(GDBusMethodInvocation *call)
{
	g_autofree char *prefix = g_strconcat(subtype, "/", NULL);
	const char *config;

	g_variant_get(g_dbus_method_invocation_get_parameters(call), "(&s)", &config);
	if (g_str_has_prefix(config, prefix))
		g_dbus_method_invocation_return_value(call, g_variant_new("(bs)", TRUE, ""));
	else
		g_dbus_method_invocation_return_value(call, g_variant_new("(bs)", FALSE, "not mine"));
}

/* Sends a reply that GDBus would not let a method send. */
static void reply_wrongly(GDBusConnection *bus, GDBusMethodInvocation *call)
{
	g_autoptr(GDBusMessage) reply =
	    g_dbus_message_new_method_reply(g_dbus_method_invocation_get_message(call));

	g_dbus_message_set_body(reply, g_variant_new("(us)", 1, "yes"));
	g_dbus_connection_send_message(bus, reply, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
	g_object_unref(call);
}

static void on_call(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
		    const char *method, GVariant *parameters, GDBusMethodInvocation *call, gpointer data)
{
	(void)sender, (void)path, (void)interface, (void)method, (void)parameters, (void)data;
	if (!strcmp(behaviour, "good"))
		check(call);
	else if (!strcmp(behaviour, "silent"))
		g_object_unref(call);
	else if (!strcmp(behaviour, "wrong"))
		reply_wrongly(bus, call);
	else
		g_dbus_method_invocation_return_dbus_error(call, "org.example.Broken", "cannot say");
}

static void own_name(GDBusConnection *bus)
{
	static const GDBusInterfaceVTable vtable = {.method_call = on_call};
	g_autofree char *name = g_strconcat(SERVICE ".HandlerManager1.", subtype, NULL);
	g_autofree char *path = g_strconcat(PATH "/", subtype, NULL);
	g_autoptr(GError) error = NULL;

	g_dbus_connection_register_object(bus, path, (GDBusInterfaceInfo *)&org_kernel_tcmuservice1_interface,
					  &vtable, NULL, NULL, NULL);
	g_autoptr(GVariant) owned = g_dbus_connection_call_sync(
	    bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
	    g_variant_new("(su)", name, 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
	if (!owned)
		g_error("%s", error->message);
}

static gboolean on_quit(gpointer data)
{
	g_main_loop_quit(data);
	return G_SOURCE_CONTINUE;
}

static void on_reply(GObject *bus, GAsyncResult *result, gpointer data)
{
	GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, NULL);

	(void)data;
	if (reply)
		g_variant_unref(reply);
}

static gboolean on_many(gpointer bus)
{
	for (int i = 0; i < CALLS; i++)
		g_dbus_connection_call(bus, SERVICE, "/org/kernel/TCMUService1",
				       "org.freedesktop.DBus.Introspectable", "Introspect", NULL, NULL,
				       G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_reply, NULL);
	g_dbus_connection_flush_sync(bus, NULL, NULL);
	puts("sent");
	fflush(stdout);
	return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);

	if (argc != 4 || !bus)
		g_error("external SUBTYPE DESC BEHAVIOUR: %s", error ? error->message : "");
	subtype = argv[1];
	behaviour = argv[3];
	if (strcmp(behaviour, "nameless") != 0)
		own_name(bus);
	g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
	    bus, SERVICE, PATH, SERVICE ".HandlerManager1", "RegisterHandler",
	    g_variant_new("(ss)", subtype, argv[2]), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
	g_autofree char *text = reply ? g_variant_print(reply, FALSE) : g_strdup(error->message);
	puts(text);
	fflush(stdout);
	g_unix_signal_add(SIGUSR1, on_many, bus);
	g_unix_signal_add(SIGTERM, on_quit, loop);
	g_main_loop_run(loop);
	return 0;
}
