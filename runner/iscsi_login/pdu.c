/* SPDX-License-Identifier: Apache-2.0 */
/* The names of PDUs for messages. */
#include "iscsi_login/pdu.h"

const char *iscsi_opcode_name(uint8_t opcode)
{
	static const char *const names[ISCSI_OP_MASK + 1] = {
	    [ISCSI_OP_NOP_OUT] = "NOP-Out",
	    [ISCSI_OP_SCSI_COMMAND] = "SCSI Command",
	    [ISCSI_OP_TASK_MGMT] = "Task Management Request",
	    [ISCSI_OP_LOGIN] = "Login Request",
	    [ISCSI_OP_TEXT] = "Text Request",
	    [ISCSI_OP_DATA_OUT] = "SCSI Data-Out",
	    [ISCSI_OP_LOGOUT] = "Logout Request",
	    [ISCSI_OP_SNACK] = "SNACK Request",
	    [ISCSI_OP_NOP_IN] = "NOP-In",
	    [ISCSI_OP_SCSI_RESPONSE] = "SCSI Response",
	    [ISCSI_OP_TASK_MGMT_RSP] = "Task Management Response",
	    [ISCSI_OP_LOGIN_RSP] = "Login Response",
	    [ISCSI_OP_TEXT_RSP] = "Text Response",
	    [ISCSI_OP_DATA_IN] = "SCSI Data-In",
	    [ISCSI_OP_LOGOUT_RSP] = "Logout Response",
	    [ISCSI_OP_R2T] = "Ready To Transfer",
	    [ISCSI_OP_ASYNC] = "Asynchronous Message",
	    [ISCSI_OP_REJECT] = "Reject",
	};
	const char *name = names[opcode & ISCSI_OP_MASK];

	return name ? name : "reserved opcode";
}
