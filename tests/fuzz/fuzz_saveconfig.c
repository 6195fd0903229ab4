/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds texts of saveconfig.json to the daemon. A line "===" separates several texts; each is applied to the
 * result of the text before it. The storage is a fake. Checks that what is saved afterwards can be read and
 * does not differ from the running configuration, and that no TPG is open that the file has not opened.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "config/saveconfig_apply.h"
#include "config/saveconfig_diff.h"
#include "config/saveconfig_dump.h"
#include "config/saveconfig_plan.h"
#include "config/saveconfig_read.h"
#include "config/saveconfig_secrets.h"
#include "config/saveconfig_write.h"
#include "fuzz.h"
#include "scsi/scsi.h"
#include "util/log.h"
#include "util/main_queue.h"

#define SEPARATOR "\n===\n"

/* The fake has no logical unit whose write cache could be switched. */
int __wrap_scsi_lu_set_write_cache(struct scsi_lu *lu, bool on) __attribute__((used));
int __wrap_scsi_lu_set_write_cache(struct scsi_lu *lu, bool on)
{
	(void)lu, (void)on;
	return 0;
}

bool __wrap_scsi_lu_has_write_cache(const struct scsi_lu *lu) __attribute__((used));
bool __wrap_scsi_lu_has_write_cache(const struct scsi_lu *lu)
{
	(void)lu;
	return false;
}

struct run {
	struct main_queue *main;
	struct model *model;
	bool applied, cleared;
};

static void settle(struct run *run)
{
	while (main_queue_wait(run->main, 0))
		;
}

static void on_applied(void *arg, GPtrArray *lines, bool may_differ)
{
	struct run *run = arg;

	(void)lines, (void)may_differ;
	run->applied = true;
}

static void on_late(void *arg, const char *name, const char *reason)
{
	(void)arg, (void)name, (void)reason;
	assert(false);
}

static void on_cleared(void *arg, int err, const struct error *error)
{
	struct run *run = arg;

	(void)error;
	assert(!err);
	run->cleared = true;
}

/* The saved configuration must equal the running one. */
static void check_save(const struct config_node *running)
{
	struct error error = {""};
	struct config_text text, again;

	saveconfig_write(running, &text);
	struct config_node *saved = saveconfig_read("saved", text.text, text.len, NULL, &error);

	assert(saved);
	GPtrArray *differences = saveconfig_differences(saved, running);
	for (guint i = 0; i < differences->len; i++)
		fprintf(stderr, "%s\n",
			((struct config_difference *)g_ptr_array_index(differences, i))->line);
	assert(!differences->len);
	g_ptr_array_unref(differences);
	saveconfig_write(saved, &again);
	struct config_node *reread = saveconfig_read("again", again.text, again.len, NULL, &error);
	assert(reread);
	config_node_free(reread);
	config_node_free(saved);
	config_text_free(&again);
	config_text_free(&text);
}

static void check_tpgs(const struct run *run, const struct config_node *want)
{
	struct model_object *root = model_root(run->model), *target, *tpg;

	for (target = model_first(root, MODEL_TARGET); target; target = model_next(target))
		for (tpg = model_first(target, MODEL_TPG); tpg; tpg = model_next(tpg)) {
			const struct config_node *node = saveconfig_node_of(want, tpg);

			/* A target whose entry cannot be understood is not changed. */
			if (!node && config_node_is_lost(saveconfig_node_of(want, target)))
				continue;
			assert(node);
			assert(!model_is_enabled(tpg) || config_node_is_lost(node) ||
			       (node->enable && !node->closing_reason));
		}
}

static void apply(struct run *run, const char *text, gsize len)
{
	struct apply *steps = NULL;
	const struct config_apply_owner owner = {
	    .done = on_applied, .late = on_late, .running = &steps, .arg = run};
	struct error error = {""};
	struct config_node *want = saveconfig_read("text", text, len, NULL, &error);

	assert(want || *error.text);
	if (!want)
		return;
	struct config_node *running = saveconfig_dump(run->model, want);

	run->applied = false;
	saveconfig_apply(run->model, saveconfig_plan(want, running, CONFIG_PLAN_REPLACE), &owner);
	settle(run);
	assert(run->applied);
	config_node_free(running);
	running = saveconfig_dump(run->model, want);
	check_tpgs(run, want);
	saveconfig_merge(running, want);
	check_save(running);
	config_node_free(running);
	config_node_free(want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.main = main_queue_new()};
	const char *text = (const char *)data, *end = text + size;

	run.model = model_new(&(struct storage_context){.main = run.main});
	log_set_level(LOG_LEVEL_CRIT);
	while (text < end) {
		const char *next = memmem(text, (size_t)(end - text), SEPARATOR, strlen(SEPARATOR));

		apply(&run, text, (gsize)((next ? next : end) - text));
		text = next ? next + strlen(SEPARATOR) : end;
	}
	model_clear(run.model, on_cleared, &run);
	settle(&run);
	assert(run.cleared);
	model_free(run.model);
	main_queue_free(run.main);
	config_secrets_sweep((const struct config_node *const[]){NULL});
	return 0;
}
