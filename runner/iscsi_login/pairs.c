/* SPDX-License-Identifier: Apache-2.0 */
/* The text format (RFC 7143 6.1): reads and writes pairs, numbers and lists. negotiate.c interprets them. */
#include "iscsi_login/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

#define KEY_MAX   63 /* RFC 7143 6.1 limits the length of keys. */
#define VALUE_MAX 255

int iscsi_pair_next(const char *text, size_t len, size_t *at, struct iscsi_pair *pair)
{
	const char *start, *nul, *equals;
	size_t value_len, value_max = VALUE_MAX;

	if (*at == len) /* text may be NULL if there is no text. */
		return 0;
	start = text + *at;
	nul = memchr(start, '\0', len - *at);
	equals = nul ? memchr(start, '=', (size_t)(nul - start)) : NULL;
	if (!equals)
		return -1;
	pair->name = start;
	pair->name_len = (size_t)(equals - start);
	pair->value = equals + 1;
	if (pair->name_len < 1 || pair->name_len > KEY_MAX)
		return -1;
	pair->key = iscsi_key_find(pair->name, pair->name_len);
	if (pair->key != ISCSI_KEY_UNKNOWN && iscsi_keys[pair->key].value_max)
		value_max = iscsi_keys[pair->key].value_max;
	value_len = (size_t)(nul - pair->value);
	*at += (size_t)(nul - start) + 1;
	return value_len <= value_max ? 1 : -1;
}

static bool has_room(struct iscsi_text_out *out, size_t need)
{
	size_t size = MIN(MAX(2 * out->size, out->len + need), out->grows_to);
	char *text;

	if (need <= out->size - out->len)
		return true;
	if (size <= out->len || need > size - out->len)
		return false;
	text = realloc(out->text, size);
	if (!text)
		return false;
	out->text = text;
	out->size = size;
	return true;
}

void iscsi_text_add(struct iscsi_text_out *out, const char *name, size_t name_len, const char *value)
{
	size_t value_len = strlen(value);
	size_t need = name_len + 1 + value_len + 1;
	char *p;

	if (out->overflow || !has_room(out, need)) {
		out->overflow = true;
		return;
	}
	p = out->text + out->len;
	memcpy(p, name, name_len);
	p[name_len] = '=';
	memcpy(p + name_len + 1, value, value_len + 1);
	out->len += need;
}

void iscsi_text_add_key(struct iscsi_text_out *out, enum iscsi_key key, const char *value)
{
	iscsi_text_add(out, iscsi_keys[key].name, iscsi_keys[key].name_len, value);
}

void iscsi_text_add_number(struct iscsi_text_out *out, enum iscsi_key key, uint32_t value)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", value);
	iscsi_text_add_key(out, key, digits);
}

bool iscsi_value_number(const char *value, uint32_t *number)
{
	bool hex = value[0] == '0' && (value[1] == 'x' || value[1] == 'X');
	const char *digits = hex ? value + 2 : value;
	size_t len = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	unsigned long long n;

	if (len < 1 || len > 15 || digits[len] || (!hex && len > 1 && digits[0] == '0'))
		return false;
	n = strtoull(digits, NULL, hex ? 16 : 10);
	*number = (uint32_t)n;
	return n <= UINT32_MAX;
}

int iscsi_list_next(const char **list, const char **item)
{
	size_t len;

	if (!*list)
		return -1;
	*item = *list;
	len = strcspn(*list, ",");
	*list = (*list)[len] ? *list + len + 1 : NULL;
	return (int)len;
}
