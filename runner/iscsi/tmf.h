/* SPDX-License-Identifier: Apache-2.0 */
/* Task management functions. */
#ifndef ISCSI_TMF_H
#define ISCSI_TMF_H

#include "scsi/scsi.h"

struct iscsi_conn;
struct iscsi_task;

/* A task management function on its way through one LUN after the other (tmf.c). */
struct iscsi_tmf {
	struct scsi_tmf scsi;
	struct iscsi_conn *conn;
	enum scsi_tmf_function function;
	/* ABORT TASK. */
	struct iscsi_task *task;
	/* The next one to do, and where to stop. */
	unsigned lun, end;
	/* Scsi is submitted. */
	bool started;
	/* LUNs without a command of ours are left alone. */
	bool busy_only;
	/* TARGET COLD RESET. */
	bool cold;
	uint8_t itt[4];
	void (*over)(struct iscsi_tmf *tmf);
};

/* The framing's function (rx.h). */
bool iscsi_tmf_pdu(struct iscsi_conn *conn);
/* Runs function on LUNs [tmf->lun, tmf->end), then tmf->over(). */
void iscsi_tmf_run(struct iscsi_tmf *tmf);
#endif
