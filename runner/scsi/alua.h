/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asymmetric logical unit access (SPC-4 5.15): the target port groups of a LU as its front end knows them. The device
 * server tells them, in INQUIRY, VPD 83 and REPORT TARGET PORT GROUPS, and passes SET TARGET PORT GROUPS on; it enforces
 * no state, which is the business of whoever owns the ports. A LU without groups knows nothing of all this.
 */
#ifndef SCSI_ALUA_H
#define SCSI_ALUA_H

#include "scsi/scsi.h"

#define SCSI_ALUA_GROUPS_MAX 64
#define SCSI_ALUA_PORTS_MAX  255 /* TARGET PORT COUNT has 8 bits */

/* ASYMMETRIC ACCESS STATE, SPC-4 6.37 */
enum scsi_alua_state {
	SCSI_ALUA_OPTIMIZED = 0x0,
	SCSI_ALUA_NON_OPTIMIZED = 0x1,
	SCSI_ALUA_STANDBY = 0x2,
	SCSI_ALUA_UNAVAILABLE = 0x3,
	SCSI_ALUA_LBA_DEPENDENT = 0x4,
	SCSI_ALUA_OFFLINE = 0xe,
	SCSI_ALUA_TRANSITIONING = 0xf,
};

/* Which of them a group can be in: byte 1 of its descriptor. */
enum scsi_alua_supported {
	SCSI_ALUA_AO_SUP = 0x01,
	SCSI_ALUA_AN_SUP = 0x02,
	SCSI_ALUA_S_SUP = 0x04,
	SCSI_ALUA_U_SUP = 0x08,
	SCSI_ALUA_LBD_SUP = 0x10,
	SCSI_ALUA_O_SUP = 0x40,
	SCSI_ALUA_T_SUP = 0x80,
};

/* STATUS CODE: why a group is in its state. */
enum scsi_alua_status { SCSI_ALUA_NO_STATUS, SCSI_ALUA_BY_COMMAND, SCSI_ALUA_BY_TARGET };

/* TPGS of standard INQUIRY data: who changes states. */
enum scsi_tpgs {
	SCSI_TPGS_NONE = 0,
	SCSI_TPGS_IMPLICIT = 1, /* the target */
	SCSI_TPGS_EXPLICIT = 2, /* initiators, by SET TARGET PORT GROUPS */
	SCSI_TPGS_ANY = 3,
};

/* Compared as bytes: no padding, and what is not used is zero. */
struct scsi_alua_group {
	uint16_t id;
	uint8_t state;              /* enum scsi_alua_state */
	uint8_t supported;          /* enum scsi_alua_supported */
	uint8_t status;             /* enum scsi_alua_status */
	uint8_t tpgs;               /* enum scsi_tpgs */
	uint8_t preferred;          /* 0 or 1 */
	uint8_t transition_seconds; /* IMPLICIT TRANSITION TIME; 0: not known */
};

struct scsi_alua_port {
	uint16_t id;     /* relative target port identifier; 0, which is reserved: none that is known */
	uint8_t group;   /* index in groups */
	uint8_t enabled; /* 0 or 1: commands may come through it */
};

struct scsi_alua {
	uint16_t ngroups, nports;
	struct scsi_alua_group groups[SCSI_ALUA_GROUPS_MAX];
	struct scsi_alua_port ports[SCSI_ALUA_PORTS_MAX];
};

/* What the front end does for the LU. Both set or neither: a LU whose groups nobody can look after has none. */
struct scsi_alua_ops {
	/* On a command's loop: an initiator is being told what scsi_lu_set_alua() said. Returns at once. */
	void (*told)(void *arg);
	/* On a pool thread, may block; a command of the LU is in flight meanwhile. Brings a group whose tpgs has
	 * SCSI_TPGS_EXPLICIT to a state that it supports. 0 or -errno. */
	int (*set_state)(void *arg, uint16_t group, enum scsi_alua_state state);
};

/* Before the first command. */
void scsi_lu_set_alua_ops(struct scsi_lu *lu, const struct scsi_alua_ops *ops, void *arg);
/*
 * Any thread. The groups as they are now, copied. After the first call, changes are announced by unit attentions:
 * ASYMMETRIC ACCESS STATE CHANGED, and INQUIRY DATA HAS CHANGED where that tells of it.
 */
void scsi_lu_set_alua(struct scsi_lu *lu, const struct scsi_alua *alua);

/* --- the device server's own --------------------------------------------------------------------------- */

/* Any thread, one atomic load: enum scsi_tpgs, of all groups together. */
uint8_t scsi_alua_tpgs(const struct scsi_lu *lu);

/* What can be said of the port through which any command comes. */
struct scsi_alua_here {
	bool one_port, one_group; /* there is only one that it can be */
	uint16_t port, group;
};
/* Takes lu->lock. */
struct scsi_alua_here scsi_alua_here(struct scsi_lu *lu);
/* On a command's loop, for a LU with or without groups. */
void scsi_alua_told(struct scsi_lu *lu);
/* Any thread, takes lu->lock: initiators have changed a group's state. */
void scsi_alua_note(struct scsi_lu *lu, uint16_t group, enum scsi_alua_state state);
#endif
