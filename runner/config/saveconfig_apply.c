/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs steps on the model. The model answers through callbacks, which may come at once or much later; the
 * next step runs after the answer. Only the steps that open storage run at the same time. The steps after
 * them wait at most CONFIG_OPEN_S seconds for storage that does not answer.
 */
#include "config/saveconfig_apply.h"

#include <string.h>

#include "config/saveconfig_create.h"
#include "config/saveconfig_dump.h"
#include "config/saveconfig_keys.h"
#include "config/saveconfig_plan.h"
#include "config/saveconfig_renumber.h"
#include "config/saveconfig_secrets.h"
#include "util/bytes.h"
#include "util/log.h"

/* The time for which steps run before other work of the main thread gets a turn. */
#define TURN_US (20 * G_TIME_SPAN_MILLISECOND)
/* The shortest time between two reports of the progress. */
#define PROGRESS_US (500 * G_TIME_SPAN_MILLISECOND)

struct apply {
	struct model *model;
	struct config_apply_owner owner;
	GArray *steps;
	guint at;
	GPtrArray *lines;
	/*
	 * model_generation() at the end of the last step, and whether it has changed between two steps. The
	 * storage that a step resizes, for example, also changes it later than the step.
	 */
	uint64_t generation;
	bool may_differ;
	/* The number of answers for which the next step waits. */
	unsigned waiting;
	/*
	 * A new round begins when the time limit of storage expires. Nothing waits for an answer to a step of
	 * an earlier round.
	 */
	unsigned round;
	/*
	 * References: one for each answer that may still come, and one for each function that runs the steps.
	 */
	unsigned refs;
	/* Whether all steps have run, so that only the sessions still have to take over the changes. */
	bool is_visiting;
	/* Whether run() is on the call stack, and whether the owner's done() was called. */
	bool is_running, is_done;
	/* Whether saveconfig_apply_abandon() was called. The wanted tree may be freed by then. */
	bool is_abandoned;
	/* The timer that limits the wait for storage, or NULL if no storage is being opened. */
	GSource *timer;
	/* The call that continues with the steps after other work has had its turn. */
	struct main_work turn;
	/* When the progress was reported last, or 0. */
	gint64 reported_us;
};

/* A step whose answer has not come yet. */
struct pending {
	struct apply *apply;
	struct config_step step;
	/*
	 * The names of a storage node and of its object, because the node may have been freed when a late
	 * answer comes.
	 */
	char *name, *object;
	unsigned round;
};

static void run(struct apply *apply);

static void unref(struct apply *apply)
{
	if (--apply->refs)
		return;
	g_array_unref(apply->steps);
	g_ptr_array_unref(apply->lines);
	g_free(apply);
}

/*
 * Begins to wait for the answer to a step. step is NULL for the visit of the loops after the last step.
 */
static struct pending *begin(struct apply *apply, const struct config_step *step)
{
	struct pending *pending = g_new0(struct pending, 1);

	pending->apply = apply;
	if (step)
		pending->step = *step;
	pending->round = apply->round;
	apply->refs++;
	apply->waiting++;
	return pending;
}

/* Continues with the next steps after an answer has come. Frees pending. */
static void end(struct pending *pending)
{
	struct apply *apply = pending->apply;

	if (pending->round == apply->round)
		apply->waiting--;
	g_free(pending->name);
	g_free(pending->object);
	g_free(pending);
	run(apply);
	unref(apply);
}

static void fail(struct config_node *node, const char *reason)
{
	config_set_text(&node->problem, "%s", reason);
}

static void ignore_result(void *arg, int err, const struct error *error)
{
	(void)arg, (void)err, (void)error;
}

/* --- steps of existing objects --- */

/* Adds the error, if there is one, to the lines of the result. */
static void on_answer(void *arg, int err, const struct error *error)
{
	struct pending *pending = arg;

	if (err)
		g_ptr_array_add(pending->apply->lines, g_strdup(error->text));
	end(pending);
}

