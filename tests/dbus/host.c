/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The D-Bus service without the rest of the daemon: host HANDLER_DIR. Until SIGTERM, it shows the handlers of
 * the folder, and three devices that do not exist.
 */
#include <errno.h>
#include <glib.h>
#include <stdio.h>

#include "backstore/backstore.h"
#include "dbus/service.h"

/* Replaces the function of the same name in runner/control. */
void control_service_devices(struct control_service *service, control_device_view *view, void *arg)
{
	const struct control_device devices[] = {
	    {"user_0/disk", "file//srv/disk.img", "served", "", 0, 1 << 30, 7, 5, 2},
	    {"user_1/odd %n\n\x1b[2J \xff", "null/\xc3\x28", "failed", "gone \xf0", 1, 0, 0, 0, 0},
	    {"user_2/new", "alloc/new", "opening", "", 4, 0, 0, 0, 0},
	};

	(void)service;
	for (size_t i = 0; i < G_N_ELEMENTS(devices); i++)
		view(arg, &devices[i]);
}

bool control_service_last_refusal(struct control_service *service, char *name, size_t size,
				  struct error *error)
{
	(void)service;
	g_snprintf(name, size, "user_3/re\tfused");
	error_set(error, EINVAL, "/srv/a.img holds 4096 bytes,\nbut size=8192");
	return true;
}

int main(int argc, char **argv)
{
	struct error error;

	if (argc != 2 || backstore_load_handlers(argv[1], &error) <= 0 ||
	    backstore_load_filters(argv[1], &error) <= 0) {
		fprintf(stderr, "host HANDLER_DIR, with handlers and filters in it\n");
		return 1;
	}
	dbus_service_run_alone();
	backstore_unload_filters();
	backstore_unload_handlers();
	return 0;
}
