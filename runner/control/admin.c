/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connects the control socket with the model and with the kernel's devices. What its methods do is left to
 * runner/control_socket.
 */
#include "control/admin.h"

#include <errno.h>
#include <glib.h>

#include "control/restore.h"
#include "control/stop_limit.h"
#include "control_socket/events.h"
#include "control_socket/listener.h"
#include "util/log.h"

struct admin {
	const struct config_options *options;
	struct control_context context;
	/* The control socket. If it is NULL, error says why there is none. */
	struct control_socket *socket;
	struct error error;
};

static void list_devices(void *arg, control_device_view *view, void *view_arg)
{
	kernel_service_list(arg, view, view_arg);
}

struct admin *admin_start(const struct config_options *options, struct model *model,
			  struct kernel_service *kernel)
{
	struct admin *admin = g_new0(struct admin, 1);

	admin->options = options;
	admin->context.model = model;
	admin->context.saveconfig = saveconfig_new(model, options->saveconfig);
	admin->context.started_us = g_get_monotonic_time();
	if (kernel) {
		admin->context.devices = list_devices;
		admin->context.devices_arg = kernel;
	}
	control_events_begin(&admin->context);
	if (options->run_dir)
		admin->socket = control_socket_open(options->run_dir, &admin->context, &admin->error);
	else
		error_set(&admin->error, ENOENT, "XDG_RUNTIME_DIR is not set");
	return admin;
}

int admin_restore(struct admin *admin, struct main_queue *queue, struct error *error)
{
	return admin->options->saveconfig ? control_restore(admin->context.saveconfig, queue, error) : 0;
}

void admin_announce(const struct admin *admin)
{
	if (admin->socket)
		log_info("control", "listening at %s/control", admin->options->run_dir);
	else
		log_warn("control",
			 "no control socket: %s; start the daemon with --run-dir and a folder of its own",
			 admin->error.text);
}

bool admin_close(struct admin *admin, unsigned reserve_ms)
{
	control_socket_close(admin->socket);
	admin->socket = NULL;
	saveconfig_stop(admin->context.saveconfig);
	return saveconfig_wait(admin->context.saveconfig, stop_limit_left_ms(reserve_ms));
}

void admin_free(struct admin *admin)
{
	if (!admin)
		return;
	admin_close(admin, 0);
	control_events_end(&admin->context);
	saveconfig_free(admin->context.saveconfig);
	g_free(admin);
}

void admin_tick(struct admin *admin)
{
	saveconfig_tick(admin->context.saveconfig);
}
