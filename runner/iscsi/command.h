/* SPDX-License-Identifier: Apache-2.0 */
/* The functions for SCSI Command PDUs to which the table in dispatch.c refers (rx.h). */
#ifndef ISCSI_COMMAND_H
#define ISCSI_COMMAND_H

#include <stdbool.h>

struct iscsi_conn;

bool iscsi_command_begin(struct iscsi_conn *conn);
bool iscsi_command_end(struct iscsi_conn *conn);
#endif
