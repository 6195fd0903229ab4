/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of the operations on saveconfig.json, and its end when the daemon stops. The operations are left
 * to saveconfig.c and saveconfig_retry.c.
 */
#include <errno.h>

#include "config/saveconfig_apply.h"
#include "config/saveconfig_private.h"
#include "config/saveconfig_secrets.h"

static void refuse_stopped(struct operation *operation)
{
	struct error error;
	int err = error_set(&error, ECANCELED, "the daemon is stopping");

	saveconfig_finish(operation, err, &error);
}

static void run_first(struct saveconfig *config)
{
	struct operation *operation = g_queue_peek_head(&config->operations);

	if (operation && config->is_stopped)
		refuse_stopped(operation);
	else if (operation)
		operation->run(operation);
}

void saveconfig_finish(struct operation *operation, int err, const struct error *error)
{
	struct saveconfig *config = operation->config;

	g_ptr_array_add(operation->lines, NULL);
	g_queue_pop_head(&config->operations);
	if (operation->done)
		operation->done(operation->arg, err, error, (const char *const *)operation->lines->pdata);
	config_node_free(operation->tree);
	config_node_free(operation->running);
	g_ptr_array_unref(operation->lines);
	g_free(operation->path);
	g_free(operation);
	config_secrets_sweep((const struct config_node *const[]){config->file, config->saved, NULL});
	run_first(config);
}

struct operation *saveconfig_start(struct saveconfig *config, void (*run)(struct operation *operation),
				   const char *path, saveconfig_done *done, void *arg)
{
	struct operation *operation = g_new0(struct operation, 1);

	operation->config = config;
	operation->run = run;
	operation->path = g_strdup(path ? path : config->path);
	operation->is_own = !g_strcmp0(operation->path, config->path);
	operation->lines = g_ptr_array_new_with_free_func(g_free);
	operation->done = done;
	operation->arg = arg;
	g_queue_push_tail(&config->operations, operation);
	return operation;
}

void saveconfig_run_if_first(struct operation *operation)
{
	if (g_queue_peek_head(&operation->config->operations) == operation)
		run_first(operation->config);
}

/* --- the end --- */

void saveconfig_on_abandoned(void *arg)
{
	struct saveconfig *config = arg;

	refuse_stopped(g_queue_peek_head(&config->operations));
}

/*
 * A save writes what the daemon has. After a restore that was not completed, this would be a part of the
 * file, so an operation that waits for the restore is refused.
 */
void saveconfig_stop(struct saveconfig *config)
{
	if (config->is_stopped)
		return;
	config->is_stopped = true;
	model_unwatch(&config->watch);
	if (config->steps)
		saveconfig_apply_abandon(config->steps);
}

static gboolean on_wait_is_over(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_CONTINUE;
}

bool saveconfig_wait(struct saveconfig *config, unsigned timeout_ms)
{
	bool is_over = false;

	if (!config || g_queue_is_empty(&config->operations))
		return true;
	guint timer = g_timeout_add(timeout_ms, on_wait_is_over, &is_over);
	while (!g_queue_is_empty(&config->operations) && !is_over)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(timer);
	return g_queue_is_empty(&config->operations);
}
