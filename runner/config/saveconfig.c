/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations on saveconfig.json: save, restore, reload and diff, one after the other. This file keeps two
 * trees: "file" is the configuration that was restored or saved last, with the entries that could not be
 * restored, and "saved" is the contents of the daemon's own file. Other files read, write, compare and apply
 * the trees.
 */
#include <errno.h>
#include <string.h>

#include "config/saveconfig_apply.h"
#include "config/saveconfig_check.h"
#include "config/saveconfig_diff.h"
#include "config/saveconfig_dump.h"
#include "config/saveconfig_file.h"
#include "config/saveconfig_numbers.h"
#include "config/saveconfig_plan.h"
#include "config/saveconfig_private.h"
#include "config/saveconfig_read.h"
#include "config/saveconfig_secrets.h"
#include "config/saveconfig_write.h"
#include "util/log.h"

/* --- the file of an operation --- */

static bool has_path(struct operation *operation)
{
	struct error error;

	if (operation->path)
		return true;
	int err =
	    error_set(&error, EINVAL, "the daemon was started without --saveconfig, so a file must be named");

	saveconfig_finish(operation, err, &error);
	return false;
}

/* --- lines --- */

/* Lists the TPGs that are enabled here, and that the saved file disables for LIO. */
static void list_closed_for_lio(const struct config_node *node, GPtrArray *lines)
{
	g_autofree char *path = config_node_path(node);
	const struct model_attribute *why;
	const struct config_node *child;

	if (node->is_enabled_by_user) {
		g_ptr_array_add(lines,
				g_strdup_printf("%s is saved as disabled, and the next restore leaves it "
						"disabled, until the file is corrected: %s",
						path, node->closing_reason));
	} else if (node->kind == MODEL_TPG && node->enable && !node->closing_reason &&
		   saveconfig_needs_ours(node, &why)) {
		g_ptr_array_add(
		    lines, g_strdup_printf(
			       "%s is saved as disabled for LIO, which has no %s; this daemon enables it",
			       path, why->name));
	}
	for (guint i = 0; (child = config_node_child(node, i)); i++)
		list_closed_for_lio(child, lines);
}

/* --- trees --- */

/* Returns the running configuration with the entries of the file that could not be restored. */
static struct config_node *dump_all(const struct saveconfig *config)
{
	struct config_node *running = saveconfig_dump(config->model, config->file);

	saveconfig_merge(running, config->file);
	return running;
}

/* Reads the file of the operation into its tree. Returns 0, or -errno with error set. */
static int read_tree(struct operation *operation, struct error *error)
{
	g_autoptr(GPtrArray) remarks = g_ptr_array_new_with_free_func(g_free);
	struct config_text text;
	int err = saveconfig_file_read(operation->path, &text, error);

	if (err)
		return err;
	operation->tree = saveconfig_read(operation->path, text.text, text.len, remarks, error);
	operation->remarks = remarks->len;
	config_text_free(&text);
	return operation->tree ? 0 : -EINVAL;
}

/* Calls read_tree(). If the file cannot be read, ends the operation and returns false. */
static bool read_file(struct operation *operation)
{
	struct error error;

	if (!has_path(operation))
		return false;
	int err = read_tree(operation, &error);

	if (err)
		saveconfig_finish(operation, err, &error);
	return !err;
}

static void set_tree(struct config_node **place, struct config_node *tree)
{
	config_node_free(*place);
	*place = tree;
}

/* Records that the model was equal to the daemon's own file when it had this generation. */
static void note_saved(struct saveconfig *config, uint64_t generation)
{
	set_tree(&config->saved, config_node_copy(config->file, NULL));
	config->saved_generation = generation;
	config->is_saved = true;
}

void saveconfig_note_applied(struct saveconfig *config, bool may_differ)
{
	config->saved_generation = model_generation(config->model);
	config->is_saved = true;
	if (!may_differ)
		return;
	struct config_node *running = dump_all(config);
	g_autoptr(GPtrArray) differences = saveconfig_differences(config->file, running);

	config->is_saved = !differences->len;
	config_node_free(running);
}

/*
 * Records that the model is equal to another file. If the daemon has no file of its own, changes since then
 * are those that are not saved.
 */
static void note_saved_elsewhere(struct saveconfig *config, const struct config_node *tree)
{
	if (!config->path)
		set_tree(&config->saved, config_node_copy(tree, NULL));
}

/* --- save --- */

