/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories that always exist in a folder, and the directory of each attribute of the model. The files
 * that are not attributes are in the files_*.c of this folder.
 */
#include "tree/private.h"

#include <string.h>

#include "util/bytes.h"

static const struct tree_directory root_directories[] = {
    [TREE_ROOT_SELF] = {.name = ""},
    [TREE_ROOT_CORE] = {"core", TREE_ROOT_SELF, TREE_HBA},
    [TREE_ROOT_CORE_ALUA] = {.name = "alua", .parent = TREE_ROOT_CORE},
    [TREE_ROOT_LU_GPS] = {.name = "lu_gps", .parent = TREE_ROOT_CORE_ALUA},
    [TREE_ROOT_DEFAULT_LU_GP] = {.name = "default_lu_gp", .parent = TREE_ROOT_LU_GPS},
    [TREE_ROOT_ISCSI] = {"iscsi", TREE_ROOT_SELF, TREE_TARGET},
    [TREE_ROOT_DISCOVERY_AUTH] = {.name = "discovery_auth", .parent = TREE_ROOT_ISCSI},
};
static const struct tree_directory hba_directories[] = {
    {"", 0, TREE_DEVICE},
};
static const struct tree_directory device_directories[] = {
    [TREE_DEVICE_SELF] = {.name = ""},
    [TREE_DEVICE_ATTRIB] = {.name = "attrib"},
    [TREE_DEVICE_WWN] = {.name = "wwn"},
    [TREE_DEVICE_HEALTH] = {.name = "health"},
    [TREE_DEVICE_ACTION] = {.name = "action"},
    [TREE_DEVICE_ALUA] = {.name = "alua"},
    [TREE_DEVICE_TG_PT_GP] = {.name = "default_tg_pt_gp", .parent = TREE_DEVICE_ALUA},
    [TREE_DEVICE_STATISTICS] = {.name = "statistics"},
    [TREE_DEVICE_SCSI_LU] = {.name = "scsi_lu", .parent = TREE_DEVICE_STATISTICS},
};
static const struct tree_directory target_directories[] = {
    {"", 0, TREE_TPG},
};
static const struct tree_directory tpg_directories[] = {
    [TREE_TPG_SELF] = {.name = ""},
    [TREE_TPG_ACLS] = {"acls", TREE_TPG_SELF, TREE_ACL},
    [TREE_TPG_LUN] = {"lun", TREE_TPG_SELF, TREE_LUN},
    [TREE_TPG_NP] = {"np", TREE_TPG_SELF, TREE_PORTAL},
    [TREE_TPG_ATTRIB] = {.name = "attrib"},
    [TREE_TPG_AUTH] = {.name = "auth"},
    [TREE_TPG_PARAM] = {.name = "param"},
};
static const struct tree_directory portal_directories[] = {
    [0] = {.name = ""},
};
static const struct tree_directory lun_directories[] = {
    [TREE_LUN_SELF] = {.name = ""},
    [TREE_LUN_STATISTICS] = {.name = "statistics"},
    [TREE_LUN_SCSI_TGT_PORT] = {.name = "scsi_tgt_port", .parent = TREE_LUN_STATISTICS},
};
static const struct tree_directory acl_directories[] = {
    [TREE_ACL_SELF] = {"", 0, TREE_MAPPED_LUN},
    [TREE_ACL_ATTRIB] = {.name = "attrib"},
    [TREE_ACL_AUTH] = {.name = "auth"},
    [TREE_ACL_PARAM] = {.name = "param"},
};
static const struct tree_directory mapped_lun_directories[] = {
    [0] = {.name = ""},
};

#define LAYOUT(noun, kind)                                                                     \
	{                                                                                      \
		noun##_directories, ARRAY_SIZE(noun##_directories), &tree_##noun##_files, kind \
	}
static const struct tree_layout layouts[TREE_KINDS] = {
    [TREE_ROOT] = LAYOUT(root, MODEL_ROOT),
    [TREE_HBA] = LAYOUT(hba, MODEL_KINDS),
    [TREE_DEVICE] = LAYOUT(device, MODEL_STORAGE),
    [TREE_TARGET] = LAYOUT(target, MODEL_TARGET),
    [TREE_TPG] = LAYOUT(tpg, MODEL_TPG),
    [TREE_PORTAL] = LAYOUT(portal, MODEL_PORTAL),
    [TREE_LUN] = LAYOUT(lun, MODEL_LUN),
    [TREE_ACL] = LAYOUT(acl, MODEL_ACL),
    [TREE_MAPPED_LUN] = LAYOUT(mapped_lun, MODEL_MAPPED_LUN),
};

const struct tree_layout *tree_layout(enum tree_kind kind)
{
	return &layouts[kind];
}

enum tree_kind tree_kind_of(enum model_kind kind)
{
	for (unsigned i = TREE_ROOT; i < TREE_KINDS; i++)
		if (layouts[i].model_kind == kind)
			return (enum tree_kind)i;
	return TREE_NONE;
}

unsigned tree_slot_of(enum tree_kind kind)
{
	switch (kind) {
	case TREE_HBA:
		return TREE_ROOT_CORE;
	case TREE_TARGET:
		return TREE_ROOT_ISCSI;
	case TREE_PORTAL:
		return TREE_TPG_NP;
	case TREE_LUN:
		return TREE_TPG_LUN;
	case TREE_ACL:
		return TREE_TPG_ACLS;
	default:
		return 0;
	}
}

int tree_directory_of(enum tree_kind kind, const struct model_attribute *attribute)
{
	const struct tree_layout *layout = &layouts[kind];

	for (unsigned i = 0; i < layout->directory_count; i++)
		if (!strcmp(layout->directories[i].name, attribute->group))
			return (int)i;
	return -1;
}

mode_t tree_attribute_mode(const struct model_attribute *attribute)
{
	if (attribute->type == MODEL_SECRET)
		return 0600;
	return attribute->flags & MODEL_READ_ONLY ? 0444 : 0644;
}
