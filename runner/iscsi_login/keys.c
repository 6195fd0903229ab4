/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of the keys that login and text negotiation know. negotiate.c uses the rows. Section numbers are
 * those of RFC 7143.
 */
#include "iscsi_login/keys.h"

#include <string.h>

#include "iscsi_login/params.h"

#define SEGMENT_MAX 16777215u /* 2^24 - 1: the largest value of DataSegmentLength */
/* The longest binary value has 1024 bytes (6.1), which are "0x" and hexadecimal digits here. */
#define BINARY_MAX 2050

static const char *const digests[] = {"None", "CRC32C", NULL};
static const char *const task_reporting[] = {"RFC3720", NULL};
/*
 * For the marker keys, section 13.25 recommends the answer Reject and allows No. An initiator that follows
 * RFC 3720 accepts No as the result of its offer, but treats Reject as a failure.
 */
static const char *const no[] = {"No", NULL};
static const char *const reject[] = {"Reject", NULL};

/* clang-format off */
/* The macros from which the rows are built. */
#define IN(phase_) .phase = ISCSI_PHASE_##phase_
#define NAME(name_) .name = (name_), .name_len = sizeof(name_) - 1
#define TEXT       .type = ISCSI_KEY_TEXT
#define FIELD(field_) .field = offsetof(struct iscsi_params, field_)
#define NUMBER(function_, field_, initial_, ours_, min_, max_) \
	.type = ISCSI_KEY_##function_, FIELD(field_), .initial = (initial_), .ours = (ours_), .min = (min_), \
	.max = (max_)
#define BOOLEAN(function_, field_, initial_, ours_) \
	.type = ISCSI_KEY_##function_, FIELD(field_), .initial = (initial_), .ours = (ours_)
#define LIST(field_, choices_) \
	.type = ISCSI_KEY_LIST, FIELD(field_), .choices = (choices_), .ours = UINT32_MAX
#define TPG(parameter_) .parameter = MODEL_P_##parameter_
#define OBSOLETE(answer_)      .type = ISCSI_KEY_FIXED, .choices = (answer_)
#define NORMAL_ONLY            .not_in_discovery = true

