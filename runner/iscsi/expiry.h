/* SPDX-License-Identifier: Apache-2.0 */
/* The time limits of commands (scsi_lu_time_limit_ns(), dataout_timeout). */
#ifndef ISCSI_EXPIRY_H
#define ISCSI_EXPIRY_H

#include "iscsi/server.h"

void iscsi_expiry_init(struct iscsi_loop *il);
/*
 * On the loop: one more nexus whose commands have a time limit, session with a dataout_timeout, or session
 * that has ended; or one less.
 */
void iscsi_expiry_begin(struct iscsi_loop *il);
void iscsi_expiry_end(struct iscsi_loop *il);
#endif
