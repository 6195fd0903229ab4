/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service org.kernel.TCMUService1 on the system bus. targetcli asks it which handlers exist and whether a
 * configuration is valid. Other daemons register their handlers, and status.sh asks for a list of the
 * devices. The service runs on the main thread and never blocks it. If the bus is absent, slow or restarted,
 * only this service is missing, and it returns with the bus. Only root and the daemon's own user get answers
 * to method calls, whatever the policy files of the bus allow. Introspection and properties are an exception:
 * GDBus answers them by itself.
 */
#ifndef DBUS_SERVICE_H
#define DBUS_SERVICE_H

#include "control/service.h"

struct dbus_service;

/* Main thread, after the handlers were loaded. The connection is made while the main loop runs. */
struct dbus_service *dbus_service_start(struct control_service *control);
/* Main thread. Answers pending calls with an error, and releases the name. */
void dbus_service_stop(struct dbus_service *service);
/*
 * Main thread. Runs the service without the daemon until SIGTERM. The program that calls this function
 * defines control_service_devices() and control_service_last_refusal() itself.
 */
void dbus_service_run_alone(void);
#endif
