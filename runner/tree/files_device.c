/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a device that are not attributes of the model: enable, info, the unit serial number, actions,
 * statistics and the default target port group. The texts are those of LIO. The file control is in control.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree/private.h"
#include "util/bytes.h"

static const char *get(const struct tree_folder *folder, const char *group, const char *name,
		       char text[MODEL_TEXT_SIZE])
{
	return model_get(folder->object, model_attribute(MODEL_STORAGE, group, name), text);
}

static const char *plugin_of(const struct tree_folder *folder)
{
	const char *plugin = tree_plugin_of(folder->parent->name);

	return plugin ? plugin : "";
}

/* --- info ------------------------------------------------------------------------------------- */

/*
 * Prints the configuration. rtslib reads it only up to the first blank or colon, so an escape is printed in
 * the place of these characters.
 */
static void print_config(const struct tree_folder *folder, FILE *out)
{
	char text[MODEL_TEXT_SIZE];

	for (const char *c = get(folder, "control", "config", text); *c; c++)
		if (strchr(" :,", *c))
			fprintf(out, "~%02x", (unsigned char)*c);
		else
			fputc(*c, out);
	if (!*text)
		fputs("NULL", out);
}

/* Returns the size. Until the storage is open, it is the requested size. */
static uint64_t size_of(const struct tree_folder *folder, const struct storage_view *view)
{
	const struct model_attribute *row = model_attribute(MODEL_STORAGE, "control", "size");

	return model_is_enabled(folder->object) ? view->size : model_get_number(folder->object, row);
}

static void print_user(const struct tree_folder *folder, const struct storage_view *view, FILE *out)
{
	char text[MODEL_TEXT_SIZE];

	fputs("        Config: ", out);
	print_config(folder, out);
	fprintf(out, " Size: %" PRIu64 " MaxDataAreaMB: %s DataPagesPerBlk: 1\n", size_of(folder, view),
		get(folder, "attrib", "max_data_area_mb", text));
}

static void print_file(const struct tree_folder *folder, const struct storage_view *view, FILE *out)
{
	char *path = tree_device_path(folder);

	fprintf(out, "        TCM FILEIO ID: %u        File: %s  Size: %" PRIu64 "  Mode: %s Async: 0\n",
		tree_plugin_index(folder->parent->name), path ? path : "", size_of(folder, view),
		view->write_cache ? "Buffered-WCE" : "O_DSYNC");
	free(path);
}

static void print_disk(const struct tree_folder *folder, const struct storage_view *view, FILE *out)
{
	char *path = tree_device_path(folder);
	struct tree_disk disk = {.name = ""};

	if (path && !tree_disk_find(path, &disk)) {
		const char *slash = strrchr(path, '/');

		snprintf(disk.name, sizeof(disk.name), "%s", slash ? slash + 1 : path);
	}
	fprintf(out,
		"        iBlock device: %s  UDEV PATH: %s  readonly: %d\n        Major: %u Minor: %u  "
		"CLAIMED: IBLOCK\n",
		disk.name, path ? path : "", view->read_only, disk.major, disk.minor);
	free(path);
}

static void print_ramdisk(const struct tree_folder *folder, const struct storage_view *view, FILE *out)
{
	char text[MODEL_TEXT_SIZE];
	long page = sysconf(_SC_PAGESIZE);

	fprintf(out, "        TCM RAMDISK ID: %u  RAMDISK Makeup: rd_mcp\n",
		tree_plugin_index(folder->parent->name));
	fprintf(out, "        PAGES/PAGE_SIZE: %" PRIu64 "*%ld  SG_table_count: 1  nullio: %d\n",
		size_of(folder, view) / (uint64_t)page, page,
		!strncmp(get(folder, "control", "config", text), "null/", 5));
}