static void disable_or_delete(struct apply *apply, const struct config_step *step)
{
	struct model_object *object = saveconfig_object_of(apply->model, step->node);

	if (!object)
		return;
	if (step->kind == CONFIG_DISABLE && step->text) {
		g_autofree char *path = config_node_path(step->node);

		g_ptr_array_add(apply->lines, g_strdup_printf("%s is disabled, because its entry in the file "
							      "cannot be used: %s",
							      path, step->text));
	}
	if (step->kind == CONFIG_DISABLE)
		model_enable(object, false, on_answer, begin(apply, step));
	else
		model_delete(object, true, on_answer, begin(apply, step));
}

/* --- setting --- */

/* Deletes an object whose step has failed. This may be later than the step. */
static void delete_failed(struct apply *apply, struct model_object *object)
{
	uint64_t before = model_generation(apply->model);

	model_delete(object, false, ignore_result, NULL);
	apply->generation += model_generation(apply->model) - before;
}

static void give_up(struct apply *apply, struct config_node *node, struct model_object *object,
		    const char *reason)
{
	fail(node, reason);
	delete_failed(apply, object);
}

/*
 * Handles a value of discovery that cannot be used. Discovery must then neither stay open nor keep the
 * account that it had before, so it demands authentication, or the attribute gets its default.
 */
static void close_discovery(struct config_node *root, const struct config_step *step,
			    struct model_object *object, const char *problem)
{
	bool is_enforce = step->attribute == config_discovery_enforce();
	g_autofree char *reason = g_strdup_printf(
	    "%s%s", problem, is_enforce ? "; discovery demands authentication until this is corrected" : "");

	model_set(object, step->attribute->group, step->attribute->name,
		  is_enforce ? "1" : step->attribute->fallback, ignore_result, NULL);
	config_note_refused(root, step->attribute, step->text, object, reason);
}

static void on_set(void *arg, int err, const struct error *error)
{
	struct pending *pending = arg;
	struct config_node *node = pending->step.node;
	/* An answer for which the next steps did not wait is a success, and the node may be freed by then. */
	struct model_object *object =
	    err && !pending->apply->is_abandoned ? saveconfig_object_of(pending->apply->model, node) : NULL;

	if (object && config_object_needs_value(object, pending->step.attribute)) {
		give_up(pending->apply, node, object, error->text);
	} else if (object && node->kind == MODEL_ROOT) {
		close_discovery(node, &pending->step, object, error->text);
	} else if (object) {
		config_note_refused(node, pending->step.attribute, pending->step.text, object, error->text);
	}
	end(pending);
}

static void resize(struct apply *apply, const struct config_step *step, struct model_object *object)
{
	struct error error;

	if (model_attribute_check(step->attribute, step->text, &error))
		config_note_refused(step->node, step->attribute, step->text, object, error.text);
	else
		model_resize(object, g_ascii_strtoull(step->text, NULL, 10), on_set, begin(apply, step));
}

/*
 * Sets an attribute. If the model has stored the value and only the sessions still have to take it over, the
 * next steps do not wait for the sessions. In this way, the sessions take over the values of many steps at
 * once, and an initiator that gets an ACL does not lose for a moment the LUNs that the ACL gets later.
 */
static void set_text(struct apply *apply, const struct config_step *step, struct model_object *object)
{
	const struct model_attribute *attribute = step->attribute;

	model_set(object, attribute->group, attribute->name, config_secret_reveal(step->text), on_set,
		  begin(apply, step));
	if (!apply->waiting || !(attribute->flags & MODEL_VISITS_LOOPS) || attribute->begin)
		return;
	apply->waiting = 0;
	apply->round++;
}

