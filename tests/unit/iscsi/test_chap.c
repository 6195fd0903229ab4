/* SPDX-License-Identifier: Apache-2.0 */
/* CHAP in the login phase, and attempts to cheat, RFC 7143 9.2.1 and 12.1.3. */
#include "initiator.h"

#include "iscsi_login/binary.h"
#include "iscsi_login/chap.h"
#include "util/log.h"

#define USER          "alice"
#define SECRET        "alice's secret 1"
#define MUTUAL_USER   "disk"
#define MUTUAL_SECRET "the disk's secret"

static const struct {
	const char *number, *digest;
	size_t len;
} algorithms[] = {{"5", "MD5", 16}, {"6", "SHA1", 20}, {"7", "SHA256", 32}, {"8", "SHA3-256", 32}};

static int setup_account(void **state, bool mutual)
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

static int setup_one_way(void **state)
{
	return setup_account(state, false);
}

static int setup_mutual(void **state)
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

static void parse_challenge(const struct initiator *i, struct challenge *c)
{
	long len;

	assert_true(iscsi_value_number(answer(i, "CHAP_I"), &c->id));
	snprintf(c->text, sizeof(c->text), "%s", answer(i, "CHAP_C"));
	len = iscsi_binary_decode(c->text, c->bytes, sizeof(c->bytes));
	assert_true(len >= 16);
	c->len = (size_t)len;
}

/* Opens a new connection, and logs in until the challenge. */
static void to_challenge(struct initiator *i, const char *number, struct challenge *c)
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

static void respond_with(const char *digest, const char *secret, const struct challenge *c, char *text)
{
	uint8_t response[64];
	int len = iscsi_chap_response(digest, (uint8_t)c->id, secret, c->bytes, c->len, response);

	assert_true(len > 0);
	iscsi_binary_encode(response, (size_t)len, text);
}

/* Sends the name, the response and more: the last step of the security stage. */
static enum iscsi_login_step prove(struct initiator *i, const char *user, const char *response,
				   const char *more)
{
	char text[8000];

	snprintf(text, sizeof(text), "CHAP_N=%s\nCHAP_R=%s\n%s", user, response, more);
	return send_text(i, GO(SECURITY, OPERATIONAL), text);
}

/*
 * RFC 1994 4.1; the answers were computed with another program: ID 2ah, secret "open sesame 1234", challenge
 * 00h to 0fh.
 */
static void known_answers(void **state)
{
	static const char *const want[] = {
	    "0xe678dd71887ca8404fac7fc7c9da82da",
	    "0x07435b2c9092c6e9fc6941675c8fd3d0545dd603",
	    "0x4a1a18ba3cf1a773914db7fbde791c015d5f61300d17e2e3320b03a0466fe2fb",
	    "0x4ca39a305e63ee5276c1960b4718001269c4abf3b208df01cc1c07e5bdedf6b6",
	};
	struct challenge c = {.id = 0x2a, .len = 16};
	char text[2 * 64 + 3];

	(void)state;
	for (uint8_t b = 0; b < 16; b++)
		c.bytes[b] = b;
	for (size_t a = 0; a < ARRAY_SIZE(algorithms); a++) {
		respond_with(algorithms[a].digest, "open sesame 1234", &c, text);
		assert_string_equal(text, want[a]);
	}
	assert_int_equal(iscsi_chap_response("NoSuchDigest", 0, "", c.bytes, 16, (uint8_t[64]){0}), -1);
}

static void one_way(void **state)
{
	struct initiator *i = *state;
	struct challenge c;
	char response[2 * 64 + 3];

	for (size_t a = 0; a < ARRAY_SIZE(algorithms); a++) {
		to_challenge(i, algorithms[a].number, &c);
		respond_with(algorithms[a].digest, SECRET, &c, response);
		assert_int_equal(prove(i, USER, response, ""), ISCSI_LOGIN_MORE);
		assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
		assert_null(answer(i, "CHAP_R"));
		assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), ""), ISCSI_LOGIN_COMPLETE);
	}
}

