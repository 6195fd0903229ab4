/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PDUs as they lie on the wire (RFC 7143 11). Fields are bytes and byte arrays, big-endian, read and written with
 * util/bytes.h: no padding, no alignment, no bit-fields.
 */
#ifndef ISCSI_PDU_H
#define ISCSI_PDU_H

#include <assert.h>
#include <stdint.h>

#define ISCSI_BHS_LEN 48

/* RFC 7143 11.2.1.2 */
enum iscsi_opcode {
	ISCSI_OP_NOP_OUT = 0x00,
	ISCSI_OP_SCSI_COMMAND = 0x01,
	ISCSI_OP_TASK_MGMT = 0x02,
	ISCSI_OP_LOGIN = 0x03,
	ISCSI_OP_TEXT = 0x04,
	ISCSI_OP_DATA_OUT = 0x05,
	ISCSI_OP_LOGOUT = 0x06,
	ISCSI_OP_SNACK = 0x10,
	ISCSI_OP_NOP_IN = 0x20,
	ISCSI_OP_SCSI_RESPONSE = 0x21,
	ISCSI_OP_TASK_MGMT_RSP = 0x22,
	ISCSI_OP_LOGIN_RSP = 0x23,
	ISCSI_OP_TEXT_RSP = 0x24,
	ISCSI_OP_DATA_IN = 0x25,
	ISCSI_OP_LOGOUT_RSP = 0x26,
	ISCSI_OP_R2T = 0x31,
	ISCSI_OP_ASYNC = 0x32,
	ISCSI_OP_REJECT = 0x3f,
};
#define ISCSI_OP_MASK      0x3f
#define ISCSI_OP_IMMEDIATE 0x40 /* the I bit of requests */

/* Login flags (11.12.2 to 11.12.5, 11.13) */
#define ISCSI_LOGIN_TRANSIT  0x80
#define ISCSI_LOGIN_CONTINUE 0x40
#define ISCSI_LOGIN_CSG(flags) (((flags) >> 2) & 3)
#define ISCSI_LOGIN_NSG(flags) ((flags) & 3)

struct iscsi_login_req {
	uint8_t opcode;
	uint8_t flags;
	uint8_t version_max;
	uint8_t version_min;
	uint8_t ahs_len; /* 4-byte words */
	uint8_t data_len[3];
	uint8_t isid[6];
	uint8_t tsih[2];
	uint8_t itt[4];
	uint8_t cid[2];
	uint8_t reserved[2];
	uint8_t cmdsn[4];
	uint8_t expstatsn[4];
	uint8_t reserved2[16];
};
static_assert(sizeof(struct iscsi_login_req) == ISCSI_BHS_LEN, "RFC 7143 11.12");

struct iscsi_login_rsp {
	uint8_t opcode;
	uint8_t flags;
	uint8_t version_max;
	uint8_t version_active;
	uint8_t ahs_len;
	uint8_t data_len[3];
	uint8_t isid[6];
	uint8_t tsih[2];
	uint8_t itt[4];
	uint8_t reserved[4];
	uint8_t statsn[4];
	uint8_t expcmdsn[4];
	uint8_t maxcmdsn[4];
	uint8_t status_class;
	uint8_t status_detail;
	uint8_t reserved2[10];
};
static_assert(sizeof(struct iscsi_login_rsp) == ISCSI_BHS_LEN, "RFC 7143 11.13");

/* Login status (11.13.5): class in the high byte, detail in the low byte. */
enum iscsi_login_status {
	ISCSI_LOGIN_OK = 0x0000,
	ISCSI_LOGIN_INITIATOR_ERROR = 0x0200,
	ISCSI_LOGIN_AUTH_FAILED = 0x0201,
	ISCSI_LOGIN_FORBIDDEN = 0x0202,
	ISCSI_LOGIN_NOT_FOUND = 0x0203,
	ISCSI_LOGIN_REMOVED = 0x0204,
	ISCSI_LOGIN_BAD_VERSION = 0x0205,
	ISCSI_LOGIN_TOO_MANY = 0x0206,
	ISCSI_LOGIN_MISSING_PARAMETER = 0x0207,
	ISCSI_LOGIN_CANNOT_INCLUDE = 0x0208,
	ISCSI_LOGIN_BAD_SESSION_TYPE = 0x0209,
	ISCSI_LOGIN_NO_SESSION = 0x020a,
	ISCSI_LOGIN_INVALID = 0x020b,
	ISCSI_LOGIN_TARGET_ERROR = 0x0300,
	ISCSI_LOGIN_UNAVAILABLE = 0x0301,
	ISCSI_LOGIN_NO_RESOURCES = 0x0302,
};
#endif
