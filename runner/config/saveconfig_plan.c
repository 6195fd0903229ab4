/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the wanted with the running configuration and lists the steps that lead from the running one to
 * the wanted one. The first steps disable TPGs and delete objects. Then storage objects are created and
 * opened, then targets and everything below them is created from the top down, then TPGs are enabled, and in
 * the end portals are created. The steps are run by saveconfig_apply.c.
 */
#include "config/saveconfig_plan.h"

#include <string.h>

#include "config/saveconfig_keys.h"
#include "config/saveconfig_numbers.h"
#include "storage/spec.h"

struct plan {
	GArray *steps;
	struct config_node *want, *running;
	enum config_plan purpose;
};

static void add(struct plan *plan, enum config_step_kind kind, struct config_node *node,
		const struct model_attribute *attribute, const char *text)
{
	const struct config_step step = {kind, node, attribute, text, 0};

	g_array_append_val(plan->steps, step);
}

/* Returns the running object that a wanted node can keep, or NULL. */
static struct config_node *kept(const struct plan *plan, const struct config_node *want)
{
	struct config_node *running = config_node_twin(want, plan->running);

	return running && !running->is_gone ? running : NULL;
}

/* --- objects that are deleted, and TPGs that are disabled --- */

/*
 * Returns whether the new configuration differs only in options of filters, which can change while it is
 * served.
 */
static bool can_change_filters(const struct config_node *want, const struct config_node *running)
{
	const struct config_value *wanted = config_node_value(want, config_storage_config());
	const struct config_value *now = config_node_value(running, config_storage_config());

	return running->is_served && wanted && now && storage_spec_has_same_chain(wanted->text, now->text);
}

/* Returns an attribute whose new value needs a new storage object, or NULL. */
static const struct model_attribute *storage_difference(const struct config_node *want,
							const struct config_node *running)
{
	const struct model_attribute *attribute;

	for (unsigned i = 0; (attribute = model_attribute_at(MODEL_STORAGE, i)); i++)
		if (config_attribute_needs_new_object(attribute) &&
		    config_value_differs(want, running, attribute) &&
		    !(attribute == config_storage_config() && can_change_filters(want, running)))
			return attribute;
	return NULL;
}

/* Returns whether a running LUN leads to a storage object to which no LUN may lead (is_withheld). */
static bool destination_is_withheld(const struct plan *plan, const struct config_node *running)
{
	const struct config_node *to =
	    running->kind == MODEL_LUN ? config_node_find(plan->want, MODEL_STORAGE, running->to) : NULL;

	return to && to->is_withheld;
}

/*
 * Returns whether the object to which the running object leads is to be deleted, or the wanted one leads to
 * another object.
 */
static bool destination_differs(const struct config_node *want, const struct config_node *running)
{
	const struct config_node *root = running, *place = running->parent->parent;

	if (!running->to)
		return false;
	while (root->parent)
		root = root->parent;
	const struct config_node *to = running->kind == MODEL_LUN
					   ? config_node_find(root, MODEL_STORAGE, running->to)
					   : config_node_find(place, MODEL_LUN, running->to);

	return (to && to->is_gone) || strcmp(want->to, running->to) != 0;
}

/* Returns whether the object stays unchanged, because its entry in the file cannot be used. */
static bool is_left_alone(const struct plan *plan, const struct config_node *running)
{
	const struct config_node *want = config_node_twin(running, plan->want);

	return !running->parent->is_gone && want && config_node_is_unusable(want);
}

/*
 * Keeps a disk in memory although its entry demands another disk. Deleting it would lose its contents, which
 * are not in the file, and initiators would find an empty disk in its place.
 */
static void keep_contents(const struct plan *plan, const struct config_node *running)
{
	struct config_node *want = config_node_twin(running, plan->want);
	const struct model_attribute *attribute =
	    running->is_in_memory && want && !want->problem ? storage_difference(want, running) : NULL;

	if (!attribute)
		return;
	config_set_text(&want->problem,
			"%s differs, which needs a new disk, but the contents of this disk in memory would "
			"be lost; the disk stays unchanged. If the contents are not needed, delete the disk "
			"and restore the file again",
			attribute->name);
	want->is_permanent = true;
}

