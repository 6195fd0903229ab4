/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waits for the restore at the start of the daemon, before its main loop runs. What is restored is the
 * business of runner/config.
 */
#include "control/restore.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdbool.h>

#include "util/log.h"

struct waiting {
	struct main_queue *queue;
	bool is_over;
	int err;
	struct error error;
};

static void on_restored(void *arg, int err, const struct error *error, const char *const *lines)
{
	struct waiting *waiting = arg;

	for (; *lines; lines++)
		log_warn(NULL, "%s", *lines);
	waiting->is_over = true;
	waiting->err = err;
	if (err)
		waiting->error = *error;
}

static gboolean on_work(gint fd, GIOCondition condition, gpointer data)
{
	struct waiting *waiting = data;

	(void)fd, (void)condition;
	main_queue_run(waiting->queue);
	return G_SOURCE_CONTINUE;
}

/* A context of its own: signals and timers of the daemon wait until it has started. */
static void wait_for_restore(struct saveconfig *config, struct waiting *waiting)
{
	GMainContext *context = g_main_context_new();
	GSource *source = g_unix_fd_source_new(main_queue_fd(waiting->queue), G_IO_IN);

	g_main_context_push_thread_default(context);
	g_source_set_callback(source, G_SOURCE_FUNC(on_work), waiting, NULL);
	g_source_attach(source, context);
	saveconfig_restore_beside(config, on_restored, waiting);
	while (!waiting->is_over)
		g_main_context_iteration(context, TRUE);
	g_source_destroy(source);
	g_source_unref(source);
	g_main_context_pop_thread_default(context);
	g_main_context_unref(context);
}

int control_restore(struct saveconfig *config, struct main_queue *queue, struct error *error)
{
	struct waiting waiting = {.queue = queue};

	wait_for_restore(config, &waiting);
	if (waiting.err == -ENOENT)
		log_warn(NULL, "%s; the daemon starts without targets", waiting.error.text);
	else if (waiting.err)
		return error_set(error, -waiting.err, "%s", waiting.error.text);
	return 0;
}
