/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text keys of login and full feature phase: one table with one row for each key (RFC 7143 12,
 * 13). A session has one connection, so session-wide and connection-wide keys differ only where a
 * login replaces this connection (iscsi_params_inherit() in negotiate.h).
 */
#ifndef ISCSI_LOGIN_KEYS_H
#define ISCSI_LOGIN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/login.h"

enum iscsi_key {
	ISCSI_KEY_SESSION_TYPE,
	ISCSI_KEY_INITIATOR_NAME,
	ISCSI_KEY_INITIATOR_ALIAS,
	ISCSI_KEY_TARGET_NAME,
	ISCSI_KEY_TARGET_ALIAS,
	ISCSI_KEY_TARGET_ADDRESS,
	ISCSI_KEY_TARGET_PORTAL_GROUP_TAG,
	ISCSI_KEY_SEND_TARGETS,
	ISCSI_KEY_AUTH_METHOD,
	ISCSI_KEY_CHAP_A,
	ISCSI_KEY_CHAP_I,
	ISCSI_KEY_CHAP_C,
	ISCSI_KEY_CHAP_N,
	ISCSI_KEY_CHAP_R,
	ISCSI_KEY_HEADER_DIGEST,
	ISCSI_KEY_DATA_DIGEST,
	ISCSI_KEY_MAX_CONNECTIONS,
	ISCSI_KEY_INITIAL_R2T,
	ISCSI_KEY_IMMEDIATE_DATA,
	ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH,
	ISCSI_KEY_MAX_BURST_LENGTH,
	ISCSI_KEY_FIRST_BURST_LENGTH,
	ISCSI_KEY_DEFAULT_TIME2WAIT,
	ISCSI_KEY_DEFAULT_TIME2RETAIN,
	ISCSI_KEY_MAX_OUTSTANDING_R2T,
	ISCSI_KEY_DATA_PDU_IN_ORDER,
	ISCSI_KEY_DATA_SEQUENCE_IN_ORDER,
	ISCSI_KEY_ERROR_RECOVERY_LEVEL,
	ISCSI_KEY_PROTOCOL_LEVEL,
	ISCSI_KEY_TASK_REPORTING,
	ISCSI_KEY_IF_MARKER,
	ISCSI_KEY_OF_MARKER,
	ISCSI_KEY_IF_MARK_INT,
	ISCSI_KEY_OF_MARK_INT,
	ISCSI_KEY_COUNT,
	ISCSI_KEY_UNKNOWN = ISCSI_KEY_COUNT,
};

/* How a key is negotiated (6.2). */
enum iscsi_key_type {
	/* A text that login_identity.c, chap.c or text.c reads. */
	ISCSI_KEY_TEXT,
	/* A number that the initiator declares. It gets no answer. */
	ISCSI_KEY_DECLARED,
	/* A boolean. The result is Yes if both sides have Yes. */
	ISCSI_KEY_AND,
	/* A boolean. The result is Yes if one of both sides has Yes. */
	ISCSI_KEY_OR,
	/* A number. The result is the smaller one of the values of both sides. */
	ISCSI_KEY_MIN,
	/* A number. The result is the larger one of the values of both sides. */
	ISCSI_KEY_MAX,
	/*
	 * The result is the first value of the offered list that is one of the choices. It is stored as its
	 * index, 0 or 1.
	 */
	ISCSI_KEY_LIST,
	/* An obsolete key. The answer is always choices[0]. */
	ISCSI_KEY_FIXED,
};

/* A set of the phases in which an initiator may send a key. In other phases the answer is Reject. */
enum iscsi_phase {
	ISCSI_PHASE_SECURITY = 1,
	ISCSI_PHASE_OPERATIONAL = 2,
	ISCSI_PHASE_LOGIN = ISCSI_PHASE_SECURITY | ISCSI_PHASE_OPERATIONAL,
	ISCSI_PHASE_FULL_FEATURE = 4,
	ISCSI_PHASE_NEGOTIATION = ISCSI_PHASE_OPERATIONAL | ISCSI_PHASE_FULL_FEATURE,
	ISCSI_PHASE_ANY = ISCSI_PHASE_LOGIN | ISCSI_PHASE_FULL_FEATURE,
	/* Only a target sends the key. */
	ISCSI_PHASE_NEVER = 0,
};

struct iscsi_key_row {
	const char *name;
	size_t name_len;
	enum iscsi_key_type type;
	enum iscsi_phase phase;
	/* Whether the answer is Irrelevant in a discovery session. */
	bool not_in_discovery;
	/* Whether the key may be sent again in a later request of the same login. */
	bool may_repeat;
	/* The largest length of a value in bytes. 0 means 255 (6.1). */
	uint16_t value_max;
	/*
	 * The offset in struct iscsi_params of a bool, for booleans and lists, or of a uint32_t, for all
	 * other types.
	 */
	size_t field;
	/* The value before negotiation. */
	uint32_t initial;
	/*
	 * The value of the target in the negotiation, unless its TPG has another one. For lists, this is the
	 * set of the choices that the target accepts, with one bit for each.
	 */
	uint32_t ours;
	/* The parameter of the TPG that replaces this value, or MODEL_P_NONE if there is none. */
	enum model_parameter parameter;
	/*
	 * Whether the target offers its own value if the initiator has not offered the key and the target
	 * does not accept the default.
	 */
	bool target_offers;
	/* For login_keys_workaround: some initiators do not answer such an offer, but continue the login. */
	bool may_stay_unanswered;
	/* The range of legal values. */
	uint32_t min, max;
	/* The legal values of a list. The last element is NULL. */
	const char *const *choices;
};

extern const struct iscsi_key_row iscsi_keys[ISCSI_KEY_COUNT];

/* Finds a key by its exact name; keys are case-sensitive (6.1). */
enum iscsi_key iscsi_key_find(const char *name, size_t len);
#endif