/*
 * Decides whether LUNs may lead to a disk that stays unchanged because its entry cannot be used. If the entry
 * may protect the disk from writing and the disk is writable, no LUN may lead to it until the entry is
 * corrected, which is also the state after a restart. The contents of the disk stay.
 */
static void withhold(const struct plan *plan, const struct config_node *running)
{
	struct config_node *want = config_node_twin(running, plan->want);
	const struct config_value *value = config_node_value(want, config_storage_read_only());
	const struct config_value *now = config_node_value(running, config_storage_read_only());

	want->is_withheld =
	    want->is_ambiguous ||
	    (value && (value->problem || (strcmp(value->text, "0") && now && !strcmp(now->text, "0"))));
}

static bool must_go(const struct plan *plan, const struct config_node *running)
{
	const struct config_node *want = config_node_twin(running, plan->want);

	if (running->parent->is_gone)
		return true;
	if (!want)
		return plan->purpose == CONFIG_PLAN_REPLACE;
	return (running->kind == MODEL_STORAGE && storage_difference(want, running)) ||
	       destination_differs(want, running) || destination_is_withheld(plan, running);
}

/* Storage objects come before LUNs, and LUNs before the mapped LUNs that lead to them. */
static void mark_gone(struct plan *plan, struct config_node *running)
{
	static const enum model_kind order[] = {MODEL_STORAGE, MODEL_TARGET, MODEL_TPG,       MODEL_PORTAL,
						MODEL_LUN,     MODEL_ACL,    MODEL_MAPPED_LUN};
	struct config_node *child;

	for (size_t at = 0; at < G_N_ELEMENTS(order); at++)
		for (guint i = 0; (child = config_node_child(running, i)); i++) {
			if (child->kind != order[at])
				continue;
			keep_contents(plan, child);
			if (is_left_alone(plan, child)) {
				if (child->kind == MODEL_STORAGE)
					withhold(plan, child);
				continue;
			}
			child->is_gone = must_go(plan, child);
			mark_gone(plan, child);
		}
}

static void end_kind(struct plan *plan, struct config_node *running, enum model_kind kind)
{
	struct config_node *child;

	for (guint i = 0; (child = config_node_child(running, i)); i++) {
		if (child->is_gone && child->kind == kind)
			add(plan, CONFIG_DELETE, child, NULL, NULL);
		if (!child->is_gone)
			end_kind(plan, child, kind);
	}
}

/* Returns why the entry of the object, or of an object above it, cannot be used, or NULL. */
static const char *reason_to_close(const struct plan *plan, const struct config_node *running)
{
	for (; running->parent; running = running->parent) {
		const struct config_node *want = config_node_twin(running, plan->want);

		if (want && config_node_is_unusable(want))
			return want->problem;
	}
	return NULL;
}

/*
 * Disables TPGs that the file disables, and TPGs whose entry cannot be used, because such an entry may allow
 * less than the running TPG does.
 */
static void disable_tpgs(struct plan *plan, struct config_node *running)
{
	struct config_node *child;

	for (guint i = 0; (child = config_node_child(running, i)); i++) {
		if (child->kind == MODEL_TPG && child->enable && !child->is_gone) {
			const struct config_node *want = config_node_twin(child, plan->want);
			const char *reason = reason_to_close(plan, child);

			if (reason || (want && !want->enable))
				add(plan, CONFIG_DISABLE, child, NULL, reason);
		}
		disable_tpgs(plan, child);
	}
}

