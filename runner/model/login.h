/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of the model for logins and discovery. They may be called on any thread, and hold the lock of
 * the model for a short time. Their results are copies, or are reference-counted.
 */
#ifndef MODEL_LOGIN_H
#define MODEL_LOGIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "model/map.h"
#include "model/name.h"
#include "model/np.h"

struct model;

/*
 * The values with which a TPG negotiates the parameters of a session (RFC 7143 13), which are the attributes
 * of the group "param". The value of a list, such as HeaderDigest, is a set with one bit for each of the
 * attribute's choices.
 */
enum model_parameter {
	MODEL_P_NONE,
	MODEL_P_HEADER_DIGEST,
	MODEL_P_DATA_DIGEST,
	MODEL_P_INITIAL_R2T,
	MODEL_P_IMMEDIATE_DATA,
	/* The number of bytes that the target receives in one PDU. LIO calls it MaxXmitDataSegmentLength. */
	MODEL_P_MAX_RECV_DATA_SEGMENT,
	MODEL_P_MAX_BURST,
	MODEL_P_FIRST_BURST,
	MODEL_P_DEFAULT_TIME2WAIT,
	MODEL_P_DEFAULT_TIME2RETAIN,
	MODEL_P_MAX_OUTSTANDING_R2T,
	MODEL_PARAMETERS,
};

#define MODEL_UNSET (-1)

/* CHAP accounts (RFC 7143 12.1). If user is empty, there is no account. */
struct model_auth {
	char user[256];
	char secret[256];
	/* The name and the secret with which the target authenticates itself to the initiator. */
	char mutual_user[256];
	char mutual_secret[256];
	/* A list of further accounts of initiators (accounts.h) in memory for secrets, or NULL. */
	char *more;
};
/* Returns whether there is any account with which an initiator can authenticate itself. */
bool model_auth_is_set(const struct model_auth *auth);
/* Overwrites the accounts, and frees the list. */
void model_auth_clear(struct model_auth *auth);

enum model_verdict {
	MODEL_ADMITTED,
	/* There is no such target, or it has no TPG at this portal that is enabled or MODEL_DISABLED. */
	MODEL_NO_TARGET,
	/* The TPG is disabled; while it is enabled, it admits the initiator. */
	MODEL_DISABLED,
	/* The target exists, but does not admit this initiator. */
	MODEL_NOT_ADMITTED,
};

/* The properties of a session of this initiator with this target. */
struct model_login {
	struct sockaddr_storage peer;
	char target[MODEL_NAME_SIZE];
	char alias[256];
	uint16_t tag;
	uint16_t relative_port;
	/* Whether the initiator must authenticate itself with auth. */
	bool authenticate;
	/*
	 * Whether the initiator may also log in without authentication. If it prefers CHAP, it authenticates
	 * with auth, which is complete.
	 */
	bool may_authenticate;
	struct model_auth auth;
	/*
	 * The attribute reveal_target: an initiator that is not admitted learns that the target exists. It is
	 * also set with MODEL_NOT_ADMITTED.
	 */
	bool reveal;
	bool cold_reset;
	/* The values by enum model_parameter. */
	uint32_t parameters[MODEL_PARAMETERS];
	/* The attribute login_keys_workaround. */
	bool keys_workaround;
	/*
	 * The number of commands that the session may have outstanding (default_cmdsn_depth, or cmdsn_depth
	 * of the ACL).
	 */
	unsigned queue_depth;
	/*
	 * In seconds: the time limit of the login, the silence before a NOP-In (0 means that there is none),
	 * and the time limit for its answer. MODEL_UNSET means that the daemon's own value applies.
	 */
	int login_timeout_s, nopin_interval_s, nopin_timeout_s;
	/*
	 * The time in seconds that a command waits for its next Data-Out PDU. MODEL_UNSET means that
	 * nopin_timeout_s applies.
	 */
	int dataout_timeout_s;
	/* The view of the session, with a reference. NULL if the initiator is not admitted. */
	struct model_view *view;
};

/*
 * Decides whether initiator (in lower case), at the address peer, may log in to target (in lower case)
 * through np. The caller frees *login with model_login_free(). *login is NULL without a TPG, and if
 * there is no memory (errno is ENOMEM in this case).
 */
enum model_verdict model_login(struct model *model, const char *target, const struct model_np *np,
			       const char *initiator, const struct sockaddr_storage *peer,
			       struct model_login **login);
void model_login_free(struct model_login *login);
/*
 * To be called at the end of the login. Returns whether the same initiator would still be admitted, with this
 * view and these accounts. Otherwise an administrator has restricted the access since model_login(), and the
 * initiator must log in again.
 */
bool model_login_holds(const struct model_login *login, const char *initiator);

struct model_dynamic;
/*
 * To be called when a session of the initiator (in lower case) begins. If the view is that of initiators
 * without an ACL, the TPG remembers the initiator until the session ends, or longer (cache_dynamic_acls), and
 * *dynamic is the record for model_dynamic_end(). Otherwise *dynamic is NULL. Returns 0, -ESTALE if an ACL
 * was created for the initiator since its login began, so that it must log in again, or -ENOMEM.
 */
int model_dynamic_begin(struct model_view *view, const char *initiator, unsigned queue_depth,
			struct model_dynamic **dynamic);
/*
 * To be called when the session has ended, while the caller still holds its reference to the view. dynamic
 * may be NULL.
 */
void model_dynamic_end(struct model_dynamic *dynamic);
/*
 * Returns whether an ACL was created for the initiator. Then each of its sessions changes to
 * model_dynamic_acl_view() and calls model_dynamic_end(). dynamic may be NULL.
 */
bool model_dynamic_is_replaced(const struct model_dynamic *dynamic);
/*
 * Returns the view of the ACL, with a reference, or NULL: the ACL was deleted meanwhile, or the TPG is
 * disabled.
 */
struct model_view *model_dynamic_acl_view(const struct model_dynamic *dynamic);
/* Returns whether the view is that of an ACL whose initiator must authenticate when it logs in. */
bool model_view_demands_login(const struct model_view *view);

/*
 * Returns whether targets may be missing because the daemon is still starting. A login must then not be
 * refused with a status after which initiators give up (RFC 7143 11.13.5).
 */
bool model_is_starting(const struct model *model);
/* Returns whether discovery shows any target to the initiator. */
bool model_knows_initiator(struct model *model, const char *initiator, const struct sockaddr_storage *peer);
/*
 * Copies the accounts that discovery sessions need. The caller clears them with model_auth_clear(). Returns
 * false if discovery sessions need no account.
 */
bool model_discovery_auth(struct model *model, struct model_auth *auth);

/*
 * For discovery. Calls portal() for each portal of each TPG that discovery shows to this initiator, target by
 * target. If target (in lower case) is not NULL, does this only for this target. The lock of the model is
 * held, so portal() must not block and must not call the model. Returns false as soon as portal() returns
 * false. np is the address of the portal.
 */
bool model_discover(struct model *model, const char *initiator, const struct sockaddr_storage *peer,
		    const char *target,
		    bool (*portal)(void *arg, const char *target, uint16_t tag, const struct model_np *np,
				   const char *public_text),
		    void *arg);
/* Returns a number that changes whenever the answers of discovery may change. */
unsigned model_discovery_generation(const struct model *model);
#endif
