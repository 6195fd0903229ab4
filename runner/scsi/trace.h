/* SPDX-License-Identifier: Apache-2.0 */
/* Log level 5: one line for each command, when it has ended */
#ifndef SCSI_TRACE_H
#define SCSI_TRACE_H

#include "scsi/scsi.h"
#include "util/log.h"

/* To be called on the command's loop. */
void scsi_trace_write(const struct scsi_cmd *cmd);

static inline void scsi_trace(const struct scsi_cmd *cmd)
{
	if (log_shows(LOG_LEVEL_CDB))
		scsi_trace_write(cmd);
}
#endif
