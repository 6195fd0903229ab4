/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon and tcmuctl read secrets from files, and refuse the same ones. */
#include "util/secret_text.h"

#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

size_t secret_line_length(const char *bytes, size_t len)
{
	const char *newline = len ? memchr(bytes, '\n', len) : NULL;

	if (newline)
		len = (size_t)(newline - bytes);
	if (len && bytes[len - 1] == '\r') /* The line ends with CR LF, or the file ends with CR. */
		len--;
	return len;
}

const char *secret_find_fault(const char *secret, size_t len)
{
	if (memchr(secret, '\0', len))
		return "the secret contains a NUL byte";
	if (memchr(secret, '\r', len))
		return "the secret contains a carriage return (CR)";
	if (len >= 3 && !memcmp(secret, byte_order_mark, 3))
		return "it begins with a byte order mark (BOM), which would be a part of the secret; save "
		       "the file as plain text without a BOM";
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool secret_has_outer_blanks(const char *secret, size_t len)
{
	return len && (is_blank(secret[0]) || is_blank(secret[len - 1]));
}
