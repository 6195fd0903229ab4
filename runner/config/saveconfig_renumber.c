/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives TPGs other relative target port identifiers. TPGs that exchange identifiers get them at the same
 * time, or keep theirs. Which TPGs depend on each other is left to saveconfig_numbers.c.
 */
#include "config/saveconfig_renumber.h"

#include "config/saveconfig_dump.h"
#include "config/saveconfig_numbers.h"
#include "util/log.h"

static const struct config_step *step_at(const GArray *steps, guint at)
{
	return &g_array_index(steps, struct config_step, at);
}

static guint count_group(const GArray *steps, guint first)
{
	guint at = first;

	while (at < steps->len && step_at(steps, at)->kind == CONFIG_RENUMBER &&
	       step_at(steps, at)->group == step_at(steps, first)->group)
		at++;
	return at - first;
}

static void note_result(const struct config_step *step, const struct model_object *tpg, int err,
			const struct error *error)
{
	char path[MODEL_PATH_SIZE];

	if (err)
		config_note_refused(step->node, step->attribute, step->text, tpg, error->text);
	else
		log_info(model_path(tpg, path),
			 "the relative target port identifier is %s now; its initiators log in again",
			 step->text);
}

guint saveconfig_renumber(struct model *model, const GArray *steps, guint at)
{
	guint count = count_group(steps, at), n = 0;
	g_autofree const struct config_step **changes = g_new(const struct config_step *, count);
	g_autofree struct model_object **tpgs = g_new(struct model_object *, count);
	g_autofree unsigned *ports = g_new(unsigned, count);
	struct error error = {""};

	for (guint i = 0; i < count; i++) {
		changes[n] = step_at(steps, at + i);
		tpgs[n] = saveconfig_object_of(model, changes[n]->node);
		ports[n] = (unsigned)g_ascii_strtoull(changes[n]->text, NULL, 10);
		/* Somebody may have deleted the TPG meanwhile. */
		n += tpgs[n] != NULL;
	}
	int err = model_set_ports(tpgs, ports, n, &error);

	for (guint i = 0; i < n; i++)
		note_result(changes[i], tpgs[i], err, &error);
	return count;
}
