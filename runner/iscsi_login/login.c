/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login phase of one connection as a state machine: stages, pieces of text, and authentication in the
 * order that RFC 7143 6.3 demands. login_identity.c decides who may log in to which target, negotiate.c
 * handles the keys, and chap.c handles CHAP.
 */
#include "iscsi_login/login_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/log.h"
#include "util/secret_memory.h"

#define REQUESTS_MAX 32 /* A login with mutual CHAP and both stages takes five requests. */

struct iscsi_login *iscsi_login_new(struct model *model, const struct model_np *np,
				    const struct sockaddr_storage *peer, const char *peer_text)
{
	struct iscsi_login *login = calloc(1, sizeof(*login));

	if (!login)
		return NULL;
	login->model = model;
	login->np = np;
	login->peer = *peer;
	snprintf(login->peer_text, sizeof(login->peer_text), "%s", peer_text);
	iscsi_params_init(&login->result.params);
	return login;
}

void iscsi_login_free(struct iscsi_login *login)
{
	if (!login)
		return;
	model_login_free(login->target);
	if (login->discovery_account)
		model_auth_clear(login->discovery_account);
	secret_free(login->discovery_account, sizeof(*login->discovery_account));
	free(login);
}

const struct iscsi_login_result *iscsi_login_result(const struct iscsi_login *login)
{
	return &login->result;
}

void iscsi_login_inherit(struct iscsi_login *login, const struct iscsi_params *params)
{
	iscsi_params_inherit(&login->result.params, params, login->seen);
}

void iscsi_login_refuse(struct iscsi_login_response *response, unsigned status)
{
	struct iscsi_login_rsp *rsp = (struct iscsi_login_rsp *)response->bhs;

	rsp->flags &= (uint8_t) ~(ISCSI_LOGIN_TRANSIT | ISCSI_LOGIN_CONTINUE | 3);
	rsp->status_class = (uint8_t)(status >> 8);
	rsp->status_detail = (uint8_t)status;
	put_be24(rsp->data_len, 0);
	response->data_len = 0;
}

enum iscsi_login_status iscsi_login_refusal(const struct iscsi_login *login, enum iscsi_login_status status,
					    const char *format, ...)
{
	const char *name = login->result.initiator_name;
	char why[512];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	log_warn(login->peer_text, "login refused (%04x)%s%s: %s", status, *name ? ", " : "", name, why);
	return status;
}

/* --- security stage (6.3.2, 12.1) --- */

/*
 * Returns the position of the method in the list, in which the initiator names the methods in the order of
 * its preference, or 0 if the list does not contain the method.
 */
static unsigned place_of(const char *list, const char *method)
{
	const char *item;
	int len;

	for (unsigned place = 1; (len = iscsi_list_next(&list, &item)) >= 0; place++)
		if (strlen(method) == (size_t)len && memcmp(item, method, (size_t)len) == 0)
			return place;
	return 0;
}

/* Returns whether the initiator need not authenticate but prefers to, and there is an account for it. */
static bool prefers_chap(const struct iscsi_login *login, const char *methods)
{
	unsigned chap = place_of(methods, "CHAP"), none = place_of(methods, "None");

	return login->target && login->target->may_authenticate && chap && (!none || chap < none);
}

static enum iscsi_login_status authenticate(struct iscsi_login *login, const struct iscsi_offers *offers,
					    struct iscsi_text_out *out)
{
	const char *methods = offers->of[ISCSI_KEY_AUTH_METHOD].value;
	const char *wanted, *wrong;

	if (methods) {
		if (prefers_chap(login, methods))
			login->account = &login->target->auth;
		wanted = login->account ? "CHAP" : "None";
		if (!place_of(methods, wanted))
			return iscsi_login_refusal(
			    login, ISCSI_LOGIN_AUTH_FAILED,
			    login->account
				? "CHAP is required, but the initiator does not offer it"
				: "the initiator insists on CHAP, but no CHAP account is configured for it");
		iscsi_text_add_key(out, ISCSI_KEY_AUTH_METHOD, wanted);
		login->chap_agreed = login->account;
		if (login->account)
			iscsi_chap_init(&login->chap, login->account);
	}
	if (!login->chap_agreed)
		return iscsi_chap_offered(offers)
			   ? iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR,
						 "the initiator sent CHAP keys without agreeing on CHAP")
			   : ISCSI_LOGIN_OK;
	wrong = iscsi_chap_step(&login->chap, offers, out);
	return wrong ? iscsi_login_refusal(login, ISCSI_LOGIN_AUTH_FAILED, "%s", wrong) : ISCSI_LOGIN_OK;
}

