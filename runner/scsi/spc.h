/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executes the SPC-4 commands. Each function is an exec function of the opcode table; opcodes.h has the rules
 * for such functions.
 */
#ifndef SCSI_SPC_H
#define SCSI_SPC_H

#include "scsi/scsi.h"

void spc_test_unit_ready(struct scsi_cmd *cmd);
void spc_request_sense(struct scsi_cmd *cmd);
void spc_inquiry(struct scsi_cmd *cmd);
void spc_report_luns(struct scsi_cmd *cmd);
void spc_mode_sense(struct scsi_cmd *cmd);
void spc_mode_select(struct scsi_cmd *cmd);
void spc_log_sense(struct scsi_cmd *cmd);
void spc_reserve(struct scsi_cmd *cmd);
void spc_release(struct scsi_cmd *cmd);
void spc_send_diagnostic(struct scsi_cmd *cmd);
void spc_prevent_allow(struct scsi_cmd *cmd);
/*
 * Returns whether a PREVENT ALLOW MEDIUM REMOVAL command allows the removal. A reservation of another
 * initiator does not forbid such a command.
 */
bool spc_allows_removal(const struct scsi_cmd *cmd);
void spc_report_opcodes(struct scsi_cmd *cmd);
void spc_report_tmfs(struct scsi_cmd *cmd);
void spc_report_port_groups(struct scsi_cmd *cmd);
void spc_set_port_groups(struct scsi_cmd *cmd);
#endif
