/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses "HANDLER/CONFIG;KEY=VALUE;filter=NAME;KEY=VALUE", which both front ends use, and handles its
 * escapes. The names of handlers, filters and options are checked by runner/backstore when it opens the
 * storage.
 */
#include "storage/spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"

#define ESCAPE    '~'
#define SEPARATOR ';'
#define FILTER    "filter"

/* --- the escape --- */

static bool is_escape(const char *text)
{
	return text[0] == ESCAPE && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]);
}

static char escaped_byte(const char *text)
{
	const char digits[3] = {text[1], text[2]};

	return (char)strtoul(digits, NULL, 16);
}

/* Replaces the escapes in place. A tilde that is not followed by two digits is an ordinary character. */
static int unescape(char *text, struct error *error)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		if (!is_escape(in)) {
			*out++ = *in;
			continue;
		}
		*out = escaped_byte(in);
		if (!*out++)
			return error_set(error, EINVAL, "~00 stands for no character of a name");
		in += 2;
	}
	*out = '\0';
	return 0;
}

/*
 * Returns whether the byte needs no escape. All other bytes are special for configfs, rtslib, configshell,
 * targetclid, a shell, or this syntax.
 */
static bool is_plain(char byte)
{
	return isascii(byte) && (isalnum(byte) || (byte && strchr("/._-+@", byte)));
}

static char *escape(const char *text, size_t len)
{
	char *escaped = malloc(3 * len + 1), *out = escaped;

	if (!escaped)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (is_plain(text[i]))
			*out++ = text[i];
		else
			out += sprintf(out, "%c%02x", ESCAPE, (unsigned char)text[i]);
	}
	*out = '\0';
	return escaped;
}

char *storage_spec_escape(const char *text)
{
	return escape(text, strlen(text));
}

/* --- the parser --- */

static int add_filter(struct storage_spec *spec, const char *name, struct error *error)
{
	if (!*name)
		return error_set(error, EINVAL, "filter= is not followed by the name of a filter");
	if (spec->nfilters == TCMUR_FILTERS_MAX)
		return error_set(error, EINVAL, "there are more than %d filters", TCMUR_FILTERS_MAX);
	spec->filters[spec->nfilters++].name = name;
	return 0;
}

/* Adds an option of the handler, or of the last filter if there is one. */
static int add_option(struct storage_spec *spec, const char *name, const char *value, struct error *error)
{
	struct storage_spec_filter *filter = spec->nfilters ? &spec->filters[spec->nfilters - 1] : NULL;
	struct tcmur_option_value *options = filter ? filter->options : spec->options;
	uint32_t *n = filter ? &filter->noptions : &spec->noptions;

	for (uint32_t i = 0; i < *n; i++)
		if (!strcmp(name, options[i].name))
			return error_set(error, EINVAL, "option %s is given twice%s%s", name,
					 filter ? " for filter " : "", filter ? filter->name : "");
	if (*n == STORAGE_SPEC_OPTIONS_MAX)
		return error_set(error, EINVAL, "there are more than %d options", STORAGE_SPEC_OPTIONS_MAX);
	options[(*n)++] = (struct tcmur_option_value){name, value};
	return 0;
}

static int add_pair(struct storage_spec *spec, char *pair, struct error *error)
{
	char *value = strchr(pair, '=');

	if (value)
		*value++ = '\0';
	if (!*pair)
		return error_set(error, EINVAL,
				 "a ';' is not followed by KEY=VALUE; write ~3b for a ';' in a name");
	if (value && unescape(value, error))
		return -EINVAL;
	if (!strcmp(pair, FILTER))
		return add_filter(spec, value ? value : "", error);
	return add_option(spec, pair, value ? value : "", error);
}

static void describe_filters(struct storage_spec *spec)
{
	for (uint32_t i = 0; i < spec->nfilters; i++) {
		const struct storage_spec_filter *filter = &spec->filters[i];

		spec->backstore_filters[i] = (struct backstore_filter_spec){
		    .name = filter->name, .options = filter->options, .noptions = filter->noptions};
	}
}

static int parse(struct storage_spec *spec, struct error *error)
{
	char *rest = spec->text, *config = strsep(&rest, ";");
	const char *slash = strchr(config, '/');
	int err;

	if (!slash || slash == config)
		return error_set(error, EINVAL, "it does not begin with HANDLER/CONFIG");
	spec->config = config;
	err = unescape(config, error);
	while (rest && !err)
		err = add_pair(spec, strsep(&rest, ";"), error);
	describe_filters(spec);
	return err;
}

int storage_spec_parse(struct storage_spec *spec, const char *text, struct error *error)
{
	*spec = (struct storage_spec){.text = strdup(text)};
	int err = spec->text ? parse(spec, error) : error_set(error, ENOMEM, "out of memory");

	if (err) {
		error_prefix(error, err, "%s", text);
		storage_spec_free(spec);
	}
	return err;
}

