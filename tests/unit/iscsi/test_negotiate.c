/* SPDX-License-Identifier: Apache-2.0 */
/* Each key with legal and illegal values and at its limits, RFC 7143 6.2 and 13. */
#include "initiator.h"

#include "iscsi_login/negotiate.h"

#define MAX_STRING "16777215"

/* Negotiates one text in one phase. The answer is in out. */
struct negotiation {
	struct iscsi_params params;
	struct iscsi_text_out out;
	char text[4096];
	uint64_t seen;
};

static void start(struct negotiation *n)
{
	memset(n, 0, sizeof(*n));
	iscsi_params_init(&n->params);
}

static const char *negotiate(struct negotiation *n, enum iscsi_phase phase, bool discovery, const char *pairs)
{
	size_t len = strlen(pairs);
	char *text = malloc(len + 1); /* memory of exactly this size, for the sanitizer */
	struct iscsi_offers offers;
	const char *wrong;

	memcpy(text, pairs, len);
	for (size_t at = 0; at < len; at++)
		if (text[at] == '\n')
			text[at] = '\0';
	n->out = (struct iscsi_text_out){.text = n->text, .size = sizeof(n->text)};
	wrong = iscsi_offers_read(&offers, text, len, &n->seen);
	if (!wrong) {
		iscsi_offers_negotiate(&offers, phase, discovery, NULL, &n->params);
		iscsi_offers_answer(&offers, text, len, &n->out);
	}
	free(text);
	return wrong;
}

static const char *answered(const struct negotiation *n, const char *key)
{
	return find_value(n->out.text, n->out.len, key);
}

static void defaults(void **state)
{
	struct iscsi_params p;

	(void)state;
	iscsi_params_init(&p);
	assert_false(p.header_digest);
	assert_false(p.data_digest);
	assert_true(p.initial_r2t);
	assert_true(p.immediate_data);
	assert_true(p.data_pdu_in_order);
	assert_true(p.data_sequence_in_order);
	assert_int_equal(p.max_connections, 1);
	assert_int_equal(p.max_recv_data_segment, 8192);
	assert_int_equal(p.max_xmit_data_segment, 8192);
	assert_int_equal(p.max_burst, 262144);
	assert_int_equal(p.first_burst, 65536);
	assert_int_equal(p.max_outstanding_r2t, 1);
	assert_int_equal(p.default_time2wait, 2);
	assert_int_equal(p.default_time2retain, 20);
	assert_int_equal(p.error_recovery_level, 0);
	assert_int_equal(p.protocol_level, 1);
	assert_false(p.task_reporting);
}