static bool authenticated(const struct iscsi_login *login)
{
	return !login->account || login->chap.state == CHAP_PASSED;
}

/* --- text --- */

/* Adds the keys that the target declares without being asked (13.9, 13.6, 13.12). */
static void add_declarations(struct iscsi_login *login, bool first, struct iscsi_text_out *out)
{
	struct iscsi_login_result *result = &login->result;

	if (first && result->target) {
		iscsi_text_add_number(out, ISCSI_KEY_TARGET_PORTAL_GROUP_TAG, result->target->tag);
		if (result->target->alias[0])
			iscsi_text_add_key(out, ISCSI_KEY_TARGET_ALIAS, result->target->alias);
	}
	if (login->stage == ISCSI_STAGE_OPERATIONAL && !login->declared) {
		const enum iscsi_key key = ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH;

		login->declared = true;
		/*
		 * Requests of discovery sessions are short, and such a session may need no secret, so it gets
		 * only a small limit.
		 */
		result->params.max_recv_data_segment =
		    result->discovery ? iscsi_keys[key].initial : login->values.of[key];
		iscsi_text_add_number(out, ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH,
				      result->params.max_recv_data_segment);
	}
}

/*
 * Refuses a key that the target has to declare in the same answer: the answer cannot contain both this
 * declaration and the Reject of the initiator's value.
 */
static enum iscsi_login_status check_declared(const struct iscsi_login *login,
					      const struct iscsi_offers *offers)
{
	static const enum iscsi_key keys[] = {ISCSI_KEY_TARGET_PORTAL_GROUP_TAG, ISCSI_KEY_TARGET_ALIAS,
					      ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (offers->of[keys[i]].answer == ISCSI_ANSWER_REJECT)
			return iscsi_login_refusal(
			    login, ISCSI_LOGIN_INITIATOR_ERROR,
			    "%s has an illegal value, or must not come from an initiator",
			    iscsi_keys[keys[i]].name);
	return ISCSI_LOGIN_OK;
}

/*
 * Handles the complete text in login->in and writes the answer to login->out. last is true if the initiator
 * wants to begin the full feature phase afterwards.
 */
static enum iscsi_login_status handle_text(struct iscsi_login *login, bool last)
{
	struct iscsi_login_result *result = &login->result;
	struct iscsi_text_out out = {.text = login->out, .size = sizeof(login->out)};
	bool first = !login->identified, security = login->stage == ISCSI_STAGE_SECURITY;
	enum iscsi_login_status status;
	struct iscsi_offers offers;
	const char *wrong = iscsi_offers_read(&offers, login->in, login->in_len, &login->seen);

	if (wrong)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR, "%s", wrong);
	status = first ? iscsi_login_identify(login, &offers) : iscsi_login_identify_again(login, &offers);
	if (status)
		return status;
	if (first)
		iscsi_target_values_set(&login->values, result->target ? result->target->parameters : NULL);
	login->identified = true;
	if (!security && !authenticated(login))
		return iscsi_login_refusal(login, ISCSI_LOGIN_AUTH_FAILED,
					   "CHAP is required, but the initiator left out the security stage");
	iscsi_offers_negotiate(&offers, security ? ISCSI_PHASE_SECURITY : ISCSI_PHASE_OPERATIONAL,
			       result->discovery, &login->values, &result->params);
	iscsi_offers_are_answers(&offers, login->offered);
	login->awaits_answer = false;
	status = check_declared(login, &offers);
	if (status)
		return status;
	add_declarations(login, first, &out);
	status = security ? authenticate(login, &offers, &out) : ISCSI_LOGIN_OK;
	if (status)
		return status;
	iscsi_offers_answer(&offers, login->in, login->in_len, &out);
	if (last)
		iscsi_login_add_offers(login, &out);
	if (out.overflow)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR,
					   "the request has more unknown keys than one answer can hold");
	login->in_len = 0;
	login->out_len = out.len;
	login->out_sent = 0;
	return ISCSI_LOGIN_OK;
}

