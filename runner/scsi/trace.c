/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the line of log level 5, which shows the command, the LU, and the result. It shows no data. */
#include "scsi/trace.h"

#include <stdio.h>

#include "scsi/lu.h"
#include "scsi/opcodes.h"
#include "util/bytes.h"

/* The number of bytes of the CDB that the line shows. Only vendor specific CDBs are longer. */
#define SHOWN_BYTES 32

struct text {
	char at[256];
	size_t len;
};

#define ADD(text, ...)                                                                             \
	do {                                                                                       \
		snprintf((text)->at + (text)->len, sizeof((text)->at) - (text)->len, __VA_ARGS__); \
		(text)->len += strlen((text)->at + (text)->len);                                   \
	} while (0)

static void add_status(struct text *text, uint8_t status)
{
	static const struct {
		uint8_t status;
		const char *name;
	} names[] = {
	    {SCSI_GOOD, "GOOD"},
	    {SCSI_CHECK_CONDITION, "CHECK CONDITION"},
	    {SCSI_CONDITION_MET, "CONDITION MET"},
	    {SCSI_BUSY, "BUSY"},
	    {SCSI_RESERVATION_CONFLICT, "RESERVATION CONFLICT"},
	    {SCSI_TASK_SET_FULL, "TASK SET FULL"},
	    {SCSI_TASK_ABORTED, "TASK ABORTED"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].status == status) {
			ADD(text, "%s", names[i].name);
			return;
		}
	}
	ADD(text, "status %02xh", status);
}

/* Adds key, ASC and ASCQ of sense data in fixed or descriptor format (SPC-4 4.5). */
static void add_sense(struct text *text, const uint8_t *sense, uint8_t len)
{
	if (len >= 14 && (sense[0] & 0x7f) < 0x72)
		ADD(text, " %x/%02x/%02x", sense[2] & 0xf, sense[12], sense[13]);
	else if (len >= 4)
		ADD(text, " %x/%02x/%02x", sense[1] & 0xf, sense[2], sense[3]);
}

void scsi_trace_write(const struct scsi_cmd *cmd)
{
	struct text text = {.len = 0};

	ADD(&text, "%s", cmd->op ? cmd->op->name : "refused");
	for (unsigned i = 0; i < MIN(cmd->cdb_len, SHOWN_BYTES); i++)
		ADD(&text, "%s%02x", i ? " " : ": ", cmd->cdb[i]);
	ADD(&text, ": ");
	if (cmd->aborted)
		ADD(&text, "aborted, ");
	add_status(&text, cmd->status);
	if (cmd->status == SCSI_CHECK_CONDITION)
		add_sense(&text, cmd->sense, cmd->sense_len);
	log_at(LOG_LEVEL_CDB, cmd->lu ? scsi_lu_name(cmd->lu) : "no LUN", "%s", text.at);
}
