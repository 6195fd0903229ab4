/* SPDX-License-Identifier: Apache-2.0 */
/* Stages, headers and admission in the login phase, RFC 7143 6.3, 11.12, 11.13. */
#include "initiator.h"

#include "iscsi_login/text.h"
#include "util/log.h"

static void straight_to_full_feature(void **state)
{
	struct initiator *i = *state;
	const struct iscsi_login_result *result;

	put_be16(i->req.tsih, 0x1234);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES "InitiatorAlias=my\thost\n"),
			 ISCSI_LOGIN_COMPLETE);
	assert_int_equal(rsp(i)->opcode, ISCSI_OP_LOGIN_RSP);
	assert_int_equal(rsp(i)->flags, GO(OPERATIONAL, FULL));
	assert_int_equal(rsp(i)->version_max, 0);
	assert_int_equal(rsp(i)->version_active, 0);
	assert_memory_equal(rsp(i)->isid, i->req.isid, 6);
	assert_int_equal(get_be32(rsp(i)->itt), 0xabcd0001);
	assert_int_equal(status(i), 0);
	assert_int_equal(get_be24(rsp(i)->data_len), i->response.data_len);
	assert_string_equal(answer(i, "TargetPortalGroupTag"), "1");
	assert_string_equal(answer(i, "MaxRecvDataSegmentLength"), "262144");
	assert_null(answer(i, "TargetAlias"));

	result = iscsi_login_result(i->login);
	assert_false(result->discovery);
	assert_string_equal(result->target->target, DISK);
	assert_int_equal(result->target->tag, 1);
	assert_non_null(result->target->view);
	assert_string_equal(result->initiator_name, HOST);
	assert_string_equal(result->initiator_alias, "my?host");
	assert_memory_equal(result->isid, i->req.isid, 6);
	assert_int_equal(result->tsih, 0x1234);
	assert_int_equal(result->cid, 7);
	assert_int_equal(result->cmdsn, 42);
	assert_int_equal(result->expstatsn, 43);
	assert_int_equal(result->params.max_recv_data_segment, 262144);
	assert_int_equal(result->params.max_xmit_data_segment, 8192);
	assert_true(result->params.initial_r2t);
}

/* Most initiators do it like this: one stage after the other, with the names in both. */
static void both_stages(void **state)
{
	struct initiator *i = *state;

	set(i, i->disk, "param", "TargetAlias", "first disk");
	assert_int_equal(
	    send_text(i, GO(SECURITY, OPERATIONAL), NAMES "SessionType=Normal\nAuthMethod=CHAP,None\n"),
	    ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, GO(SECURITY, OPERATIONAL));
	assert_string_equal(answer(i, "AuthMethod"), "None");
	assert_string_equal(answer(i, "TargetPortalGroupTag"), "1");
	assert_string_equal(answer(i, "TargetAlias"), "first disk");
	assert_null(answer(i, "MaxRecvDataSegmentLength"));

	put_be32(i->req.itt, 0xabcd0002);
	assert_int_equal(
	    send_text(i, STAY(OPERATIONAL), NAMES "SessionType=Normal\nHeaderDigest=CRC32C,None\n"),
	    ISCSI_LOGIN_MORE);
	assert_int_equal(get_be32(rsp(i)->itt), 0xabcd0002);
	assert_int_equal(rsp(i)->flags, STAY(OPERATIONAL));
	assert_string_equal(answer(i, "HeaderDigest"), "CRC32C");
	assert_string_equal(answer(i, "MaxRecvDataSegmentLength"), "262144");
	assert_null(answer(i, "TargetPortalGroupTag"));

	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), ""), ISCSI_LOGIN_COMPLETE);
	assert_int_equal(i->response.data_len, 0);
	assert_true(iscsi_login_result(i->login)->params.header_digest);
}

static void security_to_full_feature(void **state)
{
	struct initiator *i = *state;

	assert_int_equal(send_text(i, GO(SECURITY, FULL), NAMES), ISCSI_LOGIN_COMPLETE);
	assert_int_equal(rsp(i)->flags, GO(SECURITY, FULL));
	/* the initiator has declared nothing, so the default is used */
	assert_int_equal(iscsi_login_result(i->login)->params.max_recv_data_segment, 8192);
}

