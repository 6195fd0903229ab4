/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Method calls: finds the function that answers a call, and refuses callers that are neither root nor the
 * daemon's own user. What the functions answer is left to handlers.c, handler_manager.c and devices.c.
 */
#include <unistd.h>

#include "dbus/private.h"
#include "util/text.h"

#define SENDER_TIMEOUT_MS 10000

/* GDBus has checked interface, name and argument types of a call against the introspection data. */
static const struct {
	const char *name;
	void (*answer)(struct dbus_service *s, GDBusMethodInvocation *call);
} methods[] = {
    {"GetManagedObjects", dbus_get_managed_objects},
    {"CheckConfig", dbus_check_config},
    {"RegisterHandler", dbus_register_handler},
    {"List", dbus_list_devices},
    {"Report", dbus_report},
};

static void answer(GDBusMethodInvocation *call)
{
	const char *name = g_dbus_method_invocation_get_method_name(call);

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (strcmp(methods[i].name, name) != 0)
			continue;
		methods[i].answer(g_dbus_method_invocation_get_user_data(call), call);
		return;
	}
	g_dbus_method_invocation_return_error(call, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD,
					      "no such method");
}

static void on_sender(GObject *bus, GAsyncResult *result, gpointer data)
{
	GDBusMethodInvocation *call = data;
	struct dbus_service *s = g_dbus_method_invocation_get_user_data(call);
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
	guint32 uid;

	s->pending--;
	if (!reply) {
		g_dbus_method_invocation_return_gerror(call, error);
		return;
	}
	g_variant_get(reply, "(u)", &uid);
	if (uid == 0 || uid == geteuid())
		answer(call);
	else
		g_dbus_method_invocation_return_error(call, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED,
						      "only root may call this");
}

/*
 * The policy file of this package allows only root to send messages to this service. But the bus combines the
 * policies of all packages, and a package that was removed long ago may have left a file that allows
 * everybody. Therefore this function asks the bus which user has sent the call.
 */
static void on_call(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
		    const char *method, GVariant *parameters, GDBusMethodInvocation *call, gpointer data)
{
	struct dbus_service *s = data;

	(void)path, (void)interface, (void)method, (void)parameters;
	s->pending++;
	g_dbus_connection_call(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			       "GetConnectionUnixUser", g_variant_new("(s)", sender), G_VARIANT_TYPE("(u)"),
			       G_DBUS_CALL_FLAGS_NONE, SENDER_TIMEOUT_MS, s->stopped, on_sender, call);
}

/* The only property is a handler's ConfigDesc. */
static GVariant *on_get(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
			const char *property, GError **error, gpointer data)
{
	const struct dbus_handler *handler = dbus_handler_at(data, path);

	(void)bus, (void)sender, (void)interface, (void)property;
	if (handler)
		return dbus_text(handler->desc);
	g_set_error(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT, "no such handler");
	return NULL;
}

guint dbus_export(struct dbus_service *s, const char *path, const GDBusInterfaceInfo *interface)
{
	static const GDBusInterfaceVTable vtable = {.method_call = on_call, .get_property = on_get};

	return g_dbus_connection_register_object(s->bus, path, (GDBusInterfaceInfo *)interface, &vtable, s,
						 NULL, NULL);
}

/*
 * The name of a device may contain any bytes. Control characters are replaced, so that a name cannot forge a
 * line in the output of a program that prints it.
 */
char *dbus_string(const char *text)
{
	char *valid = g_utf8_make_valid(text, -1);

	text_hide_control_chars(valid);
	return valid;
}

GVariant *dbus_text(const char *text)
{
	return g_variant_new_take_string(dbus_string(text));
}

void dbus_return_verdict(GDBusMethodInvocation *call, bool good, const char *message)
{
	g_dbus_method_invocation_return_value(call, g_variant_new("(b@s)", good, dbus_text(message)));
}
