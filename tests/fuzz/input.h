/* SPDX-License-Identifier: Apache-2.0 */
/* The input of a fuzz target, which is taken byte by byte. After its end, all bytes are zero. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <string.h>

#include "util/bytes.h"

struct input {
	const uint8_t *p;
	size_t left;
};

static inline uint8_t take(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->p++;
}

static inline uint16_t take16(struct input *in)
{
	uint16_t high = take(in);

	return (uint16_t)(high << 8 | take(in));
}

/* Takes up to len bytes, as many as there are. */
static inline size_t take_bytes(struct input *in, void *to, size_t len)
{
	len = MIN(len, in->left);
	if (len)
		memcpy(to, in->p, len);
	in->p += len;
	in->left -= len;
	return len;
}
#endif
