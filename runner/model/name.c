/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iSCSI names (RFC 7143 4.2.7, RFC 3722). Only ASCII is accepted: no initiator is known that uses other
 * characters, and comparing them correctly would need all of stringprep.
 */
#include "model/name.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

/*
 * RFC 3722 does not allow '_', but initiators that make their name from the name of a Windows host send it.
 */
static bool is_name_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == ':' || c == '_';
}

/*
 * Returns whether the text after "iqn." is valid: yyyy-mm.reversed.domain, then anything (RFC 7143 4.2.7.4).
 */
static bool iqn_valid(const char *rest)
{
	static const char form[] = "dddd-dd.";
	unsigned month;

	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd' ? !is_digit(rest[i]) : rest[i] != form[i])
			return false;
	month = (unsigned)(rest[5] - '0') * 10 + (unsigned)(rest[6] - '0');
	rest += sizeof(form) - 1;
	return month >= 1 && month <= 12 && *rest && *rest != '.' && *rest != ':';
}

static bool all_hex(const char *rest)
{
	while (is_lower_hex(*rest))
		rest++;
	return !*rest;
}

bool model_name_valid(char *name)
{
	size_t len = strnlen(name, MODEL_NAME_MAX + 1);

	if (len > MODEL_NAME_MAX)
		return false;
	for (char *c = name; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
		if (!is_name_char(*c))
			return false;
	}
	if (strncmp(name, "iqn.", 4) == 0)
		return iqn_valid(name + 4);
	if (strncmp(name, "eui.", 4) == 0) /* An EUI-64 name has 16 digits (4.2.7.5). */
		return len == 4 + 16 && all_hex(name + 4);
	if (strncmp(name, "naa.", 4) == 0) /* An NAA name has 64 or 128 bits (4.2.7.6). */
		return (len == 4 + 16 || len == 4 + 32) && all_hex(name + 4);
	return false;
}

bool model_name_copy(char out[MODEL_NAME_MAX + 1], const char *name)
{
	size_t len = strnlen(name, MODEL_NAME_MAX + 1);

	if (len > MODEL_NAME_MAX)
		return false;
	memcpy(out, name, len + 1);
	return model_name_valid(out);
}

const char *model_name_fault(const char *name)
{
	if (strnlen(name, MODEL_NAME_MAX + 1) > MODEL_NAME_MAX)
		return "is longer than 223 bytes";
	for (; *name; name++) {
		char c = *name >= 'A' && *name <= 'Z' ? (char)(*name + 'a' - 'A') : *name;

		if (c == ' ')
			return "contains a blank, which an iSCSI name must not have";
		if (!is_name_char(c))
			return "contains a character other than letters, digits, '-', '.', ':' and '_'";
	}
	return "has none of the forms iqn.YYYY-MM.DOMAIN[:TEXT], eui. with 16 and naa. with 16 or 32 "
	       "hexadecimal digits";
}
