/* SPDX-License-Identifier: Apache-2.0 */
/* Reads iscsi-scstd.conf: targets, accounts and session limits. */
#include <string.h>
#include <strings.h>

#include "import/keys.h"
#include "import/scst.h"
#include "util/bytes.h"

#define TOO_MANY_WORDS "the line is left out, because it has too many words; SCST ignores it, too"

struct reader {
	struct scst_config *config;
	/* NULL in the global part, or for a target that is left out. */
	struct scst_target *target;
	bool is_global;
};

/* Returns the next word, and advances *rest. Words are separated by blanks and '='. Returns "" at the end. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t\v\f\r=");
	char *end = word + strcspn(word, " \t\v\f\r=");

	*rest = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static void take_target(struct reader *reader, char *const words[4], struct place place)
{
	reader->is_global = false;
	reader->target = NULL;
	if (!*words[1])
		report_add(reader->config->report, place, "the target is left out: it has no name");
	else if (*words[2])
		report_add(reader->config->report, place, TOO_MANY_WORDS);
	else
		reader->target = scst_target_get(reader->config, words[1], place);
}

static bool is_isns(const char *name)
{
	return !strcasecmp(name, "iSNSServer") || !strcasecmp(name, "iSNSAccessControl");
}

/* Handles the line about iSNS. In SCST, every value except "No" means "Yes". */
static void take_isns(struct reader *reader, char *const words[4], struct place place)
{
	report_add(reader->config->report, place, "%s is left out: there is no client of iSNS", words[0]);
	if (strcasecmp(words[0], "iSNSAccessControl") || !strcasecmp(words[1], "No"))
		return;
	reader->config->isns_decides = true;
	report_add(reader->config->report, place,
		   "all targets are imported as disabled, because an iSNS server decides who may log in; "
		   "create ACLs, and then enable the targets");
}

static bool take_account(struct reader *reader, const char *name, const char *user, const char *secret,
			 struct place place)
{
	struct saved_config *saved = reader->config->saved;
	g_autofree char *value = g_strconcat(user, " ", secret, NULL);

	return scst_take_account(reader->config,
				 reader->target ? &reader->target->saved->auth : &saved->discovery, name,
				 value, place);
}

static void take_setting(struct reader *reader, char *const words[4], struct place place)
{
	struct report *report = reader->config->report;
	struct saved_target *target = reader->target ? reader->target->saved : NULL;

	if (*words[3])
		report_add(report, place, TOO_MANY_WORDS);
	else if (!target && !reader->is_global)
		report_add(report, place, "the line is left out together with its target");
	else if (take_account(reader, words[0], words[1], words[2], place))
		return;
	else if (target && !strcasecmp(words[0], "Alias")) /* SCST ignores this line, too. */
		return;
	else if (*words[2])
		report_add(report, place, TOO_MANY_WORDS);
	else if (!target && is_isns(words[0]))
		take_isns(reader, words, place);
	else if (!target || !keys_take(target, words[0], words[1], place, report))
		report_add(report, place, "the line is left out, because its setting is not known%s",
			   target ? "" : " before the first target");
}

static void take_directive(struct reader *reader, char *text, struct place place)
{
	char *words[4];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = next_word(&text);
	if (!*words[0] || *words[0] == '#')
		return;
	if (strcasecmp(words[0], "Target"))
		take_setting(reader, words, place);
	else
		take_target(reader, words, place);
}

void scst_parse_daemon_conf(struct scst_config *config, const struct source *source)
{
	struct reader reader = {.config = config, .is_global = true};

	for (unsigned i = 0; i < source->count; i++) {
		/*
		 * A semicolon ends a directive in the same way as a newline, and also ends a comment before
		 * it.
		 */
		g_auto(GStrv) directives = g_strsplit(source->lines[i], ";", -1);

		for (char **directive = directives; *directive; directive++)
			take_directive(&reader, *directive, source_place(source, i));
	}
}
