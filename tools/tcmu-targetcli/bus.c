/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The D-Bus service of the handlers, without the rest of the daemon. tcmu-targetcli runs it on a private
 * message bus, because targetcli shows only handlers that have a service on the bus. The daemon itself cannot
 * provide this service, because it is not on this bus, and may run as another user.
 */
#include <stdio.h>

#include "backstore/backstore.h"
#include "dbus/service.h"

/* This service has no devices. The tree shows them. */
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
