/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The negotiated operational parameters of a session or connection (RFC 7143 13). The key table says where
 * each key is stored.
 */
#ifndef ISCSI_LOGIN_PARAMS_H
#define ISCSI_LOGIN_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

struct iscsi_params {
	/* Whether CRC32C is used. */
	bool header_digest;
	bool data_digest;
	bool initial_r2t;
	bool immediate_data;
	bool data_pdu_in_order;
	bool data_sequence_in_order;
	uint32_t max_connections;
	/* The limit that the target declared: the initiator sends at most this many bytes in a PDU. */
	uint32_t max_recv_data_segment;
	/* The limit that the initiator declared: the target sends at most this many bytes in a PDU. */
	uint32_t max_xmit_data_segment;
	uint32_t max_burst;
	uint32_t first_burst;
	uint32_t max_outstanding_r2t;
	uint32_t default_time2wait;
	uint32_t default_time2retain;
	uint32_t error_recovery_level;
	/* The value 1 means RFC 7143 (13.24). */
	uint32_t protocol_level;
	/* False means RFC3720, which is the only supported value (13.23). */
	bool task_reporting;
};

/* Sets the values that are valid before anything is negotiated. */
void iscsi_params_init(struct iscsi_params *params);
/*
 * Writes the values for people, as lines "Key=Value\n". MaxRecvDataSegmentLength is the limit of the target,
 * and MaxXmitDataSegmentLength is the limit of the initiator. If discovery is true, leaves out the keys that
 * a discovery session does not have. Returns text.
 */
#define ISCSI_PARAMS_TEXT_SIZE 1024
const char *iscsi_params_show(const struct iscsi_params *params, bool discovery,
			      char text[ISCSI_PARAMS_TEXT_SIZE]);
#endif
