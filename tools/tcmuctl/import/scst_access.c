/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries over the rules in initiators.allow and initiators.deny. SCST refuses an address that matches the
 * deny file and does not match the allow file. In each file, the first line for the target or for ALL
 * decides. SCST ignores some lines and entries that it cannot read. The import never admits an initiator that
 * SCST refuses: what SCST ignores in the allow file is left out here, too; but what it ignores in the deny
 * file has an effect here, because the administrator wanted to refuse it.
 */
#include <string.h>

#include "import/access.h"
#include "import/address.h"
#include "import/scst.h"

/* The state of reading the access rules of one target from one file. */
struct reader {
	struct scst_config *config;
	struct scst_target *target;
	const struct source *source;
	bool is_deny;
	/* An array of struct address. */
	GArray *addresses;
	/* Whether an entry of the deny file is not an address. */
	bool is_unclear;
};

/* --- entries --- */

/* Returns false if the rest of the line has no effect. */
static bool take_allow_entry(struct reader *reader, const char *entry, struct place place)
{
	struct address address;
	g_autofree char *text = NULL;

	switch (address_parse(entry, &address)) {
	case ADDRESS_ALL:
		address_set_add_all(reader->addresses);
		return true;
	case ADDRESS_GOOD:
		address_set_add(reader->addresses, &address);
		return true;
	case ADDRESS_NEVER_MATCHES:
		text = address_print(&address);
		report_add(reader->config->report, place,
			   "'%s' is left out, because it matches no address in SCST; write %s if you want to "
			   "allow it",
			   entry, text);
		return true;
	case ADDRESS_BAD:
		break;
	}
	report_add(
	    reader->config->report, place,
	    "'%s' is not a numeric address; SCST ignores this line from there on, and so does the import",
	    entry);
	return false;
}

static void take_deny_entry(struct reader *reader, const char *entry, struct place place)
{
	struct address address;
	g_autofree char *text = NULL;

	switch (address_parse(entry, &address)) {
	case ADDRESS_ALL:
		address_set_add_all(reader->addresses);
		break;
	case ADDRESS_GOOD:
		address_set_add(reader->addresses, &address);
		break;
	case ADDRESS_NEVER_MATCHES:
		address_set_add(reader->addresses, &address);
		text = address_print(&address);
		report_add(reader->config->report, place,
			   "in SCST, '%s' matches no address; the import refuses %s", entry, text);
		break;
	case ADDRESS_BAD:
		reader->is_unclear = true;
		report_add(
		    reader->config->report, place,
		    "'%s' is not a numeric address, and SCST refuses nobody because of it; %s is imported as "
		    "disabled until you have set its denied_addresses",
		    entry, reader->target->saved->name);
		break;
	}
}

static void take_entries(struct reader *reader, const char *text, struct place place)
{
	g_auto(GStrv) entries = g_strsplit(text, ",", -1);

	for (char **entry = entries; *entry; entry++) {
		g_strstrip(*entry);
		if (reader->is_deny)
			take_deny_entry(reader, *entry, place);
		else if (!take_allow_entry(reader, *entry, place))
			return;
	}
	/* "" would be split into no entries. */
	if (!*entries && reader->is_deny)
		take_deny_entry(reader, "", place);
}

/* --- lines --- */

/*
 * Returns whether SCST uses the line. It needs a blank after the target, a newline at the end, and no blank
 * at the beginning.
 */
static bool scst_reads(const struct source *source, unsigned i)
{
	const char *line = source->lines[i];

	return *line != ' ' && *line != '\t' && line[strcspn(line, " \t")] &&
	       (i + 1 < source->count || source->is_complete);
}

static bool is_for_target(const struct reader *reader, const char *name)
{
	if (!strcmp(name, "ALL"))
		return true;
	/*
	 * Names that differ only in upper and lower case are the same name, but SCST may compare them
	 * exactly.
	 */
	return reader->is_deny ? !g_ascii_strcasecmp(name, reader->target->name)
			       : !strcmp(name, reader->target->name);
}

static void report_ignored(struct reader *reader, struct place place)
{
	if (reader->is_deny)
		report_add(reader->config->report, place,
			   "SCST ignores this line because of its form; the import applies it");
	else
		report_add(reader->config->report, place,
			   "the line is left out, because SCST ignores it, too: it begins with a blank, or "
			   "does not end with a newline");
}

/* Returns true if the line decides, so that later lines have no effect. */
static bool take_line(struct reader *reader, unsigned i)
{
	struct place place = source_place(reader->source, i);
	bool is_read = scst_reads(reader->source, i);
	g_autofree char *line = g_strstrip(g_strdup(reader->source->lines[i]));
	char *rest = line + strcspn(line, " \t");

	if (!*line || *reader->source->lines[i] == '#')
		return false;
	if (*rest)
		*rest++ = '\0';
	if (!is_for_target(reader, line))
		return false;
	if (!is_read)
		report_ignored(reader, place);
	if (is_read || reader->is_deny)
		take_entries(reader, rest, place);
	return is_read;
}

static void read_file(struct reader *reader)
{
	for (unsigned i = 0; reader->source && i < reader->source->count; i++)
		if (take_line(reader, i))
			return;
}

static void apply(struct scst_config *config, struct scst_target *target, const struct source *allow,
		  const struct source *deny)
{
	g_autoptr(GArray) denied_set = address_set_new(), allowed_set = address_set_new();
	struct reader denied = {config, target, deny, true, denied_set, false};
	struct reader allowed = {config, target, allow, false, allowed_set, false};

	read_file(&denied);
	/* If no address is denied, the allow file has no effect. */
	if (denied_set->len)
		read_file(&allowed);
	access_set(target->saved, denied_set, allowed_set, (struct place){deny ? deny->name : "", 0},
		   config->report);
	if (denied.is_unclear)
		target->saved->enable = false;
}

/* --- remarks about the files as a whole --- */

static bool names_target(const struct scst_config *config, const char *name)
{
	for (guint i = 0; i < config->targets->len; i++) {
		const struct scst_target *target = g_ptr_array_index(config->targets, i);

		if (!g_ascii_strcasecmp(target->name, name))
			return true;
	}
	return !strcmp(name, "ALL");
}

static void report_unknown_targets(struct scst_config *config, const struct source *source)
{
	for (unsigned i = 0; source && i < source->count; i++) {
		g_autofree char *line = g_strstrip(g_strdup(source->lines[i]));

		line[strcspn(line, " \t")] = '\0';
		if (*line && *source->lines[i] != '#' && !names_target(config, line))
			report_add(config->report, source_place(source, i),
				   "the line is left out: no target '%s' was imported", line);
	}
}

void scst_apply_access(struct scst_config *config, const struct source *allow, const struct source *deny)
{
	report_unknown_targets(config, allow);
	report_unknown_targets(config, deny);
	for (guint i = 0; i < config->targets->len; i++)
		apply(config, g_ptr_array_index(config->targets, i), allow, deny);
}
