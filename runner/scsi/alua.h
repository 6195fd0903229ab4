/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asymmetric logical unit access (SPC-4 5.15): the target port groups of an LU. The device server
 * reports them in INQUIRY, VPD page 83h and REPORT TARGET PORT GROUPS, and passes SET TARGET PORT
 * GROUPS to the front end. It does not enforce states: the owner of the ports does.
 *
 * A front end that manages groups calls scsi_lu_set_alua_ops() and scsi_lu_set_alua(). Otherwise
 * each I_T nexus that says which port and group it uses adds them, and all groups are always
 * active.
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

/* TPGS of standard INQUIRY data: the kind of access that changes states */
enum scsi_tpgs {
	SCSI_TPGS_NONE = 0,
	/* The target changes states. */
	SCSI_TPGS_IMPLICIT = 1,
	/* Initiators change states with SET TARGET PORT GROUPS. */
	SCSI_TPGS_EXPLICIT = 2,
	SCSI_TPGS_ANY = 3,
};

/* Compared as bytes: there is no padding, and unused fields are zero. */
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
	/* Relative target port identifier; 0, a reserved value: not known */
	uint16_t id;
	/* Index in groups */
	uint8_t group;
	/* 0 or 1: commands may come through the port */
	uint8_t enabled;
};

struct scsi_alua {
	uint16_t ngroups, nports;
	struct scsi_alua_group groups[SCSI_ALUA_GROUPS_MAX];
	struct scsi_alua_port ports[SCSI_ALUA_PORTS_MAX];
};

/* What the front end does for the LU. Both functions are set. */
struct scsi_alua_ops {
	/*
	 * On a command's loop: the LU reports its groups to an initiator. The function returns at
	 * once.
	 */
	void (*reported)(void *arg);
	/*
	 * On a pool thread, may block; a command of the LU is in flight meanwhile. Changes a group whose tpgs
	 * has SCSI_TPGS_EXPLICIT to a state that it supports. Returns 0 or -errno.
	 */
	int (*set_state)(void *arg, uint16_t group, enum scsi_alua_state state);
};

/* Before the first command. */
void scsi_lu_set_alua_ops(struct scsi_lu *lu, const struct scsi_alua_ops *ops, void *arg);
/*
 * Any thread. Copies the current groups. After the first call, unit attentions announce changes:
 * ASYMMETRIC ACCESS STATE CHANGED, and INQUIRY DATA HAS CHANGED if that data changes.
 */
void scsi_lu_set_alua(struct scsi_lu *lu, const struct scsi_alua *alua);

/* --- inside the device server ---------------------------------------------------------------- */

/*
 * lu->lock held. A nexus uses this port, which is in this group. Adds both, always active and with
 * implicit TPGS, unless the front end manages the groups.
 */
void scsi_alua_add_port_locked(struct scsi_lu *lu, uint16_t port, uint16_t group);
/* Any thread, one atomic load: enum scsi_tpgs, of all groups together. */
uint8_t scsi_alua_tpgs(const struct scsi_lu *lu);

/* What is known about the port of a command that does not say through which port it came */
struct scsi_alua_here {
	/* There is only one possible port, or only one possible group. */
	bool one_port, one_group;
	uint16_t port, group;
};
/* Takes lu->lock. */
struct scsi_alua_here scsi_alua_here(struct scsi_lu *lu);
/* On a command's loop, for an LU with or without groups: groups are reported to an initiator. */
void scsi_alua_notify_reported(struct scsi_lu *lu);
/* Any thread, takes lu->lock: an initiator has changed the state of a group. */
void scsi_alua_state_changed(struct scsi_lu *lu, uint16_t group, enum scsi_alua_state state);
#endif
