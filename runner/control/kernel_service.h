/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel front end of this process: it loads the kernel module, takes the lock against a second daemon,
 * and runs the manager of the devices. Main thread.
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
 * To be called before any thread is started. Loads the module, takes the lock, and sets *service. Returns 0,
 * or -errno with error set; the error is -ENOTSUP if the kernel or this build has no TCMU.
 */
int kernel_service_new(struct kernel_service **service, const struct config_options *options,
		       const struct conf *conf, struct error *error);
/*
 * Returns the descriptor of the lock that the loops must hold as long as I/O is in progress; see
 * tcmu_stray_io_lock().
 */
const int *kernel_service_io_lock(const struct kernel_service *service);
/*
 * Adopts the devices that exist, and answers the events of the kernel from now on. Returns 0 or -errno.
 * kernel_service_stop() must be called in both cases.
 */
int kernel_service_start(struct kernel_service *service, struct loop_set *loops,
			 struct storage_registry *registry, struct error *error);
/* Sets the defaults for devices that are created from now on. */
void kernel_service_set_defaults(struct kernel_service *service, const struct conf *conf);
void kernel_service_tick(struct kernel_service *service);
void kernel_service_list(struct kernel_service *service, control_device_view *view, void *arg);
/* See kernel_manager_last_refusal(). */
bool kernel_service_last_refusal(struct kernel_service *service, char *name, size_t size,
				 struct error *error);
/*
 * Stops the service and frees it. Returns false if devices hang, which is logged; in this case the service
 * stays in use, and the process must end.
 */
bool kernel_service_stop(struct kernel_service *service);
#endif