static void base64_response(void **state)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct initiator *i = *state;
	struct challenge c;
	uint8_t r[64] = {0};
	char text[64] = "0b";

	to_challenge(i, "5", &c);
	assert_int_equal(iscsi_chap_response("MD5", (uint8_t)c.id, SECRET, c.bytes, c.len, r), 16);
	/* 128 bits are 22 digits, and the last digit has four zero bits */
	for (unsigned n = 0; n < 22; n++) {
		unsigned bit = 6 * n, word = (unsigned)r[bit / 8] << 8 | r[bit / 8 + 1];

		text[2 + n] = digits[word >> (10 - bit % 8) & 63];
	}
	strcpy(text + 24, "==");
	assert_int_equal(prove(i, USER, text, ""), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
}

static void straight_to_full_feature(void **state)
{
	struct initiator *i = *state;
	struct challenge c;
	char response[2 * 64 + 3], text[300];

	to_challenge(i, "7", &c);
	respond_with("SHA256", SECRET, &c, response);
	snprintf(text, sizeof(text), "CHAP_N=%s\nCHAP_R=%s", USER, response);
	assert_int_equal(send_text(i, GO(SECURITY, FULL), text), ISCSI_LOGIN_COMPLETE);
}

static void mutual(void **state)
{
	struct initiator *i = *state;
	struct challenge c, ours = {.id = 77, .len = 20};
	char response[2 * 64 + 3], more[300], want[2 * 64 + 3];

	memset(ours.bytes, 0x5a, ours.len);
	iscsi_binary_encode(ours.bytes, ours.len, ours.text);
	snprintf(more, sizeof(more), "CHAP_I=%u\nCHAP_C=%s", ours.id, ours.text);
	for (size_t a = 0; a < ARRAY_SIZE(algorithms); a++) {
		to_challenge(i, algorithms[a].number, &c);
		respond_with(algorithms[a].digest, SECRET, &c, response);
		assert_int_equal(prove(i, USER, response, more), ISCSI_LOGIN_MORE);
		assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
		assert_string_equal(answer(i, "CHAP_N"), MUTUAL_USER);
		respond_with(algorithms[a].digest, MUTUAL_SECRET, &ours, want);
		assert_string_equal(answer(i, "CHAP_R"), want);
	}
	/* the initiator decides whether the target proves itself */
	to_challenge(i, "5", &c);
	respond_with("MD5", SECRET, &c, response);
	assert_int_equal(prove(i, USER, response, ""), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
}

static void wrong_secret_or_user(void **state)
{
	struct initiator *i = *state;
	static const char *const users[] = {"", "alic", "alice2", "Alice", "ALICE", "disk"};
	char response[2 * 64 + 3], long_user[256];
	struct challenge c;

	for (size_t a = 0; a < ARRAY_SIZE(algorithms); a++) {
		to_challenge(i, algorithms[a].number, &c);
		respond_with(algorithms[a].digest, "alice's secret 2", &c, response);
		assert_refused(i, prove(i, USER, response, "CHAP_I=1\nCHAP_C=0x0102"),
			       ISCSI_LOGIN_AUTH_FAILED);
	}
	for (size_t u = 0; u < ARRAY_SIZE(users); u++) {
		to_challenge(i, "5", &c);
		respond_with("MD5", SECRET, &c, response);
		assert_refused(i, prove(i, users[u], response, ""), ISCSI_LOGIN_AUTH_FAILED);
	}
	memset(long_user, 'a', 255);
	long_user[255] = '\0';
	to_challenge(i, "5", &c);
	respond_with("MD5", SECRET, &c, response);
	assert_refused(i, prove(i, long_user, response, ""), ISCSI_LOGIN_AUTH_FAILED);
}

/* The right digest with a wrong bit, with a part missing, or with more bytes. */
static void responses_that_are_not_quite_right(void **state)
{
	struct initiator *i = *state;
	struct challenge c;
	char response[2 * 64 + 3], bad[2 * 64 + 8];

	for (size_t a = 0; a < ARRAY_SIZE(algorithms); a++) {
		size_t digits = 2 * algorithms[a].len;
		const char *const forms[] = {"", "0x", "0b", "0x00", "no", "0b===="};

		for (size_t at = 0; at < digits; at += digits - 1) {
			to_challenge(i, algorithms[a].number, &c);
			respond_with(algorithms[a].digest, SECRET, &c, response);
			response[2 + at] = response[2 + at] == '0' ? '1' : '0';
			assert_refused(i, prove(i, USER, response, ""), ISCSI_LOGIN_AUTH_FAILED);
		}
		to_challenge(i, algorithms[a].number, &c);
		respond_with(algorithms[a].digest, SECRET, &c, response);
		response[digits] = '\0'; /* one byte is missing */
		assert_refused(i, prove(i, USER, response, ""), ISCSI_LOGIN_AUTH_FAILED);
		to_challenge(i, algorithms[a].number, &c);
		respond_with(algorithms[a].digest, SECRET, &c, response);
		snprintf(bad, sizeof(bad), "%s00", response);
		assert_refused(i, prove(i, USER, bad, ""), ISCSI_LOGIN_AUTH_FAILED);
		for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
			to_challenge(i, algorithms[a].number, &c);
			assert_refused(i, prove(i, USER, forms[f], ""), ISCSI_LOGIN_AUTH_FAILED);
		}
	}
}

