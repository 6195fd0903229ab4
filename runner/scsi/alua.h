/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asymmetric logical unit access (SPC-4 5.15): the target port groups of an LU. The device server reports
 * them in INQUIRY, VPD page 83h and REPORT TARGET PORT GROUPS, and passes SET TARGET PORT GROUPS to the front
 * end. It does not enforce states; the owner of the ports does this. A front end that manages groups calls
 * scsi_lu_set_alua_ops() and scsi_lu_set_alua(). Without such a front end, each I_T nexus that says which
 * port and group it uses adds them, and all groups are always active.
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

/* The states that a group can have: byte 1 of its descriptor */
enum scsi_alua_supported {
	SCSI_ALUA_AO_SUP = 0x01,
	SCSI_ALUA_AN_SUP = 0x02,
	SCSI_ALUA_S_SUP = 0x04,
	SCSI_ALUA_U_SUP = 0x08,
	SCSI_ALUA_LBD_SUP = 0x10,
	SCSI_ALUA_O_SUP = 0x40,
	SCSI_ALUA_T_SUP = 0x80,
};

/* STATUS CODE: why a group has its state */
enum scsi_alua_status { SCSI_ALUA_NO_STATUS, SCSI_ALUA_BY_COMMAND, SCSI_ALUA_BY_TARGET };

/* TPGS of standard INQUIRY data: how states can change */
enum scsi_tpgs {
	SCSI_TPGS_NONE = 0,
	/* The target changes states. */
	SCSI_TPGS_IMPLICIT = 1,
	/* Initiators change states with SET TARGET PORT GROUPS. */
	SCSI_TPGS_EXPLICIT = 2,
	SCSI_TPGS_ANY = 3,
};

/* Groups are compared as bytes: the struct has no padding, and unused fields are zero. */
struct scsi_alua_group {
	uint16_t id;
	uint8_t state;              /* enum scsi_alua_state */
	uint8_t supported;          /* enum scsi_alua_supported */
	uint8_t status;             /* enum scsi_alua_status */
	uint8_t tpgs;               /* enum scsi_tpgs */
	uint8_t preferred;          /* 0 or 1 */
	uint8_t transition_seconds; /* IMPLICIT TRANSITION TIME; 0 means unknown */
};

struct scsi_alua_port {
	/* Relative target port identifier; 0 is a reserved value and means unknown */
	uint16_t id;
	/* Index in groups */
	uint8_t group;
	/* 0 or 1: whether commands may arrive through the port */
	uint8_t enabled;
};

struct scsi_alua {
	uint16_t ngroups, nports;
	struct scsi_alua_group groups[SCSI_ALUA_GROUPS_MAX];
	struct scsi_alua_port ports[SCSI_ALUA_PORTS_MAX];
};

/* The functions of a front end that manages the groups of an LU. Both functions must be set. */
struct scsi_alua_ops {
	/*
	 * Is called on a command's loop when the LU reports its groups to an initiator. Must return at once.
	 */
	void (*reported)(void *arg);
	/*
	 * Is called on a pool thread and may block; a command of the LU is in flight meanwhile. Changes a
	 * group whose tpgs has SCSI_TPGS_EXPLICIT to a state that it supports. Returns 0 or -errno.
	 */
	int (*set_state)(void *arg, uint16_t group, enum scsi_alua_state state);
};

/* To be called before the first command. */
void scsi_lu_set_alua_ops(struct scsi_lu *lu, const struct scsi_alua_ops *ops, void *arg);
/*
 * Any thread. Copies the current groups. After the first call, unit attentions announce changes:
 * ASYMMETRIC ACCESS STATE CHANGED, and INQUIRY DATA HAS CHANGED if that data changes.
 */
void scsi_lu_set_alua(struct scsi_lu *lu, const struct scsi_alua *alua);

/* --- inside the device server ---------------------------------------------------------------- */

/*
 * lu->lock must be held. To be called for a nexus that uses this port and this group. Adds both, always
 * active and with implicit TPGS, unless the front end manages the groups.
 */
void scsi_alua_add_port_locked(struct scsi_lu *lu, uint16_t port, uint16_t group);
/* Any thread; costs one atomic load. Returns the set of enum scsi_tpgs for all groups together. */
uint8_t scsi_alua_tpgs(const struct scsi_lu *lu);

/* What is known about the port of a command, which does not say through which port it arrived */
struct scsi_alua_here {
	/* There is only one possible port, or only one possible group. */
	bool one_port, one_group;
	uint16_t port, group;
};
/* Takes lu->lock. */
struct scsi_alua_here scsi_alua_here(struct scsi_lu *lu);
/*
 * On a command's loop, for an LU with or without groups. To be called when groups are reported to an
 * initiator.
 */
void scsi_alua_notify_reported(struct scsi_lu *lu);
/* Any thread, takes lu->lock. To be called when an initiator has changed the state of a group. */
void scsi_alua_state_changed(struct scsi_lu *lu, uint16_t group, enum scsi_alua_state state);
#endif
