/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state that the device server checks for each command of a nexus. It is one word, scsi_nexus.state,
 * which is zero on the fast path. The lower half of the word is the set of pending unit attentions (SAM-5
 * 5.14). The one with the lowest bit is reported first. Raising a unit attention that is already pending has
 * no effect, as SAM-5 allows. The upper half says what the nexus may not do. Such a bit may stay set for a
 * long time, so no command takes a lock because of it.
 */
#ifndef SCSI_NEXUS_H
#define SCSI_NEXUS_H

#include "scsi/scsi.h"

enum scsi_ua {
	SCSI_UA_POWER_ON = 1 << 0,         /* 29/00 POWER ON, RESET, OR BUS DEVICE RESET OCCURRED */
	SCSI_UA_LU_RESET = 1 << 1,         /* 29/03 BUS DEVICE RESET FUNCTION OCCURRED */
	SCSI_UA_LUNS_CHANGED = 1 << 2,     /* 3F/0E REPORTED LUNS DATA HAS CHANGED */
	SCSI_UA_MEDIUM_CHANGED = 1 << 3,   /* 28/00 NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED */
	SCSI_UA_CLEARED = 1 << 4,          /* 2F/00 COMMANDS CLEARED BY ANOTHER INITIATOR */
	SCSI_UA_CAPACITY_CHANGED = 1 << 5, /* 2A/09 CAPACITY DATA HAS CHANGED */
	SCSI_UA_MODE_CHANGED = 1 << 6,     /* 2A/01 MODE PARAMETERS CHANGED */
	SCSI_UA_ACCESS_CHANGED = 1 << 7,   /* 2A/06 ASYMMETRIC ACCESS STATE CHANGED */
	SCSI_UA_INQUIRY_CHANGED = 1 << 8,  /* 3F/03 INQUIRY DATA HAS CHANGED */
};
/* The part of scsi_nexus.state that is a set of enum scsi_ua */
#define SCSI_NEXUS_UA 0x0000ffffu
/* The initiator cannot write to the LU (scsi_nexus_set_write_protected()). */
#define SCSI_NEXUS_WRITE_PROTECTED 0x00010000u

/* Any thread. The nexus must stay attached during the call. */
void scsi_ua_raise(struct scsi_nexus *nexus, enum scsi_ua ua);
/* Any thread, takes lu->lock. Raises ua for all nexuses of the LU. */
void scsi_ua_raise_all(struct scsi_lu *lu, enum scsi_ua ua);
/* lu->lock must be held. Raises ua for all nexuses of the LU. */
void scsi_ua_raise_all_locked(struct scsi_lu *lu, enum scsi_ua ua);
/* lu->lock must be held. Raises ua for all nexuses of the LU except one. */
void scsi_ua_raise_others_locked(struct scsi_lu *lu, const struct scsi_nexus *except, enum scsi_ua ua);
/* On the nexus's loop. Clears the first pending unit attention and returns its sense code, or SENSE_NONE. */
uint32_t scsi_ua_pop(struct scsi_nexus *nexus);
/* Returns the sense code of the first pending unit attention, or SENSE_NONE, and does not clear it. */
uint32_t scsi_ua_peek(const struct scsi_nexus *nexus);
/* On the nexus's loop. Clears one unit attention without reporting it. */
void scsi_ua_clear(struct scsi_nexus *nexus, enum scsi_ua ua);
#endif
