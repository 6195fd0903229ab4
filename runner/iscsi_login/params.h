/* SPDX-License-Identifier: Apache-2.0 */
/* Operational parameters of a session or connection, as negotiated (RFC 7143 13). Filled by the
 * key table. */
#ifndef ISCSI_LOGIN_PARAMS_H
#define ISCSI_LOGIN_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

struct iscsi_params {
	/* CRC32C in use. */
	bool header_digest;
	bool data_digest;
	bool initial_r2t;
	bool immediate_data;
	bool data_pdu_in_order;
	bool data_sequence_in_order;
	uint32_t max_connections;
	/* The limit that the target declared: the initiator sends no more in a PDU. */
	uint32_t max_recv_data_segment;
	/* The limit that the initiator declared: the target sends no more in a PDU. */
	uint32_t max_xmit_data_segment;
	uint32_t max_burst;
	uint32_t first_burst;
	uint32_t max_outstanding_r2t;
	uint32_t default_time2wait;
	uint32_t default_time2retain;
	uint32_t error_recovery_level;
	/* 1: RFC 7143 (13.24). */
	uint32_t protocol_level;
	/* False: RFC3720, the only supported value (13.23). */
	bool task_reporting;
};

/* Sets the values that hold as long as nothing is negotiated. */
void iscsi_params_init(struct iscsi_params *params);
/*
 * Writes the values for people to read, as lines "Key=Value\n". MaxRecvDataSegmentLength is the limit
 * of the target, and MaxXmitDataSegmentLength the limit of the initiator. discovery: leaves out what
 * a discovery session does not have. Returns text.
 */
#define ISCSI_PARAMS_TEXT_SIZE 1024
const char *iscsi_params_show(const struct iscsi_params *params, bool discovery,
			      char text[ISCSI_PARAMS_TEXT_SIZE]);
#endif
