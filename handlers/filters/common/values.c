/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses the values of options that several filters have. Each filter defines the names and the effects of
 * its options.
 */
#include "values.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S    1000000000ull
#define LONGEST_S   3600u
#define DIGITS_MAX  18
#define NO_UNIT     0
#define TIME_SAMPLE "use for example 500us, 10ms or 2s"

int value_refuse(struct reason reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason.text, reason.len, format, args);
	va_end(args);
	return -EINVAL;
}

/* --- numbers --- */

/*
 * Reads the digits at the beginning of text. Returns the text after them, or NULL if there are none or too
 * many.
 */
static const char *read_digits(const char *text, uint64_t *number)
{
	size_t n = strspn(text, "0123456789");

	if (!n || n > DIGITS_MAX)
		return NULL;
	*number = strtoull(text, NULL, 10);
	return text + n;
}

int value_number(const char *text, uint64_t least, uint64_t most, uint64_t *number, struct reason reason)
{
	const char *end = read_digits(text, number);

	if (end && !*end && *number >= least && *number <= most)
		return 0;
	return value_refuse(reason, "this is not a whole number from %llu to %llu; use for example %llu",
			    (unsigned long long)least, (unsigned long long)most,
			    (unsigned long long)(least + 9 < most ? least + 9 : least));
}

/* --- times --- */

static const struct unit {
	const char *name;
	uint64_t ns;
} units[] = {{"us", 1000}, {"ms", 1000000}, {"s", NS_PER_S}, {"", NO_UNIT}};

/*
 * Returns the number of nanoseconds of the unit, which is the whole text; NO_UNIT if text is empty; or
 * UINT64_MAX if there is no such unit.
 */
static uint64_t unit_of(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].name) == len && !memcmp(units[i].name, text, len))
			return units[i].ns;
	return UINT64_MAX;
}

/*
 * Reads a time of len bytes. A number without a unit has the unit fallback. Returns false if the bytes are
 * not a time.
 */
static bool read_time(const char *text, size_t len, uint64_t fallback, uint64_t *ns)
{
	uint64_t number = 0;
	const char *end = read_digits(text, &number);

	if (!end || end > text + len)
		return false;
	uint64_t unit = unit_of(end, (size_t)(text + len - end));
	if (unit == NO_UNIT)
		unit = fallback;
	if (unit == UINT64_MAX || (unit == NO_UNIT && number))
		return false;
	*ns = unit && number > UINT64_MAX / unit ? UINT64_MAX : number * unit;
	return true;
}

static int check_longest(uint64_t ns, struct reason reason)
{
	if (ns <= LONGEST_S * NS_PER_S)
		return 0;
	return value_refuse(reason, "this is longer than an hour; " TIME_SAMPLE);
}

int value_time(const char *text, uint64_t *ns, struct reason reason)
{
	if (read_time(text, strlen(text), NO_UNIT, ns))
		return check_longest(*ns, reason);
	return value_refuse(reason, "this is not a time; " TIME_SAMPLE);
}

int value_times(const char *text, uint64_t *least_ns, uint64_t *most_ns, struct reason reason)
{
	const char *dash = strchr(text, '-');
	int err;

	if (!dash) {
		err = value_time(text, most_ns, reason);
		*least_ns = *most_ns;
		return err;
	}
	const char *unit = dash + 1 + strspn(dash + 1, "0123456789");
	if (!read_time(dash + 1, strlen(dash + 1), NO_UNIT, most_ns) ||
	    !read_time(text, (size_t)(dash - text), unit_of(unit, strlen(unit)), least_ns))
		return value_refuse(reason, "this is not a range of times; use for example 0-50ms");
	if (*least_ns > *most_ns)
		return value_refuse(reason,
				    "the first time is longer than the second; use for example 0-50ms");
	return check_longest(*most_ns, reason);
}

/* --- random numbers --- */

/* The generator is xorshift64*, whose numbers are random enough to distribute delays and errors. */
uint64_t value_random(void)
{
	static _Thread_local uint64_t state;

	if (!state) {
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		state = ((uint64_t)now.tv_nsec << 20 ^ (uintptr_t)&state) | 1;
	}
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull;
}

/* --- operations --- */

static const char *const operations[TCMUR_OPERATIONS] = {
    [TCMUR_OPERATION_READ] = "read",
    [TCMUR_OPERATION_WRITE] = "write",
    [TCMUR_OPERATION_FLUSH] = "flush",
    [TCMUR_OPERATION_UNMAP] = "unmap",
    [TCMUR_OPERATION_WRITE_ZEROES] = "write-zeroes",
    [TCMUR_OPERATION_WRITE_SAME] = "write-same",
    [TCMUR_OPERATION_COMPARE_AND_WRITE] = "compare-and-write",
    [TCMUR_OPERATION_EXTENTS] = "extents",
};

const char *value_operation_name(enum tcmur_operation operation)
{
	return operations[operation];
}

/* Returns the bit of the operation whose name is in these len bytes, or 0 if there is none. */
static uint32_t bit_of(const char *name, size_t len)
{
	for (unsigned i = 0; i < TCMUR_OPERATIONS; i++)
		if (strlen(operations[i]) == len && !memcmp(operations[i], name, len))
			return 1u << i;
	return 0;
}

int value_operations(const char *text, uint32_t *bits, struct reason reason)
{
	*bits = 0;
	for (;; text++) {
		size_t len = strcspn(text, "+");
		uint32_t bit = bit_of(text, len);

		if (!bit)
			return value_refuse(
			    reason,
			    "\"%.*s\" is not an operation; use for example read+write. There are read, "
			    "write, flush, unmap, write-zeroes, write-same, compare-and-write and extents",
			    (int)len, text);
		*bits |= bit;
		text += len;
		if (!*text)
			return 0;
	}
}
