/* SPDX-License-Identifier: Apache-2.0 */
#include "iscsi/keys.h"

#include <string.h>

#include "iscsi/params.h"

#define FIELD(name) offsetof(struct iscsi_params, name)
#define SEGMENT_MAX 16777215u /* 2^24 - 1: what DataSegmentLength can say */
#define BINARY_MAX  2050      /* 1024 bytes, the longest binary value (6.1), as "0x" and hex digits */

static const char *const digests[] = {"None", "CRC32C", NULL};
static const char *const task_reporting[] = {"RFC3720", NULL};
/* 13.25 would rather see Reject for the marker keys, but allows No, which an RFC 3720 initiator takes as the
 * result of its own offer instead of as a failure. */
static const char *const no[] = {"No", NULL};
static const char *const reject[] = {"Reject", NULL};

const struct iscsi_key_row iscsi_keys[ISCSI_KEY_COUNT] = {
    /* who is there, 13.4 to 13.10, 13.21, 13.3 */
    [ISCSI_KEY_SESSION_TYPE] = {"SessionType", ISCSI_KEY_TEXT, ISCSI_PHASE_LOGIN, .may_repeat = true},
    [ISCSI_KEY_INITIATOR_NAME] = {"InitiatorName", ISCSI_KEY_TEXT, ISCSI_PHASE_LOGIN, .may_repeat = true},
    [ISCSI_KEY_INITIATOR_ALIAS] = {"InitiatorAlias", ISCSI_KEY_TEXT, ISCSI_PHASE_ANY, .may_repeat = true},
    [ISCSI_KEY_TARGET_NAME] = {"TargetName", ISCSI_KEY_TEXT, ISCSI_PHASE_LOGIN, .may_repeat = true},
    [ISCSI_KEY_TARGET_ALIAS] = {"TargetAlias", ISCSI_KEY_TEXT, ISCSI_PHASE_NEVER},
    [ISCSI_KEY_TARGET_ADDRESS] = {"TargetAddress", ISCSI_KEY_TEXT, ISCSI_PHASE_NEVER},
    [ISCSI_KEY_TARGET_PORTAL_GROUP_TAG] = {"TargetPortalGroupTag", ISCSI_KEY_TEXT, ISCSI_PHASE_NEVER},
    [ISCSI_KEY_SEND_TARGETS] = {"SendTargets", ISCSI_KEY_TEXT, ISCSI_PHASE_FULL_FEATURE},

    /* authentication, 12.1; what comes when is chap.c's to judge */
    [ISCSI_KEY_AUTH_METHOD] = {"AuthMethod", ISCSI_KEY_TEXT, ISCSI_PHASE_SECURITY},
    [ISCSI_KEY_CHAP_A] = {"CHAP_A", ISCSI_KEY_TEXT, ISCSI_PHASE_SECURITY},
    [ISCSI_KEY_CHAP_I] = {"CHAP_I", ISCSI_KEY_TEXT, ISCSI_PHASE_SECURITY},
    [ISCSI_KEY_CHAP_C] = {"CHAP_C", ISCSI_KEY_TEXT, ISCSI_PHASE_SECURITY, .value_max = BINARY_MAX},
    [ISCSI_KEY_CHAP_N] = {"CHAP_N", ISCSI_KEY_TEXT, ISCSI_PHASE_SECURITY},
    [ISCSI_KEY_CHAP_R] = {"CHAP_R", ISCSI_KEY_TEXT, ISCSI_PHASE_SECURITY, .value_max = BINARY_MAX},

    /* operational parameters, 13.1, 13.2, 13.10 to 13.20 */
    [ISCSI_KEY_HEADER_DIGEST] = {"HeaderDigest", ISCSI_KEY_LIST, ISCSI_PHASE_OPERATIONAL,
				 .field = FIELD(header_digest), .choices = digests},
    [ISCSI_KEY_DATA_DIGEST] = {"DataDigest", ISCSI_KEY_LIST, ISCSI_PHASE_OPERATIONAL,
			       .field = FIELD(data_digest), .choices = digests},
    [ISCSI_KEY_MAX_CONNECTIONS] = {"MaxConnections", ISCSI_KEY_MIN, ISCSI_PHASE_OPERATIONAL,
				   .not_in_discovery = true, .field = FIELD(max_connections), .initial = 1,
				   .ours = 1, .min = 1, .max = 65535},
    [ISCSI_KEY_INITIAL_R2T] = {"InitialR2T", ISCSI_KEY_OR, ISCSI_PHASE_OPERATIONAL, .not_in_discovery = true,
			       .field = FIELD(initial_r2t), .initial = true, .ours = false},
    [ISCSI_KEY_IMMEDIATE_DATA] = {"ImmediateData", ISCSI_KEY_AND, ISCSI_PHASE_OPERATIONAL,
				  .not_in_discovery = true, .field = FIELD(immediate_data), .initial = true,
				  .ours = true},
    /* The field is what the initiator takes; ours is what we declare to it. */
    [ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH] = {"MaxRecvDataSegmentLength", ISCSI_KEY_DECLARED,
						ISCSI_PHASE_OPERATIONAL | ISCSI_PHASE_FULL_FEATURE,
						.field = FIELD(max_xmit_data_segment), .initial = 8192,
						.ours = 262144, .min = 512, .max = SEGMENT_MAX},
    [ISCSI_KEY_MAX_BURST_LENGTH] = {"MaxBurstLength", ISCSI_KEY_MIN, ISCSI_PHASE_OPERATIONAL,
				    .not_in_discovery = true, .field = FIELD(max_burst), .initial = 262144,
				    .ours = 1048576, .min = 512, .max = SEGMENT_MAX},
    [ISCSI_KEY_FIRST_BURST_LENGTH] = {"FirstBurstLength", ISCSI_KEY_MIN, ISCSI_PHASE_OPERATIONAL,
				      .not_in_discovery = true, .field = FIELD(first_burst), .initial = 65536,
				      .ours = 262144, .min = 512, .max = SEGMENT_MAX},
    /* A session ends with its connection (ErrorRecoveryLevel 0): nothing to wait for, nothing retained. */
    [ISCSI_KEY_DEFAULT_TIME2WAIT] = {"DefaultTime2Wait", ISCSI_KEY_MAX, ISCSI_PHASE_OPERATIONAL,
				     .field = FIELD(default_time2wait), .initial = 2, .ours = 0, .min = 0,
				     .max = 3600},
    [ISCSI_KEY_DEFAULT_TIME2RETAIN] = {"DefaultTime2Retain", ISCSI_KEY_MIN, ISCSI_PHASE_OPERATIONAL,
				       .field = FIELD(default_time2retain), .initial = 20, .ours = 0,
				       .min = 0, .max = 3600},
    [ISCSI_KEY_MAX_OUTSTANDING_R2T] = {"MaxOutstandingR2T", ISCSI_KEY_MIN, ISCSI_PHASE_OPERATIONAL,
				       .not_in_discovery = true, .field = FIELD(max_outstanding_r2t),
				       .initial = 1, .ours = 16, .min = 1, .max = 65535},
    [ISCSI_KEY_DATA_PDU_IN_ORDER] = {"DataPDUInOrder", ISCSI_KEY_OR, ISCSI_PHASE_OPERATIONAL,
				     .not_in_discovery = true, .field = FIELD(data_pdu_in_order),
				     .initial = true, .ours = true},
    [ISCSI_KEY_DATA_SEQUENCE_IN_ORDER] = {"DataSequenceInOrder", ISCSI_KEY_OR, ISCSI_PHASE_OPERATIONAL,
					  .not_in_discovery = true, .field = FIELD(data_sequence_in_order),
					  .initial = true, .ours = true},
    [ISCSI_KEY_ERROR_RECOVERY_LEVEL] = {"ErrorRecoveryLevel", ISCSI_KEY_MIN, ISCSI_PHASE_OPERATIONAL,
					.field = FIELD(error_recovery_level), .initial = 0, .ours = 0,
					.min = 0, .max = 2},
    /* 13.23, 13.24 */
    [ISCSI_KEY_PROTOCOL_LEVEL] = {"iSCSIProtocolLevel", ISCSI_KEY_MIN, ISCSI_PHASE_OPERATIONAL,
				  .not_in_discovery = true, .field = FIELD(protocol_level), .initial = 1,
				  .ours = 1, .min = 0, .max = 31},
    [ISCSI_KEY_TASK_REPORTING] = {"TaskReporting", ISCSI_KEY_LIST, ISCSI_PHASE_OPERATIONAL,
				  .not_in_discovery = true, .field = FIELD(task_reporting),
				  .choices = task_reporting},
    /* 13.25: obsolete, and never to be called NotUnderstood */
    [ISCSI_KEY_IF_MARKER] = {"IFMarker", ISCSI_KEY_FIXED, ISCSI_PHASE_OPERATIONAL, .choices = no},
    [ISCSI_KEY_OF_MARKER] = {"OFMarker", ISCSI_KEY_FIXED, ISCSI_PHASE_OPERATIONAL, .choices = no},
    [ISCSI_KEY_IF_MARK_INT] = {"IFMarkInt", ISCSI_KEY_FIXED, ISCSI_PHASE_OPERATIONAL, .choices = reject},
    [ISCSI_KEY_OF_MARK_INT] = {"OFMarkInt", ISCSI_KEY_FIXED, ISCSI_PHASE_OPERATIONAL, .choices = reject},
};

enum iscsi_key iscsi_key_find(const char *name, size_t len)
{
	for (unsigned key = 0; key < ISCSI_KEY_COUNT; key++)
		if (strlen(iscsi_keys[key].name) == len && memcmp(iscsi_keys[key].name, name, len) == 0)
			return key;
	return ISCSI_KEY_UNKNOWN;
}
