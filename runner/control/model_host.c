/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the model, and connects the queue of the main thread to the main loop of GLib. At the stop of the
 * daemon it flushes and closes all storage. What is in the model is left to others.
 */
#include "control/model_host.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/model_wait.h"
#include "util/log.h"

struct model_host {
	struct storage_context context;
	struct model *model;
	guint source;
};

static gboolean on_work(gint fd, GIOCondition condition, gpointer data)
{
	struct model_host *host = data;

	(void)fd, (void)condition;
	main_queue_run(host->context.main);
	return G_SOURCE_CONTINUE;
}

struct model_host *model_host_new(struct loop_set *loops, struct storage_registry *registry,
				  struct error *error)
{
	struct model_host *host = g_new0(struct model_host, 1);

	host->context =
	    (struct storage_context){.loops = loops, .registry = registry, .main = main_queue_new()};
	if (host->context.main)
		host->model = model_new(&host->context);
	if (!host->model) {
		error_set(error, ENOMEM, "there is no memory, or no descriptor, for the target model");
		main_queue_free(host->context.main);
		g_free(host);
		return NULL;
	}
	host->source = g_unix_fd_add(main_queue_fd(host->context.main), G_IO_IN, on_work, host);
	return host;
}

struct model *model_host_model(const struct model_host *host)
{
	return host->model;
}

const struct storage_context *model_host_context(const struct model_host *host)
{
	return &host->context;
}

/* --- stop --- */

/* An object whose storage could not be flushed is named in the log. */
static void on_flushed(void *arg, int err, const struct error *error)
{
	if (err)
		log_err(NULL, "flush at stop: %s", error->text);
	model_wait_done(arg, err, error);
}

static int flush_all(struct model_host *host)
{
	struct model_object *object = model_first(model_root(host->model), MODEL_STORAGE);
	struct model_wait wait = {0};

	for (; object; object = model_next(object))
		if (model_is_enabled(object))
			storage_flush(model_storage(object), on_flushed, model_wait_add(&wait));
	return model_wait_for(&wait, host->context.main, NULL);
}

int model_host_stop(struct model_host *host)
{
	struct model_wait wait = {0};
	struct error error;
	int flushed = flush_all(host), err;

	model_clear(host->model, model_wait_done, model_wait_add(&wait));
	err = model_wait_for(&wait, host->context.main, &error);
	if (err)
		log_crit(NULL, "%s", error.text);
	/* The tree and the last changes of the model may have posted work that nothing has waited for. */
	while (main_queue_wait(host->context.main, 0))
		;
	return err ? err : flushed;
}

void model_host_give_up(void)
{
	/* Loops with commands in flight do not end. */
	log_crit(NULL, "giving up: storage does not answer");
	_exit(EXIT_FAILURE);
}

void model_host_free(struct model_host *host)
{
	if (!host)
		return;
	g_source_remove(host->source);
	model_free(host->model);
	main_queue_free(host->context.main);
	g_free(host);
}