void storage_spec_free(struct storage_spec *spec)
{
	free(spec->text);
	*spec = (struct storage_spec){0};
}

/*
 * A semicolon that does not separate is escaped, so the text ";filter=" occurs only at the beginning of a
 * filter.
 */
size_t storage_spec_filters_at(const char *text)
{
	const char *filters = strstr(text, ";" FILTER "=");

	return filters ? (size_t)(filters - text) : strlen(text);
}

/* --- changing options of the same filters --- */

static bool has_same_filters(const struct storage_spec *a, const struct storage_spec *b)
{
	if (a->nfilters != b->nfilters)
		return false;
	for (uint32_t i = 0; i < a->nfilters; i++)
		if (strcmp(a->filters[i].name, b->filters[i].name) != 0)
			return false;
	return true;
}

bool storage_spec_has_same_chain(const char *a, const char *b)
{
	size_t len = storage_spec_filters_at(a);
	struct storage_spec first, second;
	bool same;

	if (storage_spec_filters_at(b) != len || strncmp(a, b, len) != 0 ||
	    storage_spec_parse(&first, a, NULL))
		return false;
	same = !storage_spec_parse(&second, b, NULL);
	if (same)
		same = has_same_filters(&first, &second);
	storage_spec_free(&first);
	storage_spec_free(&second);
	return same;
}

static bool is_option(const char *pair, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(pair, name, len) && (!pair[len] || pair[len] == '=');
}

/* Writes the filters in rest. The changed option becomes the last option of its filter. */
static void write_filters(FILE *out, char *rest, unsigned number, const char *name, const char *option)
{
	unsigned at = 0; /* The number of filters that have begun. */
	char *pair;

	while ((pair = strsep(&rest, ";"))) {
		bool begins = is_option(pair, FILTER);

		if (begins && at++ == number + 1)
			fputs(option, out);
		if (begins || at != number + 1 || !is_option(pair, name))
			fprintf(out, ";%s", pair);
	}
	if (at == number + 1)
		fputs(option, out);
}

/* Returns ";NAME=VALUE", which the caller frees; "" if there is no value; or NULL if there is no memory. */
static char *option_text(const char *name, const char *value)
{
	CLEANUP_FREE char *escaped = value ? storage_spec_escape(value) : NULL;
	char *option;

	if (!value)
		return strdup("");
	return escaped && asprintf(&option, ";%s=%s", name, escaped) >= 0 ? option : NULL;
}

char *storage_spec_with_filter_option(const char *text, unsigned number, const char *name, const char *value)
{
	CLEANUP_FREE char *copy = strdup(text), *option = option_text(name, value);
	size_t filters = storage_spec_filters_at(text), size;
	char *changed = NULL;

	if (!copy || !option)
		return NULL;
	FILE *out = open_memstream(&changed, &size);
	if (!out)
		return NULL;
	fprintf(out, "%.*s", (int)filters, text);
	if (text[filters])
		write_filters(out, copy + filters + 1, number, name, option);
	if (!fclose(out))
		return changed;
	free(changed);
	return NULL;
}

/* --- names that were chosen before this syntax existed --- */

static int refuse_literal(const char *text, size_t handler, const char *name, size_t len, struct error *error)
{
	CLEANUP_FREE char *escaped = escape(name, len);

	if (!escaped)
		return error_set(error, ENOMEM, "out of memory");
	return error_set(
	    error, EINVAL,
	    "%s: a file named '%.*s' exists, but ';' begins an option and ~HH stands for a character. "
	    "For that file write %.*s%s",
	    text, (int)len, name, (int)handler, text, escaped);
}

static bool file_exists(const char *folder, const char *name, size_t len)
{
	CLEANUP_FREE char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s%s%.*s", *name == '/' ? "" : folder, *name == '/' ? "" : "/", (int)len, name) <
	    0) {
		path = NULL;
		return false;
	}
	return !lstat(path, &st);
}

/*
 * The user may have appended options to the name of an existing file, so each part of the text that ends
 * before a ';' is looked up.
 */
int storage_spec_check_literal(const char *text, const char *folder, struct error *error)
{
	const char *name = strchr(text, '/');
	bool special = false;

	if (!name)
		return 0;
	name++;
	for (size_t len = 0;; len++) {
		bool ends = !name[len] || name[len] == SEPARATOR;

		if (ends && special && file_exists(folder, name, len))
			return refuse_literal(text, (size_t)(name - text), name, len, error);
		if (!name[len])
			return 0;
		special |= name[len] == SEPARATOR || is_escape(name + len);
	}
}

/* --- output --- */

void storage_spec_print_options(const struct storage_spec *spec, char *out, size_t size)
{
	size_t len = 0;

	*out = '\0';
	for (uint32_t i = 0; i < spec->noptions && len < size; i++) {
		const struct tcmur_option_value *option = &spec->options[i];

		len += (size_t)snprintf(out + len, size - len, "%s%s%s%s", i ? ", " : "", option->name,
					*option->value ? "=" : "", option->value);
	}
}