/* The response was computed with another algorithm than the agreed one. */
static void other_algorithm(void **state)
{
	struct initiator *i = *state;
	struct challenge c;
	char response[2 * 64 + 3];

	to_challenge(i, "7", &c);
	respond_with("SHA3-256", SECRET, &c, response);
	assert_refused(i, prove(i, USER, response, ""), ISCSI_LOGIN_AUTH_FAILED);
}

static void replay(void **state)
{
	struct initiator *i = *state;
	struct challenge first, second;
	char response[2 * 64 + 3];

	to_challenge(i, "5", &first);
	respond_with("MD5", SECRET, &first, response);
	assert_int_equal(prove(i, USER, response, ""), ISCSI_LOGIN_MORE);
	to_challenge(i, "5", &second);
	assert_int_equal(first.len, second.len);
	assert_memory_not_equal(first.bytes, second.bytes, first.len);
	assert_refused(i, prove(i, USER, response, ""), ISCSI_LOGIN_AUTH_FAILED);
}

static void reflection(void **state)
{
	struct initiator *i = *state;
	struct challenge c, other;
	char response[2 * 64 + 3], more[300], *upper;

	/*
	 * the target's own challenge with the right response: unchanged, with another identifier, and in
	 * other letters
	 */
	for (unsigned form = 0; form < 3; form++) {
		to_challenge(i, "5", &c);
		respond_with("MD5", SECRET, &c, response);
		for (upper = c.text + 2; form == 2 && *upper; upper++)
			if (*upper >= 'a')
				*upper -= 'a' - 'A';
		snprintf(more, sizeof(more), "CHAP_I=%u\nCHAP_C=%s", form == 1 ? c.id ^ 1 : c.id, c.text);
		assert_refused(i, prove(i, USER, response, more), ISCSI_LOGIN_AUTH_FAILED);
	}
	/*
	 * the challenge of another connection, which the target should answer: without a proof of the
	 * initiator there is no answer
	 */
	to_challenge(i, "5", &c);
	to_challenge(i, "5", &other);
	snprintf(more, sizeof(more), "CHAP_I=%u\nCHAP_C=%s", c.id, c.text);
	assert_refused(i, prove(i, USER, "0x00112233445566778899aabbccddeeff", more),
		       ISCSI_LOGIN_AUTH_FAILED);
}

/* The model would refuse such an account, so the test sets it without a check. */
static void one_secret_for_both(void **state)
{
	struct initiator *i = *state;
	struct model_object *acl = model_first(i->disk, MODEL_ACL);
	struct challenge c;
	char response[2 * 64 + 3];

	assert_int_equal(
	    model_value_store(acl, model_attribute(MODEL_ACL, "auth", "password_mutual"), SECRET), 0);
	to_challenge(i, "5", &c);
	respond_with("MD5", SECRET, &c, response);
	assert_refused(i, prove(i, USER, response, "CHAP_I=1\nCHAP_C=0x0102"), ISCSI_LOGIN_AUTH_FAILED);
}