static int show_info(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	static const struct {
		const char *plugin;
		void (*print)(const struct tree_folder *folder, const struct storage_view *view, FILE *out);
	} printers[] = {
	    {"user", print_user},
	    {"fileio", print_file},
	    {"iblock", print_disk},
	    {"rd_mcp", print_ramdisk},
	};
	char block_size[MODEL_TEXT_SIZE], max_sectors[MODEL_TEXT_SIZE];
	struct storage_view view;

	(void)tree;
	(void)argument;
	storage_view(model_storage(folder->object), &view);
	fprintf(out, "Status: %s  Max Queue Depth: 128  SectorSize: %s  HwMaxSectors: %s\n",
		model_users(folder->object) ? "ACTIVATED" : "DEACTIVATED",
		get(folder, "attrib", "block_size", block_size),
		get(folder, "attrib", "hw_max_sectors", max_sectors));
	for (size_t i = 0; i < ARRAY_SIZE(printers); i++)
		if (!strcmp(printers[i].plugin, plugin_of(folder)))
			printers[i].print(folder, &view, out);
	return 0;
}

/* --- control and enable ----------------------------------------------------------------------- */

static void store_enable(struct tree_request *request, struct tree_folder *folder, int argument, char *text)
{
	char path[TREE_PATH_SIZE];

	if (!strcmp(text, "1"))
		tree_store_enable(request, folder, argument, text);
	else
		tree_refuse(request, EINVAL, "%s/enable accepts only 1; rmdir deletes the device",
			    tree_path(folder, 0, path));
}

/* --- strings that are kept for other programs ------------------------------------------------- */

static int show_note(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	char *path = argument == TREE_NOTE_UDEV_PATH ? tree_device_path(folder) : strdup("");

	(void)tree;
	if (path && *path && !folder->notes[argument])
		fprintf(out, "%s\n", path);
	else if (folder->notes[argument])
		fprintf(out, "%s\n", folder->notes[argument]);
	free(path);
	return 0;
}

static void store_note(struct tree_request *request, struct tree_folder *folder, int argument, char *text)
{
	char path[TREE_PATH_SIZE];

	if (strlen(text) > 511) /* This is the kernel's limit of udev_path. */
		tree_refuse(request, EOVERFLOW, "%s: the text has more than 511 bytes",
			    tree_path(folder, 0, path));
	else if (tree_set_string(&folder->notes[argument], text))
		tree_answer(request, -ENOMEM);
	else
		tree_answer_write(request);
}

static int show_lu_group(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	(void)tree;
	(void)folder;
	(void)argument;
	fputs("LU Group Alias: default_lu_gp\nLU Group ID: 0\n", out);
	return 0;
}

/* --- the unit serial number ------------------------------------------------------------------- */

static int show_serial(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	char text[MODEL_TEXT_SIZE];

	(void)tree;
	(void)argument;
	if (!*get(folder, "health", "serial", text))
		get(folder, "wwn", "vpd_unit_serial", text);
	fprintf(out, "T10 VPD Unit Serial Number: %s\n", text);
	return 0;
}

static void store_serial(struct tree_request *request, struct tree_folder *folder, int argument, char *text)
{
	(void)argument;
	tree_wait(request);
	model_set(folder->object, "wwn", "vpd_unit_serial", text, tree_done, request);
}

/* --- the write cache -------------------------------------------------------------------------- */

static int show_write_cache(const struct tree *tree, const struct tree_folder *folder, int argument,
			    FILE *out)
{
	char text[MODEL_TEXT_SIZE];

	(void)tree;
	(void)argument;
	fprintf(
	    out, "%s\n",
	    model_get(folder->object, model_attribute(MODEL_STORAGE, "attrib", "emulate_write_cache"), text));
	return 0;
}

/* Sets the write cache. A value that is written counts as set, even if it was in effect before. */
static void store_write_cache(struct tree_request *request, struct tree_folder *folder, int argument,
			      char *text)
{
	(void)argument;
	tree_wait(request);
	model_set(folder->object, "attrib", "emulate_write_cache", text, tree_done, request);
}

/* --- changing a device that runs, as LIO's plug-in user offers it ----------------------------- */

enum { DEV_CONFIG, DEV_SIZE };

static int show_changeable(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	struct storage_view view;
	char text[MODEL_TEXT_SIZE];

	(void)tree;
	storage_view(model_storage(folder->object), &view);
	if (argument == DEV_SIZE)
		fprintf(out, "%" PRIu64 "\n", size_of(folder, &view));
	else
		fprintf(out, "%s\n", get(folder, "control", "config", text));
	return 0;
}

/*
 * Changes the configuration. Writing the same configuration accepts the loss of the contents; if they are not
 * lost, it has no effect. Another configuration may differ only in the options of the same filters.
 */
