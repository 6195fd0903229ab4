/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import from SCST as a whole: reads the files and makes the parts of the result in the necessary order.
 */
#include "import/scst.h"

#include "import/auth.h"

static void free_device(void *data)
{
	struct scst_device *device = data;

	g_free(device->name);
	g_free(device->path);
	g_free(device->serial);
	g_free(device);
}

static void free_target(void *data)
{
	struct scst_target *target = data;

	g_free(target->name);
	scst_group_free(target->defaults);
	g_ptr_array_unref(target->groups);
	g_free(target);
}

static void finish_target(struct scst_config *config, const struct scst_target *target)
{
	struct saved_target *saved = target->saved;

	if (config->driver_is_disabled || config->isns_decides)
		saved->enable = false;
	/* SCST listens at all addresses unless a target says something else. */
	if (!saved->portals->len && !target->has_unclear_portal)
		saved_portal_add_default(saved);
	auth_finish(&saved->auth, saved->name, target->place, config->report);
	if (saved->demo_mode && (saved->nopin_timeout >= 0 || saved->nopin_response_timeout >= 0))
		report_add(config->report, target->place,
			   "NopInInterval and NopInTimeout of %s hold for initiators with an ACL only",
			   saved->name);
}

static void finish(struct scst_config *config, const struct scst_sources *sources)
{
	const struct source *any = sources->scst_conf ? sources->scst_conf : sources->daemon_conf;
	struct place whole = {any ? any->name : "SCST", 0};

	scst_save_devices(config);
	scst_save_luns(config);
	scst_apply_access(config, sources->allow, sources->deny);
	for (guint i = 0; i < config->targets->len; i++)
		finish_target(config, g_ptr_array_index(config->targets, i));
	auth_finish(&config->saved->discovery, "discovery", whole, config->report);
	if (!config->targets->len)
		report_add(config->report, whole, "there is no iSCSI target in the configuration");
}

int scst_import(const struct scst_sources *sources, struct saved_config *saved, struct report *report,
		struct error *error)
{
	struct scst_config config = {
	    .saved = saved,
	    .report = report,
	    .devices = g_ptr_array_new_with_free_func(free_device),
	    .targets = g_ptr_array_new_with_free_func(free_target),
	    .groups = g_ptr_array_new_with_free_func((GDestroyNotify)scst_group_free),
	};
	int err = 0;

	if (sources->scst_conf && scst_is_procfs(sources->scst_conf))
		scst_parse_procfs(&config, sources->scst_conf);
	else if (sources->scst_conf)
		err = scst_parse_sysfs(&config, sources->scst_conf, error);
	if (!err) {
		if (sources->daemon_conf)
			scst_parse_daemon_conf(&config, sources->daemon_conf);
		finish(&config, sources);
	}
	g_ptr_array_unref(config.targets);
	g_ptr_array_unref(config.devices);
	g_ptr_array_unref(config.groups);
	return err;
}
