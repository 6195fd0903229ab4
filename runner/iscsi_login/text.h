/* SPDX-License-Identifier: Apache-2.0 */
/* Text Requests in full feature phase (RFC 7143 11.10, 11.11, Appendix C): SendTargets and late
 * negotiation. */
#ifndef ISCSI_LOGIN_TEXT_H
#define ISCSI_LOGIN_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "iscsi_login/params.h"
#include "model/login.h"

/* Bytes of the text of one request, over all its PDUs. */
#define ISCSI_TEXT_MAX 16384

/* Any thread. An IPv4 address that came in at an IPv6 socket, as IPv4; all others as they are. */
struct sockaddr_storage iscsi_plain_address(const struct sockaddr_storage *addr);

struct iscsi_text_context {
	struct model *model;
	/* The name of the session's target; NULL in a discovery session. */
	const char *target;
	const char *initiator_name;
	/* The np at which the connection came in, the connection's own address, which
	 * discovery shows where an np is a wildcard, and the initiator's address. */
	const struct model_np *np;
	const struct sockaddr_storage *local;
	const struct sockaddr_storage *peer;
	/* Changed by the negotiation of what RFC 7143 allows in full feature phase. */
	struct iscsi_params *params;
};

/* Answers the complete text of a request. *answer gets the text of the answer, which the caller
 * frees, and which may be longer than a PDU. Returns its length, or -1: a protocol error
 * (Reject), or no memory; *answer is NULL then. */
long iscsi_text_request(const struct iscsi_text_context *context, const uint8_t *in, size_t in_len,
			char **answer);
#endif
