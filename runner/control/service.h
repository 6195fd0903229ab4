/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's life: what is started in which order, what runs on the main thread, and the way back. */
#ifndef CONTROL_SERVICE_H
#define CONTROL_SERVICE_H

#include "control/options.h"
#include "util/error.h"

struct control_service;

/* Main thread. Serves all that the options ask for, or nothing: NULL with error set, and what was begun
 * undone. */
struct control_service *control_service_start(const struct control_options *options, struct error *error);
/* Main thread. Returns after SIGTERM or SIGINT. SIGHUP looks for changed sizes at once. */
void control_service_run(struct control_service *service);
/* Stops accepting, lets commands in flight end, flushes, logs sessions out. Ends the process with status 1
 * when a backend keeps that from ending within a bound. 0, or -EIO when a flush failed. */
int control_service_stop(struct control_service *service);
#endif
