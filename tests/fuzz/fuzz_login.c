/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends any sequence of Login Requests, and then texts in full feature phase.
 *
 * The input is one byte of set-up, followed by records: flags, kind, length (2 bytes), and the text of this
 * length. A kind changes the header, or adds the CHAP proof that a fuzzer cannot guess. In addition to what
 * sanitizers find, these must hold: no login succeeds without the proof if it is required, and each response
 * is well-formed and within its limits.
 */
#include "check.h"
#include "fuzz.h"
#include "model_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi_login/binary.h"
#include "iscsi_login/chap.h"
#include "iscsi_login/login.h"
#include "iscsi_login/pairs.h"
#include "iscsi_login/text.h"
#include "iscsi_login/pdu.h"
#include "model/private.h"
#include "util/bytes.h"
#include "util/log.h"

#define HOST   "iqn.1994-05.com.redhat:host"
#define DISK   "iqn.2026-11.io.tcmu-runner:disk"
#define SECRET "a secret of sixteen"

enum setup {
	SETUP_ALLOW_ANY = 1,
	SETUP_CHAP = 2,
	SETUP_MUTUAL = 4,
	SETUP_DISCOVERY_CHAP = 8,
	SETUP_ALIAS = 16
};
enum kind { KIND_OPCODE = 1, KIND_VERSION = 2, KIND_ISID = 4, KIND_AHS = 8, KIND_PROOF = 16 };

struct run {
	struct fixture *f;
	struct model_object *disk; /* a TPG */
	struct iscsi_login *login;
	struct iscsi_login_response response;
	char answer[2 * ISCSI_TEXT_MAX]; /* The answer to one request, which may consist of several pieces. */
	size_t answer_len;
	uint32_t challenge_id;
	const char *digest;
	uint8_t challenge[CHAP_CHALLENGE_MAX];
	long challenge_len; /* 0 if there is no challenge yet. */
	bool proved;
	unsigned setup;
};

static void set(struct run *run, struct model_object *object, const char *group, const char *name,
		const char *text)
{
	check(fixture_set(run->f, object, group, name, text) == 0);
}

static void set_account(struct run *run, struct model_object *object, const char *group)
{
	set(run, object, group, "userid", "u");
	set(run, object, group, "password", SECRET);
	if (run->setup & SETUP_MUTUAL) {
		set(run, object, group, "userid_mutual", "m");
		set(run, object, group, "password_mutual", "another secret");
	}
}

static struct model_np *np_of(struct model_object *tpg)
{
	return model_first(tpg, MODEL_PORTAL)->np;
}

static void start(struct run *run, unsigned setup)
{
	const struct sockaddr_storage peer = {.ss_family = AF_INET};
	struct model_object *other, *acl;
	char alias[256] = "";
	void *state;

	memset(run, 0, sizeof(*run));
	log_set_level(LOG_LEVEL_CRIT);
	run->setup = setup;
	fixture_set_up(&state);
	run->f = state;
	run->disk = fixture_tpg(run->f, DISK);
	other = fixture_tpg(run->f, DISK "2");
	set(run, other, "attrib", "generate_node_acls", "1");
	if (setup & SETUP_ALIAS)
		fixture_create(run->f, run->disk, MODEL_PORTAL, "[::]:3260", NULL);
	set(run, run->disk, "attrib", "generate_node_acls", setup & SETUP_ALLOW_ANY ? "1" : "0");
	if (setup & SETUP_ALIAS)
		memset(alias, 'a', sizeof(alias) - 1);
	set(run, run->disk, "param", "TargetAlias", alias);
	if (setup & SETUP_DISCOVERY_CHAP) {
		set(run, run->f->root, "discovery_auth", "enforce_discovery_auth", "1");
		set_account(run, run->f->root, "discovery_auth");
	}
	acl = fixture_create(run->f, run->disk, MODEL_ACL, HOST, NULL);
	if (setup & SETUP_CHAP) {
		set(run, acl, "attrib", "authentication", "1");
		set_account(run, acl, "auth");
	}
	run->login = iscsi_login_new(run->f->model, np_of(run->disk), &peer, "192.0.2.1:4711");
	check(run->login);
}

