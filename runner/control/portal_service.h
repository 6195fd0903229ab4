/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The iSCSI front end: puts the exports of the command line into the target model, and starts the iSCSI
 * server. Main thread.
 */
#ifndef CONTROL_PORTAL_SERVICE_H
#define CONTROL_PORTAL_SERVICE_H

#include "config/options.h"
#include "control/exports.h"
#include "control/model_host.h"
#include "loop/loop.h"
#include "util/error.h"

struct portal_service;

/* Parses the options. Nothing is served yet. Returns NULL with error set. */
struct portal_service *portal_service_new(const struct config_options *options, struct error *error);
/*
 * Opens all exports in the target model of host, and then listens. Returns 0 or -errno. portal_service_stop()
 * must be called in both cases. host must exist longer than the service.
 */
int portal_service_start(struct portal_service *service, struct loop_set *loops, struct model_host *host,
			 struct error *error);
/* Returns the address of the first export. The strings are valid as long as the service. */
struct exports_address portal_service_address(const struct portal_service *service);
/*
 * Stops accepting connections, waits for commands in flight, logs sessions out, and frees the service.
 * If commands hang, logs this and returns false. In this case, the commands still use the service, and the
 * process must end.
 */
bool portal_service_stop(struct portal_service *service);
#endif