const struct iscsi_key_row iscsi_keys[ISCSI_KEY_COUNT] = {
	/* Names and addresses, 13.3 to 13.9, 13.21 */
	[ISCSI_KEY_SESSION_TYPE]    = { NAME("SessionType"), TEXT, IN(LOGIN), .may_repeat = true },
	[ISCSI_KEY_INITIATOR_NAME]  = { NAME("InitiatorName"), TEXT, IN(LOGIN), .may_repeat = true },
	[ISCSI_KEY_INITIATOR_ALIAS] = { NAME("InitiatorAlias"), TEXT, IN(ANY), .may_repeat = true },
	[ISCSI_KEY_TARGET_NAME]     = { NAME("TargetName"), TEXT, IN(LOGIN), .may_repeat = true },
	[ISCSI_KEY_TARGET_ALIAS]    = { NAME("TargetAlias"), TEXT, IN(NEVER) },
	[ISCSI_KEY_TARGET_ADDRESS]  = { NAME("TargetAddress"), TEXT, IN(NEVER) },
	[ISCSI_KEY_TARGET_PORTAL_GROUP_TAG] = { NAME("TargetPortalGroupTag"), TEXT, IN(NEVER) },
	[ISCSI_KEY_SEND_TARGETS]    = { NAME("SendTargets"), TEXT, IN(FULL_FEATURE) },

	/* Authentication, 12.1; chap.c checks the order of the keys */
	[ISCSI_KEY_AUTH_METHOD] = { NAME("AuthMethod"), TEXT, IN(SECURITY) },
	[ISCSI_KEY_CHAP_A] = { NAME("CHAP_A"), TEXT, IN(SECURITY) },
	[ISCSI_KEY_CHAP_I] = { NAME("CHAP_I"), TEXT, IN(SECURITY) },
	[ISCSI_KEY_CHAP_C] = { NAME("CHAP_C"), TEXT, IN(SECURITY), .value_max = BINARY_MAX },
	[ISCSI_KEY_CHAP_N] = { NAME("CHAP_N"), TEXT, IN(SECURITY) },
	[ISCSI_KEY_CHAP_R] = { NAME("CHAP_R"), TEXT, IN(SECURITY), .value_max = BINARY_MAX },

	/* Operational parameters, 13.1, 13.2, 13.10 to 13.20 */
	[ISCSI_KEY_HEADER_DIGEST] = { NAME("HeaderDigest"), LIST(header_digest, digests), IN(OPERATIONAL),
				      TPG(HEADER_DIGEST), .target_offers = true },
	[ISCSI_KEY_DATA_DIGEST] = { NAME("DataDigest"), LIST(data_digest, digests), IN(OPERATIONAL),
				    TPG(DATA_DIGEST), .target_offers = true },
	[ISCSI_KEY_MAX_CONNECTIONS] = { NAME("MaxConnections"), NUMBER(MIN, max_connections, 1, 1, 1, 65535),
					IN(OPERATIONAL), NORMAL_ONLY },
	[ISCSI_KEY_INITIAL_R2T] = { NAME("InitialR2T"), BOOLEAN(OR, initial_r2t, true, false),
				    IN(OPERATIONAL), NORMAL_ONLY, TPG(INITIAL_R2T) },
	[ISCSI_KEY_IMMEDIATE_DATA] = { NAME("ImmediateData"), BOOLEAN(AND, immediate_data, true, true),
				       IN(OPERATIONAL), NORMAL_ONLY, TPG(IMMEDIATE_DATA),
				       .target_offers = true, .may_stay_unanswered = true },
	/* The field stores the limit of the initiator, and .ours is the limit that the target declares. */
	[ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH] = { NAME("MaxRecvDataSegmentLength"),
						     NUMBER(DECLARED, max_xmit_data_segment, 8192, 262144,
							    512, SEGMENT_MAX),
						     IN(NEGOTIATION), TPG(MAX_RECV_DATA_SEGMENT) },
	[ISCSI_KEY_MAX_BURST_LENGTH] = { NAME("MaxBurstLength"),
					 NUMBER(MIN, max_burst, 262144, 1048576, 512, SEGMENT_MAX),
					 IN(OPERATIONAL), NORMAL_ONLY, TPG(MAX_BURST) },
	[ISCSI_KEY_FIRST_BURST_LENGTH] = { NAME("FirstBurstLength"),
					   NUMBER(MIN, first_burst, 65536, 262144, 512, SEGMENT_MAX),
					   IN(OPERATIONAL), NORMAL_ONLY, TPG(FIRST_BURST),
					   .target_offers = true, .may_stay_unanswered = true },
	/*
	 * A session ends with its connection (ErrorRecoveryLevel 0), so both times are 0: the target keeps no
	 * state for a later connection.
	 */
	[ISCSI_KEY_DEFAULT_TIME2WAIT] = { NAME("DefaultTime2Wait"),
					  NUMBER(MAX, default_time2wait, 2, 0, 0, 3600), IN(OPERATIONAL),
					  TPG(DEFAULT_TIME2WAIT) },
	[ISCSI_KEY_DEFAULT_TIME2RETAIN] = { NAME("DefaultTime2Retain"),
					    NUMBER(MIN, default_time2retain, 20, 0, 0, 3600),
					    IN(OPERATIONAL), TPG(DEFAULT_TIME2RETAIN) },
	[ISCSI_KEY_MAX_OUTSTANDING_R2T] = { NAME("MaxOutstandingR2T"),
					    NUMBER(MIN, max_outstanding_r2t, 1, 16, 1, 65535),
					    IN(OPERATIONAL), NORMAL_ONLY, TPG(MAX_OUTSTANDING_R2T) },
	[ISCSI_KEY_DATA_PDU_IN_ORDER] = { NAME("DataPDUInOrder"), BOOLEAN(OR, data_pdu_in_order, true, true),
					  IN(OPERATIONAL), NORMAL_ONLY },
	[ISCSI_KEY_DATA_SEQUENCE_IN_ORDER] = { NAME("DataSequenceInOrder"),
					       BOOLEAN(OR, data_sequence_in_order, true, true),
					       IN(OPERATIONAL), NORMAL_ONLY },
	[ISCSI_KEY_ERROR_RECOVERY_LEVEL] = { NAME("ErrorRecoveryLevel"),
					     NUMBER(MIN, error_recovery_level, 0, 0, 0, 2), IN(OPERATIONAL) },
	/* 13.23, 13.24 */
	[ISCSI_KEY_TASK_REPORTING] = { NAME("TaskReporting"), LIST(task_reporting, task_reporting),
				       IN(OPERATIONAL), NORMAL_ONLY },
	[ISCSI_KEY_PROTOCOL_LEVEL] = { NAME("iSCSIProtocolLevel"), NUMBER(MIN, protocol_level, 1, 1, 0, 31),
				       IN(OPERATIONAL), NORMAL_ONLY },
	/* 13.25: these keys are obsolete, but the answer must not be NotUnderstood */
	[ISCSI_KEY_IF_MARKER]   = { NAME("IFMarker"), OBSOLETE(no), IN(OPERATIONAL) },
	[ISCSI_KEY_OF_MARKER]   = { NAME("OFMarker"), OBSOLETE(no), IN(OPERATIONAL) },
	[ISCSI_KEY_IF_MARK_INT] = { NAME("IFMarkInt"), OBSOLETE(reject), IN(OPERATIONAL) },
	[ISCSI_KEY_OF_MARK_INT] = { NAME("OFMarkInt"), OBSOLETE(reject), IN(OPERATIONAL) },
};
/* clang-format on */

enum iscsi_key iscsi_key_find(const char *name, size_t len)
{
	for (unsigned key = 0; key < ISCSI_KEY_COUNT; key++)
		if (iscsi_keys[key].name_len == len && memcmp(iscsi_keys[key].name, name, len) == 0)
			return key;
	return ISCSI_KEY_UNKNOWN;
}
