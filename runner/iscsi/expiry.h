/* SPDX-License-Identifier: Apache-2.0 */
/* The time limits of commands: scsi_lu_time_limit_ns() and dataout_timeout. */
#ifndef ISCSI_EXPIRY_H
#define ISCSI_EXPIRY_H

#include "iscsi/server.h"

void iscsi_expiry_init(struct iscsi_loop *il);
/*
 * On the loop. Counts one more, or one less, of the objects for which the timer runs: nexuses whose commands
 * have a time limit, sessions with a dataout_timeout, and sessions that have ended.
 */
void iscsi_expiry_begin(struct iscsi_loop *il);
void iscsi_expiry_end(struct iscsi_loop *il);
#endif