/* --- PDUs (11.12, 11.13) --- */

static enum iscsi_login_status check_first(struct iscsi_login *login, const struct iscsi_login_req *req)
{
	struct iscsi_login_result *result = &login->result;

	memcpy(result->isid, req->isid, sizeof(result->isid));
	result->tsih = get_be16(req->tsih);
	result->cid = get_be16(req->cid);
	result->cmdsn = get_be32(req->cmdsn);
	result->expstatsn = get_be32(req->expstatsn);
	login->stage = ISCSI_LOGIN_CSG(req->flags);
	if (login->stage != ISCSI_STAGE_SECURITY && login->stage != ISCSI_STAGE_OPERATIONAL)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR,
					   "a login cannot start in stage %d", login->stage);
	return ISCSI_LOGIN_OK;
}

/* Checks that the request names the same session, connection and stage as the previous ones. */
static enum iscsi_login_status check_next(const struct iscsi_login *login, const struct iscsi_login_req *req)
{
	const struct iscsi_login_result *result = &login->result;

	if (memcmp(result->isid, req->isid, sizeof(result->isid)) != 0 ||
	    get_be16(req->tsih) != result->tsih || get_be16(req->cid) != result->cid)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR, "ISID, TSIH or CID changed");
	if ((int)login->stage != ISCSI_LOGIN_CSG(req->flags))
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR,
					   "the login is in stage %d, but the request says %d", login->stage,
					   ISCSI_LOGIN_CSG(req->flags));
	return ISCSI_LOGIN_OK;
}

static enum iscsi_login_status check_header(struct iscsi_login *login, const struct iscsi_login_req *req,
					    size_t data_len)
{
	bool transit = req->flags & ISCSI_LOGIN_TRANSIT;
	unsigned next = ISCSI_LOGIN_NSG(req->flags);
	enum iscsi_login_status status;

	if ((req->opcode & ISCSI_OP_MASK) != ISCSI_OP_LOGIN)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INVALID,
					   "the initiator sent a PDU with opcode %02xh during login",
					   req->opcode & ISCSI_OP_MASK);
	if (req->version_min > 0)
		return iscsi_login_refusal(
		    login, ISCSI_LOGIN_BAD_VERSION,
		    "the initiator wants at least protocol version %u; version 0 is supported",
		    req->version_min);
	if (req->ahs_len || data_len > ISCSI_LOGIN_DATA_MAX)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR, "the request is too long");
	status = login->requests == 0 ? check_first(login, req) : check_next(login, req);
	if (status)
		return status;
	if (transit && req->flags & ISCSI_LOGIN_CONTINUE)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR,
					   "the request has both the T and the C bit");
	if (transit && (next <= login->stage || next == 2))
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR,
					   "stage %u cannot follow stage %d", next, login->stage);
	if (++login->requests > REQUESTS_MAX)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR,
					   "the login takes too many requests");
	return ISCSI_LOGIN_OK;
}

/* Adds the text of the request to login->in. Sets *complete to true if there is an answer to send. */
static enum iscsi_login_status add_data(struct iscsi_login *login, const struct iscsi_login_req *req,
					const uint8_t *data, size_t data_len, bool *complete)
{
	*complete = true;
	/* 11.13.3: this request only asks for the remaining part of the answer. */
	if (login->out_sent < login->out_len) {
		if (data_len || req->flags & ISCSI_LOGIN_CONTINUE)
			return iscsi_login_refusal(
			    login, ISCSI_LOGIN_INITIATOR_ERROR,
			    "the initiator sent new text before it had the complete answer");
		return ISCSI_LOGIN_OK;
	}
	if (data_len > sizeof(login->in) - login->in_len)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR,
					   "the text of one request has more than %zu bytes",
					   sizeof(login->in));
	if (data_len)
		memcpy(login->in + login->in_len, data, data_len);
	login->in_len += data_len;
	*complete = !(req->flags & ISCSI_LOGIN_CONTINUE);
	return *complete ? handle_text(login, req->flags & ISCSI_LOGIN_TRANSIT &&
						  ISCSI_LOGIN_NSG(req->flags) == ISCSI_STAGE_FULL_FEATURE)
			 : ISCSI_LOGIN_OK;
}