static void names_in_upper_case(void **state)
{
	assert_int_equal(send_text(*state, GO(OPERATIONAL, FULL),
				   "InitiatorName=IQN.1994-05.com.RedHat:HOST\n"
				   "TargetName=iqn.2026-11.IO.tcmu-runner:Disk\n"),
			 ISCSI_LOGIN_COMPLETE);
	assert_string_equal(iscsi_login_result(((struct initiator *)*state)->login)->initiator_name, HOST);
}

static void discovery(void **state)
{
	struct initiator *i = *state;

	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL),
				   "InitiatorName=" HOST "\nSessionType=Discovery\n"
				   "MaxBurstLength=4096\nHeaderDigest=None\n"),
			 ISCSI_LOGIN_COMPLETE);
	assert_true(iscsi_login_result(i->login)->discovery);
	assert_null(iscsi_login_result(i->login)->target);
	assert_null(answer(i, "TargetPortalGroupTag"));
	assert_string_equal(answer(i, "MaxBurstLength"), "Irrelevant");
	assert_string_equal(answer(i, "HeaderDigest"), "None");
	/* A discovery session may need no secret, so it must not make the daemon keep much data. */
	assert_string_equal(answer(i, "MaxRecvDataSegmentLength"), "8192");
	assert_int_equal(iscsi_login_result(i->login)->params.max_recv_data_segment, 8192);
}

/* The target declares its limit once, and does not take over the limit of the initiator. */
static void discovery_in_steps(void **state)
{
	struct initiator *i = *state;

	assert_int_equal(
	    send_text(i, GO(SECURITY, OPERATIONAL), "InitiatorName=" HOST "\nSessionType=Discovery\n"),
	    ISCSI_LOGIN_MORE);
	assert_null(answer(i, "MaxRecvDataSegmentLength"));
	assert_int_equal(send_text(i, STAY(OPERATIONAL), "MaxRecvDataSegmentLength=262144\n"),
			 ISCSI_LOGIN_MORE);
	assert_string_equal(answer(i, "MaxRecvDataSegmentLength"), "8192");
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), ""), ISCSI_LOGIN_COMPLETE);
	assert_int_equal(i->response.data_len, 0);
	assert_int_equal(iscsi_login_result(i->login)->params.max_recv_data_segment, 8192);
	assert_int_equal(iscsi_login_result(i->login)->params.max_xmit_data_segment, 262144);
}

/* First requests, and the status that each one gets. */
static void refused_at_once(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
	} cases[] = {
	    {"", ISCSI_LOGIN_MISSING_PARAMETER},
	    {"TargetName=" DISK, ISCSI_LOGIN_MISSING_PARAMETER},
	    {"InitiatorName=" HOST, ISCSI_LOGIN_MISSING_PARAMETER},
	    {"InitiatorName=\nTargetName=" DISK, ISCSI_LOGIN_INITIATOR_ERROR},
	    {"InitiatorName=host\nTargetName=" DISK, ISCSI_LOGIN_INITIATOR_ERROR},
	    {"InitiatorName=" OTHER "\nTargetName=" DISK, ISCSI_LOGIN_FORBIDDEN},
	    {"InitiatorName=" OTHER "\nTargetName=" DISK "0", ISCSI_LOGIN_FORBIDDEN},
	    {"InitiatorName=" OTHER "\nSessionType=Discovery", ISCSI_LOGIN_FORBIDDEN},
	    {"InitiatorName=" HOST "\nTargetName=" HIDDEN,
	     ISCSI_LOGIN_NOT_FOUND}, /* the answer is the same as for a target that does not exist */
	    {"InitiatorName=" HOST "\nTargetName=" DISK "0", ISCSI_LOGIN_NOT_FOUND},
	    {"InitiatorName=" HOST "\nTargetName=", ISCSI_LOGIN_NOT_FOUND},
	    {"InitiatorName=" HOST "\nTargetName=%n%s", ISCSI_LOGIN_NOT_FOUND},
	    {NAMES "SessionType=Other", ISCSI_LOGIN_BAD_SESSION_TYPE},
	    {NAMES "SessionType=", ISCSI_LOGIN_BAD_SESSION_TYPE},
	    {NAMES "InitiatorName=" HOST, ISCSI_LOGIN_INITIATOR_ERROR},
	    {NAMES "MaxBurstLength=512\nMaxBurstLength=512", ISCSI_LOGIN_INITIATOR_ERROR},
	    {NAMES "MaxRecvDataSegmentLength=0", ISCSI_LOGIN_INITIATOR_ERROR},
	    {NAMES "TargetAlias=mine", ISCSI_LOGIN_INITIATOR_ERROR},
	    {NAMES "TargetPortalGroupTag=1", ISCSI_LOGIN_INITIATOR_ERROR},
	    {NAMES "NoEqualsSign", ISCSI_LOGIN_INITIATOR_ERROR},
	    {NAMES "=value", ISCSI_LOGIN_INITIATOR_ERROR},
	};
	struct initiator *i = *state;

	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		reconnect(i);
		assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), cases[c].text), cases[c].status);
	}
}

