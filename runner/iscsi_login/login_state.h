/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A login in progress. login.c (PDUs and stages), login_identity.c (names) and login_demands.c share this
 * structure.
 */
#ifndef ISCSI_LOGIN_LOGIN_STATE_H
#define ISCSI_LOGIN_LOGIN_STATE_H

#include "iscsi_login/chap.h"
#include "iscsi_login/login.h"
#include "iscsi_login/negotiate.h"
#include "iscsi_login/pdu.h"
#include "iscsi_login/text.h"

/* RFC 7143 11.12.3 */
enum iscsi_stage { ISCSI_STAGE_SECURITY = 0, ISCSI_STAGE_OPERATIONAL = 1, ISCSI_STAGE_FULL_FEATURE = 3 };

struct iscsi_login {
	struct model *model;
	const struct model_np *np;
	struct sockaddr_storage peer;
	char peer_text[80];
	unsigned requests;
	enum iscsi_stage stage;
	bool identified;
	/* Whether the target's MaxRecvDataSegmentLength was sent. */
	bool declared;
	bool chap_agreed;
	/* The same as result.target. The login frees it. */
	struct model_login *target;
	/* The account of discovery sessions, in memory for secrets, or NULL in a normal session. */
	struct model_auth *discovery_account;
	/*
	 * The account with which the initiator must authenticate itself, or NULL if no authentication is
	 * needed. It is a part of target or discovery_account.
	 */
	const struct model_auth *account;
	struct iscsi_chap chap;
	/* The set of the keys that the initiator has sent. */
	uint64_t seen;
	/* The values that the target accepts in the negotiation. */
	struct iscsi_target_values values;
	/* The set of the keys that the target has offered. */
	uint64_t offered;
	/*
	 * Whether the last answer contains an offer of the target, so that the login cannot end before the
	 * next request.
	 */
	bool awaits_answer;
	struct iscsi_login_result result;
	size_t in_len, out_len, out_sent;
	/* The part of the request's text that was received so far. */
	char in[ISCSI_TEXT_MAX];
	/* The answer to the text. */
	char out[ISCSI_TEXT_MAX];
};

/* Writes the reason to the log, and returns status. */
enum iscsi_login_status iscsi_login_refusal(const struct iscsi_login *login, enum iscsi_login_status status,
					    const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Finds out from the first text which initiator wants to log in and to which target, and checks whether this
 * is allowed. Fills result and account.
 */
enum iscsi_login_status iscsi_login_identify(struct iscsi_login *login, const struct iscsi_offers *offers);
/*
 * Checks the names in later texts. Some initiators repeat their names in each stage, and must not change
 * them.
 */
enum iscsi_login_status iscsi_login_identify_again(const struct iscsi_login *login,
						   const struct iscsi_offers *offers);

/*
 * To be called when the initiator has nothing more to offer. Adds offers of the target for keys whose default
 * it does not accept, once for each key. If there are any, the login waits for the answer.
 */
void iscsi_login_add_offers(struct iscsi_login *login, struct iscsi_text_out *out);
/*
 * To be called before the full feature phase begins. Refuses the login if the TPG does not accept a value
 * that is in effect.
 */
enum iscsi_login_status iscsi_login_check_result(struct iscsi_login *login);
#endif
