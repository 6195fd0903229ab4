/* SPDX-License-Identifier: Apache-2.0 */
/* CHAP in the login phase, and attempts to cheat, RFC 7143 9.2.1 and 12.1.3. */
#include "chap_initiator.h"

static const struct {
	const char *number, *digest;
	size_t len;
} algorithms[] = {{"5", "MD5", 16}, {"6", "SHA1", 20}, {"7", "SHA256", 32}, {"8", "SHA3-256", 32}};

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
		make_chap_response(algorithms[a].digest, "open sesame 1234", &c, text);
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
		log_in_to_challenge(i, algorithms[a].number, &c);
		make_chap_response(algorithms[a].digest, SECRET, &c, response);
		assert_int_equal(send_chap_response(i, USER, response, ""), ISCSI_LOGIN_MORE);
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

	log_in_to_challenge(i, "5", &c);
	assert_int_equal(iscsi_chap_response("MD5", (uint8_t)c.id, SECRET, c.bytes, c.len, r), 16);
	/* 128 bits are 22 digits, and the last digit has four zero bits */
	for (unsigned n = 0; n < 22; n++) {
		unsigned bit = 6 * n, word = (unsigned)r[bit / 8] << 8 | r[bit / 8 + 1];

		text[2 + n] = digits[word >> (10 - bit % 8) & 63];
	}
	strcpy(text + 24, "==");
	assert_int_equal(send_chap_response(i, USER, text, ""), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
}

static void straight_to_full_feature(void **state)
{
	struct initiator *i = *state;
	struct challenge c;
	char response[2 * 64 + 3], text[300];

	log_in_to_challenge(i, "7", &c);
	make_chap_response("SHA256", SECRET, &c, response);
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
		log_in_to_challenge(i, algorithms[a].number, &c);
		make_chap_response(algorithms[a].digest, SECRET, &c, response);
		assert_int_equal(send_chap_response(i, USER, response, more), ISCSI_LOGIN_MORE);
		assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
		assert_string_equal(answer(i, "CHAP_N"), MUTUAL_USER);
		make_chap_response(algorithms[a].digest, MUTUAL_SECRET, &ours, want);
		assert_string_equal(answer(i, "CHAP_R"), want);
	}
	/* the initiator decides whether the target proves itself */
	log_in_to_challenge(i, "5", &c);
	make_chap_response("MD5", SECRET, &c, response);
	assert_int_equal(send_chap_response(i, USER, response, ""), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
}

static void wrong_secret_or_user(void **state)
{
	struct initiator *i = *state;
	static const char *const users[] = {"", "alic", "alice2", "Alice", "ALICE", "disk"};
	char response[2 * 64 + 3], long_user[256];
	struct challenge c;

	for (size_t a = 0; a < ARRAY_SIZE(algorithms); a++) {
		log_in_to_challenge(i, algorithms[a].number, &c);
		make_chap_response(algorithms[a].digest, "alice's secret 2", &c, response);
		assert_refused(i, send_chap_response(i, USER, response, "CHAP_I=1\nCHAP_C=0x0102"),
			       ISCSI_LOGIN_AUTH_FAILED);
	}
	for (size_t u = 0; u < ARRAY_SIZE(users); u++) {
		log_in_to_challenge(i, "5", &c);
		make_chap_response("MD5", SECRET, &c, response);
		assert_refused(i, send_chap_response(i, users[u], response, ""), ISCSI_LOGIN_AUTH_FAILED);
	}
	memset(long_user, 'a', 255);
	long_user[255] = '\0';
	log_in_to_challenge(i, "5", &c);
	make_chap_response("MD5", SECRET, &c, response);
	assert_refused(i, send_chap_response(i, long_user, response, ""), ISCSI_LOGIN_AUTH_FAILED);
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
			log_in_to_challenge(i, algorithms[a].number, &c);
			make_chap_response(algorithms[a].digest, SECRET, &c, response);
			response[2 + at] = response[2 + at] == '0' ? '1' : '0';
			assert_refused(i, send_chap_response(i, USER, response, ""), ISCSI_LOGIN_AUTH_FAILED);
		}
		log_in_to_challenge(i, algorithms[a].number, &c);
		make_chap_response(algorithms[a].digest, SECRET, &c, response);
		response[digits] = '\0'; /* one byte is missing */
		assert_refused(i, send_chap_response(i, USER, response, ""), ISCSI_LOGIN_AUTH_FAILED);
		log_in_to_challenge(i, algorithms[a].number, &c);
		make_chap_response(algorithms[a].digest, SECRET, &c, response);
		snprintf(bad, sizeof(bad), "%s00", response);
		assert_refused(i, send_chap_response(i, USER, bad, ""), ISCSI_LOGIN_AUTH_FAILED);
		for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
			log_in_to_challenge(i, algorithms[a].number, &c);
			assert_refused(i, send_chap_response(i, USER, forms[f], ""), ISCSI_LOGIN_AUTH_FAILED);
		}
	}
}