/* Initiators must log in again to see the new identifier. A change that is blocked disturbs nobody. */
static void disable_renumbered_tpgs(struct plan *plan, const GArray *changes)
{
	for (guint i = 0; i < changes->len; i++) {
		const struct config_port_change *change =
		    &g_array_index(changes, struct config_port_change, i);

		if (!change->is_blocked && change->running->enable)
			add(plan, CONFIG_DISABLE, change->running, NULL, NULL);
	}
}

static void renumber_tpgs(struct plan *plan, const GArray *changes)
{
	for (guint i = 0; i < changes->len; i++) {
		const struct config_port_change *change =
		    &g_array_index(changes, struct config_port_change, i);
		const struct config_value *value = config_node_value(change->want, config_port_attribute());

		add(plan, CONFIG_RENUMBER, change->want, value->attribute, value->text);
		g_array_index(plan->steps, struct config_step, plan->steps->len - 1).group = change->group;
	}
}

/*
 * Lists the steps that disable TPGs and delete objects, and then those that renumber TPGs. An object is
 * deleted after those that lead to it.
 */
static void end_all(struct plan *plan)
{
	static const enum model_kind order[] = {MODEL_MAPPED_LUN, MODEL_ACL,    MODEL_LUN,    MODEL_PORTAL,
						MODEL_TPG,        MODEL_TARGET, MODEL_STORAGE};

	mark_gone(plan, plan->running);

	g_autoptr(GArray) changes = config_port_changes(plan->want, plan->running);

	disable_tpgs(plan, plan->running);
	disable_renumbered_tpgs(plan, changes);
	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		end_kind(plan, plan->running, order[i]);
	renumber_tpgs(plan, changes);
}

/* --- values --- */

/*
 * A new object gets all values, even those that equal the default, because a missing value can have another
 * meaning.
 */
static void set_all(struct plan *plan, struct config_node *want)
{
	for (guint i = 0; i < want->values->len; i++) {
		const struct config_value *value = g_ptr_array_index(want->values, i);

		if (!value->is_unset && config_attribute_is_saved(value->attribute))
			add(plan, CONFIG_SET, want, value->attribute, value->text);
	}
}

/* Returns the value that a restore sets if the file does not have the attribute. */
static const char *text_of_nothing(const struct model_attribute *attribute)
{
	return attribute->unset ? attribute->unset : attribute->fallback;
}

static void set_differences(struct plan *plan, struct config_node *want, const struct config_node *running)
{
	const struct model_attribute *attribute;

	for (unsigned i = 0; (attribute = model_attribute_at(want->kind, i)); i++) {
		const struct config_value *value = config_node_value(want, attribute);

		/* If a value of discovery cannot be used, discovery must not keep its previous value. */
		bool is_refused = value && value->problem;
		/* renumber_tpgs() has set it. */
		bool is_port = attribute == config_port_attribute() && value && !value->problem;

		if (is_port)
			continue;
		if (is_refused || config_value_differs(want, running, attribute))
			add(plan, attribute == config_storage_size() ? CONFIG_RESIZE : CONFIG_SET, want,
			    attribute, value ? value->text : text_of_nothing(attribute));
	}
}

/* --- objects that are created --- */

/* Returns whether the object of the node does not exist and is to be created by this plan. */
static bool is_created(const struct plan *plan, const struct config_node *want)
{
	if (kept(plan, want) || want->is_forgotten || config_node_is_unusable(want))
		return false;
	return plan->purpose != CONFIG_PLAN_RETRY || config_node_is_lost(want);
}

static void plan_node(struct plan *plan, struct config_node *want)
{
	const struct config_node *running = kept(plan, want);

	if (is_created(plan, want)) {
		if (want->kind == MODEL_STORAGE)
			config_storage_choose_object(want, plan->running);
		add(plan, CONFIG_CREATE, want, NULL, NULL);
		set_all(plan, want);
	} else if (running && plan->purpose != CONFIG_PLAN_RETRY) {
		if (!want->is_withheld)
			config_set_text(&want->object, "%s", running->object ? running->object : "");
		set_differences(plan, want, running);
	}
}

