/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers of other daemons, which register here so that targetcli finds them. Each of them owns a bus name,
 * and is listed as long as this name exists. Questions about its configurations are forwarded to it. The
 * kernel sends the events of its devices directly to the other daemon.
 */
#include "dbus/private.h"
#include "util/log.h"

#define FORWARD_TIMEOUT_MS 5000
#define DESC_MAX           4096

static char *bus_name_of(const char *subtype)
{
	return g_strconcat(SERVICE_NAME "." HANDLER_MANAGER ".", subtype, NULL);
}

static void end_registration(struct dbus_handler *handler, bool good, const char *message)
{
	GDBusMethodInvocation *call = g_steal_pointer(&handler->registration);

	if (call)
		dbus_return_verdict(call, good, message);
}

static void on_appeared(GDBusConnection *bus, const char *name, const char *owner, gpointer data)
{
	struct dbus_handler *handler = data;

	(void)bus, (void)owner;
	/* The handler is exported already, so only the owner of its name has changed. */
	if (handler->object)
		return;
	if (dbus_handler_export(handler)) {
		log_info(handler->name, "D-Bus: registered by %s", name);
		end_registration(handler, true, "success");
		return;
	}
	end_registration(handler, false, "its object cannot be registered");
	dbus_handler_remove(handler);
}

static void on_vanished(GDBusConnection *bus, const char *name, gpointer data)
{
	struct dbus_handler *handler = data;
	g_autofree char *message = g_strconcat("no process owns the bus name ", name, NULL);

	(void)bus;
	if (handler->object)
		log_info(handler->name, "D-Bus: %s", message);
	end_registration(handler, false, message);
	dbus_handler_remove(handler);
}

/* Returns why a registration is refused, or NULL. */
static const char *refusal(const struct dbus_service *s, const char *subtype, const char *bus_name,
			   const char *desc)
{
	g_autofree char *path = g_strconcat(SERVICE_PATH "/", subtype, NULL);

	if (!g_variant_is_object_path(path) || !g_dbus_is_name(bus_name))
		return "a subtype consists of letters, digits and _, and does not begin with a digit";
	if (!strcmp(subtype, HANDLER_MANAGER) || !strcmp(subtype, DEVICES))
		return "this subtype is reserved";
	if (strlen(desc) > DESC_MAX)
		return "the description is too long";
	if (dbus_handler_find(s, subtype))
		return "a handler of this subtype is registered already";
	return NULL;
}

void dbus_register_handler(struct dbus_service *s, GDBusMethodInvocation *call)
{
	const char *subtype, *desc;

	g_variant_get(g_dbus_method_invocation_get_parameters(call), "(&s&s)", &subtype, &desc);
	g_autofree char *bus_name = bus_name_of(subtype);
	const char *wrong = refusal(s, subtype, bus_name, desc);

	if (wrong) {
		dbus_return_verdict(call, false, wrong);
		return;
	}
	struct dbus_handler *handler = dbus_handler_add(s, subtype, desc);
	handler->registration = call;
	handler->watch = g_bus_watch_name_on_connection(s->bus, bus_name, G_BUS_NAME_WATCHER_FLAGS_NONE,
							on_appeared, on_vanished, handler, NULL);
}

static void on_forwarded(GObject *bus, GAsyncResult *result, gpointer data)
{
	GDBusMethodInvocation *call = data;
	struct dbus_service *s = g_dbus_method_invocation_get_user_data(call);
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) verdict = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

	s->pending--;
	if (verdict) {
		g_dbus_method_invocation_return_value(call, verdict);
		return;
	}
	g_dbus_error_strip_remote_error(error);
	dbus_return_verdict(call, false, error->message);
}

void dbus_forward_check_config(struct dbus_handler *handler, GDBusMethodInvocation *call)
{
	struct dbus_service *s = handler->service;
	g_autofree char *bus_name = bus_name_of(handler->name);
	g_autofree char *path = g_strconcat(SERVICE_PATH "/" HANDLER_MANAGER "/", handler->name, NULL);

	s->pending++;
	g_dbus_connection_call(s->bus, bus_name, path, HANDLER_IFACE, "CheckConfig",
			       g_dbus_method_invocation_get_parameters(call), G_VARIANT_TYPE("(bs)"),
			       G_DBUS_CALL_FLAGS_NO_AUTO_START, FORWARD_TIMEOUT_MS, s->stopped, on_forwarded,
			       call);
}