static void mutual_not_configured(void **state)
{
	struct initiator *i = *state;
	struct challenge c;
	char response[2 * 64 + 3];

	to_challenge(i, "5", &c);
	respond_with("MD5", SECRET, &c, response);
	assert_refused(i, prove(i, USER, response, "CHAP_I=1\nCHAP_C=0x0102"), ISCSI_LOGIN_AUTH_FAILED);
}

static void bad_challenges(void **state)
{
	static const char *const bad[] = {
	    "CHAP_I=1",
	    "CHAP_C=0x0102",
	    "CHAP_I=256\nCHAP_C=0x01",
	    "CHAP_I=x\nCHAP_C=0x01",
	    "CHAP_I=\nCHAP_C=0x01",
	    "CHAP_I=1\nCHAP_C=0x",
	    "CHAP_I=1\nCHAP_C=",
	    "CHAP_I=1\nCHAP_C=0x0",
	    "CHAP_I=1\nCHAP_C=zz",
	};
	struct initiator *i = *state;
	struct challenge c;
	char response[2 * 64 + 3], more[2200];

	for (size_t b = 0; b < ARRAY_SIZE(bad); b++) {
		to_challenge(i, "5", &c);
		respond_with("MD5", SECRET, &c, response);
		assert_refused(i, prove(i, USER, response, bad[b]), ISCSI_LOGIN_AUTH_FAILED);
	}
	/* 1024 bytes are the limit */
	to_challenge(i, "5", &c);
	respond_with("MD5", SECRET, &c, response);
	snprintf(more, sizeof(more), "CHAP_I=255\nCHAP_C=0x%02048d", 0);
	assert_int_equal(prove(i, USER, response, more), ISCSI_LOGIN_MORE);
	assert_non_null(answer(i, "CHAP_R"));
	to_challenge(i, "5", &c);
	respond_with("MD5", SECRET, &c, response);
	snprintf(more, sizeof(more), "CHAP_I=255\nCHAP_C=0x%02050d", 0);
	assert_refused(i, prove(i, USER, response, more), ISCSI_LOGIN_INITIATOR_ERROR);
}

static void choice_of_algorithm(void **state)
{
	static const struct {
		const char *offer, *choice;
	} cases[] = {{"8,7,6,5", "8"}, {"5", "5"}, {"99,,x,7", "7"}, {"55,6", "6"}, {"9", NULL}, {"", NULL}};
	struct initiator *i = *state;
	char text[64];

	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		reconnect(i);
		assert_int_equal(send_text(i, STAY(SECURITY), NAMES "AuthMethod=CHAP"), ISCSI_LOGIN_MORE);
		snprintf(text, sizeof(text), "CHAP_A=%s", cases[c].offer);
		if (cases[c].choice) {
			assert_int_equal(send_text(i, STAY(SECURITY), text), ISCSI_LOGIN_MORE);
			assert_string_equal(answer(i, "CHAP_A"), cases[c].choice);
		} else {
			assert_refused(i, send_text(i, STAY(SECURITY), text), ISCSI_LOGIN_AUTH_FAILED);
		}
	}
}