/* These keys are sent in the operational stage of a normal session. want NULL: there is no answer. */
static const struct {
	const char *key, *offer, *want;
} table[] = {
    {"HeaderDigest", "None", "None"},
    {"HeaderDigest", "CRC32C", "CRC32C"},
    {"HeaderDigest", "CRC32C,None", "CRC32C"},
    {"HeaderDigest", "None,CRC32C", "None"},
    {"HeaderDigest", "X-foo,,CRC32C", "CRC32C"},
    {"HeaderDigest", "CRC32", "Reject"},
    {"HeaderDigest", "CRC32CC", "Reject"},
    {"HeaderDigest", "crc32c", "Reject"},
    {"HeaderDigest", "", "Reject"},
    {"DataDigest", "None", "None"},
    {"DataDigest", "CRC32C,None", "CRC32C"},
    {"DataDigest", "MD5", "Reject"},
    {"MaxConnections", "1", "1"},
    {"MaxConnections", "65535", "1"},
    {"MaxConnections", "0", "Reject"},
    {"MaxConnections", "65536", "Reject"},
    {"InitialR2T", "Yes", "Yes"},
    {"InitialR2T", "No", "No"},
    {"InitialR2T", "yes", "Reject"},
    {"InitialR2T", "", "Reject"},
    {"InitialR2T", "1", "Reject"},
    {"InitialR2T", "Yes,No", "Reject"},
    {"ImmediateData", "Yes", "Yes"},
    {"ImmediateData", "No", "No"},
    {"ImmediateData", "Maybe", "Reject"},
    {"MaxRecvDataSegmentLength", "512", NULL},
    {"MaxRecvDataSegmentLength", MAX_STRING, NULL},
    {"MaxRecvDataSegmentLength", "511", "Reject"},
    {"MaxRecvDataSegmentLength", "16777216", "Reject"},
    {"MaxRecvDataSegmentLength", "Yes", "Reject"},
    {"MaxBurstLength", "512", "512"},
    {"MaxBurstLength", "511", "Reject"},
    {"MaxBurstLength", "1048576", "1048576"},
    {"MaxBurstLength", "1048577", "1048576"},
    {"MaxBurstLength", MAX_STRING, "1048576"},
    {"MaxBurstLength", "16777216", "Reject"},
    {"MaxBurstLength", "4294967808", "Reject"},           /* 2^32 + 512 */
    {"MaxBurstLength", "18446744073709552128", "Reject"}, /* 2^64 + 512 */
    {"MaxBurstLength", "0x1000", "4096"},
    {"MaxBurstLength", "0X0000fFfF", "65535"},
    {"MaxBurstLength", "0x", "Reject"},
    {"MaxBurstLength", "0xg", "Reject"},
    {"MaxBurstLength", "04096", "Reject"},
    {"MaxBurstLength", "-4096", "Reject"},
    {"MaxBurstLength", "+4096", "Reject"},
    {"MaxBurstLength", " 4096", "Reject"},
    {"MaxBurstLength", "4096 ", "Reject"},
    {"MaxBurstLength", "4096,8192", "Reject"},
    {"MaxBurstLength", "512~4096", "Reject"},
    {"MaxBurstLength", "", "Reject"},
    {"FirstBurstLength", "512", "512"},
    {"FirstBurstLength", "511", "Reject"},
    {"FirstBurstLength", "262144", "262144"},
    {"FirstBurstLength", MAX_STRING, "262144"},
    {"FirstBurstLength", "16777216", "Reject"},
    {"DefaultTime2Wait", "0", "0"},
    {"DefaultTime2Wait", "3600", "3600"},
    {"DefaultTime2Wait", "3601", "Reject"},
    {"DefaultTime2Retain", "0", "0"},
    {"DefaultTime2Retain", "3600", "0"},
    {"DefaultTime2Retain", "3601", "Reject"},
    {"MaxOutstandingR2T", "1", "1"},
    {"MaxOutstandingR2T", "16", "16"},
    {"MaxOutstandingR2T", "65535", "16"},
    {"MaxOutstandingR2T", "0", "Reject"},
    {"MaxOutstandingR2T", "65536", "Reject"},
    {"DataPDUInOrder", "Yes", "Yes"},
    {"DataPDUInOrder", "No", "Yes"},
    {"DataPDUInOrder", "N", "Reject"},
    {"DataSequenceInOrder", "Yes", "Yes"},
    {"DataSequenceInOrder", "No", "Yes"},
    {"ErrorRecoveryLevel", "0", "0"},
    {"ErrorRecoveryLevel", "2", "0"},
    {"ErrorRecoveryLevel", "3", "Reject"},
    {"iSCSIProtocolLevel", "0", "0"},
    {"iSCSIProtocolLevel", "1", "1"},
    {"iSCSIProtocolLevel", "31", "1"},
    {"iSCSIProtocolLevel", "32", "Reject"},
    {"TaskReporting", "RFC3720", "RFC3720"},
    {"TaskReporting", "FastAbort,ResponseFence,RFC3720", "RFC3720"},
    {"TaskReporting", "FastAbort", "Reject"},
    /* obsolete, 13.25 */
    {"IFMarker", "Yes", "No"},
    {"IFMarker", "No", "No"},
    {"OFMarker", "Yes", "No"},
    {"OFMarker", "No", "No"},
    {"IFMarkInt", "2048~4096", "Reject"},
    {"OFMarkInt", "1~65535", "Reject"},
    /* keys that an initiator must not send, or not here */
    {"TargetAlias", "disk", "Reject"},
    {"TargetAddress", "127.0.0.1", "Reject"},
    {"TargetPortalGroupTag", "1", "Reject"},
    {"SendTargets", "All", "Reject"},
    {"AuthMethod", "None", "Reject"},
    {"CHAP_A", "5", "Reject"},
    {"CHAP_R", "0x00", "Reject"},
    /* declarations */
    {"InitiatorName", "iqn.1994-05.com.redhat:host", NULL},
    {"InitiatorAlias", "host", NULL},
    {"SessionType", "Normal", NULL},
    /* unknown keys */
    {"X-com.example.key", "1", "NotUnderstood"},
    {"X#private", "", "NotUnderstood"},
    {"maxburstlength", "512", "NotUnderstood"},
    {"MaxBurst", "512", "NotUnderstood"},
    {"MaxBurstLengthX", "512", "NotUnderstood"},
};