static void missing_nul(void **state)
{
	struct initiator *i = *state;

	assert_refused(i, send_bytes(i, GO(OPERATIONAL, FULL), NAMES, sizeof(NAMES) - 1),
		       ISCSI_LOGIN_INITIATOR_ERROR);
}

static void allow_any_admits(void **state)
{
	struct initiator *i = *state;

	allow_any(i, i->hidden);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), "InitiatorName=" OTHER "\nTargetName=" HIDDEN),
			 ISCSI_LOGIN_COMPLETE);
}

/* RFC 7143 4.4.2: the tag belongs to the TPG of the portal that received the connection. */
static void tag_of_the_portal_group(void **state)
{
	struct initiator *i = *state;
	struct model_object *other = fixture_create(i->f, model_parent(i->disk), MODEL_TPG, "tpgt_300", NULL);
	struct model_object *portal = fixture_create(i->f, other, MODEL_PORTAL, "[::1]:3261", NULL);

	fixture_create(i->f, other, MODEL_ACL, HOST, NULL);
	assert_int_equal(fixture_enable(i->f, other, true), 0);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_COMPLETE);
	assert_string_equal(answer(i, "TargetPortalGroupTag"), "1");
	iscsi_login_free(i->login);
	i->login = iscsi_login_new(i->model, portal->np, &i->peer, "192.0.2.1:4711");
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_COMPLETE);
	assert_string_equal(answer(i, "TargetPortalGroupTag"), "300");
	assert_int_not_equal(iscsi_login_result(i->login)->target->relative_port, 1);
}

/*
 * The portal of another target does not lead to this target. While the TPG is disabled, initiators that it
 * admits are told to try again, and for others it does not exist.
 */
static void wrong_portal(void **state)
{
	struct initiator *i = *state;
	struct model_object *portal = fixture_create(i->f, i->hidden, MODEL_PORTAL, "[::1]:3261", NULL);

	i->login = iscsi_login_new(i->model, portal->np, &i->peer, "192.0.2.1:4711");
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_NOT_FOUND);
	reconnect(i);
	assert_int_equal(fixture_enable(i->f, i->disk, false), 0);
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_UNAVAILABLE);
	reconnect(i);
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), "InitiatorName=" OTHER "\nTargetName=" DISK),
		       ISCSI_LOGIN_FORBIDDEN);
}

static void version(void **state)
{
	struct initiator *i = *state;

	i->req.version_min = 0;
	i->req.version_max = 5; /* the target chooses 0 from 0 to 5 */
	assert_int_equal(send_text(i, STAY(OPERATIONAL), NAMES), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->version_active, 0);
	reconnect(i);
	i->req.version_min = 1;
	assert_refused(i, send_text(i, STAY(OPERATIONAL), NAMES), ISCSI_LOGIN_BAD_VERSION);
	assert_int_equal(rsp(i)->version_max, 0);
}

static void wrong_first_pdu(void **state)
{
	struct initiator *i = *state;

	for (unsigned opcode = 0; opcode < 64; opcode++) {
		if (opcode == ISCSI_OP_LOGIN)
			continue;
		reconnect(i);
		i->req.opcode = (uint8_t)opcode;
		assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_DROP);
	}
}

