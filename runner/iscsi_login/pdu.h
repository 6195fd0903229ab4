/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PDUs as they are transmitted (RFC 7143 11). Every field is a byte array or a single byte, so the structs
 * have no padding and no byte order. The functions of util/bytes.h read and write the fields. Each struct is
 * one 48-byte basic header segment.
 */
#ifndef ISCSI_LOGIN_PDU_H
#define ISCSI_LOGIN_PDU_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define ISCSI_BHS_LEN    48
#define ISCSI_AHS_MAX    (255 * 4) /* TotalAHSLength is one byte that counts 4-byte words. */
#define ISCSI_DIGEST_LEN 4
#define ISCSI_TAG_NONE   0xffffffffu /* The reserved value of the Initiator and Target Transfer Tags. */
#define ISCSI_FINAL      0x80        /* The F bit in byte 1. */

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
#define ISCSI_OP_IMMEDIATE 0x40 /* The I bit of requests. */

/* Any thread. Returns the name of a kind of PDU, such as "Login Request", or "reserved opcode". */
const char *iscsi_opcode_name(uint8_t opcode);

/* The fields that all PDUs have in common. Other fields are in the "specific" bytes. */
struct iscsi_bhs {
	uint8_t opcode;
	uint8_t flags;
	uint8_t specific[2];
	/* The length in 4-byte words. */
	uint8_t total_ahs_len;
	uint8_t data_len[3];
	uint8_t lun[8];
	uint8_t itt[4];
	uint8_t ttt[4];
	/* In requests: CmdSN and ExpStatSN. In responses: StatSN, ExpCmdSN and MaxCmdSN. */
	uint8_t sn[3][4];
	uint8_t tail[12];
};

/* 11.3 */
#define ISCSI_CMD_READ  0x40
#define ISCSI_CMD_WRITE 0x20
struct iscsi_scsi_command {
	uint8_t opcode, flags, reserved[2], total_ahs_len, data_len[3], lun[8], itt[4];
	/* Expected data transfer length. */
	uint8_t edtl[4];
	uint8_t cmdsn[4], expstatsn[4], cdb[16];
};

/* 11.2.2: additional header segments. The length counts the bytes after the type, without padding. */
enum { ISCSI_AHS_EXTENDED_CDB = 1, ISCSI_AHS_BIDI_READ = 2 };
struct iscsi_ahs {
	uint8_t len[2], type, specific;
};

/* 11.4 */
#define ISCSI_RSP_OVERFLOW  0x04
#define ISCSI_RSP_UNDERFLOW 0x02
struct iscsi_scsi_response {
	uint8_t opcode, flags, response, status, total_ahs_len, data_len[3], reserved[8], itt[4],
	    snack_tag[4];
	uint8_t statsn[4], exp_cmdsn[4], max_cmdsn[4], exp_datasn[4], bidi_residual[4], residual[4];
};

/* 11.5 */
enum iscsi_tmf_function {
	ISCSI_TMF_ABORT_TASK = 1,
	ISCSI_TMF_ABORT_TASK_SET = 2,
	ISCSI_TMF_CLEAR_ACA = 3,
	ISCSI_TMF_CLEAR_TASK_SET = 4,
	ISCSI_TMF_LU_RESET = 5,
	ISCSI_TMF_WARM_RESET = 6,
	ISCSI_TMF_COLD_RESET = 7,
	ISCSI_TMF_REASSIGN = 8,
};
struct iscsi_tmf_request {
	uint8_t opcode, function, reserved[2], total_ahs_len, data_len[3], lun[8], itt[4], ref_task_tag[4];
	uint8_t cmdsn[4], expstatsn[4], ref_cmdsn[4], exp_datasn[4], reserved2[8];
};

/* 11.6 */
enum iscsi_tmf_answer {
	ISCSI_TMF_COMPLETE = 0,
	ISCSI_TMF_NO_TASK = 1,
	ISCSI_TMF_NO_LUN = 2,
	ISCSI_TMF_NO_REASSIGN = 4,
	ISCSI_TMF_NOT_SUPPORTED = 5,
	ISCSI_TMF_REJECTED = 255,
};
struct iscsi_tmf_response {
	uint8_t opcode, flags, response, reserved, total_ahs_len, data_len[3], reserved2[8], itt[4],
	    reserved3[4];
	uint8_t statsn[4], exp_cmdsn[4], max_cmdsn[4], reserved4[12];
};

