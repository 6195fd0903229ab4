/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Describes the devices of the kernel front end: the method List is for monitoring, and the method Report is
 * for the scripts.
 */
#include "dbus/private.h"

static void add(void *arg, const struct control_device *device)
{
	GVariantBuilder *devices = arg;

	g_variant_builder_open(devices, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(devices, "{sv}", "name", dbus_text(device->name));
	g_variant_builder_add(devices, "{sv}", "config", dbus_text(device->config));
	g_variant_builder_add(devices, "{sv}", "minor", g_variant_new_uint32(device->minor));
	g_variant_builder_add(devices, "{sv}", "state", dbus_text(device->state));
	g_variant_builder_add(devices, "{sv}", "error", dbus_text(device->error));
	g_variant_builder_add(devices, "{sv}", "size", g_variant_new_uint64(device->size));
	g_variant_builder_add(devices, "{sv}", "commands", g_variant_new_uint64(device->commands));
	g_variant_builder_add(devices, "{sv}", "doorbells", g_variant_new_uint64(device->doorbells));
	g_variant_builder_add(devices, "{sv}", "late", g_variant_new_uint64(device->late));
	g_variant_builder_close(devices);
}

void dbus_list_devices(struct dbus_service *s, GDBusMethodInvocation *call)
{
	GVariantBuilder devices;

	g_variant_builder_init(&devices, G_VARIANT_TYPE("aa{sv}"));
	control_service_devices(s->control, add, &devices);
	g_dbus_method_invocation_return_value(call, g_variant_new("(aa{sv})", &devices));
}

static void add_field(GString *report, const char *text)
{
	g_autofree char *field = dbus_string(text);

	g_string_append_printf(report, "\t%s", field);
}

static void add_line(void *arg, const struct control_device *device)
{
	GString *report = arg;

	g_string_append(report, "device");
	add_field(report, device->name);
	add_field(report, device->state);
	g_string_append_printf(report, "\t%" G_GUINT64_FORMAT, device->commands);
	add_field(report, device->error);
	g_string_append_c(report, '\n');
}

static void add_handlers(const struct dbus_service *s, GString *report)
{
	struct list *node, *next;

	g_string_append(report, "handlers");
	list_for_each (&s->handlers, node, next) {
		const struct dbus_handler *handler = list_entry(node, struct dbus_handler, node);

		if (handler->object)
			g_string_append_printf(report, " %s", handler->name);
	}
	g_string_append_c(report, '\n');
}

void dbus_report(struct dbus_service *s, GDBusMethodInvocation *call)
{
	GString *report = g_string_new(NULL);
	struct error error;
	char name[512];

	add_handlers(s, report);
	control_service_devices(s->control, add_line, report);
	if (control_service_last_refusal(s->control, name, sizeof(name), &error)) {
		g_string_append(report, "refused");
		add_field(report, name);
		add_field(report, error.text);
		g_string_append_c(report, '\n');
	}
	g_dbus_method_invocation_return_value(call, g_variant_new("(s)", report->str));
	g_string_free(report, TRUE);
}
