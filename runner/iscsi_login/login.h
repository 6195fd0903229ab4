/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login phase (RFC 7143 6, 11.12, 11.13, 12) as a state machine that turns Login Requests into Login
 * Responses. It has no socket and no session table: the connection passes the PDUs to it, and sets the TSIH
 * at the end. No input is trusted.
 */
#ifndef ISCSI_LOGIN_LOGIN_H
#define ISCSI_LOGIN_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi_login/params.h"
#include "model/login.h"

#define ISCSI_LOGIN_DATA_MAX \
	8192 /* RFC 7143 13.12: this default of MaxRecvDataSegmentLength is valid during the login. */

enum iscsi_login_step {
	/* The caller sends the response and waits for the next request. */
	ISCSI_LOGIN_MORE,
	/* The caller sets the TSIH and sends the response. Then the full feature phase begins. */
	ISCSI_LOGIN_COMPLETE,
	/* The caller sends the response and closes the connection. */
	ISCSI_LOGIN_FAIL,
	/* The caller closes the connection without a response. */
	ISCSI_LOGIN_DROP,
};

struct iscsi_login_response {
	/* The connection fills in StatSN, ExpCmdSN, MaxCmdSN and TSIH. */
	uint8_t bhs[48];
	uint8_t data[ISCSI_LOGIN_DATA_MAX];
	size_t data_len;
};

/* A login in progress. The connection frees it when the login ends. */
struct iscsi_login;

/*
 * Begins a login on a connection from the address peer to the portal np. peer_text, such as "10.0.0.1:4711",
 * is for the log. model and np must exist longer than the login. Returns NULL if there is no memory.
 */
struct iscsi_login *iscsi_login_new(struct model *model, const struct model_np *np,
				    const struct sockaddr_storage *peer, const char *peer_text);
void iscsi_login_free(struct iscsi_login *login);

/* Handles one Login Request: its header and its data segment. Login PDUs never have digests. */
enum iscsi_login_step iscsi_login_request(struct iscsi_login *login, const uint8_t bhs[48],
					  const uint8_t *data, size_t data_len,
					  struct iscsi_login_response *response);

/*
 * Turns a response into a refusal, because the session cannot begin. status is one of enum iscsi_login_status
 * (pdu.h).
 */
void iscsi_login_refuse(struct iscsi_login_response *response, unsigned status);

/*
 * To be called after ISCSI_LOGIN_COMPLETE if the login continues an existing session. Takes those
 * session-wide parameters from params that the login did not negotiate.
 */
void iscsi_login_inherit(struct iscsi_login *login, const struct iscsi_params *params);

/* Valid after ISCSI_LOGIN_COMPLETE, until iscsi_login_free(). */
struct iscsi_login_result {
	bool discovery;
	/* The description of the target for the session, or NULL in a discovery session. */
	const struct model_login *target;
	char initiator_name[MODEL_NAME_SIZE];
	char initiator_alias[256];
	uint8_t isid[6];
	/* The TSIH that the initiator sent. A value other than 0 names an existing session. */
	uint16_t tsih;
	uint16_t cid;
	uint32_t cmdsn, expstatsn;
	struct iscsi_params params;
};
const struct iscsi_login_result *iscsi_login_result(const struct iscsi_login *login);
#endif