static void no_way_around(void **state)
{
	struct initiator *i = *state;
	struct challenge c;

	/* no security stage, no method, only the method None, and an empty list */
	reconnect(i);
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_AUTH_FAILED);
	reconnect(i);
	assert_refused(i, send_text(i, GO(SECURITY, FULL), NAMES), ISCSI_LOGIN_AUTH_FAILED);
	reconnect(i);
	assert_refused(i, send_text(i, STAY(SECURITY), NAMES "AuthMethod=None"), ISCSI_LOGIN_AUTH_FAILED);
	reconnect(i);
	assert_refused(i, send_text(i, STAY(SECURITY), NAMES "AuthMethod=KRB5,CHAPX,SRP"),
		       ISCSI_LOGIN_AUTH_FAILED);
	/* the T bit before the proof is refused at every point */
	reconnect(i);
	assert_int_equal(send_text(i, GO(SECURITY, FULL), NAMES "AuthMethod=CHAP"), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, STAY(SECURITY));
	assert_int_equal(send_text(i, GO(SECURITY, OPERATIONAL), "CHAP_A=5"), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, STAY(SECURITY));
	assert_int_equal(send_text(i, GO(SECURITY, FULL), ""), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, STAY(SECURITY));
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), ""), ISCSI_LOGIN_INITIATOR_ERROR);
	/* the steps in another order, or twice */
	reconnect(i);
	assert_refused(i, send_text(i, STAY(SECURITY), NAMES "CHAP_A=5"), ISCSI_LOGIN_INITIATOR_ERROR);
	reconnect(i);
	assert_int_equal(send_text(i, STAY(SECURITY), NAMES "AuthMethod=CHAP"), ISCSI_LOGIN_MORE);
	assert_refused(i, send_text(i, STAY(SECURITY), "CHAP_N=alice\nCHAP_R=0x00"), ISCSI_LOGIN_AUTH_FAILED);
	reconnect(i);
	assert_int_equal(send_text(i, STAY(SECURITY), NAMES "AuthMethod=CHAP"), ISCSI_LOGIN_MORE);
	assert_refused(i, send_text(i, STAY(SECURITY), "CHAP_A=5\nCHAP_I=1\nCHAP_C=0x00"),
		       ISCSI_LOGIN_AUTH_FAILED);
	to_challenge(i, "5", &c);
	assert_refused(i, send_text(i, STAY(SECURITY), "CHAP_A=5"), ISCSI_LOGIN_INITIATOR_ERROR);
	to_challenge(i, "5", &c);
	assert_refused(i, send_text(i, STAY(SECURITY), "AuthMethod=CHAP"), ISCSI_LOGIN_INITIATOR_ERROR);
	to_challenge(i, "5", &c);
	assert_refused(i, send_text(i, STAY(SECURITY), "CHAP_N=alice"), ISCSI_LOGIN_AUTH_FAILED);
	to_challenge(i, "5", &c);
	assert_refused(i, send_text(i, STAY(SECURITY), "CHAP_R=0x00"), ISCSI_LOGIN_AUTH_FAILED);
}

/* The proof of one initiator is not valid for another name in the same login. */
static void name_switched_after_the_proof(void **state)
{
	struct initiator *i = *state;
	struct challenge c;
	char response[2 * 64 + 3];

	to_challenge(i, "5", &c);
	respond_with("MD5", SECRET, &c, response);
	assert_int_equal(prove(i, USER, response, ""), ISCSI_LOGIN_MORE);
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), "TargetName=" HIDDEN),
		       ISCSI_LOGIN_INITIATOR_ERROR);
}

static void nothing_required(void **state)
{
	struct initiator *i = *state;

	allow_any(i, i->hidden);
	assert_int_equal(
	    send_text(i, STAY(SECURITY), "InitiatorName=" HOST "\nTargetName=" HIDDEN "\nAuthMethod=CHAP"),
	    ISCSI_LOGIN_FAIL);
	assert_int_equal(status(i), ISCSI_LOGIN_AUTH_FAILED);
	reconnect(i);
	assert_int_equal(send_text(i, GO(SECURITY, FULL),
				   "InitiatorName=" HOST "\nTargetName=" HIDDEN "\nAuthMethod=CHAP,None"),
			 ISCSI_LOGIN_COMPLETE);
	assert_string_equal(answer(i, "AuthMethod"), "None");
}