static void store_config(struct tree_request *request, struct tree_folder *folder, const char *config)
{
	bool is_lost = storage_status(model_storage(folder->object)) == STORAGE_CONTENTS_LOST;
	char text[MODEL_TEXT_SIZE];

	if (strcmp(get(folder, "control", "config", text), config) != 0) {
		tree_wait(request);
		model_set(folder->object, "control", "config", config, tree_done, request);
		return;
	}
	if (!is_lost) {
		tree_answer_write(request);
		return;
	}
	tree_wait(request);
	model_replace(folder->object, tree_done, request);
}

static void store_changeable(struct tree_request *request, struct tree_folder *folder, int argument,
			     char *text)
{
	char path[TREE_PATH_SIZE], *end;
	struct storage_view view;
	unsigned long long size;

	if (!model_is_enabled(folder->object)) {
		tree_refuse(request, EINVAL, "%s is not enabled; write the setting to control",
			    tree_path(folder, 0, path));
		return;
	}
	if (argument == DEV_CONFIG) {
		store_config(request, folder, text);
		return;
	}
	errno = 0;
	size = strtoull(text, &end, 0);
	storage_view(model_storage(folder->object), &view);
	if (text[0] < '0' || text[0] > '9' || *end || errno || size > INT64_MAX) {
		tree_refuse(request, EINVAL, "'%.40s' is not a number of bytes", text);
	} else if (size == view.size) {
		tree_answer_write(request);
	} else {
		tree_wait(request);
		model_resize(folder->object, size, tree_done, request);
	}
}

/* --- actions on the kernel's ring, which does not exist here ---------------------------------- */

static int show_block_dev(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	(void)tree;
	(void)folder;
	(void)argument;
	fputs("unblocked\n", out);
	return 0;
}

static void store_action(struct tree_request *request, struct tree_folder *folder, int argument, char *text)
{
	char path[TREE_PATH_SIZE];

	if (argument && !strcmp(text, "0")) /* block_dev: nothing is blocked here */
		tree_answer_write(request);
	else
		tree_refuse(request, EINVAL, "%s has no ring of the kernel that could be blocked or reset",
			    tree_path(folder, 0, path));
}

/* --- the default target port group: all LUNs are in it ---------------------------------------- */

static const struct {
	const char *name, *value;
} group_values[] = {
    {"alua_access_state", "0"},
    {"alua_access_status", "None"},
    {"alua_access_type", "Implicit"},
    {"alua_write_metadata", "0"},
    {"preferred", "0"},
    {"nonop_delay_msecs", "100"},
    {"trans_delay_msecs", "0"},
    {"implicit_trans_secs", "0"},
    {"alua_support_active_optimized", "1"},
    {"alua_support_active_nonoptimized", "0"},
    {"alua_support_standby", "0"},
    {"alua_support_unavailable", "0"},
    {"alua_support_offline", "0"},
    {"alua_support_transitioning", "0"},
    {"alua_support_lba_dependent", "0"},
    {"tg_pt_gp_id", "0"},
};

static int show_group(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	(void)tree;
	(void)folder;
	fprintf(out, "%s\n", group_values[argument].value);
	return 0;
}

static void store_group(struct tree_request *request, struct tree_folder *folder, int argument, char *text)
{
	char path[TREE_PATH_SIZE];

	if (!strcmp(text, group_values[argument].value))
		tree_answer_write(request);
	else
		tree_refuse(request, EINVAL, "%s/alua/default_tg_pt_gp: %s is always %s",
			    tree_path(folder, 0, path), group_values[argument].name,
			    group_values[argument].value);
}

static int show_members(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	struct model_object *target = model_first(tree->root->object, MODEL_TARGET), *tpg, *lun;

	(void)argument;
	for (; target; target = model_next(target))
		for (tpg = model_first(target, MODEL_TPG); tpg; tpg = model_next(tpg))
			for (lun = model_first(tpg, MODEL_LUN); lun; lun = model_next(lun))
				if (model_to(lun) == folder->object)
					fprintf(out, "iSCSI/%s/%s/%s\n", model_name(target), model_name(tpg),
						model_name(lun));
	return 0;
}

/* --- statistics ------------------------------------------------------------------------------- */

enum { LU_NAME, LU_STATUS, LU_COMMANDS, LU_READ_MBYTES, LU_WRITE_MBYTES };