/* 11.7: Data-Out */
struct iscsi_data_out {
	uint8_t opcode, flags, reserved[2], total_ahs_len, data_len[3], lun[8], itt[4], ttt[4];
	uint8_t reserved2[4], expstatsn[4], reserved3[4], datasn[4], offset[4], reserved4[4];
};

/* 11.7: Data-In. The S bit says that the PDU carries the status. */
#define ISCSI_DATA_IN_STATUS 0x01
struct iscsi_data_in {
	uint8_t opcode, flags, reserved, status, total_ahs_len, data_len[3], lun[8], itt[4], ttt[4];
	uint8_t statsn[4], exp_cmdsn[4], max_cmdsn[4], datasn[4], offset[4], residual[4];
};

/* 11.8 */
struct iscsi_r2t {
	uint8_t opcode, flags, reserved[2], total_ahs_len, data_len[3], lun[8], itt[4], ttt[4];
	uint8_t statsn[4], exp_cmdsn[4], max_cmdsn[4], r2tsn[4], offset[4], desired[4];
};

/* 11.9 */
enum { ISCSI_ASYNC_LOGOUT = 1 };
struct iscsi_async_message {
	uint8_t opcode, flags, reserved[2], total_ahs_len, data_len[3], lun[8], tag[4], reserved2[4];
	uint8_t statsn[4], exp_cmdsn[4], max_cmdsn[4], event, vendor_code, parameter[3][2], reserved3[4];
};

/* 11.10, 11.11 */
#define ISCSI_TEXT_CONTINUE 0x40
struct iscsi_text {
	uint8_t opcode, flags, reserved[2], total_ahs_len, data_len[3], lun[8], itt[4], ttt[4];
	uint8_t sn[3][4], reserved2[12];
};

/* 11.14, 11.15 */
enum iscsi_logout_reason { ISCSI_LOGOUT_SESSION = 0, ISCSI_LOGOUT_CONNECTION = 1, ISCSI_LOGOUT_RECOVERY = 2 };
enum iscsi_logout_answer { ISCSI_LOGOUT_OK = 0, ISCSI_LOGOUT_NO_CID = 1, ISCSI_LOGOUT_NO_RECOVERY = 2 };
struct iscsi_logout_request {
	uint8_t opcode, reason, reserved[2], total_ahs_len, data_len[3], reserved2[8], itt[4], cid[2],
	    reserved3[2];
	uint8_t cmdsn[4], expstatsn[4], reserved4[16];
};
struct iscsi_logout_response {
	uint8_t opcode, flags, response, reserved, total_ahs_len, data_len[3], reserved2[8], itt[4],
	    reserved3[4];
	uint8_t statsn[4], exp_cmdsn[4], max_cmdsn[4], reserved4[4], time2wait[2], time2retain[2],
	    reserved5[4];
};

/* 11.17 */
enum iscsi_reject_reason {
	ISCSI_REJECT_DATA_DIGEST = 0x02,
	ISCSI_REJECT_SNACK = 0x03,
	ISCSI_REJECT_PROTOCOL = 0x04,
	ISCSI_REJECT_NOT_SUPPORTED = 0x05,
	/* There are too many immediate commands. */
	ISCSI_REJECT_IMMEDIATE = 0x06,
	ISCSI_REJECT_TASK_IN_PROGRESS = 0x07,
	ISCSI_REJECT_INVALID_FIELD = 0x09,
	/* The target is out of resources. */
	ISCSI_REJECT_LONG_OPERATION = 0x0a,
	ISCSI_REJECT_WAITING_LOGOUT = 0x0c,
};
struct iscsi_reject {
	uint8_t opcode, flags, reason, reserved, total_ahs_len, data_len[3], reserved2[8], itt[4],
	    reserved3[4];
	uint8_t statsn[4], exp_cmdsn[4], max_cmdsn[4], datasn[4], reserved4[8];
};

