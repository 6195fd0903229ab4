/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's manager as this process serves it: the module, the lock against a second daemon, the manager.
 * Main thread.
 */
#ifndef CONTROL_KERNEL_SERVICE_H
#define CONTROL_KERNEL_SERVICE_H

#include "config/conf.h"
#include "config/options.h"
#include "control/service.h"
#include "loop/loop.h"
#include "storage/identity.h"
#include "util/error.h"

struct kernel_service;

/*
 * Before any thread is started: loads the module, takes the lock, and sets *service. Returns 0 or -errno with
 * error set, -ENOTSUP if the kernel or this build has no TCMU.
 */
int kernel_service_new(struct kernel_service **service, const struct control_options *options,
		       const struct control_conf *conf, struct error *error);
/* What the loops are to hold, see tcmu_stray_io_lock(). */
const int *kernel_service_io_lock(const struct kernel_service *service);
/*
 * Adopts the devices that exist and answers the kernel from now on. Returns 0 or -errno; stop in either case.
 */
int kernel_service_start(struct kernel_service *service, struct loop_set *loops,
			 struct storage_registry *registry, struct error *error);
/* For devices that come from now on. */
void kernel_service_set_defaults(struct kernel_service *service, const struct control_conf *conf);
void kernel_service_retry(struct kernel_service *service);
void kernel_service_list(struct kernel_service *service, control_device_view *view, void *arg);
/* See kernel_manager_last_refusal(). */
bool kernel_service_last_refusal(struct kernel_service *service, char *name, size_t size,
				 struct error *error);
/* Returns false if devices hang, which is logged. The service stays in use then; the process must end. */
bool kernel_service_stop(struct kernel_service *service);
#endif
