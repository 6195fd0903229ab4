/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waits for the restore at the start of the daemon, before its main loop runs. runner/config restores the
 * objects.
 */
#include "control/restore.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdbool.h>

#include "util/log.h"

struct waiting {
	struct main_queue *queue;
	bool is_over;
	/* A signal has asked the daemon to stop, so the wait has ended before the restore has. */
	bool is_left;
	int err;
	struct error error;
};

static void on_restored(void *arg, int err, const struct error *error, const char *const *lines)
{
	struct waiting *waiting = arg;

	for (; *lines; lines++)
		log_warn(NULL, "%s", *lines);
	if (waiting->is_left) {
		g_free(waiting);
		return;
	}
	waiting->is_over = true;
	waiting->err = err;
	if (err)
		waiting->error = *error;
}

static gboolean on_signal(gpointer data)
{
	struct waiting *waiting = data;

	waiting->is_left = true;
	return G_SOURCE_CONTINUE;
}

static gboolean on_work(gint fd, GIOCondition condition, gpointer data)
{
	struct waiting *waiting = data;

	(void)fd, (void)condition;
	main_queue_run(waiting->queue);
	return G_SOURCE_CONTINUE;
}

static void attach(GMainContext *context, GSource *source, GSourceFunc fn, struct waiting *waiting)
{
	g_source_set_callback(source, fn, waiting, NULL);
	g_source_attach(source, context);
}

/*
 * Runs a main context of its own, so that timers of the daemon do not run before it has started. The daemon's
 * own handlers of the signals are called as well, and stop the main loop as soon as it runs.
 */
static void wait_for_restore(struct saveconfig *config, struct waiting *waiting)
{
	GMainContext *context = g_main_context_new();
	GSource *sources[] = {g_unix_fd_source_new(main_queue_fd(waiting->queue), G_IO_IN),
			      g_unix_signal_source_new(SIGTERM), g_unix_signal_source_new(SIGINT)};

	g_main_context_push_thread_default(context);
	attach(context, sources[0], G_SOURCE_FUNC(on_work), waiting);
	attach(context, sources[1], on_signal, waiting);
	attach(context, sources[2], on_signal, waiting);
	saveconfig_restore_at_start(config, on_restored, waiting);
	while (!waiting->is_over && !waiting->is_left)
		g_main_context_iteration(context, TRUE);
	for (unsigned i = 0; i < G_N_ELEMENTS(sources); i++) {
		g_source_destroy(sources[i]);
		g_source_unref(sources[i]);
	}
	g_main_context_pop_thread_default(context);
	g_main_context_unref(context);
}

int control_restore(struct saveconfig *config, struct main_queue *queue, struct error *error)
{
	struct waiting *waiting = g_new0(struct waiting, 1);
	int err = 0;

	waiting->queue = queue;
	wait_for_restore(config, waiting);
	if (!waiting->is_over) {
		log_info(NULL, "a signal has ended the wait for the restore");
		return 0;
	}
	if (waiting->err == -ENOENT)
		log_warn(NULL, "%s; the daemon starts without targets", waiting->error.text);
	else if (waiting->err)
		err = error_set(error, -waiting->err, "%s", waiting->error.text);
	g_free(waiting);
	return err;
}