/* LIO's AuthMethod with authentication=0: the first method of the initiator's list that the TPG accepts. */
static void the_initiator_may_prefer_chap(void **state)
{
	struct initiator *i = *state;
	struct model_object *acl = model_first(i->disk, MODEL_ACL);
	char response[2 * 64 + 3];
	struct challenge c;

	set(i, acl, "attrib", "authentication", "-1");
	reconnect(i);
	assert_int_equal(send_text(i, GO(SECURITY, FULL), NAMES "AuthMethod=None,CHAP"),
			 ISCSI_LOGIN_COMPLETE);
	assert_string_equal(answer(i, "AuthMethod"), "None");
	reconnect(i);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_COMPLETE);
	to_challenge(i, "5", &c);
	respond_with("MD5", SECRET, &c, response);
	assert_int_equal(prove(i, USER, response, ""), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
	to_challenge(i, "5", &c);
	respond_with("MD5", SECRET "x", &c, response);
	assert_refused(i, prove(i, USER, response, ""), ISCSI_LOGIN_AUTH_FAILED);
	/* A TPG that accepts None only does not ask for CHAP. */
	set(i, i->disk, "param", "AuthMethod", "None");
	reconnect(i);
	assert_int_equal(send_text(i, GO(SECURITY, FULL), NAMES "AuthMethod=CHAP,None"),
			 ISCSI_LOGIN_COMPLETE);
	assert_string_equal(answer(i, "AuthMethod"), "None");
}

/* AuthMethod without None demands CHAP, unless the ACL says something else. */
static void the_method_demands_chap(void **state)
{
	struct initiator *i = *state;
	struct model_object *acl = model_first(i->disk, MODEL_ACL);

	set(i, acl, "attrib", "authentication", "-1");
	set(i, i->disk, "param", "AuthMethod", "CHAP");
	reconnect(i);
	assert_refused(i, send_text(i, STAY(SECURITY), NAMES "AuthMethod=None"), ISCSI_LOGIN_AUTH_FAILED);
	reconnect(i);
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_AUTH_FAILED);
	set(i, acl, "attrib", "authentication", "0");
	reconnect(i);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_COMPLETE);
	/* As in LIO, authentication=0 of the TPG takes None in again. */
	set(i, acl, "attrib", "authentication", "-1");
	set(i, i->disk, "attrib", "authentication", "0");
	reconnect(i);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_COMPLETE);
}

/* Each account with its own secret, and no mixture of two. */
static void several_accounts(void **state)
{
	static const struct {
		const char *user, *secret;
		bool passes;
	} cases[] = {
	    {USER, SECRET, true},
	    {"bob", "bob's secret 123", true},
	    {"carol,1", "carol, has a comma", true},
	    {"bob", SECRET, false},
	    {USER, "bob's secret 123", false},
	    {"dave", "bob's secret 123", false},
	    {"", "bob's secret 123", false},
	};
	struct initiator *i = *state;
	struct model_object *acl = model_first(i->disk, MODEL_ACL);
	char response[2 * 64 + 3];
	struct challenge c;

	set(i, acl, "auth", "more_accounts", "bob bob's secret 123,carol,,1 carol,, has a comma");
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		to_challenge(i, "7", &c);
		respond_with("SHA256", cases[n].secret, &c, response);
		if (cases[n].passes)
			assert_int_equal(prove(i, cases[n].user, response, ""), ISCSI_LOGIN_MORE);
		else
			assert_refused(i, prove(i, cases[n].user, response, ""), ISCSI_LOGIN_AUTH_FAILED);
	}
	/* A first account that is not complete proves nothing, and the others do. */
	set(i, acl, "auth", "userid", "");
	to_challenge(i, "7", &c);
	respond_with("SHA256", cases[1].secret, &c, response);
	assert_int_equal(prove(i, "bob", response, ""), ISCSI_LOGIN_MORE);
	to_challenge(i, "7", &c);
	respond_with("SHA256", SECRET, &c, response);
	assert_refused(i, prove(i, "", response, ""), ISCSI_LOGIN_AUTH_FAILED);
}

/* The secret of the account that was proved must differ from the target's. */
static void several_accounts_and_mutual_chap(void **state)
{
	struct initiator *i = *state;
	struct model_object *acl = model_first(i->disk, MODEL_ACL);
	char response[2 * 64 + 3];
	struct challenge c;

	set(i, acl, "auth", "more_accounts", "bob bob's secret 123,eve " MUTUAL_SECRET);
	to_challenge(i, "5", &c);
	respond_with("MD5", "bob's secret 123", &c, response);
	assert_int_equal(prove(i, "bob", response, "CHAP_I=1\nCHAP_C=0x0102"), ISCSI_LOGIN_MORE);
	assert_string_equal(answer(i, "CHAP_N"), MUTUAL_USER);
	to_challenge(i, "5", &c);
	respond_with("MD5", MUTUAL_SECRET, &c, response);
	assert_refused(i, prove(i, "eve", response, "CHAP_I=1\nCHAP_C=0x0102"), ISCSI_LOGIN_AUTH_FAILED);
}