static void wrong_later_pdu(void **state)
{
	struct initiator *i = *state;

	assert_int_equal(send_text(i, STAY(OPERATIONAL), NAMES), ISCSI_LOGIN_MORE);
	i->req.opcode = ISCSI_OP_SCSI_COMMAND;
	assert_refused(i, send_text(i, STAY(OPERATIONAL), ""), ISCSI_LOGIN_INVALID);
}

/* Every combination of T, C, CSG and NSG in a first request. */
static void first_flags(void **state)
{
	struct initiator *i = *state;

	for (unsigned flags = 0; flags < 256; flags++) {
		unsigned csg = flags >> 2 & 3, nsg = flags & 3;
		bool t = flags & ISCSI_LOGIN_TRANSIT, c = flags & ISCSI_LOGIN_CONTINUE;
		bool legal = csg <= 1 && !(t && c) && (!t || (nsg > csg && nsg != 2));
		enum iscsi_login_step step;

		reconnect(i);
		step = send_text(i, flags, NAMES);
		if (!legal) {
			assert_refused(i, step, ISCSI_LOGIN_INITIATOR_ERROR);
			continue;
		}
		assert_int_equal(step, t && nsg == FULL ? ISCSI_LOGIN_COMPLETE : ISCSI_LOGIN_MORE);
		assert_int_equal(rsp(i)->flags, t ? GO(csg, nsg) : STAY(csg));
		assert_int_equal(i->response.data_len == 0, c);
	}
}

static void stage_may_not_jump(void **state)
{
	struct initiator *i = *state;

	assert_int_equal(send_text(i, STAY(SECURITY), NAMES), ISCSI_LOGIN_MORE);
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), ""), ISCSI_LOGIN_INITIATOR_ERROR);
	reconnect(i);
	assert_int_equal(send_text(i, GO(SECURITY, OPERATIONAL), NAMES), ISCSI_LOGIN_MORE);
	assert_refused(i, send_text(i, GO(SECURITY, FULL), ""), ISCSI_LOGIN_INITIATOR_ERROR);
}

static void session_may_not_change(void **state)
{
	struct initiator *i = *state;
	uint8_t *const fields[] = {i->req.isid,     i->req.isid + 5, i->req.tsih,
				   i->req.tsih + 1, i->req.cid,      i->req.cid + 1};

	for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
		reconnect(i);
		assert_int_equal(send_text(i, STAY(SECURITY), NAMES), ISCSI_LOGIN_MORE);
		*fields[f] ^= 1;
		assert_refused(i, send_text(i, STAY(SECURITY), ""), ISCSI_LOGIN_INITIATOR_ERROR);
		*fields[f] ^= 1;
	}
}

static void identity_may_not_change(void **state)
{
	static const char *const changes[] = {
	    "InitiatorName=" OTHER, "InitiatorName=x",       "TargetName=" HIDDEN,
	    "TargetName=x",         "SessionType=Discovery",
	};
	struct initiator *i = *state;

	for (size_t c = 0; c < ARRAY_SIZE(changes); c++) {
		reconnect(i);
		assert_int_equal(send_text(i, GO(SECURITY, OPERATIONAL), NAMES), ISCSI_LOGIN_MORE);
		assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), changes[c]),
			       ISCSI_LOGIN_INITIATOR_ERROR);
	}
}

static void too_long(void **state)
{
	struct initiator *i = *state;
	static char data[ISCSI_LOGIN_DATA_MAX + 1];

	assert_refused(i, send_bytes(i, STAY(OPERATIONAL), data, sizeof(data)), ISCSI_LOGIN_INITIATOR_ERROR);
	reconnect(i);
	i->req.ahs_len = 1;
	assert_refused(i, send_text(i, STAY(OPERATIONAL), NAMES), ISCSI_LOGIN_INITIATOR_ERROR);
	i->req.ahs_len = 0;
	reconnect(i);
	memset(data, 'x', sizeof(data));
	for (int part = 0; part < ISCSI_TEXT_MAX / ISCSI_LOGIN_DATA_MAX; part++)
		assert_int_equal(send_bytes(i, PART(OPERATIONAL), data, ISCSI_LOGIN_DATA_MAX),
				 ISCSI_LOGIN_MORE);
	assert_refused(i, send_bytes(i, PART(OPERATIONAL), data, 1), ISCSI_LOGIN_INITIATOR_ERROR);
}

