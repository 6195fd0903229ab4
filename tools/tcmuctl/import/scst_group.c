/* SPDX-License-Identifier: Apache-2.0 */
/* Security groups of SCST: finds the groups that apply to a target. mask.c does the masking itself. */
#include "import/scst.h"

#include <string.h>

#define DEFAULT "Default"

static void clear_lun(void *data)
{
	g_free(((struct scst_lun *)data)->device);
}

static void clear_name(void *data)
{
	g_free(((struct mask_name *)data)->text);
}

struct scst_group *scst_group_new(const char *name, struct place place)
{
	struct scst_group *group = g_new0(struct scst_group, 1);

	group->name = g_strdup(name);
	group->place = place;
	group->luns = g_array_new(FALSE, TRUE, sizeof(struct scst_lun));
	group->initiators = g_array_new(FALSE, TRUE, sizeof(struct mask_name));
	g_array_set_clear_func(group->luns, clear_lun);
	g_array_set_clear_func(group->initiators, clear_name);
	return group;
}

void scst_group_free(struct scst_group *group)
{
	g_free(group->name);
	g_array_unref(group->luns);
	g_array_unref(group->initiators);
	g_free(group);
}

struct scst_group *scst_group_find(const GPtrArray *groups, const char *name)
{
	for (guint i = 0; i < groups->len; i++) {
		struct scst_group *group = g_ptr_array_index(groups, i);

		if (!strcmp(group->name, name))
			return group;
	}
	return NULL;
}

void scst_group_add_initiator(struct scst_group *group, const char *name, struct place place)
{
	struct mask_name initiator = {g_strdup(name), place};

	g_array_append_val(group->initiators, initiator);
}

static bool has_lun(const struct scst_group *group, guint64 number)
{
	for (guint i = 0; i < group->luns->len; i++)
		if (g_array_index(group->luns, struct scst_lun, i).number == number)
			return true;
	return false;
}

void scst_group_add_lun(struct scst_config *config, struct scst_group *group, const char *number,
			const char *device, bool read_only, struct place place)
{
	struct scst_lun lun = {.read_only = read_only, .place = place};
	guint64 value;

	if (!g_ascii_string_to_unsigned(number, 10, 0, SAVED_LUN_MAX, &value, NULL)) {
		report_add(config->report, place, "the LUN is left out: '%s' is not a number from 0 to %d",
			   number, SAVED_LUN_MAX);
		return;
	}
	if (has_lun(group, value)) {
		report_add(config->report, place,
			   "the LUN of the device %s is left out: the number %s is taken in this group",
			   device, number);
		return;
	}
	lun.number = (unsigned)value;
	lun.device = g_strdup(device);
	g_array_append_val(group->luns, lun);
}

/* --- from groups to masks --- */

static void add_mask_lun(struct scst_config *config, GArray *luns, const struct scst_lun *lun)
{
	const struct scst_device *device = scst_device_find(config, lun->device);
	struct mask_lun mask = {.number = lun->number, .read_only = lun->read_only, .place = lun->place};

	if (!device || !device->object) {
		report_add(config->report, lun->place, "LUN %u is left out: there is no device '%s' for it",
			   lun->number, lun->device);
		return;
	}
	mask.object = device->object;
	g_array_append_val(luns, mask);
}

static GArray *mask_luns(struct scst_config *config, const struct scst_group *group)
{
	GArray *luns = g_array_new(FALSE, TRUE, sizeof(struct mask_lun));

	for (guint i = 0; group && i < group->luns->len; i++)
		add_mask_lun(config, luns, &g_array_index(group->luns, struct scst_lun, i));
	return luns;
}

static void free_mask_group(void *data)
{
	struct mask_group *group = data;

	g_array_unref(group->luns);
	g_free(group);
}

static GPtrArray *mask_groups(struct scst_config *config, const GPtrArray *groups)
{
	GPtrArray *masks = g_ptr_array_new_with_free_func(free_mask_group);

	for (guint i = 0; i < groups->len; i++) {
		const struct scst_group *group = g_ptr_array_index(groups, i);
		struct mask_group *mask;

		/* No initiator is in this group. default_group() finds "Default" and "Default_TARGET". */
		if (!group->initiators->len)
			continue;
		mask = g_new0(struct mask_group, 1);
		mask->name = group->name;
		mask->initiators = group->initiators;
		mask->luns = mask_luns(config, group);
		g_ptr_array_add(masks, mask);
	}
	return masks;
}

/*
 * In the old format, a group has the LUNs for initiators without a group: "Default_TARGET" if it exists,
 * otherwise "Default". Returns this group, or NULL if neither exists.
 */
static const struct scst_group *default_group(const struct scst_config *config,
					      const struct scst_target *target)
{
	g_autofree char *name = g_strconcat(DEFAULT "_", target->name, NULL);
	const struct scst_group *group = scst_group_find(config->groups, name);

	return group ? group : scst_group_find(config->groups, DEFAULT);
}

static void save_luns(struct scst_config *config, const struct scst_target *target)
{
	g_autoptr(GPtrArray) groups =
	    mask_groups(config, target->has_own_luns ? target->groups : config->groups);
	g_autoptr(GArray) defaults =
	    mask_luns(config, target->has_own_luns ? target->defaults : default_group(config, target));

	mask_apply(target->saved, defaults, groups, target->place, config->report);
	if (!target->saved->luns->len)
		report_add(config->report, target->place, "%s has no LUNs", target->saved->name);
}

void scst_save_luns(struct scst_config *config)
{
	for (guint i = 0; i < config->targets->len; i++)
		save_luns(config, g_ptr_array_index(config->targets, i));
}