/* Fills in the next part of the answer. Returns true if it is the last one. */
static bool put_data(struct iscsi_login *login, struct iscsi_login_response *response)
{
	size_t len = MIN(login->out_len - login->out_sent, sizeof(response->data));

	memcpy(response->data, login->out + login->out_sent, len);
	response->data_len = len;
	login->out_sent += len;
	return login->out_sent == login->out_len;
}

/* Goes to the next stage if the initiator asks for it and this stage is complete (6.3). */
static enum iscsi_login_status transit(struct iscsi_login *login, const struct iscsi_login_req *req,
				       struct iscsi_login_rsp *rsp)
{
	if (!(req->flags & ISCSI_LOGIN_TRANSIT) || login->awaits_answer)
		return ISCSI_LOGIN_OK;
	if (!authenticated(login))
		return login->chap_agreed
			   ? ISCSI_LOGIN_OK
			   : iscsi_login_refusal(login, ISCSI_LOGIN_AUTH_FAILED,
						 "CHAP is required, but the initiator does not offer it");
	login->stage = ISCSI_LOGIN_NSG(req->flags);
	rsp->flags |= ISCSI_LOGIN_TRANSIT | (uint8_t)login->stage;
	return login->stage == ISCSI_STAGE_FULL_FEATURE ? iscsi_login_check_result(login) : ISCSI_LOGIN_OK;
}

static enum iscsi_login_status respond(struct iscsi_login *login, const struct iscsi_login_req *req,
				       const uint8_t *data, size_t data_len,
				       struct iscsi_login_response *response)
{
	struct iscsi_login_rsp *rsp = (struct iscsi_login_rsp *)response->bhs;
	enum iscsi_login_status status = check_header(login, req, data_len);
	bool complete;

	if (!status)
		status = add_data(login, req, data, data_len, &complete);
	if (status || !complete)
		return status;
	if (!put_data(login, response)) {
		rsp->flags |= ISCSI_LOGIN_CONTINUE;
		return ISCSI_LOGIN_OK;
	}
	return transit(login, req, rsp);
}

enum iscsi_login_step iscsi_login_request(struct iscsi_login *login, const uint8_t bhs[ISCSI_BHS_LEN],
					  const uint8_t *data, size_t data_len,
					  struct iscsi_login_response *response)
{
	const struct iscsi_login_req *req = (const struct iscsi_login_req *)bhs;
	struct iscsi_login_rsp *rsp = (struct iscsi_login_rsp *)response->bhs;
	enum iscsi_login_status status;

	/* 6.3: an initiator that does not begin with a Login Request gets no answer. */
	if (login->requests == 0 && (req->opcode & ISCSI_OP_MASK) != ISCSI_OP_LOGIN)
		return ISCSI_LOGIN_DROP;
	memset(rsp, 0, sizeof(*rsp)); /* 00h is the highest and the active version. */
	response->data_len = 0;
	rsp->opcode = ISCSI_OP_LOGIN_RSP;
	rsp->flags = (uint8_t)(ISCSI_LOGIN_CSG(req->flags) << 2);
	memcpy(rsp->isid, req->isid, sizeof(rsp->isid));
	memcpy(rsp->tsih, req->tsih, sizeof(rsp->tsih));
	memcpy(rsp->itt, req->itt, sizeof(rsp->itt));
	status = respond(login, req, data, data_len, response);
	if (status) {
		iscsi_login_refuse(response, status);
		return ISCSI_LOGIN_FAIL;
	}
	put_be24(rsp->data_len, (uint32_t)response->data_len);
	return login->stage == ISCSI_STAGE_FULL_FEATURE ? ISCSI_LOGIN_COMPLETE : ISCSI_LOGIN_MORE;
}