static void set(struct apply *apply, const struct config_step *step)
{
	struct model_object *object = saveconfig_object_of(apply->model, step->node);
	struct config_value *value = config_node_value(step->node, step->attribute);

	if (!object)
		return;
	/* The reader has already refused the value, so the model does not get it. */
	if (value && value->is_unreadable) {
		g_autofree char *reason =
		    g_strdup_printf("%s cannot be set: %s", step->attribute->name, value->problem);

		if (config_object_needs_value(object, step->attribute))
			give_up(apply, step->node, object, reason);
		else if (step->node->kind == MODEL_ROOT)
			close_discovery(step->node, step, object, value->problem);
		else
			config_note_kept(value, object);
		return;
	}
	if (saveconfig_has_value(object, step->attribute, step->text))
		return;
	if (step->kind == CONFIG_RESIZE)
		resize(apply, step, object);
	else
		set_text(apply, step, object);
}

/* --- opening storage --- */

/*
 * Deletes the object of storage whose settings are wrong, so that another try to open it would fail as well.
 */
static void give_up_storage(struct apply *apply, struct pending *pending, struct model_object *object,
			    const char *reason)
{
	delete_failed(apply, object);
	if (apply->is_done)
		apply->owner.late(apply->owner.arg, pending->name, reason);
	else
		fail(pending->step.node, reason);
}

static void on_opened(void *arg, int err, const struct error *error)
{
	struct pending *pending = arg;
	struct apply *apply = pending->apply;
	struct model_object *object = model_find(model_root(apply->model), MODEL_STORAGE, pending->object);

	if (apply->is_abandoned) {
		end(pending);
		return;
	}
	if (err && object && !model_is_enabled(object))
		give_up_storage(apply, pending, object, error->text);
	else if (err && !apply->is_done)
		g_ptr_array_add(
		    apply->lines,
		    g_strdup_printf("%s%s", error->text, err == -EINPROGRESS ? "" : "; this is tried again"));
	end(pending);
}

static gboolean on_open_timeout(gpointer data)
{
	struct apply *apply = data;

	log_warn(
	    NULL,
	    "%u storage objects have not opened within %d seconds; the rest of the configuration is restored",
	    apply->waiting, CONFIG_OPEN_S);
	apply->waiting = 0;
	apply->round++;
	run(apply);
	return G_SOURCE_REMOVE;
}

/* Opens the storage of the present step and of the steps of the same kind that follow it. */
static void open_storage(struct apply *apply)
{
	guint first = apply->at - 1, end = apply->at;

	while (end < apply->steps->len &&
	       g_array_index(apply->steps, struct config_step, end).kind == CONFIG_OPEN)
		end++;
	apply->at = end;
	for (guint i = first; i < end; i++) {
		const struct config_step *step = &g_array_index(apply->steps, struct config_step, i);
		struct model_object *object =
		    config_node_is_lost(step->node) ? NULL : saveconfig_object_of(apply->model, step->node);

		if (!object)
			continue;
		struct pending *pending = begin(apply, step);

		pending->name = g_strdup(step->node->name);
		pending->object = g_strdup(step->node->object);
		model_enable_patiently(object, on_opened, pending);
	}
	if (!apply->waiting)
		return;
	apply->timer = g_timeout_source_new_seconds(CONFIG_OPEN_S);
	g_source_set_callback(apply->timer, on_open_timeout, apply, NULL);
	g_source_attach(apply->timer, g_main_context_get_thread_default());
}

/* --- enabling a TPG --- */

static void enable(struct apply *apply, const struct config_step *step)
{
	struct model_object *object = saveconfig_object_of(apply->model, step->node);
	char *reason = step->node->is_permanent ? g_strdup(step->node->closing_reason)
						: saveconfig_closing_reason(apply->model, step->node);

	g_free(step->node->closing_reason);
	step->node->closing_reason = reason;
	if (object && model_is_enabled(object) != !reason)
		model_enable(object, !reason, on_answer, begin(apply, step));
}

/* --- all steps --- */

/* Notes changes since the last step, which are not changes by a step. */
static void note_other_changes(struct apply *apply)
{
	apply->may_differ |= apply->generation != model_generation(apply->model);
}

