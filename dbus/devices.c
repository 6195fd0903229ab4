/* SPDX-License-Identifier: Apache-2.0 */
/* The method List: all devices of the kernel front end with their state, for status.sh and for monitoring. */
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
