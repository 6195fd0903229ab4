/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds configurations of SCST and tgt to the importers. The input is "tgt" or "scst" in the first
 * line, then a configuration; for SCST, a line "===" separates scst.conf, iscsi-scstd.conf,
 * initiators.allow and initiators.deny. Checks that the result is consistent and can be read as
 * JSON, and that a refusal has a reason.
 */
#include <assert.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "fuzz.h"
#include "import/scst.h"
#include "import/tgt.h"

#define SEPARATOR "===\n"

static const struct saved_lun *find_lun(const struct saved_target *target, unsigned index)
{
	const struct saved_lun *found = NULL;

	for (guint i = 0; i < target->luns->len; i++) {
		const struct saved_lun *lun = &g_array_index(target->luns, struct saved_lun, i);

		if (lun->index != index)
			continue;
		assert(!found);
		found = lun;
	}
	return found;
}

static void check_acl(const struct saved_target *target, const struct saved_acl *acl)
{
	assert(saved_acl_find(target, acl->initiator) == acl);
	for (guint i = 0; i < acl->luns->len; i++) {
		const struct saved_mapped_lun *lun = &g_array_index(acl->luns, struct saved_mapped_lun, i);

		assert(lun->index <= SAVED_LUN_MAX && find_lun(target, lun->tpg_lun));
	}
}

static void check_target(const struct saved_config *config, const struct saved_target *target)
{
	assert(saved_target_find(config, target->name) == target);
	/* An empty list could mean "everybody" or "nobody". */
	assert((!target->allowed || target->allowed->len) && (!target->denied || target->denied->len));
	for (guint i = 0; i < target->luns->len; i++) {
		const struct saved_lun *lun = &g_array_index(target->luns, struct saved_lun, i);

		assert(find_lun(target, lun->index) == lun);
		assert(saved_object_find(config, lun->object->name) == lun->object);
		/*
		 * Initiators without an ACL never see a LUN that is only for others, and never write to a
		 * disk that is read-only.
		 */
		assert(!lun->object->read_only || !target->demo_mode || lun->acl_only || lun->write_protect ||
		       target->demo_write_protect);
	}
	for (guint i = 0; i < target->acls->len; i++)
		check_acl(target, g_ptr_array_index(target->acls, i));
}

static void check_json(const struct saved_config *config)
{
	g_autofree char *text = saved_json(config);
	g_autoptr(JsonParser) parser = json_parser_new();

	assert(json_parser_load_from_data(parser, text, -1, NULL));
}

static void check(const struct saved_config *config, int err, const struct error *error)
{
	if (err) {
		assert(err < 0 && *error->text);
		return;
	}
	for (guint i = 0; i < config->objects->len; i++) {
		const struct saved_object *object = g_ptr_array_index(config->objects, i);

		assert(saved_object_find(config, object->name) == object && object->config && object->wwn);
	}
	for (guint i = 0; i < config->targets->len; i++)
		check_target(config, g_ptr_array_index(config->targets, i));
	check_json(config);
}

/* Cuts off the text before the next separator. */
static struct source *next_source(const char *name, const char **text, size_t *size, int *err,
				  struct error *error)
{
	const char *end = memmem(*text, *size, SEPARATOR, strlen(SEPARATOR));
	size_t len = end ? (size_t)(end - *text) : *size;
	struct source *source = source_from_text(name, *text, len, err, error);

	len = end ? len + strlen(SEPARATOR) : len;
	*text += len;
	*size -= len;
	return source;
}

static int import_scst(const char *text, size_t size, struct saved_config *config, struct report *report,
		       struct error *error)
{
	static const char *const names[] = {"scst.conf", "iscsi-scstd.conf", "initiators.allow",
					    "initiators.deny"};
	struct source *sources[4];
	int err = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		sources[i] = next_source(names[i], &text, &size, &err, error);
	if (!err)
		err = scst_import(&(struct scst_sources){sources[0], sources[1], sources[2], sources[3]},
				  config, report, error);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		source_free(sources[i]);
	return err;
}

static int import_tgt(const char *text, size_t size, struct saved_config *config, struct report *report,
		      struct error *error)
{
	int err = 0;
	struct source *source = source_from_text("/nonexistent/targets.conf", text, size, &err, error);

	if (source)
		err = tgt_import(source, config, report, error);
	source_free(source);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct saved_config *config = saved_config_new();
	struct report report = {.out = NULL};
	struct error error = {""};
	const char *text = (const char *)data;
	int err = 0;

	if (size >= 4 && !memcmp(text, "tgt\n", 4))
		err = import_tgt(text + 4, size - 4, config, &report, &error);
	else if (size >= 5 && !memcmp(text, "scst\n", 5))
		err = import_scst(text + 5, size - 5, config, &report, &error);
	check(config, err, &error);
	report_clear(&report);
	saved_config_free(config);
	return 0;
}
