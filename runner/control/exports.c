/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creates objects of the model for --export. Each export becomes a storage object "user_0/NAME", and a LUN of
 * TPG 1 of its target. export_access.c decides who may log in and where, and config/export.c parses the text
 * of an export.
 */
#include "control/exports.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "backstore/backstore.h"
#include "config/export_list.h"
#include "control/export_access.h"
#include "control/model_wait.h"
#include "control/stop_limit.h"
#include "util/log.h"

#define IQN_PREFIX "iqn.2026-11.io.tcmu-runner:"

struct export
{
	/* The text of the option. */
	const char *text;
	struct config_export parsed;
	/* The objects of the export, or NULL until they are created. */
	struct model_object *storage, *tpg;
};

struct exports {
	const struct config_options *options;
	struct export_access *access;
	struct export *list;
	unsigned n;
};

/* --- the command line --- */

static int parse(struct exports *exports, struct error *error)
{
	unsigned n = g_strv_length(exports->options->exports);

	exports->list = g_new0(struct export, n);
	for (; exports->n < n; exports->n++) {
		struct export *export = &exports->list[exports->n];
		int err = config_export_parse(&export->parsed, exports->options->exports[exports->n], error);

		export->text = exports->options->exports[exports->n];
		if (err)
			return err;
	}
	return 0;
}

struct exports *exports_new(const struct config_options *options, struct error *error)
{
	struct exports *exports = g_new0(struct exports, 1);

	exports->options = options;
	if (!parse(exports, error))
		exports->access = export_access_new(options, error);
	if (exports->access)
		return exports;
	exports_free(exports);
	return NULL;
}

void exports_free(struct exports *exports)
{
	if (!exports)
		return;
	for (unsigned i = 0; i < exports->n; i++)
		config_export_free(&exports->list[i].parsed);
	export_access_free(exports->access);
	g_free(exports->list);
	g_free(exports);
}

/*
 * Chooses the name of the target. The name contains the machine, because two machines that run the same
 * command line serve different targets.
 */
static int place(struct exports *exports, const struct storage_registry *registry, struct error *error)
{
	g_autofree struct config_export **list = g_new(struct config_export *, exports->n);
	char host[STORAGE_HOST_SIZE];

	storage_registry_host(registry, host);
	g_autofree char *prefix = g_strconcat(IQN_PREFIX, host, ":", NULL);
	for (unsigned i = 0; i < exports->n; i++)
		list[i] = &exports->list[i].parsed;
	return config_exports_place(list, exports->n, exports->options->iqn, prefix, error);
}

/* --- objects --- */

/* Returns the name of the storage object. It contains the LUN if the export has lun=. */
static char *object_name(const struct config_export *export)
{
	return export->has_lun ? g_strdup_printf("user_0/%s.lun%u", export->name, export->lun)
			       : g_strdup_printf("user_0/%s", export->name);
}

struct setting {
	const char *group, *name, *text;
};

static int set_all(struct model_object *object, const struct setting *settings, size_t n, struct error *error)
{
	for (size_t i = 0; i < n; i++) {
		int err = settings[i].text ? model_set_now(object, settings[i].group, settings[i].name,
							   settings[i].text, error)
					   : 0;

		if (err)
			return err;
	}
	return 0;
}

static int configure(struct model_object *storage, const struct config_export *export, struct error *error)
{
	g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, export->spec.size);
	g_autofree char *block_size = g_strdup_printf("%u", export->spec.block_size);
	g_autofree char *folder = g_get_current_dir();
	const struct setting settings[] = {
	    {"control", "config", export->dev_config},
	    {"control", "folder", folder},
	    {"control", "size", size},
	    {"control", "block_size", block_size},
	    {"control", "read_only", export->spec.read_only ? "1" : "0"},
	    {"control", "exact_size", "1"},
	    {"control", "create", export->spec.create ? "1" : "0"},
	    {"wwn", "vpd_unit_serial", export->identity.serial},
	    {"wwn", "vendor_id", export->identity.vendor},
	    {"wwn", "product_id", export->identity.product},
	    {"wwn", "revision", export->identity.revision},
	};

	return set_all(storage, settings, G_N_ELEMENTS(settings), error);
}

static int create_storage(struct export *export, struct model *model, struct error *error)
{
	g_autofree char *name = object_name(&export->parsed);

	export->storage = model_create(model_root(model), MODEL_STORAGE, name, NULL, error);
	return export->storage ? configure(export->storage, &export->parsed, error) : -errno;
}

static int open_storage(struct export *export, const struct storage_context *context, struct error *error)
{
	struct model_wait wait = {0};

	model_enable(export->storage, true, model_wait_done, model_wait_add(&wait));
	return model_wait_for(&wait, context->main, error);
}

