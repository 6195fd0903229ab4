/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit attentions (SAM-5 5.14): a set of bits a nexus, in scsi_nexus.ua_pending. The lowest bit is reported
 * first. Raising one that is pending already does nothing, as SAM-5 allows.
 */
#ifndef SCSI_UA_H
#define SCSI_UA_H

#include "scsi/scsi.h"

enum scsi_ua {
	SCSI_UA_POWER_ON = 1 << 0,         /* 29/00 POWER ON, RESET, OR BUS DEVICE RESET OCCURRED */
	SCSI_UA_LU_RESET = 1 << 1,         /* 29/03 BUS DEVICE RESET FUNCTION OCCURRED */
	SCSI_UA_CLEARED = 1 << 2,          /* 2F/00 COMMANDS CLEARED BY ANOTHER INITIATOR */
	SCSI_UA_CAPACITY_CHANGED = 1 << 3, /* 2A/09 CAPACITY DATA HAS CHANGED */
	SCSI_UA_MODE_CHANGED = 1 << 4,     /* 2A/01 MODE PARAMETERS CHANGED */
	SCSI_UA_ACCESS_CHANGED = 1 << 5,   /* 2A/06 ASYMMETRIC ACCESS STATE CHANGED */
	SCSI_UA_INQUIRY_CHANGED = 1 << 6,  /* 3F/03 INQUIRY DATA HAS CHANGED */
	SCSI_UA_MEDIUM_CHANGED = 1 << 7,   /* 28/00 NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED */
};

/* Any thread; the nexus stays attached during the call. */
void scsi_ua_raise(struct scsi_nexus *nexus, enum scsi_ua ua);
/* Any thread, takes lu->lock. For all nexuses of the LU but one (NULL: no exception). */
void scsi_ua_raise_others(struct scsi_lu *lu, const struct scsi_nexus *except, enum scsi_ua ua);
/* The same by whoever holds lu->lock. */
void scsi_ua_raise_others_locked(struct scsi_lu *lu, const struct scsi_nexus *except, enum scsi_ua ua);
/* The nexus's loop. Clears the first pending one and returns its sense code, or SENSE_NONE. */
uint32_t scsi_ua_take(struct scsi_nexus *nexus);
/* Same, clears nothing. */
uint32_t scsi_ua_peek(const struct scsi_nexus *nexus);
#endif