static void plan_storage(struct plan *plan)
{
	g_autoptr(GPtrArray) opened = g_ptr_array_new();
	struct config_node *want;

	for (guint i = 0; (want = config_node_child(plan->want, i)); i++) {
		if (want->kind != MODEL_STORAGE)
			continue;
		if (is_created(plan, want))
			g_ptr_array_add(opened, want);
		plan_node(plan, want);
	}
	for (guint i = 0; i < opened->len; i++)
		add(plan, CONFIG_OPEN, g_ptr_array_index(opened, i), NULL, NULL);
}

static void plan_kinds(struct plan *plan, struct config_node *want, const enum model_kind *kinds, size_t n)
{
	struct config_node *child;

	for (size_t at = 0; at < n; at++)
		for (guint i = 0; (child = config_node_child(want, i)); i++) {
			if (child->kind != kinds[at] || child->is_forgotten || config_node_is_unusable(child))
				continue;
			plan_node(plan, child);
			plan_kinds(plan, child, kinds, n);
		}
}

static void plan_below(struct plan *plan, struct config_node *want)
{
	static const enum model_kind kinds[] = {MODEL_TARGET, MODEL_TPG, MODEL_LUN, MODEL_ACL,
						MODEL_MAPPED_LUN};

	plan_kinds(plan, want, kinds, G_N_ELEMENTS(kinds));
}

/* Creates the portals, after all other steps, so that initiators find everything else ready. */
static void plan_portals(struct plan *plan, struct config_node *want)
{
	struct config_node *child;

	for (guint i = 0; (child = config_node_child(want, i)); i++) {
		if (child->is_forgotten || config_node_is_unusable(child))
			continue;
		if (child->kind == MODEL_PORTAL)
			plan_node(plan, child);
		else
			plan_portals(plan, child);
	}
}

/*
 * Returns whether a retry may enable the TPG: it is created by this retry, or was closed and is disabled. A
 * TPG that the user has enabled or disabled meanwhile stays as it is when other parts of the file are tried
 * again.
 */
static bool is_enabled_again(const struct plan *plan, const struct config_node *tpg)
{
	const struct config_node *running = config_node_twin(tpg, plan->running);

	return is_created(plan, tpg) || (tpg->closing_reason && running && !running->enable);
}

/* Also lists TPGs that are enabled already, because a setting that could not be applied disables them. */
static void enable_tpgs(struct plan *plan, struct config_node *want)
{
	struct config_node *child;

	for (guint i = 0; (child = config_node_child(want, i)); i++) {
		if (child->is_forgotten || config_node_is_unusable(child))
			continue;
		if (child->kind == MODEL_TPG && child->enable &&
		    (plan->purpose != CONFIG_PLAN_RETRY || is_enabled_again(plan, child)))
			add(plan, CONFIG_ENABLE, child, NULL, NULL);
		enable_tpgs(plan, child);
	}
}

GArray *saveconfig_plan(struct config_node *want, struct config_node *running, enum config_plan purpose)
{
	struct plan plan = {
	    .steps = g_array_new(FALSE, FALSE, sizeof(struct config_step)),
	    .want = want,
	    .running = running,
	    .purpose = purpose,
	};

	if (purpose != CONFIG_PLAN_RETRY) {
		end_all(&plan);
		set_differences(&plan, want, running);
	}
	config_choose_ports(want, running);
	plan_storage(&plan);
	plan_below(&plan, want);
	enable_tpgs(&plan, want);
	plan_portals(&plan, want);
	return plan.steps;
}

/* Returns the ACL to which the step belongs, or the node of the step if it belongs to none. */
static const struct config_node *whole_of(const struct config_step *step)
{
	for (const struct config_node *node = step->node; node; node = node->parent)
		if (node->kind == MODEL_ACL)
			return node;
	return step->node;
}

bool saveconfig_belong_together(const struct config_step *step, const struct config_step *next)
{
	return next->node && whole_of(step) == whole_of(next);
}
