/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login phase (RFC 7143 6, 11.12, 11.13, 12) as a pure state machine: Login Request PDUs in, Login
 * Response PDUs out. No socket, no session table: the connection feeds it, and gives it a TSIH when it
 * reaches full feature phase. Everything that comes in here is hostile.
 */
#ifndef ISCSI_LOGIN_LOGIN_H
#define ISCSI_LOGIN_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi_login/params.h"
#include "model/target.h"

#define ISCSI_LOGIN_DATA_MAX \
	8192 /* RFC 7143 13.12: the default MaxRecvDataSegmentLength holds during login */

enum iscsi_login_step {
	/* Send the response, wait for the next request. */
	ISCSI_LOGIN_MORE,
	/* Set the TSIH, send the response, then full feature phase. */
	ISCSI_LOGIN_COMPLETE,
	/* Send the response, then close. */
	ISCSI_LOGIN_FAIL,
	/* Close at once. */
	ISCSI_LOGIN_DROP,
};

struct iscsi_login_response {
	/* StatSN, ExpCmdSN, MaxCmdSN and TSIH are the connection's to fill. */
	uint8_t bhs[48];
	uint8_t data[ISCSI_LOGIN_DATA_MAX];
	size_t data_len;
};

struct iscsi_login; /* one login in progress; freed when it ends */

struct iscsi_login *iscsi_login_new(struct target_model *model, const struct target_portal *portal,
				    const char *peer /* "10.0.0.1:4711", for logs */);
void iscsi_login_free(struct iscsi_login *login);

/* One Login Request: its header and data segment (digests are never in use here). */
enum iscsi_login_step iscsi_login_request(struct iscsi_login *login, const uint8_t bhs[48],
					  const uint8_t *data, size_t data_len,
					  struct iscsi_login_response *response);

/* Turns a response into a refusal: for a session that the connection cannot take after all. status: enum
 * iscsi_login_status (pdu.h). Send it, then close. */
void iscsi_login_refuse(struct iscsi_login_response *response, unsigned status);

/* After ISCSI_LOGIN_COMPLETE: the login was to a session that there is, so what concerns all of it and was
 * not negotiated anew is as in params. */
void iscsi_login_inherit(struct iscsi_login *login, const struct iscsi_params *params);

/* Valid after ISCSI_LOGIN_COMPLETE, until iscsi_login_free(). */
struct iscsi_login_result {
	bool discovery;
	/* NULL in a discovery session. */
	struct target *target;
	char initiator_name[TARGET_NAME_MAX + 1];
	char initiator_alias[256];
	uint8_t isid[6];
	/* As the initiator sent it: non-zero asks to join or reinstate. */
	uint16_t tsih;
	uint16_t cid;
	uint32_t cmdsn, expstatsn;
	struct iscsi_params params;
};
const struct iscsi_login_result *iscsi_login_result(const struct iscsi_login *login);
#endif
