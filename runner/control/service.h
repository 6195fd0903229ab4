/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of the daemon: the order in which everything is started and stopped, and the work of the main
 * thread.
 */
#ifndef CONTROL_SERVICE_H
#define CONTROL_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/options.h"
#include "control_socket/device.h"
#include "util/error.h"

struct control_service;

/*
 * Main thread. Starts to serve everything that the options ask for, and sets *service. If this fails, undoes
 * what it has started and returns -errno with error set; -ENOTSUP means that the kernel has no TCMU. The
 * options must exist as long as the service. Settings that they do not contain are filled in from tcmu.conf.
 */
int control_service_start(struct control_service **service, struct config_options *options,
			  struct error *error);
/*
 * Main thread. Runs GLib's default main context, with all sources that were added to it before, and returns
 * after SIGTERM or SIGINT. SIGHUP reopens the log, reads tcmu.conf again, and looks for changed sizes at
 * once. With --run, the function also returns when the command has ended. Returns the exit status of that
 * command, 0 without a command, or -1 with error set if the command cannot be started.
 */
int control_service_run(struct control_service *service, struct error *error);
/*
 * Stops accepting connections, asks initiators to log out, waits for commands in flight, and flushes and
 * closes the storage. If storage hangs and this takes too long, ends the process with status 1. Returns 0, or
 * -EIO if a flush has failed.
 */
int control_service_stop(struct control_service *service);

/* Returns whether the service serves the kernel's devices. */
bool control_service_has_kernel(const struct control_service *service);
/* Main thread. Calls view() for each device of the kernel. */
void control_service_devices(struct control_service *service, control_device_view *view, void *arg);
/*
 * Main thread. Copies the name of the kernel's device that was refused last, such as "user_0/disk", and the
 * reason. Returns false if no device was refused.
 */
bool control_service_last_refusal(struct control_service *service, char *name, size_t size,
				  struct error *error);
#endif
