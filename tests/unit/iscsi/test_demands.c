/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits that a TPG sets for the negotiated values (RFC 7143 13): LIO's attributes in param/, and
 * login_keys_workaround.
 */
#include "initiator.h"

#include "iscsi_login/text.h"
#include "util/log.h"

/* The value of a parameter of the TPG, what the initiator offers, and the result of the negotiation. */
static const struct {
	const char *name, *value, *offer, *result;
} limits[] = {
    {"HeaderDigest", "None", "CRC32C,None", "None"},
    {"HeaderDigest", "CRC32C", "None,CRC32C", "CRC32C"},
    {"HeaderDigest", "CRC32C,None", "None,CRC32C", "None"},
    {"DataDigest", "None", "CRC32C,None", "None"},
    {"DataDigest", "None,CRC32C", "CRC32C,None", "CRC32C"},
    {"InitialR2T", "Yes", "No", "Yes"},
    {"InitialR2T", "No", "No", "No"},
    {"InitialR2T", "No", "Yes", "Yes"},
    {"ImmediateData", "No", "Yes", "No"},
    {"ImmediateData", "Yes", "Yes", "Yes"},
    {"MaxBurstLength", "65536", "16776192", "65536"},
    {"MaxBurstLength", "16776192", "16776192", "16776192"},
    {"FirstBurstLength", "4096", "262144", "4096"},
    {"FirstBurstLength", "131072", "65536", "65536"},
    {"DefaultTime2Wait", "7", "2", "7"},
    {"DefaultTime2Retain", "7", "20", "7"},
    {"MaxOutstandingR2T", "5", "16", "5"},
    {"MaxConnections", "4", "4", "1"},
    {"ErrorRecoveryLevel", "2", "2", "0"},
    {"DataPDUInOrder", "No", "No", "Yes"},
    {"DataSequenceInOrder", "No", "No", "Yes"},
    {"IFMarker", "Yes", "Yes", "No"},
    {"OFMarker", "Yes", "Yes", "No"},
};

static void the_tpg_limits_the_values(void **state)
{
	struct initiator *i = *state;

	for (size_t c = 0; c < ARRAY_SIZE(limits); c++) {
		const struct model_attribute *a = model_attribute(MODEL_TPG, "param", limits[c].name);
		char text[256];

		set(i, i->disk, "param", limits[c].name, limits[c].value);
		reconnect(i);
		snprintf(text, sizeof(text), NAMES "%s=%s\n", limits[c].name, limits[c].offer);
		assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), text), ISCSI_LOGIN_COMPLETE);
		assert_string_equal(answer(i, limits[c].name), limits[c].result);
		set(i, i->disk, "param", limits[c].name, a->fallback);
	}
}

static void the_tpg_declares_its_pdu_size(void **state)
{
	struct initiator *i = *state;

	set(i, i->disk, "param", "MaxXmitDataSegmentLength", "4096");
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES "MaxRecvDataSegmentLength=65536\n"),
			 ISCSI_LOGIN_COMPLETE);
	assert_string_equal(answer(i, "MaxRecvDataSegmentLength"), "4096");
	assert_int_equal(iscsi_login_result(i->login)->params.max_recv_data_segment, 4096);
	assert_int_equal(iscsi_login_result(i->login)->params.max_xmit_data_segment, 65536);
}

/* With LIO's defaults the target offers nothing, because they allow the defaults of RFC 7143. */
static void lios_defaults_need_no_offer(void **state)
{
	struct initiator *i = *state;
	const struct iscsi_params *params;

	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_COMPLETE);
	assert_null(answer(i, "ImmediateData"));
	params = &iscsi_login_result(i->login)->params;
	assert_int_equal(params->max_burst, 262144);
	assert_int_equal(params->first_burst, 65536);
	assert_int_equal(params->max_outstanding_r2t, 1);
	assert_true(params->initial_r2t);
	assert_true(params->immediate_data);
}

