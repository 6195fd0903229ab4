/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text that names storage: HANDLER/CONFIG;KEY=VALUE;...;filter=NAME;KEY=VALUE;... The first options
 * belong to the handler. Each "filter=NAME" begins a filter, to which the options after it belong; the
 * outermost filter comes first. configfs calls this text dev_config, and --export takes it, too. A tilde and
 * two hexadecimal digits represent one byte, so that CONFIG or a VALUE can contain a comma, a colon, a blank,
 * a percent sign or a semicolon.
 */
#ifndef STORAGE_SPEC_H
#define STORAGE_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "backstore/backstore.h"
#include "util/error.h"

/* The largest number of options of the handler or of one filter. */
#define STORAGE_SPEC_OPTIONS_MAX BACKSTORE_OPTIONS_MAX

/* A filter and its options, in the order of the text. */
struct storage_spec_filter {
	const char *name;
	struct tcmur_option_value options[STORAGE_SPEC_OPTIONS_MAX];
	uint32_t noptions;
};

struct storage_spec {
	/* The memory of all strings below. It belongs to this structure. */
	char *text;
	/* "HANDLER/CONFIG" without escapes, in the form that backstore_open() takes. */
	const char *config;
	/* The options in the order of the text. A KEY without '=' has the value "". */
	struct tcmur_option_value options[STORAGE_SPEC_OPTIONS_MAX];
	uint32_t noptions;
	struct storage_spec_filter filters[TCMUR_FILTERS_MAX];
	uint32_t nfilters;
	/* The filters in the form that backstore_open() takes. */
	struct backstore_filter_spec backstore_filters[TCMUR_FILTERS_MAX];
};

/*
 * Any thread. Parses text. Returns 0. If it fails, the spec is empty, and the function returns -EINVAL or
 * -ENOMEM with an error that names the text and the mistake. The names of filters and options are not checked
 * here, but in backstore_open(). The spec must not be copied, because it contains pointers to itself.
 */
int storage_spec_parse(struct storage_spec *spec, const char *text, struct error *error);
void storage_spec_free(struct storage_spec *spec);
/*
 * Any thread. Returns the offset in text at which the filters begin, or the length of text if there are none.
 */
size_t storage_spec_filters_at(const char *text);
/*
 * Any thread. Returns whether two texts differ at most in the options of their filters: they name the same
 * storage, with the same options of its handler and the same filters in the same order.
 */
bool storage_spec_has_same_chain(const char *a, const char *b);
/*
 * Any thread. Returns a copy of text in which one option of a filter has another value or, if value is NULL,
 * is removed. The filter is given by its number, counted from 0 for the outermost one, and name is an option
 * that this filter has. All other parts stay unchanged. The caller frees the result, which is NULL if there
 * is no memory.
 */
char *storage_spec_with_filter_option(const char *text, unsigned number, const char *name, const char *value);
/*
 * Any thread that may block. Returns -EINVAL if text contains a semicolon or an escape and a file exists
 * whose name is the literal text, because an older configuration may mean this file. The error shows the
 * escaped form. A relative name is looked up in folder.
 */
int storage_spec_check_literal(const char *text, const char *folder, struct error *error);
/*
 * Any thread. Returns text with an escape for each byte that configfs, rtslib, targetcli or a shell treats
 * specially. The caller frees the result, which is NULL if there is no memory.
 */
char *storage_spec_escape(const char *text);
/*
 * Any thread. Writes the options of the handler as "KEY=VALUE, KEY=VALUE" for a log line, or "" if there are
 * none. backstore_print_filters() writes the filters.
 */
void storage_spec_print_options(const struct storage_spec *spec, char *out, size_t size);
#endif
