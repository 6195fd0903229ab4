/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of options that several filters have: times, whole numbers and operations, with the same meaning and
 * the same messages. The functions that parse a value return 0, or -EINVAL with reason set, for the callback
 * set() of a filter.
 */
#ifndef FILTER_VALUES_H
#define FILTER_VALUES_H

#ifndef TCMUR_API_VERSION
#define TCMUR_API_VERSION 1
#endif
#include <tcmur/filter.h>

/* The memory for a reason. */
struct reason {
	char *text;
	size_t len;
};
/* Formats the reason and returns -EINVAL. */
int value_refuse(struct reason reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Converts "500us", "10ms" or "2s", at most one hour, to nanoseconds. "0" needs no unit. */
int value_time(const char *text, uint64_t *ns, struct reason reason);
/*
 * Converts a time in the same way, or a range "MIN-MAX" such as "0-50ms". If MIN has no unit, it has the unit
 * of MAX.
 */
int value_times(const char *text, uint64_t *least_ns, uint64_t *most_ns, struct reason reason);
/* Converts a whole number that is not less than least and not more than most. */
int value_number(const char *text, uint64_t least, uint64_t most, uint64_t *number, struct reason reason);

/* Any thread. Returns a random number; each thread has a sequence of its own. */
uint64_t value_random(void);

/* Returns the name of an operation, such as "read" or "write". */
const char *value_operation_name(enum tcmur_operation operation);
/* Converts a list of operations, such as "read+write", to a set of bits. */
int value_operations(const char *text, uint32_t *operations, struct reason reason);
#endif
