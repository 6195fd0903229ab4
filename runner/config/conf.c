/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads tcmu.conf, which has lines KEY = VALUE in the syntax of tcmu-runner 1.x. A bad line is logged and
 * skipped. The caller lets the command line override settings.
 */
#include "config/conf.h"

#include <glib.h>
#include <stddef.h>
#include <string.h>

#include "util/bytes.h"
#include "util/log.h"

struct key {
	const char *name;
	size_t offset;
	enum { NUMBER, TEXT } type;
	int min, max, fallback; /* For the type NUMBER. */
};

#define FIELD(name) offsetof(struct conf, name)
static const struct key keys[] = {
    {"log_level", FIELD(log_level), NUMBER, LOG_LEVEL_CRIT, LOG_LEVEL_CDB, LOG_LEVEL_INFO},
    {"log_dir", FIELD(log_dir), TEXT, 0, 0, 0},
    {"state_dir", FIELD(state_dir), TEXT, 0, 0, 0},
    {"saveconfig", FIELD(saveconfig), TEXT, 0, 0, 0},
    {"threads", FIELD(threads), NUMBER, 0, CONTROL_THREADS_MAX, CONTROL_UNSET},
    {"pool_threads", FIELD(pool_threads), NUMBER, 1, CONTROL_POOL_THREADS_MAX, CONTROL_UNSET},
    {"spin_us", FIELD(spin_us), NUMBER, 0, CONTROL_SPIN_US_MAX, CONTROL_UNSET},
    {"cmd_time_out", FIELD(cmd_time_out), NUMBER, 0, 86400, 120},
};

static int *number_of(struct conf *conf, const struct key *key)
{
	return (int *)(void *)((char *)conf + key->offset);
}

static char **text_of(struct conf *conf, const struct key *key)
{
	return (char **)(void *)((char *)conf + key->offset);
}

/* --- a line --- */

struct place {
	const char *path;
	unsigned line;
};

static void wrong(const struct place *place, const char *what, const char *why)
{
	log_warn(NULL, "%s:%u: '%s': %s; the line is left out", place->path, place->line, what, why);
}

static void set_number(struct conf *conf, const struct key *key, const char *value, const struct place *place)
{
	g_autofree char *range = NULL;
	gint64 number;

	if (g_ascii_string_to_signed(value, 10, key->min, key->max, &number, NULL)) {
		*number_of(conf, key) = (int)number;
		return;
	}
	range = g_strdup_printf("%s takes a number from %d to %d", key->name, key->min, key->max);
	wrong(place, value, range);
}

static void set_text(struct conf *conf, const struct key *key, const char *value, const struct place *place)
{
	char **text = text_of(conf, key);

	if (value[0] != '/') {
		wrong(place, value, "not an absolute path");
		return;
	}
	g_free(*text);
	*text = g_strdup(value);
}

/*
 * Removes the comment and the quotes. Returns false if a quote is not closed, or if text other than a comment
 * follows the closing quote.
 */
static bool unquote(char *value)
{
	char quote = value[0];
	char *end = quote == '"' || quote == '\'' ? strchr(value + 1, quote) : NULL;

	if (quote != '"' && quote != '\'') {
		value[strcspn(value, "#")] = '\0';
		g_strchomp(value);
		return true;
	}
	if (!end || (end[1 + strspn(end + 1, " \t")] && end[1 + strspn(end + 1, " \t")] != '#'))
		return false;
	*end = '\0';
	memmove(value, value + 1, strlen(value));
	return true;
}

static const struct key *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static void take_line(struct conf *conf, char *line, const struct place *place)
{
	g_strstrip(line);
	if (!*line || *line == '#')
		return;
	char *equals = strchr(line, '=');

	if (!equals) {
		wrong(place, line, "not of the form KEY = VALUE");
		return;
	}
	*equals = '\0';
	char *name = g_strchomp(line), *value = g_strchug(equals + 1);
	const struct key *key = find(name);

	if (!key)
		wrong(place, name, "no such key");
	else if (!unquote(value))
		wrong(place, value, "a quote is not closed, or text follows the closing quote");
	else if (key->type == NUMBER)
		set_number(conf, key, value, place);
	else
		set_text(conf, key, value, place);
}

/* --- the file --- */

static void set_defaults(struct conf *conf)
{
	*conf = (struct conf){0};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].type == NUMBER)
			*number_of(conf, &keys[i]) = keys[i].fallback;
}

void conf_read(struct conf *conf, const char *path)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) gerror = NULL;
	struct place place = {path, 0};
	gsize len;

	set_defaults(conf);
	if (!g_file_get_contents(path, &text, &len, &gerror)) {
		if (!g_error_matches(gerror, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			log_warn(NULL, "%s; the defaults are used", gerror->message);
		return;
	}
	/* A NUL byte makes its line wrong, but does not end the file. */
	for (char *end = text + len, *zero; (zero = memchr(text, '\0', (size_t)(end - text)));)
		*zero = '?';
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		place.line++;
		take_line(conf, line, &place);
	}
}

void conf_free(struct conf *conf)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].type == TEXT)
			g_free(*text_of(conf, &keys[i]));
	*conf = (struct conf){0};
}

/* Completes saveconfig, which has an effect only if the command line starts the iSCSI front end. */
static void complete_saveconfig(const struct conf *conf, struct config_options *options)
{
	bool is_open = options->saveconfig ? !*options->saveconfig : config_options_want_iscsi(options);

	if (!is_open || !conf->saveconfig)
		return;
	g_free(options->saveconfig);
	options->saveconfig = g_strdup(conf->saveconfig);
}

void conf_complete(const struct conf *conf, struct config_options *options)
{
	if (options->threads == CONTROL_UNSET)
		options->threads = conf->threads;
	if (options->pool_threads == CONTROL_UNSET)
		options->pool_threads = conf->pool_threads;
	if (options->spin_us == CONTROL_UNSET)
		options->spin_us = conf->spin_us;
	if (!options->state_dir)
		options->state_dir = g_strdup(conf->state_dir);
	complete_saveconfig(conf, options);
	config_options_complete(options);
}

bool conf_needs_restart(const struct conf *old, const struct conf *fresh)
{
	return old->threads != fresh->threads || old->pool_threads != fresh->pool_threads ||
	       old->spin_us != fresh->spin_us || g_strcmp0(old->state_dir, fresh->state_dir) != 0 ||
	       g_strcmp0(old->saveconfig, fresh->saveconfig) != 0;
}