static void each_key(void **state)
{
	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(table); t++) {
		struct negotiation n;
		struct iscsi_params before;
		char pairs[300];
		const char *got;

		start(&n);
		before = n.params;
		snprintf(pairs, sizeof(pairs), "%s=%s\n", table[t].key, table[t].offer);
		assert_null(negotiate(&n, ISCSI_PHASE_OPERATIONAL, false, pairs));
		got = answered(&n, table[t].key);
		if (!got != !table[t].want || (got && strcmp(got, table[t].want) != 0))
			fail_msg("%s=%s: got %s, want %s", table[t].key, table[t].offer, got ? got : "(none)",
				 table[t].want ? table[t].want : "(none)");
		/* a value that was refused must change nothing */
		if (got && (strcmp(got, "Reject") == 0 || strcmp(got, "NotUnderstood") == 0))
			assert_memory_equal(&n.params, &before, sizeof(before));
	}
}

/* The agreed values are in the parameters. */
static void results(void **state)
{
	struct negotiation n;

	(void)state;
	start(&n);
	assert_null(negotiate(
	    &n, ISCSI_PHASE_OPERATIONAL, false,
	    "HeaderDigest=CRC32C\nDataDigest=CRC32C\nMaxConnections=4\nInitialR2T=No\nImmediateData=No\n"
	    "MaxRecvDataSegmentLength=65536\nMaxBurstLength=16776192\nFirstBurstLength=131072\n"
	    "DefaultTime2Wait=5\nDefaultTime2Retain=7\nMaxOutstandingR2T=4\nDataPDUInOrder=No\n"
	    "DataSequenceInOrder=No\nErrorRecoveryLevel=2\niSCSIProtocolLevel=2\nTaskReporting=RFC3720\n"));
	assert_true(n.params.header_digest);
	assert_true(n.params.data_digest);
	assert_int_equal(n.params.max_connections, 1);
	assert_false(n.params.initial_r2t);
	assert_false(n.params.immediate_data);
	assert_int_equal(n.params.max_xmit_data_segment, 65536);
	assert_int_equal(n.params.max_recv_data_segment, 8192);
	assert_int_equal(n.params.max_burst, 1048576);
	assert_int_equal(n.params.first_burst, 131072);
	assert_int_equal(n.params.default_time2wait, 5);
	assert_int_equal(n.params.default_time2retain, 0);
	assert_int_equal(n.params.max_outstanding_r2t, 4);
	assert_true(n.params.data_pdu_in_order);
	assert_true(n.params.data_sequence_in_order);
	assert_int_equal(n.params.error_recovery_level, 0);
	assert_int_equal(n.params.protocol_level, 1);
	assert_false(n.params.task_reporting);
}