static void on_saved(void *arg, int err, const struct error *error)
{
	struct operation *operation = arg;
	struct saveconfig *config = operation->config;

	if (!err && operation->is_own) {
		set_tree(&config->file, g_steal_pointer(&operation->tree));
		note_saved(config, operation->generation);
		config->is_saved = !operation->has_forgotten;
		g_ptr_array_set_size(config->renumbered, 0);
	} else if (!err) {
		note_saved_elsewhere(config, operation->tree);
	}
	saveconfig_finish(operation, err, error);
}

static void run_save(struct operation *operation)
{
	struct config_text text;

	if (!has_path(operation))
		return;
	operation->generation = model_generation(operation->config->model);
	operation->tree = dump_all(operation->config);
	saveconfig_write(operation->tree, &text);

	list_closed_for_lio(operation->tree, operation->lines);
	saveconfig_file_write(operation->path, &text, on_saved, operation);
}

void saveconfig_save(struct saveconfig *config, const char *path, saveconfig_done *done, void *arg)
{
	struct operation *operation = saveconfig_start(config, run_save, path, done, arg);

	operation->is_save = true;
	saveconfig_run_if_first(operation);
}

/* --- restore and reload --- */

/*
 * Logs how many TPGs have login parameters that make WRITEs slow. The daemon uses the parameters of the file,
 * which are often LIO's defaults.
 */
static void log_slow_tpgs(const struct saveconfig *config)
{
	struct model_object *target = model_first(model_root(config->model), MODEL_TARGET);
	unsigned n = 0;

	for (; target; target = model_next(target))
		for (struct model_object *tpg = model_first(target, MODEL_TPG); tpg; tpg = model_next(tpg))
			n += model_is_enabled(tpg) && model_tpg_is_slow(tpg);
	if (n)
		log_info(
		    "saveconfig",
		    "TPGs whose login parameters make long WRITEs wait for each R2T: %u; \"Values that cost "
		    "speed\" in docs/saveconfig.md says how to change them",
		    n);
}

/*
 * Counts numbers that the daemon has chosen, and that would be different after a start, as unsaved changes.
 */
static void note_renumbered(struct saveconfig *config)
{
	g_ptr_array_set_size(config->renumbered, 0);
	config_list_renumbered(config->file, config->model, config->renumbered);
	for (guint i = 0; i < config->renumbered->len; i++)
		log_warn(NULL, "%s", (const char *)g_ptr_array_index(config->renumbered, i));
	config->is_saved = config->is_saved && !config->renumbered->len;
}

static void on_restored(void *arg, GPtrArray *lines, bool may_differ)
{
	struct saveconfig *config = arg;
	struct operation *operation = g_queue_peek_head(&config->operations);

	for (guint i = 0; i < lines->len; i++)
		g_ptr_array_add(operation->lines, g_strdup(g_ptr_array_index(lines, i)));
	saveconfig_list_problems(operation->tree, operation->lines);
	set_tree(&config->file, g_steal_pointer(&operation->tree));
	if (operation->is_own) {
		set_tree(&config->saved, config_node_copy(config->file, NULL));
		saveconfig_note_applied(config, may_differ);
	} else {
		note_saved_elsewhere(config, config->file);
	}
	if (operation->purpose == CONFIG_PLAN_REPLACE && operation->is_own)
		note_renumbered(config);
	log_slow_tpgs(config);
	if (operation->remarks)
		log_info(
		    "saveconfig",
		    "settings that are kept and have no effect here: %u; tcmu-runner --check-saveconfig %s "
		    "lists them",
		    operation->remarks, operation->path);
	saveconfig_finish(operation, 0, NULL);
}

static void on_progress(void *arg, unsigned done, unsigned total)
{
	const struct saveconfig *config = arg;
	const struct operation *operation = g_queue_peek_head((GQueue *)&config->operations);

	operation->progress(operation->arg, done, total);
}

/* Records that storage which answered after the time limit cannot be opened. */
void saveconfig_on_late(void *arg, const char *name, const char *reason)
{
	const struct saveconfig *config = arg;
	struct config_node *node = config_node_find(config->file, MODEL_STORAGE, name);

	log_warn(name, "cannot be restored: %s", reason);
	if (node && !node->problem)
		config_set_text(&node->problem, "%s", reason);
}

static void apply(struct operation *operation)
{
	struct saveconfig *config = operation->config;
	const struct config_apply_owner owner = {
	    .done = on_restored,
	    .late = saveconfig_on_late,
	    .abandoned = saveconfig_on_abandoned,
	    .running = &config->steps,
	    .progress = operation->progress ? on_progress : NULL,
	    .arg = config,
	};

	operation->running = saveconfig_dump(config->model, operation->tree);
	saveconfig_apply(config->model,
			 saveconfig_plan(operation->tree, operation->running, operation->purpose), &owner);
}

