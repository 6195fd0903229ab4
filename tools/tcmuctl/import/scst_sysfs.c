/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads scst.conf in its new format, for SCST 2.0 and later: devices, iSCSI targets, their LUNs and groups.
 * The attributes of targets are left to scst_target.c.
 */
#include <errno.h>
#include <string.h>

#include "import/scst.h"

/* Returns whether an attribute that limits something is set: every value except 0 counts. */
static bool is_set(const struct node *node)
{
	return strcmp(node->value, "0") != 0;
}

/* Returns whether an attribute that permits something is set. */
static bool is_on(const struct node *node)
{
	return !strcmp(node->value, "1");
}

/* --- devices --- */

static void set_size(struct scst_config *config, struct scst_device *device, const struct node *node)
{
	guint64 number, unit = strcmp(node->name, "size_mb") ? 1 : 1024 * 1024;

	if (g_ascii_string_to_unsigned(node->value, 10, 1, G_MAXINT64 / unit, &number, NULL))
		device->size = number * unit;
	else
		report_add(config->report, node->place, "%s: the value is not a number", node->name);
}

/*
 * Returns whether the name may be part of a remark. Other words could be a part of a secret in the wrong
 * place.
 */
static bool is_known(const char *name)
{
	static const char *const names[] = {"threads_num",
					    "threads_pool_type",
					    "thin_provisioned",
					    "numa_node_id",
					    "lb_per_pb_exp",
					    "tst",
					    "cluster_mode",
					    "dif_filename",
					    "t10_vend_id",
					    "async",
					    "zero_copy",
					    "opt_trans_len",
					    "block_cluster_mode_store",
					    "prod_id",
					    "prod_rev_lvl",
					    "scsi_device_name",
					    "vend_specific_id",
					    "rotational",
					    "t10_dev_id",
					    "expl_alua",
					    "bind_alua_state",
					    "naa_id",
					    "eui64_id",
					    "pr_file_name",
					    "dif_mode",
					    "dif_type",
					    "dif_static_app_tag",
					    "max_tgt_dev_commands",
					    NULL};

	return g_strv_contains(names, name);
}

static void take_device_attribute(struct scst_config *config, struct scst_device *device,
				  const struct node *node)
{
	if (!strcmp(node->name, "filename")) {
		g_free(device->path);
		device->path = g_strdup(node->value);
	} else if (!strcmp(node->name, "usn")) {
		g_free(device->serial);
		device->serial = g_strdup(node->value);
	} else if (!strcmp(node->name, "blocksize")) {
		scst_device_set_block_size(config, device, node->value, node->place);
	} else if (!strcmp(node->name, "size") || !strcmp(node->name, "size_mb")) {
		set_size(config, device, node);
	} else if (!strcmp(node->name, "active") && !is_set(node)) {
		device->is_left_out = true;
		report_add(config->report, node->place,
			   "the device %s is left out, because SCST does not serve it (active 0)",
			   device->name);
	} else if (is_known(node->name)) {
		report_add(config->report, node->place, "%s of the device %s is left out", node->name,
			   device->name);
	} else if (!scst_device_set_flag(device, node->name, is_set(node)) && is_set(node)) {
		report_add(config->report, node->place,
			   "an attribute of the device %s is left out, because it is not known",
			   device->name);
	}
}

static void take_device(struct scst_config *config, const char *handler, const struct node *node)
{
	struct scst_device *device = scst_device_add(config, node->value, node->place);
	const struct node *child;

	if (!device)
		return;
	device->is_nullio = !strcmp(handler, "vdisk_nullio");
	device->is_direct = !strcmp(handler, "vdisk_blockio");
	if (!device->is_nullio && !device->is_direct && strcmp(handler, "vdisk_fileio")) {
		device->is_left_out = true;
		report_add(config->report, node->place,
			   "the device %s is left out: devices of the handler %s cannot be carried over",
			   device->name, handler);
		return;
	}
	node_for_each(child, node) take_device_attribute(config, device, child);
}

static void take_handler(struct scst_config *config, const struct node *node)
{
	const struct node *child;

	node_for_each(child, node)
	{
		if (!strcmp(child->name, "DEVICE"))
			take_device(config, node->value, child);
		else
			report_add(config->report, child->place, "an attribute of the handler %s is left out",
				   node->value);
	}
}

/* --- LUNs and groups --- */

