/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of task management (SAM-5 7) that other files of the device server call. */
#ifndef SCSI_TMF_H
#define SCSI_TMF_H

#include "scsi/lu.h"

/*
 * On the loop, after done() of an aborted command, or after the command has expired. Answers the functions
 * that waited for it.
 */
void scsi_tmf_command_over(struct scsi_lu_loop *lul);
/*
 * On the loop. Marks a command as aborted that was parsed before an LU-wide function started, and is
 * submitted afterwards.
 */
void scsi_tmf_abort_stale(struct scsi_cmd *cmd);
/* Prepares the part of an LU on one loop. */
void scsi_tmf_init(struct scsi_lu_loop *lul);
/* The functions of scsi_lu.tmf_broadcast, whose owner is the LU. */
extern const struct loop_broadcast_ops scsi_tmf_broadcast_ops;
#endif
