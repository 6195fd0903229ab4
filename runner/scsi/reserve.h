/* SPDX-License-Identifier: Apache-2.0 */
/* Reservations of the RESERVE and RELEASE kind (SPC-2 5.5.1): one nexus reserves the whole LU. */
#ifndef SCSI_RESERVE_H
#define SCSI_RESERVE_H

#include "scsi/lu.h"

/* On the command's loop. Returns true if the reservation of another nexus forbids the command. */
bool scsi_reserve_conflicts(const struct scsi_cmd *cmd);
/* Any thread; lu->lock must be held. Ends the reservation of any nexus. */
void scsi_reserve_clear_locked(struct scsi_lu *lu);
#endif