static void take_lun(struct scst_config *config, struct scst_group *group, const struct node *node)
{
	g_auto(GStrv) words = g_strsplit_set(node->value, " \t", 2);
	bool read_only = false;
	const struct node *child;

	node_for_each(child, node)
	{
		if (!strcmp(child->name, "read_only"))
			read_only |= is_set(child);
		else
			report_add(config->report, child->place,
				   "an attribute of a LUN is left out, because it is not known");
	}
	scst_group_add_lun(config, group, words[0] ? words[0] : "",
			   words[0] && words[1] ? g_strstrip(words[1]) : "", read_only, node->place);
}

static void close_group(struct scst_config *config, struct scst_group *group, const struct node *node)
{
	g_array_set_size(group->luns, 0);
	report_add(config->report, node->place,
		   "black_hole: the initiators of the group %s get no LUNs, because their commands were not "
		   "answered",
		   group->name);
}

static void take_group(struct scst_config *config, struct scst_target *target, const struct node *node)
{
	struct scst_group *group = scst_group_find(target->groups, node->value);
	const struct node *child, *black_hole = NULL;

	if (!group) {
		group = scst_group_new(node->value, node->place);
		g_ptr_array_add(target->groups, group);
	}
	node_for_each(child, node)
	{
		if (!strcmp(child->name, "LUN"))
			take_lun(config, group, child);
		else if (!strcmp(child->name, "INITIATOR"))
			scst_group_add_initiator(group, child->value, child->place);
		else if (!strcmp(child->name, "black_hole") && is_set(child))
			black_hole = child;
		else if (strcmp(child->name, "addr_method") && strcmp(child->name, "black_hole"))
			report_add(config->report, child->place, "an attribute of the group %s is left out",
				   group->name);
	}
	if (black_hole)
		close_group(config, group, black_hole);
}

/* --- targets --- */

static void take_target(struct scst_config *config, const struct node *node)
{
	struct scst_target *target = scst_target_get(config, node->value, node->place);
	bool is_enabled = false;
	const struct node *child;

	if (!target)
		return;
	target->has_own_luns = true;
	node_for_each(child, node)
	{
		if (!strcmp(child->name, "LUN"))
			take_lun(config, target->defaults, child);
		else if (!strcmp(child->name, "GROUP"))
			take_group(config, target, child);
		else if (!strcmp(child->name, "enabled"))
			is_enabled = is_on(child);
		else
			scst_take_target_attribute(config, target, child);
	}
	if (is_enabled)
		return;
	target->saved->enable = false;
	report_add(config->report, node->place, "%s is imported as disabled, as it is in SCST",
		   target->saved->name);
}

/* Handles "iSNSServer ADDRESS [AccessControl]". */
static void take_isns(struct scst_config *config, const struct node *node)
{
	report_add(config->report, node->place, "iSNSServer is left out: there is no client of iSNS");
	if (!strstr(node->value, "AccessControl"))
		return;
	config->isns_decides = true;
	report_add(config->report, node->place,
		   "all targets are imported as disabled, because an iSNS server decides who may log in; "
		   "create ACLs, and then enable the targets");
}

static void take_driver(struct scst_config *config, const struct node *node)
{
	const struct node *child;

	if (strcmp(node->value, "iscsi")) {
		report_add(config->report, node->place,
			   "the target driver %s is left out: only iscsi is imported", node->value);
		return;
	}
	config->driver_is_disabled = true;
	node_for_each(child, node)
	{
		if (!strcmp(child->name, "TARGET"))
			take_target(config, child);
		else if (!strcmp(child->name, "enabled"))
			config->driver_is_disabled = !is_on(child);
		else if (!strcmp(child->name, "iSNSServer"))
			take_isns(config, child);
		else if (!scst_take_account(config, &config->saved->discovery, child->name, child->value,
					    child->place))
			report_add(config->report, child->place,
				   "an attribute of the target driver iscsi is left out");
	}
	if (config->driver_is_disabled)
		report_add(config->report, node->place,
			   "all targets are imported as disabled, because the target driver is not enabled");
}

int scst_parse_sysfs(struct scst_config *config, const struct source *source, struct error *error)
{
	struct node *root = scst_parse_tree(source, error);
	const struct node *child;

	if (!root)
		return -EINVAL;
	node_for_each(child, root)
	{
		if (!strcmp(child->name, "HANDLER"))
			take_handler(config, child);
		else if (!strcmp(child->name, "TARGET_DRIVER"))
			take_driver(config, child);
		else if (!strcmp(child->name, "DEVICE_GROUP"))
			report_add(config->report, child->place,
				   "the device group %s is left out: its ALUA states are not carried over",
				   child->value);
		else
			report_add(config->report, child->place, "a setting of SCST itself is left out");
	}
	node_free(root);
	return 0;
}
