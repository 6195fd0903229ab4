/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of kernel_service.h in a build without libnl, which has no kernel front end. */
#include <errno.h>
#include <stddef.h>

#include "control/kernel_service.h"

int kernel_service_new(struct kernel_service **service, const struct config_options *options,
		       const struct conf *conf, struct error *error)
{
	(void)service;
	(void)options;
	(void)conf;
	return error_set(error, ENOTSUP, "this build has no TCMU");
}

/* The functions below are never called, because there is never a service. */
const int *kernel_service_io_lock(const struct kernel_service *service)
{
	(void)service;
	return NULL;
}

int kernel_service_start(struct kernel_service *service, struct loop_set *loops,
			 struct storage_registry *registry, struct error *error)
{
	(void)registry;
	(void)service;
	(void)loops;
	return error_set(error, ENOTSUP, "this build has no TCMU");
}

void kernel_service_set_defaults(struct kernel_service *service, const struct conf *conf)
{
	(void)service;
	(void)conf;
}

void kernel_service_tick(struct kernel_service *service)
{
	(void)service;
}

void kernel_service_list(struct kernel_service *service, control_device_view *view, void *arg)
{
	(void)service;
	(void)view;
	(void)arg;
}

bool kernel_service_last_refusal(struct kernel_service *service, char *name, size_t size, struct error *error)
{
	(void)service;
	(void)name;
	(void)size;
	(void)error;
	return false;
}

bool kernel_service_stop(struct kernel_service *service)
{
	(void)service;
	return true;
}