static int show_statistics(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	struct storage_view view;

	(void)tree;
	storage_view(model_storage(folder->object), &view);
	if (argument == LU_NAME)
		fprintf(out, "%s\n", *view.serial ? view.serial : "None");
	else if (argument == LU_STATUS)
		fprintf(out, "%s\n", model_is_enabled(folder->object) ? "available" : "notavailable");
	else
		fprintf(out, "%" PRIu64 "\n",
			argument == LU_COMMANDS      ? view.reads + view.writes + view.others
			: argument == LU_READ_MBYTES ? view.read_bytes >> 20
						     : view.write_bytes >> 20);
	return 0;
}

#define GROUP(index, name, mode)                                                                            \
	{                                                                                                   \
		name, TREE_DEVICE_TG_PT_GP, mode, show_group, (mode)&0200 ? store_group : NULL, index, NULL \
	}
static const struct tree_file device_files[] = {
    {"control", TREE_DEVICE_SELF, 0200, NULL, tree_store_control, 0, NULL},
    {"enable", TREE_DEVICE_SELF, 0644, tree_show_enable, store_enable, 0, NULL},
    {"info", TREE_DEVICE_SELF, 0444, show_info, NULL, 0, NULL},
    {"udev_path", TREE_DEVICE_SELF, 0644, show_note, store_note, TREE_NOTE_UDEV_PATH, NULL},
    {"alias", TREE_DEVICE_SELF, 0644, show_note, store_note, TREE_NOTE_ALIAS, NULL},
    {"alua_lu_gp", TREE_DEVICE_SELF, 0444, show_lu_group, NULL, 0, NULL},
    {"vpd_unit_serial", TREE_DEVICE_WWN, 0644, show_serial, store_serial, 0, NULL},
    {"emulate_write_cache", TREE_DEVICE_ATTRIB, 0644, show_write_cache, store_write_cache, 0, NULL},
    {"dev_config", TREE_DEVICE_ATTRIB, 0644, show_changeable, store_changeable, DEV_CONFIG, "user_"},
    {"dev_size", TREE_DEVICE_ATTRIB, 0644, show_changeable, store_changeable, DEV_SIZE, "user_"},
    {"block_dev", TREE_DEVICE_ACTION, 0644, show_block_dev, store_action, 1, "user_"},
    {"reset_ring", TREE_DEVICE_ACTION, 0200, NULL, store_action, 0, "user_"},
    GROUP(0, "alua_access_state", 0644),
    GROUP(1, "alua_access_status", 0644),
    GROUP(2, "alua_access_type", 0644),
    GROUP(3, "alua_write_metadata", 0644),
    GROUP(4, "preferred", 0644),
    GROUP(5, "nonop_delay_msecs", 0644),
    GROUP(6, "trans_delay_msecs", 0644),
    GROUP(7, "implicit_trans_secs", 0644),
    GROUP(8, "alua_support_active_optimized", 0644),
    GROUP(9, "alua_support_active_nonoptimized", 0644),
    GROUP(10, "alua_support_standby", 0644),
    GROUP(11, "alua_support_unavailable", 0644),
    GROUP(12, "alua_support_offline", 0644),
    GROUP(13, "alua_support_transitioning", 0644),
    GROUP(14, "alua_support_lba_dependent", 0444),
    GROUP(15, "tg_pt_gp_id", 0444),
    {"members", TREE_DEVICE_TG_PT_GP, 0444, show_members, NULL, 0, NULL},
    {"lu_name", TREE_DEVICE_SCSI_LU, 0444, show_statistics, NULL, LU_NAME, NULL},
    {"status", TREE_DEVICE_SCSI_LU, 0444, show_statistics, NULL, LU_STATUS, NULL},
    {"num_cmds", TREE_DEVICE_SCSI_LU, 0444, show_statistics, NULL, LU_COMMANDS, NULL},
    {"read_mbytes", TREE_DEVICE_SCSI_LU, 0444, show_statistics, NULL, LU_READ_MBYTES, NULL},
    {"write_mbytes", TREE_DEVICE_SCSI_LU, 0444, show_statistics, NULL, LU_WRITE_MBYTES, NULL},
};
const struct tree_files tree_device_files = {device_files, ARRAY_SIZE(device_files)};