static void run_restore(struct operation *operation)
{
	if (read_file(operation))
		apply(operation);
}

/* Restores the file at the start. A missing file is an empty configuration, which an empty model equals. */
static void run_first_restore(struct operation *operation)
{
	struct saveconfig *config = operation->config;
	struct model_object *root = model_root(config->model);
	struct error error;
	int err = read_tree(operation, &error);

	if (err == -ENOENT && !model_first(root, MODEL_STORAGE) && !model_first(root, MODEL_TARGET))
		note_saved(config, model_generation(config->model));
	if (err)
		saveconfig_finish(operation, err, &error);
	else
		apply(operation);
}

void saveconfig_restore(struct saveconfig *config, const char *path, saveconfig_progress *progress,
			saveconfig_done *done, void *arg)
{
	struct operation *operation = saveconfig_start(config, run_restore, path, done, arg);

	operation->progress = progress;
	saveconfig_run_if_first(operation);
}

void saveconfig_restore_at_start(struct saveconfig *config, saveconfig_done *done, void *arg)
{
	struct operation *operation = saveconfig_start(config, run_first_restore, NULL, done, arg);

	operation->purpose = CONFIG_PLAN_ADD;
	saveconfig_run_if_first(operation);
}

static void run_reload(struct operation *operation)
{
	struct error error;
	struct config_node *running;

	if (!read_file(operation))
		return;
	running = operation->discard ? NULL : dump_all(operation->config);
	if (running)
		saveconfig_list_lost(operation->config->saved, operation->tree, running, operation->lines);
	config_node_free(running);
	if (!operation->lines->len)
		apply(operation);
	else
		saveconfig_finish(
		    operation,
		    error_set(
			&error, EBUSY,
			"%u changes that are not saved would be lost; save them, or reload with --discard",
			operation->lines->len),
		    &error);
}

void saveconfig_reload(struct saveconfig *config, const char *path, bool discard,
		       saveconfig_progress *progress, saveconfig_done *done, void *arg)
{
	struct operation *operation = saveconfig_start(config, run_reload, path, done, arg);

	operation->discard = discard;
	operation->progress = progress;
	saveconfig_run_if_first(operation);
}

/* --- diff --- */

/* Compares. Until the first save creates the daemon's own file, its configuration is empty. */
static void run_diff(struct operation *operation)
{
	struct error error;

	if (!has_path(operation))
		return;
	int err = read_tree(operation, &error);

	if (err == -ENOENT && operation->is_own) {
		operation->tree = saveconfig_read_nothing();
	} else if (err) {
		saveconfig_finish(operation, err, &error);
		return;
	}
	struct config_node *running = dump_all(operation->config);
	g_autoptr(GPtrArray) differences = saveconfig_differences(operation->tree, running);

	for (guint i = 0; i < differences->len; i++)
		g_ptr_array_add(
		    operation->lines,
		    g_strdup(((struct config_difference *)g_ptr_array_index(differences, i))->line));
	config_node_free(running);
	for (guint i = 0; operation->is_own && i < operation->config->renumbered->len; i++)
		g_ptr_array_add(operation->lines,
				g_strdup_printf("~ %s", (const char *)g_ptr_array_index(
							    operation->config->renumbered, i)));
	saveconfig_finish(operation, 0, NULL);
}

void saveconfig_diff(struct saveconfig *config, const char *path, saveconfig_done *done, void *arg)
{
	saveconfig_run_if_first(saveconfig_start(config, run_diff, path, done, arg));
}

bool saveconfig_has_changed(const struct saveconfig *config)
{
	return !config->is_saved || config->saved_generation != model_generation(config->model);
}

const char *saveconfig_path(const struct saveconfig *config)
{
	return config->path;
}

/* --- start and stop --- */

struct saveconfig *saveconfig_new(struct model *model, const char *path)
{
	struct saveconfig *config = g_new0(struct saveconfig, 1);

	config->model = model;
	config->path = g_strdup(path);
	config->file = saveconfig_read_nothing();
	config->saved = saveconfig_read_nothing();
	config->renumbered = g_ptr_array_new_with_free_func(g_free);
	config->watch.fn = saveconfig_on_change;
	model_watch(model, &config->watch);
	return config;
}

void saveconfig_free(struct saveconfig *config)
{
	if (!config)
		return;
	if (!config->is_stopped)
		model_unwatch(&config->watch);
	config_node_free(config->file);
	config_node_free(config->saved);
	config_secrets_sweep((const struct config_node *const[]){NULL});
	g_ptr_array_unref(config->renumbered);
	g_free(config->path);
	g_free(config);
}