static void too_many_requests(void **state)
{
	struct initiator *i = *state;
	unsigned n = 1;

	assert_int_equal(send_text(i, STAY(OPERATIONAL), NAMES), ISCSI_LOGIN_MORE);
	while (send_text(i, STAY(OPERATIONAL), "") == ISCSI_LOGIN_MORE)
		n++;
	assert_int_equal(status(i), ISCSI_LOGIN_INITIATOR_ERROR);
	assert_uint_in_range(n, 8, 100);
}

/* 6.1: a text may be cut at any place. */
static void request_in_pieces(void **state)
{
	static const char text[] = "InitiatorName=" HOST "\0TargetName=" DISK "\0MaxBurstLength=8192";
	struct initiator *i = *state;

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		reconnect(i);
		assert_int_equal(send_bytes(i, PART(OPERATIONAL), text, cut), ISCSI_LOGIN_MORE);
		assert_int_equal(i->response.data_len, 0);
		assert_int_equal(rsp(i)->flags, STAY(OPERATIONAL));
		assert_int_equal(send_bytes(i, GO(OPERATIONAL, FULL), text + cut, sizeof(text) - cut),
				 ISCSI_LOGIN_COMPLETE);
		assert_string_equal(answer(i, "MaxBurstLength"), "8192");
	}
}

#define LONG_KEY "X-%061x" /* as long as a key may be (RFC 7143 6.1) */
#define MANY     120       /* this many keys make an answer that is longer than a PDU */

/* Returns n unknown keys. */
static char *many_keys(unsigned n)
{
	char *text = malloc(sizeof(NAMES) + 80 * n), *p = text + sprintf(text, "%s", NAMES);

	for (unsigned k = 0; k < n; k++)
		p += sprintf(p, LONG_KEY "=\n", k);
	return text;
}

static void answer_in_pieces(void **state)
{
	struct initiator *i = *state;
	char *text = many_keys(MANY), all[3 * ISCSI_LOGIN_DATA_MAX], key[80];
	size_t len;

	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), text), ISCSI_LOGIN_MORE);
	free(text);
	assert_int_equal(rsp(i)->flags, PART(OPERATIONAL));
	assert_int_equal(i->response.data_len, ISCSI_LOGIN_DATA_MAX);
	memcpy(all, i->response.data, len = i->response.data_len);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), ""), ISCSI_LOGIN_COMPLETE);
	assert_int_equal(rsp(i)->flags, GO(OPERATIONAL, FULL));
	memcpy(all + len, i->response.data, i->response.data_len);
	len += i->response.data_len;
	for (unsigned k = 0; k < MANY; k++) {
		sprintf(key, LONG_KEY, k);
		assert_string_equal(find_value(all, len, key), "NotUnderstood");
	}
}

static void new_text_inside_an_answer(void **state)
{
	struct initiator *i = *state;
	char *text = many_keys(MANY);

	assert_int_equal(send_text(i, STAY(OPERATIONAL), text), ISCSI_LOGIN_MORE);
	assert_refused(i, send_text(i, STAY(OPERATIONAL), "MaxBurstLength=8192"),
		       ISCSI_LOGIN_INITIATOR_ERROR);
	reconnect(i);
	assert_int_equal(send_text(i, STAY(OPERATIONAL), text), ISCSI_LOGIN_MORE);
	assert_refused(i, send_text(i, PART(OPERATIONAL), ""), ISCSI_LOGIN_INITIATOR_ERROR);
	free(text);
}

/* Each key costs work, so their number in one text is limited to 128. */
static void too_many_keys(void **state)
{
	struct initiator *i = *state;
	char text[sizeof(NAMES) + 8 * 200], *p = text + sprintf(text, "%s", NAMES);

	for (unsigned k = 2; k < 128; k++)
		p += sprintf(p, "X-%x=\n", k);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), text), ISCSI_LOGIN_COMPLETE);
	reconnect(i);
	sprintf(p, "X=\n");
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), text), ISCSI_LOGIN_INITIATOR_ERROR);
}

