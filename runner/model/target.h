/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target model for LUNs behind the daemon's own portal, in LIO's words: targets with one TPG each, LUNs, node
 * ACLs, portals, credentials. Changed by control on the main thread, read by loops; everything readers get stays
 * valid until they give it back.
 */
#ifndef MODEL_TARGET_H
#define MODEL_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "model/lun.h"
#include "model/name.h"
#include "util/error.h"

struct scsi_lu;
struct target_model; /* holds one lock, taken at login and discovery, never on the data path */

#define TARGET_MAX_LUNS 256

/* CHAP account (RFC 7143 12.1). Empty user: not set. */
struct target_auth {
	char user[256];
	char secret[256];
	char mutual_user[256]; /* the target's own name and secret towards the initiator */
	char mutual_secret[256];
};

struct target_acl {
	char initiator[MODEL_NAME_MAX + 1];
	struct target_auth auth;
	struct target_acl *next;
};

struct target_portal {
	struct sockaddr_storage addr;
	socklen_t addr_len;
	char text[64]; /* "127.0.0.1:3260", "[::1]:3260" */
	/* The address that discovery advertises instead of addr, in the form of TargetAddress without the tag (RFC 7143
	 * 13.8): behind NAT or a container's port mapping. Empty: addr itself, or the connection's own address if addr
	 * is a wildcard. */
	char public_text[280];
	uint16_t tpg_tag;
	struct target_portal *next;
};

struct target {
	char name[MODEL_NAME_MAX + 1];
	char alias[256];
	uint16_t tpg_tag;       /* 1 */
	uint16_t relative_port; /* unique in the model, 1 … */
	bool allow_any;         /* LIO: generate_node_acls */
	/* Attributes. cold_reset: an initiator may end the sessions of all initiators by TARGET COLD RESET (RFC 7143
	 * 11.5.1). reveal: a login without an ACL learns that the target exists (status 0202h instead of the status for a
	 * target that does not exist). */
	bool cold_reset, reveal;
	struct target_acl *acls;
	struct target_auth auth; /* for initiators without one of their own */
	struct scsi_lu *luns[TARGET_MAX_LUNS];
	struct target_model *model;
	struct target *next; /* read with target_next() */
};

struct target_model *target_model_new(void);
/* No session refers to it any more. */
void target_model_free(struct target_model *model);

/* Main thread, before portals open. NULL or -errno with error set: name taken or no valid iqn./eui./naa. name. */
struct target *target_add(struct target_model *model, const char *name, struct error *error);
int target_add_acl(struct target *target, const char *initiator, const struct target_auth *auth,
		   struct error *error);
int target_set_lun(struct target *target, unsigned lun, struct scsi_lu *lu, struct error *error);
int target_add_portal(struct target_model *model, const char *text,
		      struct error *error); /* "ADDR:PORT", "[V6]:PORT" */
/* Any thread. Changes whenever discovery might show something else than before. */
unsigned target_model_generation(const struct target_model *model);
const struct target_portal *target_portals(const struct target_model *model);
/* Main thread, before initiators can connect: the kernel has chosen the port of a portal with port 0. */
void target_portal_set_bound(struct target_model *model, const struct target_portal *portal,
			     const struct sockaddr_storage *addr);
void target_set_discovery_auth(struct target_model *model, const struct target_auth *auth);
/* NULL: discovery asks for no authentication. */
const struct target_auth *target_discovery_auth(const struct target_model *model);

/* Any thread; target_find() takes a name in lower case. NULL: no such target, or no more. */
struct target *target_find(struct target_model *model, const char *name);
struct target *target_first(struct target_model *model);
struct target *target_next(const struct target *target);
/* May this initiator log in, and with which account? false: refused. *auth is NULL when no authentication is asked. */
bool target_admits(const struct target *target, const char *initiator, const struct target_auth **auth);
#endif
