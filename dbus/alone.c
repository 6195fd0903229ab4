/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the service in a program that is not the daemon. The program must have loaded the handlers before. */
#include "dbus/service.h"

#include <glib-unix.h>

static gboolean on_quit(gpointer data)
{
	g_main_loop_quit(data);
	return G_SOURCE_CONTINUE;
}

void dbus_service_run_alone(void)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	guint quit = g_unix_signal_add(SIGTERM, on_quit, loop);
	struct dbus_service *service = dbus_service_start(NULL);

	g_main_loop_run(loop);
	dbus_service_stop(service);
	g_source_remove(quit);
	g_main_loop_unref(loop);
}