static void refuse_afterwards(void **state)
{
	struct initiator *i = *state;

	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_COMPLETE);
	iscsi_login_refuse(&i->response, ISCSI_LOGIN_NO_SESSION);
	assert_refused(i, ISCSI_LOGIN_FAIL, ISCSI_LOGIN_NO_SESSION);
	assert_int_equal(get_be32(rsp(i)->itt), 0xabcd0001);
}

/*
 * Targets may be missing while the daemon starts. Initiators give up after most other statuses, but try again
 * after this one. A target that is complete can be used.
 */
static void tries_again_while_the_daemon_starts(void **state)
{
	static const char *const missing[] = {
	    "InitiatorName=" HOST "\nTargetName=" DISK "0",
	    "InitiatorName=" HOST "\nTargetName=" HIDDEN,
	    "InitiatorName=" OTHER "\nTargetName=" DISK,
	    "InitiatorName=" HOST "\nSessionType=Discovery",
	};
	struct initiator *i = *state;

	model_set_starting(i->model, true);
	for (size_t c = 0; c < ARRAY_SIZE(missing); c++) {
		reconnect(i);
		assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), missing[c]), ISCSI_LOGIN_UNAVAILABLE);
	}
	reconnect(i);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_COMPLETE);
	model_set_starting(i->model, false);
	reconnect(i);
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), missing[0]), ISCSI_LOGIN_NOT_FOUND);
}

/* With the attribute, an administrator can make the target answer differently. */
static void reveals_a_target_if_asked_to(void **state)
{
	struct initiator *i = *state;

	set(i, i->hidden, "attrib", "reveal_target", "1");
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), "InitiatorName=" HOST "\nTargetName=" HIDDEN),
		       ISCSI_LOGIN_FORBIDDEN);
}

static char logged[1024];

static void keep_line(enum log_level level, const char *line)
{
	(void)level;
	snprintf(logged, sizeof(logged), "%s", line);
}

/* The log shows the name without characters that could control a terminal, and says what is wrong with it. */
static void shows_a_refused_name(void **state)
{
	static const char *const cases[][2] = {
	    {"iqn.2008-11.org.linux-kvm:Windows 10",
	     "'iqn.2008-11.org.linux-kvm:Windows 10' contains a blank"},
	    {"iqn.2008-11.org:\x1b[2J", "'iqn.2008-11.org:?[2J' contains a character"},
	    {"disk", "'disk' has none of the forms"},
	};
	struct initiator *i = *state;
	char text[200];

	log_set_sink(keep_line);
	log_set_level(LOG_LEVEL_WARN);
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		snprintf(text, sizeof(text), "TargetName=" DISK "\nInitiatorName=%s", cases[c][0]);
		iscsi_login_free(i->login);
		/*
		 * This test has its own address, because the log by now suppresses lines about the address of
		 * the other tests.
		 */
		i->login = iscsi_login_new(i->model, first_np(i->disk), &i->peer, "192.0.2.9:4711");
		assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), text), ISCSI_LOGIN_INITIATOR_ERROR);
		assert_non_null(strstr(logged, cases[c][1]));
	}
	log_set_level(LOG_LEVEL_CRIT);
	log_set_sink(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, initiator_set_up, initiator_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(straight_to_full_feature),
	    TEST(both_stages),
	    TEST(tag_of_the_portal_group),
	    TEST(wrong_portal),
	    TEST(security_to_full_feature),
	    TEST(names_in_upper_case),
	    TEST(discovery),
	    TEST(discovery_in_steps),
	    TEST(refused_at_once),
	    TEST(missing_nul),
	    TEST(allow_any_admits),
	    TEST(version),
	    TEST(wrong_first_pdu),
	    TEST(wrong_later_pdu),
	    TEST(first_flags),
	    TEST(stage_may_not_jump),
	    TEST(session_may_not_change),
	    TEST(identity_may_not_change),
	    TEST(too_long),
	    TEST(too_many_requests),
	    TEST(request_in_pieces),
	    TEST(answer_in_pieces),
	    TEST(new_text_inside_an_answer),
	    TEST(too_many_keys),
	    TEST(refuse_afterwards),
	    TEST(tries_again_while_the_daemon_starts),
	    TEST(reveals_a_target_if_asked_to),
	    TEST(shows_a_refused_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
