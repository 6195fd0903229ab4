/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a file of the state folder:
 *
 *     tcmu-runner storage object 1
 *     object file//srv/disk.img
 *     machine 5f0c...
 *     serial 4d4c8f6e-...
 *     crc32c 1234abcd
 *
 * Each line contains one value, in which control characters and '%' are written as %XX. The last line is the
 * checksum of all bytes before it. To add a value, add a member to struct storage_state and a row to the
 * table below.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/state.h"
#include "util/bytes.h"
#include "util/crc32c.h"

#define HEADER   "tcmu-runner storage object 1\n"
#define CHECKSUM "crc32c "

/* --- the checksum --- */

static unsigned checksum_of(const char *text, size_t len)
{
	return ~crc32c_update(CRC32C_INIT, text, len);
}

void state_text_print_checksum(FILE *out, const char *text, size_t len)
{
	fprintf(out, CHECKSUM "%08x\n", checksum_of(text, len));
}

bool state_text_cut_checksum(char *text)
{
	char *last = strrchr(text, '\n');
	unsigned sum;

	if (!last || last[1])
		return false;
	*last = '\0';
	last = strrchr(text, '\n');
	if (!last || strlen(last + 1) != strlen(CHECKSUM) + 8 || sscanf(last + 1, CHECKSUM "%8x", &sum) != 1)
		return false;
	last[1] = '\0';
	return sum == checksum_of(text, (size_t)(last + 1 - text));
}

/* --- the values --- */

static const struct {
	const char *name;
	size_t offset, size;
} values[] = {
#define VALUE(member)                                                                                        \
	{                                                                                                    \
#member, offsetof(struct storage_state, member), sizeof(((struct storage_state *)0)->member) \
	}
    VALUE(machine),
    VALUE(serial),
    VALUE(own),
    VALUE(written_boot),
};

/* --- format --- */

struct output {
	char *at, *end;
};

static bool append(struct output *out, const char *text, size_t len)
{
	if ((size_t)(out->end - out->at) <= len)
		return false;
	memcpy(out->at, text, len);
	out->at += len;
	*out->at = '\0';
	return true;
}

static bool append_line(struct output *out, const char *name, const char *value)
{
	bool fits = append(out, name, strlen(name)) && append(out, " ", 1);

	for (; fits && *value; value++) {
		unsigned char c = (unsigned char)*value;
		char escaped[4];

		snprintf(escaped, sizeof(escaped), iscntrl(c) || c == '%' ? "%%%02X" : "%c", c);
		fits = append(out, escaped, strlen(escaped));
	}
	return fits && append(out, "\n", 1);
}

bool state_text_format(const char *key, const struct storage_state *state, char *text, size_t size)
{
	struct output out = {text, text + size};
	bool fits = append(&out, HEADER, strlen(HEADER)) && append_line(&out, "object", key);
	char checksum[9];

	for (size_t i = 0; fits && i < ARRAY_SIZE(values); i++) {
		const char *value = (const char *)state + values[i].offset;

		fits = !*value || append_line(&out, values[i].name, value);
	}
	fits = fits && append(&out, state->rest, strlen(state->rest));
	if (!fits)
		return false;
	snprintf(checksum, sizeof(checksum), "%08x", checksum_of(text, (size_t)(out.at - text)));
	return append_line(&out, "crc32c", checksum);
}

/* --- parse --- */

static void unescape(char *value)
{
	char *to = value;

	for (; *value; value++, to++) {
		unsigned byte;

		*to = *value;
		if (*value == '%' && sscanf(value + 1, "%2x", &byte) == 1) {
			*to = (char)byte;
			value += 2;
		}
	}
	*to = '\0';
}

/* Returns the value of a line with this name, or NULL. */
static char *value_of(char *line, const char *name)
{
	size_t len = strlen(name);

	return strncmp(line, name, len) || line[len] != ' ' ? NULL : line + len + 1;
}

/*
 * Stores the value of the line in state. A line with an unknown name is kept unchanged in state->rest.
 * Returns false if the value is too long.
 */
static bool parse_line(char *line, struct storage_state *state)
{
	size_t known = strlen(state->rest);

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		char *value = value_of(line, values[i].name);

		if (!value)
			continue;
		unescape(value);
		if (strlen(value) >= values[i].size)
			return false;
		strcpy((char *)state + values[i].offset, value);
		return true;
	}
	return snprintf(state->rest + known, sizeof(state->rest) - known, "%s\n", line) <
	       (int)(sizeof(state->rest) - known);
}

int state_text_parse(char *text, const char *key, struct storage_state *state, struct error *error)
{
	char *rest = text + strlen(HEADER), *line, *object;

	*state = (struct storage_state){.machine = ""};
	if (!state_text_cut_checksum(text))
		return error_set(error, EINVAL, "its checksum is wrong: it is damaged");
	if (strncmp(text, HEADER, strlen(HEADER)))
		return error_set(error, EINVAL, "it is not of a version that this daemon knows");
	line = strsep(&rest, "\n");
	object = value_of(line, "object");
	if (object)
		unescape(object);
	if (!object || strcmp(object, key))
		return error_set(error, EINVAL, "it is the file of another storage object");
	while ((line = strsep(&rest, "\n")) && *line)
		if (!parse_line(line, state))
			return error_set(error, EINVAL, "'%.40s...' is too long", line);
	return 0;
}
