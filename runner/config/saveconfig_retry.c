/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists the entries of saveconfig.json that could not be restored, tries them again, and forgets them at the
 * request of the user. Until then, the entries stay in the tree of the file, and a save writes them
 * unchanged. Also lists the values that were refused and the TPGs that stay disabled.
 */
#include <errno.h>
#include <string.h>

#include "config/saveconfig_apply.h"
#include "config/saveconfig_dump.h"
#include "config/saveconfig_plan.h"
#include "config/saveconfig_private.h"
#include "config/saveconfig_secrets.h"
#include "util/list.h"

/* The entries are tried again once in this many calls of saveconfig_tick(). */
#define RETRY_TICKS 3

/*
 * Calls fn for each node with a problem, but not for the nodes below it, until fn returns true. Returns
 * whether fn has returned true.
 */
static bool visit_lost(struct config_node *node, bool (*fn)(void *arg, struct config_node *node), void *arg)
{
	struct config_node *child;

	if (node->is_forgotten)
		return false;
	if (node->problem)
		return fn(arg, node);
	for (guint i = 0; (child = config_node_child(node, i)); i++)
		if (visit_lost(child, fn, arg))
			return true;
	return false;
}

struct listing {
	void (*fn)(void *arg, const struct saveconfig_entry *entry);
	void *arg;
};

static bool list_failed_entry(void *arg, struct config_node *node)
{
	const struct listing *listing = arg;
	g_autofree char *name = config_node_path(node);
	const struct saveconfig_entry entry = {name, node->place, node->problem};

	listing->fn(listing->arg, &entry);
	return false;
}

void saveconfig_list_failed(const struct saveconfig *config,
			    void (*fn)(void *arg, const struct saveconfig_entry *entry), void *arg)
{
	struct listing listing = {fn, arg};

	visit_lost(config->file, list_failed_entry, &listing);
}

/* Returns whether the model still has the value that it kept when it refused the file's value. */
static bool is_still_refused(const struct model_object *object, const struct config_value *value)
{
	g_autofree char *text = g_malloc(MODEL_TEXT_SIZE);

	if (!value->problem)
		return false;
	if (!value->running)
		return !model_is_set(object, value->attribute);
	bool is_same =
	    !strcmp(config_secret_reveal(value->running), model_get(object, value->attribute, text));

	explicit_bzero(text, MODEL_TEXT_SIZE);
	return is_same;
}

/* Calls the function of the listing for the node, with why as the reason. Frees why. */
static void list_problem(const struct listing *listing, const struct config_node *node, char *why)
{
	g_autofree char *path = config_node_path(node), *reason = why;
	const char *name = node->kind == MODEL_STORAGE ? node->object : path;
	const struct saveconfig_entry entry = {name, node->place ? node->place : "the file", reason};

	listing->fn(listing->arg, &entry);
}

static void list_refused(struct model *model, const struct config_node *node, const struct listing *listing)
{
	const struct model_object *object =
	    node->is_forgotten || node->problem ? NULL : saveconfig_object_of(model, node);
	const struct config_node *child;

	if (!object)
		return;
	if (node->closing_reason && !model_is_enabled(object))
		list_problem(listing, node,
			     g_strdup_printf("the TPG stays disabled: %s", node->closing_reason));
	for (guint i = 0; i < node->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(node->values, i);

		if (is_still_refused(object, value))
			list_problem(
			    listing, node,
			    g_strdup_printf("%s cannot be set: %s", value->attribute->name, value->problem));
	}
	for (guint i = 0; (child = config_node_child(node, i)); i++)
		list_refused(model, child, listing);
}

void saveconfig_list_refused(const struct saveconfig *config,
			     void (*fn)(void *arg, const struct saveconfig_entry *entry), void *arg)
{
	const struct listing listing = {fn, arg};

	list_refused(config->model, config->file, &listing);
}

static bool forget_if_named(void *arg, struct config_node *node)
{
	g_autofree char *name = config_node_path(node);

	node->is_forgotten = !strcmp(name, arg);
	return node->is_forgotten;
}

int saveconfig_forget(struct saveconfig *config, const char *name, struct error *error)
{
	g_autofree char *copy = g_strdup(name);

	struct operation *operation = g_queue_peek_head(&config->operations);

	if (!visit_lost(config->file, forget_if_named, copy))
		return error_set(error, ENOENT, "%s is not an entry of the file that could not be restored",
				 name);
	/* The tree of a save replaces config->file when the file, which has the entry, is written. */
	if (operation && operation->is_save && operation->tree) {
		visit_lost(operation->tree, forget_if_named, copy);
		operation->has_forgotten = true;
	}
	config->is_saved = false;
	return 0;
}

/* --- trying again --- */

/* Ends a retry. Its wanted tree is config->file itself, so operation->tree is NULL. */
static void on_retried(void *arg, GPtrArray *lines, bool may_differ)
{
	struct saveconfig *config = arg;
	struct operation *operation = g_queue_peek_head(&config->operations);

	(void)lines;
	/* Entries that have been restored now are in the file, so they are not unsaved changes. */
	if (config->is_saved && config->saved_generation == operation->generation)
		saveconfig_note_applied(config, may_differ);
	saveconfig_finish(operation, 0, NULL);
}

static void run_retry(struct operation *operation)
{
	struct saveconfig *config = operation->config;
	const struct config_apply_owner owner = {
	    .done = on_retried,
	    .late = saveconfig_on_late,
	    .abandoned = saveconfig_on_abandoned,
	    .running = &config->steps,
	    .arg = config,
	};

	operation->generation = model_generation(config->model);
	operation->running = saveconfig_dump(config->model, config->file);
	saveconfig_apply(config->model, saveconfig_plan(config->file, operation->running, CONFIG_PLAN_RETRY),
			 &owner);
}

static bool can_be_tried(void *arg, struct config_node *node)
{
	(void)arg;
	return !node->is_permanent;
}

void saveconfig_tick(struct saveconfig *config)
{
	if (config->is_stopped || ++config->ticks % RETRY_TICKS || !g_queue_is_empty(&config->operations))
		return;
	if (visit_lost(config->file, can_be_tried, NULL))
		saveconfig_run_if_first(saveconfig_start(config, run_retry, NULL, NULL, NULL));
}

/*
 * If the user deletes an object, its entry is forgotten: an object that is created later with the same name
 * is a different object.
 */
void saveconfig_on_change(struct model_watch *watch, enum model_event event, struct model_object *object)
{
	struct saveconfig *config = container_of(watch, struct saveconfig, watch);
	struct config_node *node = event == MODEL_DELETED ? saveconfig_node_of(config->file, object) : NULL;

	/* saveconfig_apply.c deletes the object of an entry that has failed; such an entry stays. */
	if (node && !config_node_is_lost(node))
		node->is_forgotten = true;
}
