/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of the filter error: which I/O fails, how often, and with which error. error.c makes the I/O
 * fail.
 */
#include <errno.h>
#include <string.h>

#include "error.h"

const struct tcmur_option error_options[] = {
    {"status", "NAME: how I/O fails, for example busy or not-ready (read-error or write-error)"},
    {"sense", "KEY/ASC/ASCQ: hexadecimal sense data in place of a status, for example 3/0c/03"},
    {"operations", "read+write+...: which operations fail (all)"},
    {"lba", "FIRST-LAST or LBA: only I/O of these blocks fails (all)"},
    {"range", "OFFSET+LENGTH: the same in bytes, for example 1M+64K"},
    {"every", "N: only each N-th I/O fails (1)"},
    {"probability", "P: I/O fails with this probability, from 0 to 1 (1)"},
    {"count", "N: there are N errors, and none after them (no limit)"},
    {NULL, NULL},
};

/* --- how I/O fails --- */

static const struct {
	const char *name;
	enum tcmur_status status;
} statuses[] = {
    {"read-error", TCMUR_READ_ERROR},
    {"write-error", TCMUR_WRITE_ERROR},
    {"no-space", TCMUR_NO_SPACE},
    {"out-of-range", TCMUR_OUT_OF_RANGE},
    {"not-supported", TCMUR_NOT_SUPPORTED},
    {"invalid-field", TCMUR_INVALID_FIELD},
    {"write-protected", TCMUR_WRITE_PROTECTED},
    {"not-ready", TCMUR_NOT_READY},
    {"hardware-error", TCMUR_HARDWARE_ERROR},
    {"timeout", TCMUR_TIMEOUT},
    {"aborted", TCMUR_ABORTED},
    {"busy", TCMUR_BUSY},
    {"task-set-full", TCMUR_NO_RESOURCE},
    {"fenced", TCMUR_FENCED},
    {"conflict", TCMUR_CONFLICT},
};

static int set_status(struct params *p, const char *value, struct reason reason)
{
	if (p->status)
		return value_refuse(reason, "status and sense exclude each other");
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (!strcmp(value, statuses[i].name)) {
			p->status = statuses[i].status;
			return 0;
		}
	}
	return value_refuse(reason,
			    "there is no such status; use for example read-error, write-error, no-space, "
			    "not-ready, hardware-error, timeout, busy or task-set-full");
}

static unsigned digit_of(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 0x20) - 'a' + 10;
}

/* Reads one or two hexadecimal digits and the character after them. Returns the rest, or NULL. */
static const char *read_hex(const char *text, char terminator, uint32_t *number)
{
	size_t n = strspn(text, "0123456789abcdefABCDEF");

	if (n < 1 || n > 2 || text[n] != terminator)
		return NULL;
	*number = 0;
	for (size_t i = 0; i < n; i++)
		*number = *number << 4 | digit_of(text[i]);
	return text + n + (terminator != '\0');
}

static int set_sense(struct params *p, const char *value, struct reason reason)
{
	uint32_t key = 0, code = 0, qualifier = 0;
	const char *rest = read_hex(value, '/', &key);

	if (rest)
		rest = read_hex(rest, '/', &code);
	if (rest)
		rest = read_hex(rest, '\0', &qualifier);
	if (!rest || key > 0xf)
		return value_refuse(
		    reason, "this is not KEY/ASC/ASCQ in hexadecimal digits; use for example 3/0c/03");
	if (key < 2)
		return value_refuse(
		    reason, "the sense keys 0 and 1 mean that there was no error; use for example 3/0c/03");
	if (p->status)
		return value_refuse(reason, "status and sense exclude each other");
	p->status = TCMUR_SENSE;
	p->sense = key << 16 | code << 8 | qualifier;
	return 0;
}

/* --- which I/O fails --- */

static int check_one_range(const struct params *p, struct reason reason)
{
	return p->end ? value_refuse(reason, "lba and range exclude each other") : 0;
}

/* Copies len bytes of text. Returns false if they do not fit. */
static bool copy_part(char part[32], const char *text, size_t len)
{
	if (len >= 32)
		return false;
	memcpy(part, text, len);
	part[len] = '\0';
	return true;
}

static int set_lba(struct params *p, const char *value, struct reason reason)
{
	const uint64_t most = INT64_MAX / 4096;
	const char *dash = strchr(value, '-');
	char first[32], ignored[8];
	uint64_t last;
	struct reason nowhere = {ignored, sizeof(ignored)};

	if (check_one_range(p, reason))
		return -EINVAL;
	if (!copy_part(first, value, dash ? (size_t)(dash - value) : strlen(value)) ||
	    value_number(first, 0, most, &p->first, nowhere) ||
	    value_number(dash ? dash + 1 : first, 0, most, &last, nowhere) || last < p->first)
		return value_refuse(reason, "this is not a range of blocks; use for example 100-199 or 100");
	p->end = last + 1;
	p->in_blocks = true;
	return 0;
}

static int set_range(struct params *p, const char *value, struct reason reason)
{
	const char *plus = strchr(value, '+');
	char offset[32];
	uint64_t len = 0;

	if (check_one_range(p, reason))
		return -EINVAL;
	if (!plus || !copy_part(offset, value, (size_t)(plus - value)) ||
	    tcmur_parse_size(offset, &p->first) || tcmur_parse_size(plus + 1, &len) || !len)
		return value_refuse(reason, "this is not OFFSET+LENGTH in bytes; use for example 1M+64K");
	p->end = p->first + len;
	return 0;
}

/* --- how often I/O fails --- */

/* Reads a probability such as "0", "1" or "0.25", with at most six digits after the point. */
static bool read_probability(const char *text, uint32_t *parts)
{
	uint32_t scale = PROBABILITY_PARTS;

	if (*text != '0' && *text != '1')
		return false;
	*parts = (uint32_t)(*text++ - '0') * scale;
	if (!*text)
		return true;
	if (*text++ != '.' || !*text || strlen(text) > 6)
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		*parts += (uint32_t)(*text - '0') * (scale /= 10);
	return !*text && *parts <= PROBABILITY_PARTS;
}

static int set_probability(struct params *p, const char *value, struct reason reason)
{
	if (p->every)
		return value_refuse(reason, "every and probability exclude each other");
	if (!read_probability(value, &p->probability))
		return value_refuse(reason, "this is not a probability from 0 to 1; use for example 0.05");
	p->has_probability = true;
	return 0;
}

static int set_every(struct params *p, const char *value, struct reason reason)
{
	if (p->has_probability)
		return value_refuse(reason, "every and probability exclude each other");
	return value_number(value, 1, UINT32_MAX, &p->every, reason);
}

int error_set_option(void *params, const char *name, const char *value, char *text, size_t len)
{
	struct params *p = params;
	struct reason reason = {text, len};

	if (!strcmp(name, "status"))
		return set_status(p, value, reason);
	if (!strcmp(name, "sense"))
		return set_sense(p, value, reason);
	if (!strcmp(name, "operations"))
		return value_operations(value, &p->operations, reason);
	if (!strcmp(name, "lba"))
		return set_lba(p, value, reason);
	if (!strcmp(name, "range"))
		return set_range(p, value, reason);
	if (!strcmp(name, "every"))
		return set_every(p, value, reason);
	if (!strcmp(name, "probability"))
		return set_probability(p, value, reason);
	/* The last one of error_options is "count". */
	return value_number(value, 1, UINT32_MAX, &p->count, reason);
}
