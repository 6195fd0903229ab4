/* SPDX-License-Identifier: Apache-2.0 */
/*
 * org.kernel.TCMUService1 on the system bus: what targetcli asks of the handlers, registration of handlers
 * that other daemons serve, and a list of the devices. Runs on the main thread and never blocks it: a bus
 * that is absent, slow or restarted costs the daemon nothing but this service, which comes back with the bus.
 *
 * Only root is answered, whatever the bus's policy files say, except where D-Bus itself answers
 * (introspection, properties).
 */
#ifndef DBUS_SERVICE_H
#define DBUS_SERVICE_H

#include "control/service.h"

struct dbus_service;

/* Main, with the handlers loaded. What is on the bus comes with the main loop's turns. */
struct dbus_service *dbus_service_start(struct control_service *control);
/* Main. Answers what is asked right now with an error, gives up the name. */
void dbus_service_stop(struct dbus_service *service);
#endif
