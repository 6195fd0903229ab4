/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the root, of HBAs, TPGs and LUNs that are not attributes of the model. Their texts are those
 * of LIO, because rtslib and other programs parse them. The files of devices are in files_device.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "tree/private.h"
#include "util/bytes.h"

#define FILES(table)                     \
	{                                \
		table, ARRAY_SIZE(table) \
	}

/* --- the root --------------------------------------------------------------------------------- */

static int show_version(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	(void)folder;
	(void)argument;
	fprintf(out, "Target Engine Core of tcmu-runner %s\n", tree->version);
	return 0;
}

static int show_lio_version(const struct tree *tree, const struct tree_folder *folder, int argument,
			    FILE *out)
{
	(void)folder;
	(void)argument;
	fprintf(out, "iSCSI Target of tcmu-runner %s\n", tree->version);
	return 0;
}

static int show_last_error(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	(void)folder;
	(void)argument;
	if (*tree->last_error)
		fprintf(out, "%s\n", tree->last_error);
	return 0;
}

static int show_dbroot(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	(void)folder;
	(void)argument;
	fprintf(out, "%s\n", tree->dbroot);
	return 0;
}

/*
 * Stores the path under which the kernel would keep the registrations of persistent reservations. The daemon
 * only shows it again, because it has no persistent reservations.
 */
static void store_dbroot(struct tree_request *request, struct tree_folder *folder, int argument, char *text)
{
	struct tree *tree = request->tree;

	(void)folder;
	(void)argument;
	if (text[0] != '/' || strlen(text) >= sizeof(tree->dbroot)) {
		tree_refuse(request, EINVAL, "dbroot must be an absolute path of at most %zu bytes",
			    sizeof(tree->dbroot) - 1);
		return;
	}
	strcpy(tree->dbroot, text);
	tree_answer_write(request);
}

static int show_authenticate_target(const struct tree *tree, const struct tree_folder *folder, int argument,
				    FILE *out)
{
	char text[MODEL_TEXT_SIZE];

	(void)tree;
	(void)argument;
	model_get(folder->object, model_attribute(MODEL_ROOT, "discovery_auth", "userid_mutual"), text);
	fprintf(out, "%d\n", *text != '\0');
	return 0;
}

static int show_lu_gp_id(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	(void)tree;
	(void)folder;
	fprintf(out, "%d\n", argument);
	return 0;
}

static int show_lu_gp_members(const struct tree *tree, const struct tree_folder *folder, int argument,
			      FILE *out)
{
	struct model_object *object = model_first(tree->root->object, MODEL_STORAGE);

	(void)folder;
	(void)argument;
	for (; object; object = model_next(object))
		fprintf(out, "%s\n", model_name(object));
	return 0;
}

static const struct tree_file root_files[] = {
    {"version", TREE_ROOT_SELF, 0444, show_version, NULL, 0, NULL},
    {"dbroot", TREE_ROOT_SELF, 0644, show_dbroot, store_dbroot, 0, NULL},
    {"last_error", TREE_ROOT_SELF, 0444, show_last_error, NULL, 0, NULL},
    {"left_out", TREE_ROOT_SELF, 0444, tree_view_show, NULL, 0, NULL},
    {"lio_version", TREE_ROOT_ISCSI, 0444, show_lio_version, NULL, 0, NULL},
    {"authenticate_target", TREE_ROOT_DISCOVERY_AUTH, 0444, show_authenticate_target, NULL, 0, NULL},
    {"lu_gp_id", TREE_ROOT_DEFAULT_LU_GP, 0444, show_lu_gp_id, NULL, 0, NULL},
    {"members", TREE_ROOT_DEFAULT_LU_GP, 0444, show_lu_gp_members, NULL, 0, NULL},
};
const struct tree_files tree_root_files = FILES(root_files);

/* --- HBAs ------------------------------------------------------------------------------------- */

static int show_hba_info(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	const char *plugin = tree_plugin_of(folder->name);

	(void)argument;
	fprintf(out, "HBA Index: %u plugin: %s version: tcmu-runner-%s\n", tree_plugin_index(folder->name),
		plugin ? plugin : folder->name, tree->version);
	return 0;
}

