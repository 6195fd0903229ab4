/* SPDX-License-Identifier: Apache-2.0 */
/* Task management functions. */
#ifndef ISCSI_TMF_H
#define ISCSI_TMF_H

#include <stdbool.h>

struct iscsi_conn;

/* A Task Management Function Request has been received; dispatch.c calls this (rx.h). */
bool iscsi_tmf_pdu(struct iscsi_conn *conn);
#endif
