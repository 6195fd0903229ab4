/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the files of one target port group. */
#include "kernel/configfs_alua.h"

#include <errno.h>
#include <string.h>

#include "util/bytes.h"

struct word {
	const char *text;
	uint8_t value;
};

static int read_word(const struct tcmu_configfs *folder, const char *file, const struct word *words,
		     unsigned n, uint8_t *value, struct error *error)
{
	char text[64];
	int err = tcmu_configfs_read(folder, file, text, sizeof(text), error);

	if (err)
		return err;
	for (unsigned i = 0; i < n; i++) {
		if (!strcmp(text, words[i].text)) {
			*value = words[i].value;
			return 0;
		}
	}
	return error_set(error, EINVAL, "%s/%s: '%s' is not understood", folder->path, file, text);
}

/*
 * The words of the file that says how the state may be changed. If the type of a group is only "Explicit",
 * the kernel refuses writes to the file that changes the state, so initiators cannot change it either.
 */
static const struct word access_types[] = {
    {"None", SCSI_TPGS_NONE},
    {"Implicit", SCSI_TPGS_IMPLICIT},
    {"Explicit", SCSI_TPGS_IMPLICIT},
    {"Implicit and Explicit", SCSI_TPGS_ANY},
};
static const struct word access_status[] = {
    {"None", SCSI_ALUA_NO_STATUS},
    {"Altered by Explicit STPG", SCSI_ALUA_BY_COMMAND},
    {"Altered by Implicit ALUA", SCSI_ALUA_BY_TARGET},
};
static const struct word supported_states[] = {
    {"alua_support_active_optimized", SCSI_ALUA_AO_SUP},
    {"alua_support_active_nonoptimized", SCSI_ALUA_AN_SUP},
    {"alua_support_standby", SCSI_ALUA_S_SUP},
    {"alua_support_unavailable", SCSI_ALUA_U_SUP},
    {"alua_support_lba_dependent", SCSI_ALUA_LBD_SUP},
    {"alua_support_offline", SCSI_ALUA_O_SUP},
    {"alua_support_transitioning", SCSI_ALUA_T_SUP},
};

static int read_supported(const struct tcmu_configfs *folder, uint8_t *supported, struct error *error)
{
	uint8_t on;
	int err = 0;

	*supported = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(supported_states) && !err; i++) {
		err = tcmu_configfs_read_byte(folder, supported_states[i].text, 1, &on, error);
		if (!err && on)
			*supported |= supported_states[i].value;
	}
	return err;
}

static int read_state(const struct tcmu_configfs *folder, uint8_t *state, struct error *error)
{
	int err = tcmu_configfs_read_byte(folder, "alua_access_state", SCSI_ALUA_TRANSITIONING, state, error);

	if (!err && *state > SCSI_ALUA_LBA_DEPENDENT && *state < SCSI_ALUA_OFFLINE)
		return error_set(error, EINVAL, "%s/alua_access_state: %u is not a state", folder->path,
				 *state);
	return err;
}

int tcmu_configfs_alua_group_id(const struct tcmu_configfs *folder, uint16_t *id, struct error *error)
{
	char text[16];
	int err = tcmu_configfs_read(folder, "tg_pt_gp_id", text, sizeof(text), error);

	if (err || !text[0])
		return err ? err : 1;
	return tcmu_configfs_read_u16(folder, "tg_pt_gp_id", id, error);
}

int tcmu_configfs_alua_group(const struct tcmu_configfs *folder, struct scsi_alua_group *group,
			     struct error *error)
{
	int err = tcmu_configfs_alua_group_id(folder, &group->id, error);

	if (!err)
		err = read_state(folder, &group->state, error);
	if (!err)
		err = read_word(folder, "alua_access_status", access_status, ARRAY_SIZE(access_status),
				&group->status, error);
	if (!err)
		err = read_word(folder, "alua_access_type", access_types, ARRAY_SIZE(access_types),
				&group->tpgs, error);
	if (!err)
		err = tcmu_configfs_read_byte(folder, "preferred", 1, &group->preferred, error);
	if (!err)
		err = tcmu_configfs_read_byte(folder, "implicit_trans_secs", UINT8_MAX,
					      &group->transition_seconds, error);
	return err ? err : read_supported(folder, &group->supported, error);
}
