/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's life: what is started in which order, what runs on the main thread, and the way back. */
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
 * Main thread. Serves everything that the options ask for and sets *service, or undoes what it began and
 * returns -errno with error set; -ENOTSUP means that the kernel has no TCMU. The options live as long as the
 * service; what they leave open is filled in from tcmu.conf.
 */
int control_service_start(struct control_service **service, struct control_options *options,
			  struct error *error);
/* Main thread. Returns after SIGTERM or SIGINT. SIGHUP reopens the log, reads tcmu.conf again, and looks for
 * changed sizes at once. Runs GLib's default main context: what is added to it before is served, too. */
/*
 * With --run it also returns when the command has ended. Returns the exit status of that command, 0 without
 * one, or -1 with error set: the command cannot be started.
 */
int control_service_run(struct control_service *service, struct error *error);
/*
 * Stops accepting, lets commands in flight end, flushes, logs sessions out. Ends the process with status 1
 * when a backend keeps that from ending within a bound. Returns 0, or -EIO when a flush failed.
 */
int control_service_stop(struct control_service *service);

/* Returns whether it serves the kernel's devices. */
bool control_service_has_kernel(const struct control_service *service);
/* Main thread. The handlers are backstore_handler_at()'s. */
void control_service_devices(struct control_service *service, control_device_view *view, void *arg);
/*
 * Main thread. The kernel's device that was refused last, "user_0/disk", and why. Returns false if none was.
 */
bool control_service_last_refusal(struct control_service *service, char *name, size_t size,
				  struct error *error);
#endif