static void do_step(struct apply *apply, const struct config_step *step)
{
	bool is_created = step->kind == CONFIG_CREATE;

	if (step->kind == CONFIG_DISABLE || step->kind == CONFIG_DELETE)
		disable_or_delete(apply, step);
	else if (step->kind == CONFIG_OPEN)
		open_storage(apply);
	else if (step->kind == CONFIG_RENUMBER)
		apply->at += saveconfig_renumber(apply->model, apply->steps, apply->at - 1) - 1;
	else if (config_node_is_lost(is_created ? step->node->parent : step->node))
		return;
	else if (is_created)
		saveconfig_create(apply->model, step->node);
	else if (step->kind == CONFIG_ENABLE)
		enable(apply, step);
	else
		set(apply, step);
}

static void stop_timer(struct apply *apply)
{
	if (!apply->timer)
		return;
	g_source_destroy(apply->timer);
	g_clear_pointer(&apply->timer, g_source_unref);
}

static void finish(struct apply *apply)
{
	stop_timer(apply);
	apply->is_done = true;
	*apply->owner.running = NULL;
	if (apply->is_abandoned) {
		apply->owner.abandoned(apply->owner.arg);
		return;
	}
	note_other_changes(apply);
	apply->owner.done(apply->owner.arg, apply->lines, apply->may_differ);
}

static void on_visited(void *arg, int err, const struct error *error)
{
	(void)err, (void)error;
	end(arg);
}

static void on_turn(struct main_work *work)
{
	struct apply *apply = container_of(work, struct apply, turn);

	apply->waiting--;
	run(apply);
	unref(apply);
}

/* Returns whether other work may run before the next step. */
static bool may_give_turn(const struct apply *apply)
{
	const struct config_step *next = &g_array_index(apply->steps, struct config_step, apply->at);

	return !apply->at || !saveconfig_belong_together(next - 1, next);
}

/* Lets other work of the main thread run before the next step. */
static void give_turn(struct apply *apply)
{
	apply->waiting++;
	apply->refs++;
	apply->turn.fn = on_turn;
	model_post(apply->model, &apply->turn);
}

static void report_progress(struct apply *apply)
{
	gint64 now = g_get_monotonic_time();

	if (!apply->owner.progress || (apply->reported_us && now - apply->reported_us < PROGRESS_US))
		return;
	apply->reported_us = now;
	apply->owner.progress(apply->owner.arg, apply->at, apply->steps->len);
}

/* Runs steps until one waits for an answer. If an answer comes at once, this function is already running. */
static void run(struct apply *apply)
{
	gint64 end_us = g_get_monotonic_time() + TURN_US;

	if (apply->is_running || apply->is_done)
		return;
	apply->is_running = true;
	apply->refs++;
	while (!apply->waiting && apply->at < apply->steps->len) {
		stop_timer(apply);
		if (g_get_monotonic_time() >= end_us && may_give_turn(apply)) {
			give_turn(apply);
			break;
		}
		const struct config_step step = g_array_index(apply->steps, struct config_step, apply->at++);

		note_other_changes(apply);
		do_step(apply, &step);
		apply->generation = model_generation(apply->model);
	}
	if (!apply->waiting && !apply->is_visiting) {
		apply->is_visiting = true;
		model_visit_loops(apply->model, on_visited, begin(apply, NULL));
	}
	apply->is_running = false;
	if (apply->waiting)
		report_progress(apply);
	else
		finish(apply);
	unref(apply);
}

void saveconfig_apply(struct model *model, GArray *steps, const struct config_apply_owner *owner)
{
	struct apply *apply = g_new0(struct apply, 1);

	apply->model = model;
	apply->owner = *owner;
	apply->steps = steps;
	apply->generation = model_generation(model);
	apply->lines = g_ptr_array_new_with_free_func(g_free);
	apply->refs = 1;
	*owner->running = apply;
	run(apply);
	unref(apply);
}

void saveconfig_apply_abandon(struct apply *apply)
{
	apply->is_abandoned = true;
	apply->refs++;
	finish(apply);
	unref(apply);
}
