/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The D-Bus service of the handlers, without the rest of the daemon: tcmu-targetcli runs it on a private
 * message bus, because targetcli shows only the handlers for which somebody answers there. The daemon
 * itself cannot answer, because it is not on this bus, and need not run as the same user.
 */
#include <stdio.h>

#include "backstore/backstore.h"
#include "dbus/service.h"

/* This service knows handlers only. Devices are what the tree shows. */
void control_service_devices(struct control_service *service, control_device_view *view, void *arg)
{
	(void)service;
	(void)view;
	(void)arg;
}

bool control_service_last_refusal(struct control_service *service, char *name, size_t size,
				  struct error *error)
{
	(void)service;
	(void)name;
	(void)size;
	(void)error;
	return false;
}

int main(int argc, char **argv)
{
	struct error error;

	if (argc != 2) {
		fprintf(stderr, "usage: tcmu-targetcli-bus HANDLER_PATH; tcmu-targetcli runs this program\n");
		return 2;
	}
	if (backstore_load_handlers(argv[1], &error) < 0) {
		fprintf(stderr, "tcmu-targetcli-bus: %s\n", error.text);
		return 1;
	}
	dbus_service_run_alone();
	backstore_unload_handlers();
	return 0;
}
