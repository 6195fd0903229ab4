/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads scst.conf in its old format, which scstadmin of SCST 1.x wrote for the tree in /proc:
 *
 *	[HANDLER vdisk]
 *	DEVICE disk1,/srv/disk1,NV_CACHE|READ_ONLY,512,T10ID
 *	[GROUP host]
 *	USER iqn.2004-10.com.example:host
 *	[ASSIGNMENT host]
 *	DEVICE disk1,0,READ_ONLY
 */
#include "import/scst.h"

#include <string.h>

enum section { NONE, OPTIONS, HANDLER, GROUP, ASSIGNMENT, TARGETS, UNKNOWN };

struct reader {
	struct scst_config *config;
	enum section section;
	/* The text after the section's name: the name of the handler or of the group. */
	char *argument;
};

/* --- devices --- */

static void set_device_option(struct reader *reader, struct scst_device *device, const char *option,
			      struct place place)
{
	if (!*option || scst_device_set_flag(device, option, true))
		return;
	report_add(reader->config->report, place, "the option %s of the device %s cannot be carried over",
		   option, device->name);
}

static void set_device_options(struct reader *reader, struct scst_device *device, const char *text,
			       struct place place)
{
	g_auto(GStrv) options = g_strsplit(text, "|", -1);

	for (char **option = options; *option; option++)
		set_device_option(reader, device, g_strstrip(*option), place);
}

static const char *field(char **fields, unsigned i)
{
	return i < g_strv_length(fields) ? g_strstrip(fields[i]) : "";
}

static void take_device(struct reader *reader, const char *text, struct place place)
{
	g_auto(GStrv) fields = g_strsplit(text, ",", -1);
	struct scst_device *device = scst_device_add(reader->config, field(fields, 0), place);

	if (!device)
		return;
	if (strcmp(reader->argument, "vdisk")) {
		device->is_left_out = true;
		report_add(reader->config->report, place,
			   "the device %s is left out: devices of the handler %s cannot be carried over",
			   device->name, reader->argument);
		return;
	}
	device->path = g_strdup(field(fields, 1));
	set_device_options(reader, device, field(fields, 2), place);
	if (*field(fields, 3))
		scst_device_set_block_size(reader->config, device, field(fields, 3), place);
	if (*field(fields, 4))
		report_add(reader->config->report, place,
			   "the T10 device ID of %s is left out; initiators get a new name of the disk",
			   device->name);
}

/* --- groups --- */

static struct scst_group *get_group(struct reader *reader, struct place place)
{
	GPtrArray *groups = reader->config->groups;
	struct scst_group *group = scst_group_find(groups, reader->argument);

	if (!group) {
		group = scst_group_new(reader->argument, place);
		g_ptr_array_add(groups, group);
	}
	return group;
}

static bool take_lun_options(struct reader *reader, const char *text, struct place place)
{
	g_auto(GStrv) options = g_strsplit(text, "|", -1);
	bool read_only = false;

	for (char **option = options; *option; option++) {
		if (!g_ascii_strcasecmp(g_strstrip(*option), "READ_ONLY"))
			read_only = true;
		else if (**option)
			report_add(reader->config->report, place,
				   "the option %s of a LUN cannot be carried over", *option);
	}
	return read_only;
}

static void take_assignment(struct reader *reader, const char *text, struct place place)
{
	g_auto(GStrv) fields = g_strsplit(text, ",", -1);
	bool read_only = take_lun_options(reader, field(fields, 2), place);

	scst_group_add_lun(reader->config, get_group(reader, place), field(fields, 1), field(fields, 0),
			   read_only, place);
}

/* --- lines --- */

static void take_section(struct reader *reader, char *line, struct place place)
{
	static const char *const names[] = {
	    [OPTIONS] = "OPTIONS",       [HANDLER] = "HANDLER", [GROUP] = "GROUP",
	    [ASSIGNMENT] = "ASSIGNMENT", [TARGETS] = "TARGETS",
	};
	char *name = line + 1, *argument;

	line[strlen(line) - 1] = '\0';
	argument = name + strcspn(name, " \t");
	if (*argument)
		*argument++ = '\0';
	reader->section = UNKNOWN;
	for (enum section i = OPTIONS; i < UNKNOWN; i++)
		if (!strcmp(name, names[i]))
			reader->section = i;
	g_free(reader->argument);
	reader->argument = g_strdup(g_strstrip(argument));
	if (reader->section == UNKNOWN)
		report_add(reader->config->report, place, "a section of an unknown kind is left out");
	if (reader->section == GROUP || reader->section == ASSIGNMENT)
		get_group(reader, place);
}

static void take_entry(struct reader *reader, const char *word, const char *rest, struct place place)
{
	struct report *report = reader->config->report;

	switch (reader->section) {
	case HANDLER:
		if (!strcmp(word, "DEVICE"))
			take_device(reader, rest, place);
		else
			report_add(report, place, "the line is left out: only DEVICE is known here");
		break;
	case GROUP:
		if (!strcmp(word, "USER"))
			scst_group_add_initiator(get_group(reader, place), rest, place);
		else
			report_add(report, place, "the line is left out: only USER is known here");
		break;
	case ASSIGNMENT:
		if (!strcmp(word, "DEVICE"))
			take_assignment(reader, rest, place);
		else
			report_add(report, place, "the line is left out: only DEVICE is known here");
		break;
	case TARGETS:
		report_add(report, place,
			   "the line is left out: it is about a target of another kind than iSCSI");
		break;
	case NONE:
		report_add(report, place, "the line is left out: it is before the first section");
		break;
	case OPTIONS: /* These are options of scstadmin itself. */
	case UNKNOWN: /* A remark was made at the beginning of the section. */
		break;
	}
}

static void take_line(struct reader *reader, char *line, struct place place)
{
	char *rest;

	line[strcspn(line, "#")] = '\0';
	g_strstrip(line);
	if (!*line)
		return;
	if (*line == '[' && line[strlen(line) - 1] == ']') {
		take_section(reader, line, place);
		return;
	}
	rest = line + strcspn(line, " \t");
	if (*rest)
		*rest++ = '\0';
	take_entry(reader, line, g_strstrip(rest), place);
}

void scst_parse_procfs(struct scst_config *config, const struct source *source)
{
	struct reader reader = {.config = config, .argument = g_strdup("")};

	for (unsigned i = 0; i < source->count; i++) {
		g_autofree char *line = g_strdup(source->lines[i]);

		take_line(&reader, line, source_place(source, i));
	}
	g_free(reader.argument);
}

bool scst_is_procfs(const struct source *source)
{
	for (unsigned i = 0; i < source->count; i++) {
		const char *line = source->lines[i] + strspn(source->lines[i], " \t");

		if (*line && *line != '#')
			return *line == '[';
	}
	return true;
}
