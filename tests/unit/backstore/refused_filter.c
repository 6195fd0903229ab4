/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that must not be loaded, one for each value of REFUSED. */
#include <stddef.h>

#define TCMUR_API_VERSION 1
#include <tcmur/filter.h>

static int refused_set(void *params, const char *name, const char *value, char *reason, size_t reason_len)
{
	(void)params;
	(void)name;
	(void)value;
	(void)reason;
	(void)reason_len;
	return 0;
}

enum { VERSION, NAME, SCRATCH, PARAMS, SET, SUMMARY, FILE_NAME };

static const struct tcmur_option options[] = {{"any", "an option"}, {NULL, NULL}};

static struct tcmur_filter refused = {
    .io_size = REFUSED == SCRATCH ? TCMUR_FILTER_SCRATCH_MAX + 1 : 0,
    .params_size = REFUSED == PARAMS ? TCMUR_FILTER_PARAMS_MAX + 1 : 0,
    .name = REFUSED == NAME        ? "Bad-Name"
	    : REFUSED == FILE_NAME ? "other"
				   : FILTER,
    .summary = REFUSED == SUMMARY ? NULL : "never loads",
    .options = options,
    .set = REFUSED == SET ? NULL : refused_set,
};

struct tcmur_filter *tcmur_filter_entry(void)
{
	refused.struct_size = sizeof(refused);
	refused.api_version = REFUSED == VERSION ? 99 : TCMUR_API_VERSION;
	return &refused;
}