/* Opens either the exports that may create storage, or all other exports. */
static int open_exports(struct exports *exports, bool create, const struct storage_context *context,
			struct error *error)
{
	for (unsigned i = 0; i < exports->n; i++) {
		struct export *export = &exports->list[i];
		int err;

		stop_limit_note(export->text);
		err = export->parsed.spec.create == create ? open_storage(export, context, error) : 0;
		stop_limit_note("its start");
		if (err)
			return error_prefix(error, err, "--export %s", export->text);
	}
	return 0;
}

/*
 * Returns the TPG of this export's target. For the first export of a target, creates the target and the TPG.
 */
static int find_tpg(struct exports *exports, struct export *export, struct model *model, struct error *error)
{
	struct model_object *target = model_find(model_root(model), MODEL_TARGET, export->parsed.target);

	if (target) {
		export->tpg = model_first(target, MODEL_TPG);
		return 0;
	}
	target = model_create(model_root(model), MODEL_TARGET, export->parsed.target, NULL, error);
	export->tpg = target ? model_create(target, MODEL_TPG, "tpgt_1", NULL, error) : NULL;
	return export->tpg ? export_access_apply(exports->access, export->tpg, error) : -errno;
}

/*
 * Maps the LUN for each ACL that --allow-initiator has created, because an initiator with an ACL sees only
 * the mapped LUNs of its ACL.
 */
static int map_lun_to_acls(struct model_object *tpg, const char *name, struct model_object *lun,
			   struct error *error)
{
	for (struct model_object *acl = model_first(tpg, MODEL_ACL); acl; acl = model_next(acl))
		if (!model_create(acl, MODEL_MAPPED_LUN, name, lun, error))
			return -errno;
	return 0;
}

static int create_lun(struct export *export, struct error *error)
{
	struct model_object *lun;
	char name[16];

	g_snprintf(name, sizeof(name), "lun_%u", export->parsed.lun);
	lun = model_create(export->tpg, MODEL_LUN, name, export->storage, error);
	return lun ? map_lun_to_acls(export->tpg, name, lun, error) : -errno;
}

/* Checks everything that does not need storage, then opens the storage, then creates what initiators see. */
static int create_all(struct exports *exports, struct model *model, const struct storage_context *context,
		      struct error *error)
{
	int err = place(exports, context->registry, error);

	for (unsigned i = 0; i < exports->n && !err; i++) {
		err = find_tpg(exports, &exports->list[i], model, error);
		if (!err)
			err = create_storage(&exports->list[i], model, error);
		if (err)
			return error_prefix(error, err, "--export %s", exports->list[i].text);
	}
	if (!err)
		err = export_access_apply_discovery(exports->access, model_root(model), error);
	if (!err)
		err = open_exports(exports, false, context, error);
	if (!err)
		err = open_exports(exports, true, context, error);
	for (unsigned i = 0; i < exports->n && !err; i++)
		err = create_lun(&exports->list[i], error);
	return err;
}

static int enable_tpgs(struct exports *exports, const struct storage_context *context, struct error *error)
{
	struct model_wait wait = {0};

	for (unsigned i = 0; i < exports->n; i++)
		model_enable(exports->list[i].tpg, true, model_wait_done, model_wait_add(&wait));
	return model_wait_for(&wait, context->main, error);
}

int exports_create(struct exports *exports, struct model *model, const struct storage_context *context,
		   struct error *error)
{
	int err = create_all(exports, model, context, error);

	if (!err)
		err = enable_tpgs(exports, context, error);
	if (err)
		model_discard(model);
	return err;
}

/* --- what is served, for the log and for --run --- */

void exports_log(const struct exports *exports)
{
	for (unsigned i = 0; i < exports->n; i++) {
		const struct export *export = &exports->list[i];
		struct backstore *bs = storage_lu_backstore(storage_served(model_storage(export->storage)));
		char filters[512];

		if (export->parsed.spec.create && backstore_info(bs)->flags & TCMUR_INFO_CREATED)
			log_info(export->parsed.spec.name, "did not exist and was created");
		backstore_print_filters(bs, filters, sizeof(filters));
		log_info(export->parsed.spec.name, "LUN %u of %s, %" G_GUINT64_FORMAT " bytes%s%s",
			 export->parsed.lun, export->parsed.target, backstore_size(bs),
			 *filters ? ", filters: " : "", filters);
	}
}

struct exports_address exports_first(const struct exports *exports)
{
	const struct export *first = &exports->list[0];

	return (struct exports_address){
	    .portal = model_portal_text(model_first(first->tpg, MODEL_PORTAL)),
	    .target = first->parsed.target,
	    .lun = first->parsed.lun,
	};
}