/* 13.14: the keys may come in any order, with the target's values and with the defaults. */
static void first_burst_within_max_burst(void **state)
{
	static const struct {
		const char *offer, *answer;
		unsigned first;
	} cases[] = {
	    {"FirstBurstLength=8192\nMaxBurstLength=4096\n", "4096", 4096},
	    {"MaxBurstLength=4096\nFirstBurstLength=8192\n", "4096", 4096},
	    {"MaxBurstLength=4096\nFirstBurstLength=4096\n", "4096", 4096},
	    {"MaxBurstLength=4096\n", NULL, 4096},
	    {"MaxBurstLength=131072\n", NULL, 65536},
	    {"FirstBurstLength=16777215\n", "262144", 262144},
	};

	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		struct negotiation n;

		start(&n);
		assert_null(negotiate(&n, ISCSI_PHASE_OPERATIONAL, false, cases[c].offer));
		assert_int_equal(n.params.first_burst, cases[c].first);
		if (cases[c].answer)
			assert_string_equal(answered(&n, "FirstBurstLength"), cases[c].answer);
		else
			assert_null(answered(&n, "FirstBurstLength"));
	}
}

static void irrelevant_in_discovery(void **state)
{
	static const char *const irrelevant[] = {
	    "MaxConnections=1\n",     "InitialR2T=No\n",           "ImmediateData=Yes\n",
	    "MaxBurstLength=512\n",   "FirstBurstLength=512\n",    "MaxOutstandingR2T=1\n",
	    "DataPDUInOrder=Yes\n",   "DataSequenceInOrder=Yes\n", "TaskReporting=RFC3720\n",
	    "iSCSIProtocolLevel=1\n",
	};
	static const char *const relevant[] = {
	    "HeaderDigest=None\n",    "DataDigest=None\n",      "DefaultTime2Wait=0\n",
	    "DefaultTime2Retain=0\n", "ErrorRecoveryLevel=0\n",
	};
	struct negotiation n;

	(void)state;
	start(&n);
	for (size_t i = 0; i < ARRAY_SIZE(irrelevant); i++) {
		assert_null(negotiate(&n, ISCSI_PHASE_OPERATIONAL, true, irrelevant[i]));
		assert_string_equal(strchr(n.text, '=') + 1, "Irrelevant");
	}
	for (size_t i = 0; i < ARRAY_SIZE(relevant); i++) {
		assert_null(negotiate(&n, ISCSI_PHASE_OPERATIONAL, true, relevant[i]));
		assert_memory_equal(n.text, relevant[i], strlen(relevant[i]) - 1);
	}
}

/*
 * 6.3.2: operational keys do not belong in the security stage and, with one exception, not in full
 * feature phase.
 */
static void phases(void **state)
{
	struct negotiation n;

	(void)state;
	start(&n);
	assert_null(
	    negotiate(&n, ISCSI_PHASE_SECURITY, false,
		      "MaxBurstLength=512\nHeaderDigest=CRC32C\nIFMarker=No\nMaxRecvDataSegmentLength=512\n"
		      "SendTargets=All\nAuthMethod=None\nInitiatorAlias=a\n"));
	assert_string_equal(answered(&n, "MaxBurstLength"), "Reject");
	assert_string_equal(answered(&n, "HeaderDigest"), "Reject");
	assert_string_equal(answered(&n, "IFMarker"), "Reject");
	assert_string_equal(answered(&n, "MaxRecvDataSegmentLength"), "Reject");
	assert_string_equal(answered(&n, "SendTargets"), "Reject");
	assert_null(answered(&n, "AuthMethod"));
	assert_null(answered(&n, "InitiatorAlias"));
	assert_int_equal(n.params.max_burst, 262144);
	start(&n);
	assert_null(negotiate(&n, ISCSI_PHASE_FULL_FEATURE, false,
			      "MaxBurstLength=512\nInitiatorName=" HOST
			      "\nMaxRecvDataSegmentLength=4096\nInitiatorAlias=a\n"));
	assert_string_equal(answered(&n, "MaxBurstLength"), "Reject");
	assert_string_equal(answered(&n, "InitiatorName"), "Reject");
	assert_null(answered(&n, "MaxRecvDataSegmentLength"));
	assert_int_equal(n.params.max_xmit_data_segment, 4096);
}