/* 11.18, 11.19 */
struct iscsi_nop {
	uint8_t opcode, flags, reserved[2], total_ahs_len, data_len[3], lun[8], itt[4], ttt[4];
	uint8_t sn[3][4], reserved2[12];
};

/* Login flags (11.12.2 to 11.12.5, 11.13) */
#define ISCSI_LOGIN_TRANSIT    0x80
#define ISCSI_LOGIN_CONTINUE   0x40
#define ISCSI_LOGIN_CSG(flags) (((flags) >> 2) & 3)
#define ISCSI_LOGIN_NSG(flags) ((flags)&3)

struct iscsi_login_req {
	uint8_t opcode;
	uint8_t flags;
	uint8_t version_max;
	uint8_t version_min;
	/* The length in 4-byte words. */
	uint8_t ahs_len;
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

/* The status of a login (11.13.5). The class is in the high byte, and the detail in the low byte. */
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

static_assert(sizeof(struct iscsi_bhs) == ISCSI_BHS_LEN && offsetof(struct iscsi_bhs, ttt) == 20 &&
		  offsetof(struct iscsi_bhs, sn) == 24,
	      "RFC 7143 11.2.1");
static_assert(sizeof(struct iscsi_scsi_command) == ISCSI_BHS_LEN &&
		  offsetof(struct iscsi_scsi_command, edtl) == 20 &&
		  offsetof(struct iscsi_scsi_command, cdb) == 32,
	      "RFC 7143 11.3");
static_assert(sizeof(struct iscsi_ahs) == 4, "RFC 7143 11.2.2");
static_assert(sizeof(struct iscsi_scsi_response) == ISCSI_BHS_LEN &&
		  offsetof(struct iscsi_scsi_response, statsn) == 24 &&
		  offsetof(struct iscsi_scsi_response, residual) == 44,
	      "RFC 7143 11.4");
static_assert(sizeof(struct iscsi_tmf_request) == ISCSI_BHS_LEN &&
		  offsetof(struct iscsi_tmf_request, ref_cmdsn) == 32,
	      "RFC 7143 11.5");
static_assert(sizeof(struct iscsi_tmf_response) == ISCSI_BHS_LEN &&
		  offsetof(struct iscsi_tmf_response, statsn) == 24,
	      "RFC 7143 11.6");
static_assert(sizeof(struct iscsi_data_out) == ISCSI_BHS_LEN && offsetof(struct iscsi_data_out, datasn) == 36,
	      "RFC 7143 11.7");
static_assert(sizeof(struct iscsi_data_in) == ISCSI_BHS_LEN && offsetof(struct iscsi_data_in, datasn) == 36 &&
		  offsetof(struct iscsi_data_in, residual) == 44,
	      "RFC 7143 11.7");
static_assert(sizeof(struct iscsi_r2t) == ISCSI_BHS_LEN && offsetof(struct iscsi_r2t, r2tsn) == 36,
	      "RFC 7143 11.8");
static_assert(sizeof(struct iscsi_async_message) == ISCSI_BHS_LEN &&
		  offsetof(struct iscsi_async_message, event) == 36 &&
		  offsetof(struct iscsi_async_message, parameter) == 38,
	      "RFC 7143 11.9");
static_assert(sizeof(struct iscsi_text) == ISCSI_BHS_LEN && offsetof(struct iscsi_text, sn) == 24,
	      "RFC 7143 11.10");
static_assert(sizeof(struct iscsi_logout_request) == ISCSI_BHS_LEN &&
		  offsetof(struct iscsi_logout_request, cid) == 20,
	      "RFC 7143 11.14");
static_assert(sizeof(struct iscsi_logout_response) == ISCSI_BHS_LEN &&
		  offsetof(struct iscsi_logout_response, time2wait) == 40,
	      "RFC 7143 11.15");
static_assert(sizeof(struct iscsi_reject) == ISCSI_BHS_LEN && offsetof(struct iscsi_reject, datasn) == 36,
	      "RFC 7143 11.17");
static_assert(sizeof(struct iscsi_nop) == ISCSI_BHS_LEN && offsetof(struct iscsi_nop, sn) == 24,
	      "RFC 7143 11.18");
#endif
