/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text Requests in full feature phase (RFC 7143 11.10, 11.11, Appendix C): SendTargets, and the negotiation
 * of keys after the login.
 */
#ifndef ISCSI_LOGIN_TEXT_H
#define ISCSI_LOGIN_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "iscsi_login/params.h"
#include "model/login.h"

/* The largest number of bytes in the text of one request, which may consist of several PDUs. */
#define ISCSI_TEXT_MAX 16384

/*
 * Any thread. Converts an IPv4-mapped address, which an IPv6 socket reports for an IPv4 peer, to IPv4. All
 * other addresses are returned unchanged.
 */
struct sockaddr_storage iscsi_plain_address(const struct sockaddr_storage *addr);

struct iscsi_text_context {
	struct model *model;
	/* The name of the session's target, or NULL in a discovery session. */
	const char *target;
	const char *initiator_name;
	/*
	 * The portal that received the connection; the connection's own address, which discovery shows in
	 * place of a wildcard; and the initiator's address.
	 */
	const struct model_np *np;
	const struct sockaddr_storage *local;
	const struct sockaddr_storage *peer;
	/*
	 * The parameters of the session. The negotiation changes those parameters that RFC 7143 allows a
	 * session to change in the full feature phase.
	 */
	struct iscsi_params *params;
};

/*
 * Answers the complete text of a request. Sets *answer to the text of the answer, which may be longer than a
 * PDU and which the caller frees. Returns its length. After a protocol error, which must be answered with
 * Reject, or if there is no memory, sets *answer to NULL and returns -1.
 */
long iscsi_text_request(const struct iscsi_text_context *context, const uint8_t *in, size_t in_len,
			char **answer);
#endif
