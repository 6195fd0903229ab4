/* SPDX-License-Identifier: Apache-2.0 */
/* The text format of Login and Text PDUs (RFC 7143 6.1): key=value pairs, each ended by a NUL. */
#ifndef ISCSI_LOGIN_PAIRS_H
#define ISCSI_LOGIN_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi_login/keys.h"

struct iscsi_pair {
	enum iscsi_key key;
	/* name_len bytes without a NUL. */
	const char *name;
	size_t name_len;
	/* Ended by a NUL. */
	const char *value;
};

/* Walks through a text of len bytes, beginning with *at = 0. Returns 1: pair is filled; 0: the
 * end; -1: the text is malformed: a pair without '=' or NUL, an empty or too long key, or a too
 * long value. */
int iscsi_pair_next(const char *text, size_t len, size_t *at, struct iscsi_pair *pair);

/* An answer that is being written. A pair that does not fit sets overflow and changes nothing
 * else. */
struct iscsi_text_out {
	char *text;
	size_t len, size;
	/* text is allocated, and grows up to this size; 0: it does not grow. */
	size_t grows_to;
	bool overflow;
};

void iscsi_text_add(struct iscsi_text_out *out, const char *name, size_t name_len, const char *value);
/* name is a key of the table */
void iscsi_text_add_key(struct iscsi_text_out *out, enum iscsi_key key, const char *value);
void iscsi_text_add_number(struct iscsi_text_out *out, enum iscsi_key key, uint32_t value);

/* Reads a decimal or 0x-hexadecimal number without sign or leading zeros (6.1). */
bool iscsi_value_number(const char *value, uint32_t *number);
/* Returns the length of the next item of a comma-separated list, or -1 at the end. *list
 * advances. */
int iscsi_list_next(const char **list, const char **item);
#endif
