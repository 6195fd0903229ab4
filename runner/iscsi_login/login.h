/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login phase (RFC 7143 6, 11.12, 11.13, 12) as a pure state machine that turns Login Requests
 * into Login Responses. It has no socket and no session table: the connection passes the PDUs, and
 * sets the TSIH at the end. All input is hostile.
 */
#ifndef ISCSI_LOGIN_LOGIN_H
#define ISCSI_LOGIN_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi_login/params.h"
#include "model/login.h"

#define ISCSI_LOGIN_DATA_MAX \
	8192 /* RFC 7143 13.12: the default MaxRecvDataSegmentLength holds during login */

enum iscsi_login_step {
	/* The response is to be sent, and the next request is expected. */
	ISCSI_LOGIN_MORE,
	/* The TSIH is to be set and the response sent; then the full feature phase begins. */
	ISCSI_LOGIN_COMPLETE,
	/* The response is to be sent, and the connection closed. */
	ISCSI_LOGIN_FAIL,
	/* The connection is to be closed without a response. */
	ISCSI_LOGIN_DROP,
};

struct iscsi_login_response {
	/* The connection fills in StatSN, ExpCmdSN, MaxCmdSN and TSIH. */
	uint8_t bhs[48];
	uint8_t data[ISCSI_LOGIN_DATA_MAX];
	size_t data_len;
};

/* One login in progress; freed when it ends. */
struct iscsi_login;

/*
 * A login that comes in at np from the address peer. peer_text, such as "10.0.0.1:4711", is for the log.
 * model and np outlive the login. Returns NULL if there is no memory.
 */
struct iscsi_login *iscsi_login_new(struct model *model, const struct model_np *np,
				    const struct sockaddr_storage *peer, const char *peer_text);
void iscsi_login_free(struct iscsi_login *login);

/* Handles one Login Request: its header and data segment. Digests are never in use during login. */
enum iscsi_login_step iscsi_login_request(struct iscsi_login *login, const uint8_t bhs[48],
					  const uint8_t *data, size_t data_len,
					  struct iscsi_login_response *response);

/* Turns a response into a refusal, because the session cannot begin. status: enum
 * iscsi_login_status (pdu.h). */
void iscsi_login_refuse(struct iscsi_login_response *response, unsigned status);

/* After ISCSI_LOGIN_COMPLETE: the login continues an existing session, so session-wide
 * parameters that it did not negotiate are taken from params. */
void iscsi_login_inherit(struct iscsi_login *login, const struct iscsi_params *params);

/* Valid after ISCSI_LOGIN_COMPLETE, until iscsi_login_free(). */
struct iscsi_login_result {
	bool discovery;
	/* What the session with the target is; NULL in a discovery session. */
	const struct model_login *target;
	char initiator_name[MODEL_NAME_SIZE];
	char initiator_alias[256];
	uint8_t isid[6];
	/* As the initiator sent it: another value than 0 names an existing session. */
	uint16_t tsih;
	uint16_t cid;
	uint32_t cmdsn, expstatsn;
	struct iscsi_params params;
};
const struct iscsi_login_result *iscsi_login_result(const struct iscsi_login *login);
#endif
