/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the model, and makes the main loop of GLib run the queue of the main thread. At the stop of the daemon
 * it flushes and closes all storage. The objects of the model are created by others.
 */
#include "control/model_host.h"

#include <errno.h>
#include <glib-unix.h>

#include "backstore/backstore.h"
#include "control/model_wait.h"
#include "control/stop_limit.h"
#include "util/log.h"

/* The part of the time limit of a stop that is reserved for closing the storage. */
#define CLOSE_MS 700

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

/* The flush of one storage object at the stop. */
struct flush {
	struct model_wait *wait;
	/* A copy, because the object may be freed before the flush ends. */
	char *name;
	bool is_over;
};

/* Logs the name of an object whose storage could not be flushed. */
static void on_flushed(void *arg, int err, const struct error *error)
{
	struct flush *flush = arg;

	if (err)
		log_err(NULL, "the flush before the stop has failed: %s", error->text);
	flush->is_over = true;
	model_wait_done(flush->wait, err, error);
}

static struct model_object *first_storage(const struct model_host *host)
{
	return model_first(model_root(host->model), MODEL_STORAGE);
}

/*
 * Returns 0, -EIO if some storage could not be flushed, or -EBUSY if some storage does not answer. Both are
 * logged.
 */
static int flush_all(struct model_host *host)
{
	static struct model_wait wait; /* Static, because flushes that hang continue after this call. */
	struct model_object *object = first_storage(host);
	g_autoptr(GPtrArray) flushes = g_ptr_array_new();

	for (; object; object = model_next(object)) {
		struct flush *flush = g_new0(struct flush, 1);

		flush->wait = model_wait_add(&wait);
		flush->name = g_strdup(model_name(object));
		g_ptr_array_add(flushes, flush);
		if (model_is_enabled(object))
			storage_flush(model_storage(object), on_flushed, flush);
		else
			on_flushed(flush, 0, NULL);
	}
	bool is_over = model_wait_for_ms(&wait, host->context.main, stop_limit_left_ms(CLOSE_MS));
	for (guint i = 0; i < flushes->len; i++) {
		struct flush *flush = g_ptr_array_index(flushes, i);

		if (flush->is_over) {
			g_free(flush->name);
			g_free(flush);
		} else {
			log_err(flush->name, "its storage does not answer, so it is not flushed");
		}
	}
	return is_over ? wait.err : -EBUSY;
}

/* Returns what keeps an object from being closed, as text for the log, or NULL. */
static const char *what_hangs(const struct model_object *object)
{
	struct storage *storage = model_storage(object);
	struct storage_lu *served = storage_served(storage);

	switch (storage_status(storage)) {
	case STORAGE_OPENING:
		return "its storage does not answer while it is opened";
	case STORAGE_REMOVING:
		if (storage_has_job(storage))
			return "its storage does not answer while it is opened or changed";
		return "it is not closed, because commands are in flight, or its storage does not answer";
	default:
		return served && backstore_has_io(storage_lu_backstore(served))
			   ? "its storage does not answer, and commands are in flight"
			   : NULL;
	}
}

static void log_what_hangs(const struct model_host *host)
{
	for (struct model_object *object = first_storage(host); object; object = model_next(object))
		if (what_hangs(object))
			log_err(model_name(object), "%s", what_hangs(object));
}

int model_host_stop(struct model_host *host, bool hangs)
{
	static struct model_wait wait;
	int flushed = flush_all(host);

	hangs |= flushed == -EBUSY;
	if (!hangs) {
		model_clear(host->model, model_wait_done, model_wait_add(&wait));
		hangs = !model_wait_for_ms(&wait, host->context.main, stop_limit_left_ms(0)) || wait.err;
		/*
		 * Runs work that the tree and the last changes of the model have posted, and for which no
		 * other code has waited.
		 */
		while (!hangs && main_queue_wait(host->context.main, 0))
			;
	}
	if (!hangs)
		return flushed;
	log_what_hangs(host);
	return -EBUSY;
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