/* An answer must not be answered, because this would never end (6.2.3). */
static void answers_are_not_answered(void **state)
{
	struct negotiation n;
	struct iscsi_params before;

	(void)state;
	start(&n);
	before = n.params;
	assert_null(negotiate(&n, ISCSI_PHASE_OPERATIONAL, false,
			      "X-key=NotUnderstood\nTargetAlias=NotUnderstood\nMaxBurstLength=Reject\n"
			      "MaxRecvDataSegmentLength=Irrelevant\nIFMarker=Irrelevant\n"));
	assert_int_equal(n.out.len, 0);
	assert_memory_equal(&n.params, &before, sizeof(before));
}

static void a_key_is_negotiated_only_once(void **state)
{
	struct negotiation n;

	(void)state;
	start(&n);
	assert_non_null(negotiate(&n, ISCSI_PHASE_OPERATIONAL, false, "InitialR2T=No\nInitialR2T=No\n"));
	start(&n);
	assert_null(negotiate(&n, ISCSI_PHASE_OPERATIONAL, false, "InitialR2T=No\n"));
	assert_non_null(negotiate(&n, ISCSI_PHASE_OPERATIONAL, false, "InitialR2T=No\n"));
	start(&n); /* the names may be sent in each stage */
	assert_null(
	    negotiate(&n, ISCSI_PHASE_SECURITY, false, "InitiatorName=" HOST "\nTargetName=" DISK "\n"));
	assert_null(
	    negotiate(&n, ISCSI_PHASE_OPERATIONAL, false, "InitiatorName=" HOST "\nTargetName=" DISK "\n"));
	assert_non_null(
	    negotiate(&n, ISCSI_PHASE_OPERATIONAL, false, "TargetName=" DISK "\nTargetName=" DISK "\n"));
}

static void answers_in_order(void **state)
{
	struct negotiation n;
	static const char want[] =
	    "X-a=NotUnderstood\0MaxBurstLength=512\0HeaderDigest=None\0MaxConnections=1";

	(void)state;
	start(&n);
	assert_null(
	    negotiate(&n, ISCSI_PHASE_OPERATIONAL, false,
		      "X-a=\nMaxBurstLength=512\nHeaderDigest=None\nInitiatorAlias=a\nMaxConnections=1\n"));
	assert_int_equal(n.out.len, sizeof(want));
	assert_memory_equal(n.text, want, sizeof(want));
}

/* Each row of the table can be found, has the fields that its type needs, and has legal defaults. */
static void each_row_of_the_table_is_complete(void **state)
{
	(void)state;
	for (unsigned key = 0; key < ISCSI_KEY_COUNT; key++) {
		const struct iscsi_key_row *row = &iscsi_keys[key];
		bool number = row->type == ISCSI_KEY_MIN || row->type == ISCSI_KEY_MAX ||
			      row->type == ISCSI_KEY_DECLARED;

		assert_non_null(row->name);
		assert_int_equal(iscsi_key_find(row->name, strlen(row->name)), key);
		assert_true(strlen(row->name) <= 63);
		assert_int_equal(row->choices != NULL,
				 row->type == ISCSI_KEY_LIST || row->type == ISCSI_KEY_FIXED);
		if (number) {
			assert_uint_in_range(row->initial, row->min, row->max);
			assert_uint_in_range(row->ours, row->min, row->max);
		}
	}
	assert_int_equal(iscsi_key_find("", 0), ISCSI_KEY_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults),
	    cmocka_unit_test(each_key),
	    cmocka_unit_test(results),
	    cmocka_unit_test(first_burst_within_max_burst),
	    cmocka_unit_test(irrelevant_in_discovery),
	    cmocka_unit_test(phases),
	    cmocka_unit_test(answers_are_not_answered),
	    cmocka_unit_test(a_key_is_negotiated_only_once),
	    cmocka_unit_test(answers_in_order),
	    cmocka_unit_test(each_row_of_the_table_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
