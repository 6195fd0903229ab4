/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REPORT LUNS (SPC-4 6.33). The front end knows the LUNs. With the kernel front end, the kernel
 * answers this command.
 */
#include <stdlib.h>

#include "scsi/cmd.h"
#include "scsi/nexus.h"
#include "scsi/spc.h"
#include "util/bytes.h"

#define LUN_LEN 8

/* SELECT REPORT. There are no well known and no administrative logical units. */
enum select_report {
	WITHOUT_WELL_KNOWN = 0x00,
	ONLY_WELL_KNOWN = 0x01,
	ALL = 0x02,
	ONLY_ADMINISTRATIVE = 0x10,
	ADMINISTRATIVE_AND_SIMPLE = 0x11,
	SUBSIDIARY = 0x12,
};

static void report(struct scsi_cmd *cmd)
{
	uint32_t count;
	uint8_t *list;

	/*
	 * The initiator learns of the change by this command. The unit attention is cleared before the LUNs
	 * are read, so a change meanwhile stays pending.
	 */
	if (cmd->nexus)
		scsi_ua_clear(cmd->nexus, SCSI_UA_LUNS_CHANGED);
	count = cmd->it_nexus->report_luns(cmd->it_nexus, NULL, 0);
	list = calloc(count + 1u, LUN_LEN);
	if (!list) {
		scsi_fail_memory(cmd);
		return;
	}
	/* The number of LUNs may change between the two calls. */
	count = MIN(count,
		    cmd->it_nexus->report_luns(cmd->it_nexus, (uint8_t(*)[LUN_LEN])(list + LUN_LEN), count));
	put_be32(list, count * LUN_LEN);
	scsi_data_in_bytes(cmd, list, (count + 1u) * LUN_LEN);
	free(list);
}

void spc_report_luns(struct scsi_cmd *cmd)
{
	static const uint8_t none[LUN_LEN];

	if (cmd->transfer_len < 16) {
		scsi_fail_cdb(cmd, 6, -1);
		return;
	}
	switch (cmd->cdb[2]) {
	case WITHOUT_WELL_KNOWN:
	case ALL:
	case ADMINISTRATIVE_AND_SIMPLE:
		if (cmd->it_nexus)
			report(cmd);
		else
			scsi_fail(cmd, SENSE_INVALID_OPCODE);
		break;
	case ONLY_WELL_KNOWN:
	case ONLY_ADMINISTRATIVE:
	case SUBSIDIARY:
		scsi_data_in_bytes(cmd, none, sizeof(none));
		break;
	default:
		scsi_fail_cdb(cmd, 2, -1);
	}
}