static void end(struct run *run)
{
	iscsi_login_free(run->login);
	fixture_tear_down((void *[]){run->f});
	free(run);
}

static void read_answer(struct run *run)
{
	static const char *const digests[] = {"MD5", "SHA1", "SHA256", "SHA3-256"};
	struct iscsi_pair pair;
	size_t at = 0;
	uint64_t seen = 0;
	uint32_t n;
	int more;

	while ((more = iscsi_pair_next(run->answer, run->answer_len, &at, &pair)) > 0) {
		if (pair.key != ISCSI_KEY_UNKNOWN) { /* the target sends no key twice */
			check(!(seen & 1ull << pair.key));
			seen |= 1ull << pair.key;
		}
		if (strcmp(pair.value, "Reject") == 0)
			continue;
		if (pair.key == ISCSI_KEY_CHAP_A && iscsi_value_number(pair.value, &n)) {
			check(n >= 5 && n <= 8);
			run->digest = digests[n - 5];
		} else if (pair.key == ISCSI_KEY_CHAP_I) {
			check(iscsi_value_number(pair.value, &run->challenge_id));
		} else if (pair.key == ISCSI_KEY_CHAP_C) {
			run->challenge_len =
			    iscsi_binary_decode(pair.value, run->challenge, sizeof(run->challenge));
			check(run->challenge_len >= 16);
		}
	}
	check(more == 0); /* the answer is a text */
}

static size_t add_proof(struct run *run, char *text)
{
	uint8_t response[64];
	char encoded[2 * sizeof(response) + 3];
	int len;

	if (!run->challenge_len || !run->digest)
		return 0;
	len = iscsi_chap_response(run->digest, (uint8_t)run->challenge_id, SECRET, run->challenge,
				  (size_t)run->challenge_len, response);
	check(len > 0);
	iscsi_binary_encode(response, (size_t)len, encoded);
	run->proved = true;
	return (size_t)sprintf(text, "CHAP_N=u%cCHAP_R=%s", '\0', encoded) + 1;
}

static void check_complete(const struct run *run)
{
	const struct iscsi_login_result *result = iscsi_login_result(run->login);
	const struct iscsi_params *p = &result->params;
	bool guarded = result->discovery
			   ? run->setup & SETUP_DISCOVERY_CHAP
			   : run->setup & SETUP_CHAP && strcmp(result->target->target, DISK) == 0 &&
				 strcmp(result->initiator_name, HOST) == 0;

	check(!guarded || run->proved);
	check(result->initiator_name[0] && !result->target == result->discovery);
	check(result->discovery || strcmp(result->target->target, DISK) != 0 ||
	      run->setup & SETUP_ALLOW_ANY || strcmp(result->initiator_name, HOST) == 0);
	check(p->max_xmit_data_segment >= 512 && p->max_xmit_data_segment < 1 << 24);
	check(p->max_recv_data_segment == 8192 || p->max_recv_data_segment == 262144);
	check(p->max_burst >= 512 && p->max_burst <= 1 << 20);
	check(p->first_burst >= 512 && p->first_burst <= p->max_burst);
	check(p->max_outstanding_r2t >= 1 && p->max_outstanding_r2t <= 16);
	check(p->max_connections == 1 && p->error_recovery_level == 0);
	check(p->data_pdu_in_order && p->data_sequence_in_order);
}