static void the_target_offers_what_it_demands(void **state)
{
	struct initiator *i = *state;
	const struct iscsi_params *params;

	set(i, i->disk, "param", "ImmediateData", "No");
	set(i, i->disk, "param", "FirstBurstLength", "4096");
	set(i, i->disk, "param", "MaxBurstLength", "8192");
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES "InitialR2T=No\n"), ISCSI_LOGIN_MORE);
	assert_int_equal(rsp(i)->flags, STAY(OPERATIONAL));
	assert_string_equal(answer(i, "ImmediateData"), "No");
	assert_string_equal(answer(i, "FirstBurstLength"), "4096");
	assert_string_equal(answer(i, "InitialR2T"), "Yes");
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), "ImmediateData=No\nFirstBurstLength=2048\n"),
			 ISCSI_LOGIN_COMPLETE);
	/* An answer gets no answer. */
	assert_int_equal(i->response.data_len, 0);
	params = &iscsi_login_result(i->login)->params;
	assert_false(params->immediate_data);
	assert_int_equal(params->first_burst, 2048);
	/* The target alone decides about its own bursts. */
	assert_int_equal(params->max_burst, 8192);
}

/* RFC 7143 13.14: the first burst is not longer than others, even if their length is negotiated later. */
static void bursts_in_two_requests(void **state)
{
	struct initiator *i = *state;

	set(i, i->disk, "param", "FirstBurstLength", "65536");
	set(i, i->disk, "param", "MaxBurstLength", "512");
	assert_int_equal(send_text(i, STAY(OPERATIONAL), NAMES "FirstBurstLength=65536\n"), ISCSI_LOGIN_MORE);
	assert_string_equal(answer(i, "FirstBurstLength"), "512");
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), "MaxBurstLength=65536\n"), ISCSI_LOGIN_COMPLETE);
	assert_string_equal(answer(i, "MaxBurstLength"), "512");
	assert_int_equal(iscsi_login_result(i->login)->params.first_burst, 512);
}

/* gPXE, for example, does not answer what a target offers. */
static void some_initiators_do_not_answer(void **state)
{
	struct initiator *i = *state;

	set(i, i->disk, "param", "ImmediateData", "No");
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_MORE);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), ""), ISCSI_LOGIN_COMPLETE);
	assert_true(iscsi_login_result(i->login)->params.immediate_data);
	set(i, i->disk, "attrib", "login_keys_workaround", "0");
	reconnect(i);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_MORE);
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), ""), ISCSI_LOGIN_INITIATOR_ERROR);
	/* An initiator that offers the key itself needs no workaround. */
	reconnect(i);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES "ImmediateData=Yes\n"),
			 ISCSI_LOGIN_COMPLETE);
	assert_string_equal(answer(i, "ImmediateData"), "No");
}

/* Without None in the TPG's list nobody logs in without a digest, whatever login_keys_workaround says. */
static void digests_are_demanded(void **state)
{
	struct initiator *i = *state;

	set(i, i->disk, "param", "HeaderDigest", "CRC32C");
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), NAMES "HeaderDigest=None\n"),
		       ISCSI_LOGIN_INITIATOR_ERROR);
	reconnect(i);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_MORE);
	assert_string_equal(answer(i, "HeaderDigest"), "CRC32C");
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), "HeaderDigest=CRC32C\n"), ISCSI_LOGIN_COMPLETE);
	assert_true(iscsi_login_result(i->login)->params.header_digest);
	reconnect(i);
	assert_int_equal(send_text(i, GO(OPERATIONAL, FULL), NAMES), ISCSI_LOGIN_MORE);
	assert_refused(i, send_text(i, GO(OPERATIONAL, FULL), "HeaderDigest=Reject\n"),
		       ISCSI_LOGIN_INITIATOR_ERROR);
	reconnect(i);
	assert_refused(i, send_text(i, GO(SECURITY, FULL), NAMES), ISCSI_LOGIN_INITIATOR_ERROR);
	/* Discovery has no TPG. */
	reconnect(i);
	assert_int_equal(
	    send_text(i, GO(OPERATIONAL, FULL), "InitiatorName=" HOST "\nSessionType=Discovery\n"),
	    ISCSI_LOGIN_COMPLETE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, initiator_set_up, initiator_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(the_tpg_limits_the_values),   TEST(the_tpg_declares_its_pdu_size),
	    TEST(lios_defaults_need_no_offer), TEST(the_target_offers_what_it_demands),
	    TEST(bursts_in_two_requests),      TEST(some_initiators_do_not_answer),
	    TEST(digests_are_demanded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
