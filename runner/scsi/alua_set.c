/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SET TARGET PORT GROUPS (SPC-4 6.45). The whole parameter list is checked here. Then the front end changes
 * one group after the other, on the pool.
 */
#include <stdlib.h>

#include "scsi/cmd.h"
#include "scsi/spc.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#define HEADER_LEN     4
#define DESCRIPTOR_LEN 4
#define LIST_MAX       (HEADER_LEN + SCSI_ALUA_GROUPS_MAX * DESCRIPTOR_LEN)

/* A command whose changes are made on the pool */
struct change {
	struct loop_op op;
	struct scsi_cmd *cmd;
	/* The number of descriptors, and how many of them were executed */
	unsigned n, done;
	struct {
		uint16_t group;
		enum scsi_alua_state state;
	} wanted[SCSI_ALUA_GROUPS_MAX];
};

/* Returns the bit of enum scsi_alua_supported for a state that initiators may set, otherwise 0. */
static uint8_t supported_bit(uint8_t state)
{
	return state <= SCSI_ALUA_UNAVAILABLE ? (uint8_t)(1 << state) : 0;
}

/* Is called on a pool thread. */
static int change_groups(struct loop_op *op)
{
	struct change *change = container_of(op, struct change, op);
	struct scsi_lu *lu = change->cmd->lu;
	int err = 0;

	for (; change->done < change->n; change->done++) {
		err = lu->alua_ops->set_state(lu->alua_arg, change->wanted[change->done].group,
					      change->wanted[change->done].state);
		if (err)
			break;
	}
	return err;
}

static void groups_changed(struct loop_op *op, int err)
{
	struct change *change = container_of(op, struct change, op);
	struct scsi_cmd *cmd = change->cmd;

	for (unsigned i = 0; i < change->done; i++)
		scsi_alua_state_changed(cmd->lu, change->wanted[i].group, change->wanted[i].state);
	free(change);
	if (err && !cmd->aborted)
		scsi_fail(cmd, SENSE_SET_PORT_GROUPS_FAILED);
	else
		scsi_complete(cmd);
}

/*
 * lu->lock must be held. Returns the offset of the wrong field in the descriptor, or -1 if the descriptor is
 * correct.
 */
static int check_descriptor(const struct scsi_lu *lu, const uint8_t *descriptor)
{
	const struct scsi_alua *alua = &lu->alua;
	uint8_t bit = supported_bit(descriptor[0] & 0x0f);

	if (!bit)
		return 0;
	for (unsigned i = 0; i < alua->ngroups; i++) {
		const struct scsi_alua_group *group = &alua->groups[i];

		if (group->id == get_be16(&descriptor[2]))
			return !(group->tpgs & SCSI_TPGS_EXPLICIT) ? 2 : group->supported & bit ? -1 : 0;
	}
	return 2;
}

/* Returns false with sense set if the list is wrong; in this case no group may be changed. */
static bool parse_list(struct scsi_cmd *cmd, const uint8_t *list, struct change *change)
{
	SCOPE_LOCK(&cmd->lu->lock);

	for (; change->n < (cmd->transfer_len - HEADER_LEN) / DESCRIPTOR_LEN; change->n++) {
		unsigned at = HEADER_LEN + change->n * DESCRIPTOR_LEN;
		int wrong = check_descriptor(cmd->lu, &list[at]);

		if (wrong >= 0) {
			scsi_check_field(cmd, SENSE_INVALID_FIELD_IN_LIST, at + (unsigned)wrong,
					 wrong ? -1 : 3);
			return false;
		}
		change->wanted[change->n].state = list[at] & 0x0f;
		change->wanted[change->n].group = get_be16(&list[at + 2]);
	}
	return true;
}

void spc_set_port_groups(struct scsi_cmd *cmd)
{
	uint8_t list[LIST_MAX];
	struct change *change;

	if (!cmd->transfer_len) {
		scsi_complete(cmd);
		return;
	}
	if (cmd->transfer_len < HEADER_LEN || cmd->transfer_len > LIST_MAX ||
	    cmd->transfer_len % DESCRIPTOR_LEN) {
		scsi_fail(cmd, SENSE_LIST_LENGTH_ERROR);
		return;
	}
	scsi_data_out_bytes(cmd, list, sizeof(list));
	change = calloc(1, sizeof(*change));
	if (!change)
		cmd->status = SCSI_TASK_SET_FULL;
	if (!change || !parse_list(cmd, list, change)) {
		free(change);
		scsi_complete(cmd);
		return;
	}
	change->cmd = cmd;
	change->op.done = groups_changed;
	loop_blocking(cmd->loop, &change->op, change_groups);
}
