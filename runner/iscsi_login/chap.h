/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target's side of CHAP (RFC 7143 12.1.3, RFC 1994). A struct iscsi_chap has one challenge, which is used
 * only once.
 */
#ifndef ISCSI_LOGIN_CHAP_H
#define ISCSI_LOGIN_CHAP_H

#include "iscsi_login/negotiate.h"
#include "model/login.h"

#define CHAP_CHALLENGE_LEN 16
#define CHAP_CHALLENGE_MAX 1024 /* The limit for the challenge of an initiator (RFC 7143 12.1.3). */

enum chap_state { CHAP_WANT_ALGORITHM, CHAP_WANT_RESPONSE, CHAP_PASSED, CHAP_FAILED };

struct iscsi_chap {
	/* The account with which the initiator must authenticate itself. The owner of the login owns it. */
	const struct model_auth *account;
	enum chap_state state;
	/* The name of the chosen algorithm in libcrypto. */
	const char *digest;
	uint8_t id;
	uint8_t challenge[CHAP_CHALLENGE_LEN];
};

void iscsi_chap_init(struct iscsi_chap *chap, const struct model_auth *account);
/* Returns whether the text contains a CHAP key. */
bool iscsi_chap_offered(const struct iscsi_offers *offers);
/*
 * Handles the CHAP keys of one text and adds the answers to out. Returns NULL, or the reason why
 * authentication failed; in this case the state stays CHAP_FAILED. A text without CHAP keys has no effect.
 */
const char *iscsi_chap_step(struct iscsi_chap *chap, const struct iscsi_offers *offers,
			    struct iscsi_text_out *out);

/*
 * Computes the digest of id, secret and challenge (RFC 1994 4.1). Returns its length, or -1 if the digest is
 * not available.
 */
int iscsi_chap_response(const char *digest, uint8_t id, const char *secret, const uint8_t *challenge,
			size_t challenge_len, uint8_t response[64]);
#endif
