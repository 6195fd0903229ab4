/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of CHAP, for an initiator that an ACL with an account admits (RFC 7143 12.1.3). */
#ifndef CHAP_INITIATOR_H
#define CHAP_INITIATOR_H

#include "initiator.h"

#include "iscsi_login/binary.h"
#include "iscsi_login/chap.h"
#include "util/log.h"

#define USER          "alice"
#define SECRET        "alice's secret 1"
#define MUTUAL_USER   "disk"
#define MUTUAL_SECRET "the disk's secret"

static inline int setup_account(void **state, bool mutual)
{
	struct initiator *i = initiator_new();
	struct model_object *acl = admit_host(i);

	log_set_level(LOG_LEVEL_CRIT);
	set(i, acl, "attrib", "authentication", "1");
	set(i, acl, "auth", "userid", USER);
	set(i, acl, "auth", "password", SECRET);
	if (mutual) {
		set(i, acl, "auth", "userid_mutual", MUTUAL_USER);
		set(i, acl, "auth", "password_mutual", MUTUAL_SECRET);
	}
	*state = i;
	return 0;
}

static inline int setup_one_way(void **state)
{
	return setup_account(state, false);
}

static inline int setup_mutual(void **state)
{
	return setup_account(state, true);
}

/* The target's challenge, as it was received. */
struct challenge {
	uint32_t id;
	uint8_t bytes[CHAP_CHALLENGE_MAX];
	size_t len;
	char text[2 * 64 + 3];
};

static inline void parse_challenge(const struct initiator *i, struct challenge *c)
{
	long len;

	assert_true(iscsi_value_number(answer(i, "CHAP_I"), &c->id));
	snprintf(c->text, sizeof(c->text), "%s", answer(i, "CHAP_C"));
	len = iscsi_binary_decode(c->text, c->bytes, sizeof(c->bytes));
	assert_true(len >= 16);
	c->len = (size_t)len;
}

/* Opens a new connection, and sends login requests until the target has sent its challenge. */
static inline void log_in_to_challenge(struct initiator *i, const char *number, struct challenge *c)
{
	char pair[32];

	reconnect(i);
	assert_int_equal(send_text(i, STAY(SECURITY), NAMES "AuthMethod=CHAP,None"), ISCSI_LOGIN_MORE);
	assert_string_equal(answer(i, "AuthMethod"), "CHAP");
	snprintf(pair, sizeof(pair), "CHAP_A=%s", number);
	assert_int_equal(send_text(i, STAY(SECURITY), pair), ISCSI_LOGIN_MORE);
	assert_string_equal(answer(i, "CHAP_A"), number);
	parse_challenge(i, c);
}

static inline void make_chap_response(const char *digest, const char *secret, const struct challenge *c,
				      char *text)
{
	uint8_t response[64];
	int len = iscsi_chap_response(digest, (uint8_t)c->id, secret, c->bytes, c->len, response);

	assert_true(len > 0);
	iscsi_binary_encode(response, (size_t)len, text);
}

/* Sends the last PDU of the security stage: the name, the response, and the keys in "more". */
static inline enum iscsi_login_step send_chap_response(struct initiator *i, const char *user,
						       const char *response, const char *more)
{
	char text[8000];

	snprintf(text, sizeof(text), "CHAP_N=%s\nCHAP_R=%s\n%s", user, response, more);
	return send_text(i, GO(SECURITY, OPERATIONAL), text);
}

#define ONE_WAY(name) cmocka_unit_test_setup_teardown(name, setup_one_way, initiator_tear_down)
#define MUTUAL(name)  cmocka_unit_test_setup_teardown(name, setup_mutual, initiator_tear_down)
#endif
