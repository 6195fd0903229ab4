/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Negotiation (RFC 7143 6.2). The target answers the offers of the initiator. A key that the initiator does
 * not offer has its default. The target offers its own value only if the TPG does not accept the default. A
 * text (one request with its continuations) is first read as a whole, because keys depend on each other in
 * any order. Then the keys are negotiated, and the answers are written in the order of the offers.
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
	/* A part of the text, or NULL if the key was not offered or is not allowed in this phase. */
	const char *value;
	enum iscsi_answer answer;
	uint32_t result;
};

struct iscsi_offers {
	struct iscsi_offer of[ISCSI_KEY_COUNT];
};

/* The values of the target in a negotiation, by enum iscsi_key, in the form of iscsi_key_row.ours. */
struct iscsi_target_values {
	uint32_t of[ISCSI_KEY_COUNT];
};
/*
 * Sets the values of the target. tpg is struct model_login.parameters, or NULL for the values of the table,
 * which discovery sessions have.
 */
void iscsi_target_values_set(struct iscsi_target_values *values, const uint32_t *tpg);

/* Copies the session-wide values of the keys that are not in the set seen. */
void iscsi_params_inherit(struct iscsi_params *params, const struct iscsi_params *from, uint64_t seen);

/*
 * Reads a text. seen is the set of the keys in earlier texts of this negotiation, and the function adds the
 * keys of this text. Returns NULL, or the reason why the text is wrong: it is malformed, has too many keys,
 * or has a key for the second time (6.2).
 */
const char *iscsi_offers_read(struct iscsi_offers *offers, const char *text, size_t len, uint64_t *seen);
/*
 * Negotiates the keys that the table describes, and stores the results in params. values may be NULL and then
 * means the values of the table.
 */
void iscsi_offers_negotiate(struct iscsi_offers *offers, enum iscsi_phase phase, bool discovery,
			    const struct iscsi_target_values *values, struct iscsi_params *params);
/*
 * Adds offers of the target for the keys that were not seen, and whose value in params the target does not
 * accept. Returns the set of the keys that it has added.
 */
uint64_t iscsi_target_offers(const struct iscsi_target_values *values, const struct iscsi_params *params,
			     uint64_t seen, struct iscsi_text_out *out);
/*
 * Marks keys as answers to offers of the target, so that they get no answer themselves. offered is the set of
 * the offered keys.
 */
void iscsi_offers_are_answers(struct iscsi_offers *offers, uint64_t offered);
/*
 * To be called at the end of a normal negotiation. Returns a key whose value in params the target does not
 * accept, or ISCSI_KEY_UNKNOWN. If forgiving is true, the default is accepted for keys that some initiators
 * do not answer.
 */
enum iscsi_key iscsi_params_unacceptable(const struct iscsi_params *params,
					 const struct iscsi_target_values *values, bool forgiving);
/* Writes the answers. text is the text that was read. */
void iscsi_offers_answer(const struct iscsi_offers *offers, const char *text, size_t len,
			 struct iscsi_text_out *out);
#endif