/* CHAP is required, and no account is set: an empty name and an empty secret prove nothing. */
static void no_account(void **state)
{
	struct initiator *i = *state;
	struct model_object *acl = model_first(i->disk, MODEL_ACL);

	set(i, acl, "auth", "password", "");
	assert_refused(
	    i, send_text(i, STAY(SECURITY), "InitiatorName=" HOST "\nTargetName=" DISK "\nAuthMethod=CHAP"),
	    ISCSI_LOGIN_AUTH_FAILED);
	reconnect(i);
	set(i, acl, "auth", "userid", "");
	assert_refused(
	    i, send_text(i, STAY(SECURITY), "InitiatorName=" HOST "\nTargetName=" DISK "\nAuthMethod=CHAP"),
	    ISCSI_LOGIN_AUTH_FAILED);
}

static void discovery(void **state)
{
	struct initiator *i = *state;
	static const char secret[] = "finder's secret 1";
	struct challenge c;
	char response[2 * 64 + 3];
#define DISCOVERY "InitiatorName=" HOST "\nSessionType=Discovery\n"

	reconnect(i);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), DISCOVERY), ISCSI_LOGIN_COMPLETE);
	set(i, i->f->root, "discovery_auth", "enforce_discovery_auth", "1");
	reconnect(i); /* there is no account yet, so nobody can prove anything */
	assert_refused(i, send_text(i, STAY(SECURITY), DISCOVERY "AuthMethod=CHAP"), ISCSI_LOGIN_AUTH_FAILED);
	set(i, i->f->root, "discovery_auth", "userid", "finder");
	set(i, i->f->root, "discovery_auth", "password", secret);
	reconnect(i);
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), DISCOVERY), ISCSI_LOGIN_AUTH_FAILED);
	reconnect(i);
	assert_int_equal(send_text(i, STAY(SECURITY), DISCOVERY "AuthMethod=CHAP"), ISCSI_LOGIN_MORE);
	assert_int_equal(send_text(i, STAY(SECURITY), "CHAP_A=7"), ISCSI_LOGIN_MORE);
	parse_challenge(i, &c);
	respond_with("SHA256", secret, &c, response);
	assert_int_equal(prove(i, "finder", response, ""), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), ""), ISCSI_LOGIN_COMPLETE);
	assert_true(iscsi_login_result(i->login)->discovery);
}

int main(void)
{
#define ONE_WAY(name) cmocka_unit_test_setup_teardown(name, setup_one_way, initiator_tear_down)
#define MUTUAL(name)  cmocka_unit_test_setup_teardown(name, setup_mutual, initiator_tear_down)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_answers),
	    ONE_WAY(one_way),
	    ONE_WAY(base64_response),
	    ONE_WAY(straight_to_full_feature),
	    MUTUAL(mutual),
	    MUTUAL(wrong_secret_or_user),
	    ONE_WAY(responses_that_are_not_quite_right),
	    ONE_WAY(other_algorithm),
	    ONE_WAY(replay),
	    MUTUAL(reflection),
	    MUTUAL(one_secret_for_both),
	    ONE_WAY(mutual_not_configured),
	    MUTUAL(bad_challenges),
	    ONE_WAY(choice_of_algorithm),
	    ONE_WAY(no_way_around),
	    ONE_WAY(name_switched_after_the_proof),
	    ONE_WAY(nothing_required),
	    ONE_WAY(the_initiator_may_prefer_chap),
	    ONE_WAY(the_method_demands_chap),
	    ONE_WAY(several_accounts),
	    MUTUAL(several_accounts_and_mutual_chap),
	    ONE_WAY(no_account),
	    ONE_WAY(discovery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
