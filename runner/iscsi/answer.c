/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the answers to Text Requests. An answer to SendTargets=All may take a millisecond and have megabytes,
 * and any initiator can send this request as often as it likes. Therefore the answer is kept for a short
 * time, and all sessions that send the same request share it. The content of an answer is left to
 * iscsi_login/text.c.
 */
#include "iscsi/answer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "iscsi/memory.h"
#include "iscsi/session.h"
#include "iscsi/work.h"
#include "iscsi_login/text.h"
#include "util/hash.h"

#define KEPT_MAX 8
#define KEEP_NS  NS_PER_S
/* An answer costs one unit of work for each WORK_BYTES bytes (work.h). */
#define WORK_BYTES 1024u

static const char all_targets[] = "SendTargets=All"; /* The text includes its NUL. */

static bool is_kept_kind(const struct iscsi_conn *conn, const uint8_t *in, uint32_t in_len)
{
	return conn->session->discovery && in_len == sizeof(all_targets) && !memcmp(in, all_targets, in_len);
}

static uint64_t make_key(const struct iscsi_text_context *context)
{
	unsigned generation = model_discovery_generation(context->model);
	uint64_t hash = hash_bytes(HASH_INIT, context->initiator_name, strlen(context->initiator_name));

	hash = hash_bytes(hash, &generation, sizeof(generation));
	hash = hash_bytes(hash, &context->np, sizeof(context->np));
	hash = hash_bytes(hash, context->local, sizeof(*context->local));
	return hash_bytes(hash, context->peer, sizeof(*context->peer));
}

static void forget(struct iscsi_loop *il, struct iscsi_answer *answer)
{
	list_del(&answer->node);
	il->nanswers--;
	iscsi_answer_put(il, answer);
}

static struct iscsi_answer *find_kept(struct iscsi_loop *il, uint64_t key)
{
	uint64_t now = loop_now_ns(il->loop);
	struct list *node, *tmp;

	list_for_each (&il->answers, node, tmp) {
		struct iscsi_answer *answer = list_entry(node, struct iscsi_answer, node);

		if (now >= answer->end_ns)
			forget(il, answer);
		else if (answer->key == key)
			return answer;
	}
	return NULL;
}

static void keep(struct iscsi_loop *il, struct iscsi_answer *answer, uint64_t key)
{
	if (il->nanswers == KEPT_MAX)
		forget(il, list_entry(il->answers.next, struct iscsi_answer, node));
	answer->key = key;
	answer->end_ns = loop_now_ns(il->loop) + KEEP_NS;
	answer->nrefs++;
	list_add_tail(&il->answers, &answer->node);
	il->nanswers++;
}

static struct iscsi_answer *make(struct iscsi_conn *conn, const struct iscsi_text_context *context,
				 const uint8_t *in, uint32_t in_len)
{
	struct iscsi_answer *answer = calloc(1, sizeof(*answer));
	long len = answer ? iscsi_text_request(context, in, in_len, &answer->text) : -1;

	if (len < 0) {
		free(answer);
		return NULL;
	}
	list_init(&answer->node);
	answer->len = (uint32_t)len;
	answer->nrefs = 1;
	iscsi_work_add(conn, answer->len / WORK_BYTES);
	return answer;
}

struct iscsi_answer *iscsi_answer_get(struct iscsi_conn *conn, const uint8_t *in, uint32_t in_len)
{
	struct sockaddr_storage local = {0}, peer = {0};
	socklen_t local_len = sizeof(local), peer_len = sizeof(peer);
	struct iscsi_text_context context = {
	    .model = conn->il->server->model,
	    .target = conn->session->discovery ? NULL : conn->session->target_name,
	    .initiator_name = conn->session->initiator_name,
	    .np = conn->np,
	    .local = &local,
	    .peer = &peer,
	    .params = &conn->params,
	};
	bool kept_kind = is_kept_kind(conn, in, in_len);
	struct iscsi_answer *answer;
	uint64_t key;

	getsockname(conn->watch.fd, (struct sockaddr *)&local, &local_len);
	getpeername(conn->watch.fd, (struct sockaddr *)&peer, &peer_len);
	/* The port of the initiator does not influence the answer, so it is not part of the key. */
	if (peer.ss_family == AF_INET || peer.ss_family == AF_INET6)
		((struct sockaddr_in *)&peer)->sin_port = 0;
	/*
	 * The key is made before the answer, so that the answer is never older than the state that the key
	 * describes.
	 */
	key = make_key(&context);
	answer = kept_kind ? find_kept(conn->il, key) : NULL;
	if (answer) {
		answer->nrefs++;
		return answer;
	}
	answer = make(conn, &context, in, in_len);
	if (answer && kept_kind) {
		keep(conn->il, answer, key);
	} else if (answer) {
		answer->counted = iscsi_memory_take(conn->il, answer->len);
		if (!answer->counted) {
			iscsi_answer_put(conn->il, answer);
			return NULL;
		}
	}
	return answer;
}

void iscsi_answer_put(struct iscsi_loop *il, struct iscsi_answer *answer)
{
	if (!answer || --answer->nrefs)
		return;
	if (answer->counted)
		iscsi_memory_give(il, answer->len);
	free(answer->text);
	free(answer);
}

void iscsi_answers_drop(struct iscsi_loop *il)
{
	while (!list_empty(&il->answers))
		forget(il, list_entry(il->answers.next, struct iscsi_answer, node));
}
