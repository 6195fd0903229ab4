/* SPDX-License-Identifier: Apache-2.0 */
/* The text format of Login and Text PDUs (RFC 7143 6.1): key=value pairs, each of which ends with a NUL. */
#ifndef ISCSI_LOGIN_PAIRS_H
#define ISCSI_LOGIN_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi_login/keys.h"

struct iscsi_pair {
	enum iscsi_key key;
	/* The name, which has name_len bytes and no NUL at its end. */
	const char *name;
	size_t name_len;
	/* The value, which ends with a NUL. */
	const char *value;
};

/*
 * Reads the next pair of a text of len bytes. *at must be 0 before the first call. Returns 1 if pair is
 * filled, or 0 at the end. Returns -1 if the text is malformed: a pair has no '=' or no NUL, its key is empty
 * or too long, or its value is too long.
 */
int iscsi_pair_next(const char *text, size_t len, size_t *at, struct iscsi_pair *pair);

/* An answer that is being written. A pair that does not fit sets overflow and changes nothing else. */
struct iscsi_text_out {
	char *text;
	size_t len, size;
	/* The memory of text is allocated, and grows up to this size. 0 means that it does not grow. */
	size_t grows_to;
	bool overflow;
};

void iscsi_text_add(struct iscsi_text_out *out, const char *name, size_t name_len, const char *value);
/* Adds a pair. name is a key of the table. */
void iscsi_text_add_key(struct iscsi_text_out *out, enum iscsi_key key, const char *value);
void iscsi_text_add_number(struct iscsi_text_out *out, enum iscsi_key key, uint32_t value);

/* Reads a decimal or 0x-hexadecimal number without sign or leading zeros (6.1). */
bool iscsi_value_number(const char *value, uint32_t *number);
/* Returns the length of the next item of a comma-separated list, or -1 at the end. Advances *list. */
int iscsi_list_next(const char **list, const char **item);
#endif
