/* SPDX-License-Identifier: Apache-2.0 */
/* The devices behind the kernel's target, for status listings and monitoring. */
#include "dbus/private.h"

static void add(void *arg, const struct tcmu_device_view *view)
{
	static const char *const states[] = {
	    [TCMU_DEVICE_OPENING] = "opening",
	    [TCMU_DEVICE_SERVED] = "served",
	    [TCMU_DEVICE_FAILED] = "failed",
	    [TCMU_DEVICE_CLOSING] = "closing",
	};
	GVariantBuilder *devices = arg;

	g_variant_builder_open(devices, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(devices, "{sv}", "name", dbus_text(view->name));
	g_variant_builder_add(devices, "{sv}", "config", dbus_text(view->config));
	g_variant_builder_add(devices, "{sv}", "minor", g_variant_new_uint32(view->minor));
	g_variant_builder_add(devices, "{sv}", "state", g_variant_new_string(states[view->state]));
	g_variant_builder_add(devices, "{sv}", "error", dbus_text(view->error));
	g_variant_builder_add(devices, "{sv}", "size", g_variant_new_uint64(view->size));
	g_variant_builder_add(devices, "{sv}", "commands", g_variant_new_uint64(view->commands));
	g_variant_builder_add(devices, "{sv}", "doorbells", g_variant_new_uint64(view->doorbells));
	g_variant_builder_close(devices);
}

void dbus_list_devices(struct dbus_service *s, GDBusMethodInvocation *call)
{
	GVariantBuilder devices;

	g_variant_builder_init(&devices, G_VARIANT_TYPE("aa{sv}"));
	s->devices.list(s->devices.source, add, &devices);
	g_dbus_method_invocation_return_value(call, g_variant_new("(aa{sv})", &devices));
}
