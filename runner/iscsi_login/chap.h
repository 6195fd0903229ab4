/* SPDX-License-Identifier: Apache-2.0 */
/* CHAP, the target's side (RFC 7143 12.1.3, RFC 1994): one object for one challenge, which is
 * used once. */
#ifndef ISCSI_LOGIN_CHAP_H
#define ISCSI_LOGIN_CHAP_H

#include "iscsi_login/negotiate.h"
#include "model/login.h"

#define CHAP_CHALLENGE_LEN 16
#define CHAP_CHALLENGE_MAX 1024 /* an initiator's, 12.1.3 */

enum chap_state { CHAP_WANT_ALGORITHM, CHAP_WANT_RESPONSE, CHAP_PASSED, CHAP_FAILED };

struct iscsi_chap {
	/* The owner of the login keeps it. */
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
 * Handles the CHAP keys of one text and adds the answers to out. Returns NULL, or why
 * authentication failed; the state then stays CHAP_FAILED. A text without CHAP keys changes
 * nothing.
 */
const char *iscsi_chap_step(struct iscsi_chap *chap, const struct iscsi_offers *offers,
			    struct iscsi_text_out *out);

/* The digest of id, secret and challenge (RFC 1994 4.1). Returns its length, or -1: the digest
 * is not available. */
int iscsi_chap_response(const char *digest, uint8_t id, const char *secret, const uint8_t *challenge,
			size_t challenge_len, uint8_t response[64]);
#endif
