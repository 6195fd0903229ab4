/* SPDX-License-Identifier: Apache-2.0 */
/* The texts that answer Text Requests. One text can be the answer of many sessions of a loop. */
#ifndef ISCSI_ANSWER_H
#define ISCSI_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "util/list.h"

struct iscsi_conn;
struct iscsi_loop;

/* An answer belongs to one loop. */
struct iscsi_answer {
	/* Links the answer into il->answers while it is kept for other requests. */
	struct list node;
	unsigned nrefs;
	char *text;
	uint32_t len;
	/* Whether its memory is counted in il->request_bytes (memory.h). */
	bool counted;
	/*
	 * For an answer that is kept: the key says for which initiators and connections it is valid, and
	 * end_ns says until when.
	 */
	uint64_t key;
	uint64_t end_ns;
};

/*
 * Returns the answer to a complete text, with a reference for the caller. Returns NULL after a protocol
 * error, or if there is no memory.
 */
struct iscsi_answer *iscsi_answer_get(struct iscsi_conn *conn, const uint8_t *in, uint32_t in_len);
/* Releases a reference. answer may be NULL. */
void iscsi_answer_put(struct iscsi_loop *il, struct iscsi_answer *answer);
/* Drops all answers that are kept. */
void iscsi_answers_drop(struct iscsi_loop *il);
#endif
