/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Negotiation (RFC 7143 6.2). The target only answers: where the initiator offers nothing, the
 * default holds. A text (one request with its continuations) is first read as a whole, because keys
 * depend on each other in any order. Then it is negotiated, and then answered in the order of the
 * offers.
 */
#ifndef ISCSI_LOGIN_NEGOTIATE_H
#define ISCSI_LOGIN_NEGOTIATE_H

#include "iscsi_login/keys.h"
#include "iscsi_login/pairs.h"
#include "iscsi_login/params.h"

enum iscsi_answer {
	ISCSI_ANSWER_NONE,
	ISCSI_ANSWER_RESULT,
	ISCSI_ANSWER_REJECT,
	ISCSI_ANSWER_IRRELEVANT,
};

struct iscsi_offer {
	/* A part of the text; NULL: not offered, or not allowed in this phase. */
	const char *value;
	enum iscsi_answer answer;
	uint32_t result;
};

struct iscsi_offers {
	struct iscsi_offer of[ISCSI_KEY_COUNT];
};

/* Copies the session-wide values of the keys that are not in the set seen. */
void iscsi_params_inherit(struct iscsi_params *params, const struct iscsi_params *from, uint64_t seen);

/*
 * Reads a text. seen: the set of keys of earlier texts of this negotiation, to which the keys of
 * this text are added. Returns NULL, or what is wrong: it is malformed, has too many keys, or a key
 * for the second time (6.2).
 */
const char *iscsi_offers_read(struct iscsi_offers *offers, const char *text, size_t len, uint64_t *seen);
/* Negotiates the keys that the table describes, and stores the results in params. */
void iscsi_offers_negotiate(struct iscsi_offers *offers, enum iscsi_phase phase, bool discovery,
			    struct iscsi_params *params);
/* Writes the answers. text: the text that was read. */
void iscsi_offers_answer(const struct iscsi_offers *offers, const char *text, size_t len,
			 struct iscsi_text_out *out);
#endif