/* The response was computed with an algorithm other than the agreed one. */
static void other_algorithm(void **state)
{
	struct initiator *i = *state;
	struct challenge c;
	char response[2 * 64 + 3];

	log_in_to_challenge(i, "7", &c);
	make_chap_response("SHA3-256", SECRET, &c, response);
	assert_refused(i, send_chap_response(i, USER, response, ""), ISCSI_LOGIN_AUTH_FAILED);
}

static void replay(void **state)
{
	struct initiator *i = *state;
	struct challenge first, second;
	char response[2 * 64 + 3];

	log_in_to_challenge(i, "5", &first);
	make_chap_response("MD5", SECRET, &first, response);
	assert_int_equal(send_chap_response(i, USER, response, ""), ISCSI_LOGIN_MORE);
	log_in_to_challenge(i, "5", &second);
	assert_int_equal(first.len, second.len);
	assert_memory_not_equal(first.bytes, second.bytes, first.len);
	assert_refused(i, send_chap_response(i, USER, response, ""), ISCSI_LOGIN_AUTH_FAILED);
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
		log_in_to_challenge(i, "5", &c);
		make_chap_response("MD5", SECRET, &c, response);
		for (upper = c.text + 2; form == 2 && *upper; upper++)
			if (*upper >= 'a')
				*upper -= 'a' - 'A';
		snprintf(more, sizeof(more), "CHAP_I=%u\nCHAP_C=%s", form == 1 ? c.id ^ 1 : c.id, c.text);
		assert_refused(i, send_chap_response(i, USER, response, more), ISCSI_LOGIN_AUTH_FAILED);
	}
	/*
	 * the challenge of another connection, which the target should answer: without a proof of the
	 * initiator there is no answer
	 */
	log_in_to_challenge(i, "5", &c);
	log_in_to_challenge(i, "5", &other);
	snprintf(more, sizeof(more), "CHAP_I=%u\nCHAP_C=%s", c.id, c.text);
	assert_refused(i, send_chap_response(i, USER, "0x00112233445566778899aabbccddeeff", more),
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
	log_in_to_challenge(i, "5", &c);
	make_chap_response("MD5", SECRET, &c, response);
	assert_refused(i, send_chap_response(i, USER, response, "CHAP_I=1\nCHAP_C=0x0102"),
		       ISCSI_LOGIN_AUTH_FAILED);
}

static void mutual_not_configured(void **state)
{
	struct initiator *i = *state;
	struct challenge c;
	char response[2 * 64 + 3];

	log_in_to_challenge(i, "5", &c);
	make_chap_response("MD5", SECRET, &c, response);
	assert_refused(i, send_chap_response(i, USER, response, "CHAP_I=1\nCHAP_C=0x0102"),
		       ISCSI_LOGIN_AUTH_FAILED);
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
		log_in_to_challenge(i, "5", &c);
		make_chap_response("MD5", SECRET, &c, response);
		assert_refused(i, send_chap_response(i, USER, response, bad[b]), ISCSI_LOGIN_AUTH_FAILED);
	}
	/* 1024 bytes are the limit */
	log_in_to_challenge(i, "5", &c);
	make_chap_response("MD5", SECRET, &c, response);
	snprintf(more, sizeof(more), "CHAP_I=255\nCHAP_C=0x%02048d", 0);
	assert_int_equal(send_chap_response(i, USER, response, more), ISCSI_LOGIN_MORE);
	assert_non_null(answer(i, "CHAP_R"));
	log_in_to_challenge(i, "5", &c);
	make_chap_response("MD5", SECRET, &c, response);
	snprintf(more, sizeof(more), "CHAP_I=255\nCHAP_C=0x%02050d", 0);
	assert_refused(i, send_chap_response(i, USER, response, more), ISCSI_LOGIN_INITIATOR_ERROR);
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
	log_in_to_challenge(i, "5", &c);
	assert_refused(i, send_text(i, STAY(SECURITY), "CHAP_A=5"), ISCSI_LOGIN_INITIATOR_ERROR);
	log_in_to_challenge(i, "5", &c);
	assert_refused(i, send_text(i, STAY(SECURITY), "AuthMethod=CHAP"), ISCSI_LOGIN_INITIATOR_ERROR);
	log_in_to_challenge(i, "5", &c);
	assert_refused(i, send_text(i, STAY(SECURITY), "CHAP_N=alice"), ISCSI_LOGIN_AUTH_FAILED);
	log_in_to_challenge(i, "5", &c);
	assert_refused(i, send_text(i, STAY(SECURITY), "CHAP_R=0x00"), ISCSI_LOGIN_AUTH_FAILED);
}

/* The proof of one initiator is not valid for another name in the same login. */
static void name_switched_after_the_proof(void **state)
{
	struct initiator *i = *state;
	struct challenge c;
	char response[2 * 64 + 3];

	log_in_to_challenge(i, "5", &c);
	make_chap_response("MD5", SECRET, &c, response);
	assert_int_equal(send_chap_response(i, USER, response, ""), ISCSI_LOGIN_MORE);
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), "TargetName=" HIDDEN),
		       ISCSI_LOGIN_INITIATOR_ERROR);
}

int main(void)
{
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
