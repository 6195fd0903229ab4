/* SPDX-License-Identifier: Apache-2.0 */
/* Task management inside the device server. */
#ifndef SCSI_TMF_H
#define SCSI_TMF_H

#include "scsi/lu.h"

/* On the loop, after done() of an aborted command: answers the functions that waited for it. */
void scsi_tmf_command_over(struct scsi_lu_loop *lul);
/* On the loop: the command was parsed before and is submitted after a LU-wide function. Marks it as aborted.
 */
void scsi_tmf_abort_late(struct scsi_cmd *cmd);
/* Prepares a LU's part on one loop. */
void scsi_tmf_init(struct scsi_lu_loop *lul);
#endif