static void check_response(struct run *run, enum iscsi_login_step step)
{
	const struct iscsi_login_rsp *rsp = (const struct iscsi_login_rsp *)run->response.bhs;

	if (step == ISCSI_LOGIN_DROP)
		return;
	check(rsp->opcode == ISCSI_OP_LOGIN_RSP && rsp->ahs_len == 0);
	check(run->response.data_len <= ISCSI_LOGIN_DATA_MAX);
	check(get_be24(rsp->data_len) == run->response.data_len);
	check((step == ISCSI_LOGIN_FAIL) == (rsp->status_class != 0));
	check((rsp->flags & 0xc0) != 0xc0);
	if (step == ISCSI_LOGIN_FAIL) {
		check(!(rsp->flags & 0xc0) && run->response.data_len == 0);
		return;
	}
	check((step == ISCSI_LOGIN_COMPLETE) == ((rsp->flags & 0x83) == 0x83));
	check(run->answer_len + run->response.data_len <= sizeof(run->answer));
	memcpy(run->answer + run->answer_len, run->response.data, run->response.data_len);
	run->answer_len += run->response.data_len;
	if (rsp->flags & ISCSI_LOGIN_CONTINUE)
		return;
	read_answer(run);
	run->answer_len = 0;
	if (step == ISCSI_LOGIN_COMPLETE)
		check_complete(run);
}

static enum iscsi_login_step login(struct run *run, unsigned flags, unsigned kind, const uint8_t *text,
				   size_t len)
{
	struct iscsi_login_req req = {.opcode = ISCSI_OP_LOGIN | ISCSI_OP_IMMEDIATE, .flags = (uint8_t)flags};
	char proof[400];
	size_t proof_len = kind & KIND_PROOF ? add_proof(run, proof) : 0;
	uint8_t *data = malloc(len + proof_len + 1);
	enum iscsi_login_step step;

	check(data);
	if (len)
		memcpy(data, text, len);
	memcpy(data + len, proof, proof_len);
	memcpy(req.isid, "\x80\x12\x34\x56\x78\x9a", 6);
	if (kind & KIND_OPCODE)
		req.opcode = (uint8_t)(kind >> 2);
	if (kind & KIND_VERSION)
		req.version_min = (uint8_t)(kind >> 5);
	if (kind & KIND_ISID)
		req.isid[kind >> 6] ^= 1;
	if (kind & KIND_AHS)
		req.ahs_len = (uint8_t)(kind >> 6);
	step = iscsi_login_request(run->login, (uint8_t *)&req, data, len + proof_len, &run->response);
	free(data);
	check_response(run, step);
	return step;
}

static void text(struct run *run, const uint8_t *in, size_t len)
{
	const struct iscsi_login_result *result = iscsi_login_result(run->login);
	struct iscsi_params params = result->params;
	struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons(3260)};
	struct sockaddr_storage local = {0};
	const struct iscsi_text_context context = {
	    .model = run->f->model,
	    .target = result->discovery ? NULL : result->target->target,
	    .initiator_name = result->initiator_name,
	    .np = np_of(run->disk),
	    .local = &local,
	    .peer = &local,
	    .params = &params,
	};
	char *out;
	struct iscsi_pair pair;
	size_t at = 0;
	long out_len;

	loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(&local, &loopback, sizeof(loopback));
	out_len = iscsi_text_request(&context, in, len, &out);
	if (out_len >= 0)
		while (iscsi_pair_next(out, (size_t)out_len, &at, &pair) > 0)
			;
	check(out_len < 0 || at == (size_t)out_len);
	free(out);
	check(params.max_xmit_data_segment >= 512 && params.max_xmit_data_segment < 1 << 24);
	params.max_xmit_data_segment = result->params.max_xmit_data_segment;
	check(memcmp(&params, &result->params, sizeof(params)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum iscsi_login_step step = ISCSI_LOGIN_MORE;
	struct run *run;

	if (size < 1)
		return 0;
	run = malloc(sizeof(*run));
	check(run);
	start(run, data[0]);
	for (size_t at = 1; size - at >= 4 && (step == ISCSI_LOGIN_MORE || step == ISCSI_LOGIN_COMPLETE);) {
		const uint8_t *record = data + at;
		size_t len = MIN(get_be16(record + 2), size - at - 4);

		if (step == ISCSI_LOGIN_COMPLETE)
			text(run, record + 4, len);
		else
			step = login(run, record[0], record[1], record + 4, len);
		at += 4 + len;
	}
	end(run);
	return 0;
}
