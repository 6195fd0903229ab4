/* SPDX-License-Identifier: Apache-2.0 */
/* Who must prove an account with CHAP, and which account: of the ACL, of the TPG, or for discovery. */
#include "chap_initiator.h"

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

/*
 * With LIO's AuthMethod and authentication=0, the target chooses the first method of the initiator's list
 * that the TPG accepts.
 */
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
	log_in_to_challenge(i, "5", &c);
	make_chap_response("MD5", SECRET, &c, response);
	assert_int_equal(send_chap_response(i, USER, response, ""), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
	log_in_to_challenge(i, "5", &c);
	make_chap_response("MD5", SECRET "x", &c, response);
	assert_refused(i, send_chap_response(i, USER, response, ""), ISCSI_LOGIN_AUTH_FAILED);
	/* A TPG that accepts only None does not ask for CHAP. */
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
	/* As in LIO, authentication=0 of the TPG allows None again. */
	set(i, acl, "attrib", "authentication", "-1");
	set(i, i->disk, "attrib", "authentication", "0");
	reconnect(i);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_COMPLETE);
}

/* Each account is valid with its own secret only. */
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
		log_in_to_challenge(i, "7", &c);
		make_chap_response("SHA256", cases[n].secret, &c, response);
		if (cases[n].passes)
			assert_int_equal(send_chap_response(i, cases[n].user, response, ""),
					 ISCSI_LOGIN_MORE);
		else
			assert_refused(i, send_chap_response(i, cases[n].user, response, ""),
				       ISCSI_LOGIN_AUTH_FAILED);
	}
	/* If the first account is not complete, nobody can log in with it. The others are still valid. */
	set(i, acl, "auth", "userid", "");
	log_in_to_challenge(i, "7", &c);
	make_chap_response("SHA256", cases[1].secret, &c, response);
	assert_int_equal(send_chap_response(i, "bob", response, ""), ISCSI_LOGIN_MORE);
	log_in_to_challenge(i, "7", &c);
	make_chap_response("SHA256", SECRET, &c, response);
	assert_refused(i, send_chap_response(i, "", response, ""), ISCSI_LOGIN_AUTH_FAILED);
}

/* The secret of the account that was proved must differ from the target's. */
static void several_accounts_and_mutual_chap(void **state)
{
	struct initiator *i = *state;
	struct model_object *acl = model_first(i->disk, MODEL_ACL);
	char response[2 * 64 + 3];
	struct challenge c;

	set(i, acl, "auth", "more_accounts", "bob bob's secret 123,eve " MUTUAL_SECRET);
	log_in_to_challenge(i, "5", &c);
	make_chap_response("MD5", "bob's secret 123", &c, response);
	assert_int_equal(send_chap_response(i, "bob", response, "CHAP_I=1\nCHAP_C=0x0102"), ISCSI_LOGIN_MORE);
	assert_string_equal(answer(i, "CHAP_N"), MUTUAL_USER);
	log_in_to_challenge(i, "5", &c);
	make_chap_response("MD5", MUTUAL_SECRET, &c, response);
	assert_refused(i, send_chap_response(i, "eve", response, "CHAP_I=1\nCHAP_C=0x0102"),
		       ISCSI_LOGIN_AUTH_FAILED);
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
	make_chap_response("SHA256", secret, &c, response);
	assert_int_equal(send_chap_response(i, "finder", response, ""), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), ""), ISCSI_LOGIN_COMPLETE);
	assert_true(iscsi_login_result(i->login)->discovery);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