static int show_hba_mode(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	(void)tree;
	(void)folder;
	fprintf(out, "%d\n", argument);
	return 0;
}

static const struct tree_file hba_files[] = {
    {"hba_info", 0, 0444, show_hba_info, NULL, 0, NULL},
    {"hba_mode", 0, 0444, show_hba_mode, NULL, 0, NULL},
};
const struct tree_files tree_hba_files = FILES(hba_files);

/* --- TPGs ------------------------------------------------------------------------------------- */

int tree_show_enable(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	(void)tree;
	(void)argument;
	fprintf(out, "%d\n", model_is_enabled(folder->object));
	return 0;
}

void tree_store_enable(struct tree_request *request, struct tree_folder *folder, int argument, char *text)
{
	char path[TREE_PATH_SIZE];

	(void)argument;
	if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0) {
		tree_refuse(request, EINVAL, "%s/enable must be 0 or 1, and not '%.40s'",
			    tree_path(folder, 0, path), text);
		return;
	}
	tree_wait(request);
	model_enable(folder->object, text[0] == '1', tree_done, request);
}

static const struct tree_file tpg_files[] = {
    {"enable", TREE_TPG_SELF, 0644, tree_show_enable, tree_store_enable, 0, NULL},
};
const struct tree_files tree_tpg_files = FILES(tpg_files);

/* --- LUNs ------------------------------------------------------------------------------------- */

static int show_tg_pt_gp(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out)
{
	(void)tree;
	(void)argument;
	if (!folder->object)
		return -ENODEV;
	fputs("TG Port Alias: default_tg_pt_gp\nTG Port Group ID: 0\n"
	      "TG Port Primary Access State: Active/Optimized\nTG Port Primary Access Status: None\n"
	      "TG Port Secondary Access State: None\nTG Port Secondary Access Status: None\n",
	      out);
	return 0;
}

static void store_tg_pt_gp(struct tree_request *request, struct tree_folder *folder, int argument, char *text)
{
	char path[TREE_PATH_SIZE];

	(void)argument;
	if (!folder->object)
		tree_refuse(request, ENODEV, "%s has no storage object yet", tree_path(folder, 0, path));
	else if (strcmp(text, "default_tg_pt_gp") != 0 && strcmp(text, "NULL") != 0)
		tree_refuse(request, ENODEV,
			    "%s: there is no target port group '%.80s'; all LUNs are in default_tg_pt_gp",
			    tree_path(folder, 0, path), text);
	else
		tree_answer_write(request);
}

enum { COMMANDS, READ_MBYTES, WRITE_MBYTES };

/* The counters are those of the disk, even if several LUNs lead to it. */
static int show_lun_statistics(const struct tree *tree, const struct tree_folder *folder, int argument,
			       FILE *out)
{
	struct storage_view view;

	(void)tree;
	if (!folder->object)
		return -ENODEV;
	storage_view(model_storage(model_to(folder->object)), &view);
	fprintf(out, "%" PRIu64 "\n",
		argument == COMMANDS      ? view.reads + view.writes + view.others
		: argument == READ_MBYTES ? view.read_bytes >> 20
					  : view.write_bytes >> 20);
	return 0;
}

static const struct tree_file lun_files[] = {
    {"alua_tg_pt_gp", TREE_LUN_SELF, 0644, show_tg_pt_gp, store_tg_pt_gp, 0, NULL},
    {"in_cmds", TREE_LUN_SCSI_TGT_PORT, 0444, show_lun_statistics, NULL, COMMANDS, NULL},
    {"read_mbytes", TREE_LUN_SCSI_TGT_PORT, 0444, show_lun_statistics, NULL, READ_MBYTES, NULL},
    {"write_mbytes", TREE_LUN_SCSI_TGT_PORT, 0444, show_lun_statistics, NULL, WRITE_MBYTES, NULL},
};
const struct tree_files tree_lun_files = FILES(lun_files);

const struct tree_files tree_target_files = {NULL, 0}, tree_portal_files = {NULL, 0},
			tree_acl_files = {NULL, 0}, tree_mapped_lun_files = {NULL, 0};
