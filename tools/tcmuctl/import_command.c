/* SPDX-License-Identifier: Apache-2.0 */
/* The common part of the import commands: their command line, and the output of the result. */
#include "tcmuctl/import_command.h"

#include <stdio.h>

#include "import/output.h"

bool import_parse_options(const GOptionEntry *entries, char **args)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_auto(GStrv) words = g_strdupv(args);
	g_autoptr(GError) error = NULL;

	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse_strv(context, &words, &error))
		fprintf(stderr, "tcmuctl %s: %s; see tcmuctl %s --help\n", args[0], error->message, args[0]);
	else if (words[0] && words[1])
		fprintf(stderr, "tcmuctl %s: '%s' is not an option; see tcmuctl %s --help\n", args[0],
			words[1], args[0]);
	else
		return true;
	return false;
}

enum tcmuctl_status import_refuse(const struct error *error)
{
	fprintf(stderr, "tcmuctl: %s\n", error->text);
	return TCMUCTL_REFUSED;
}

enum tcmuctl_status import_finish(const struct saved_config *config, const struct report *report,
				  const char *output)
{
	g_autofree char *text = saved_json(config);
	struct error error = {""};

	if (output_write(output, text, &error))
		return import_refuse(&error);
	fprintf(stderr, "tcmuctl: storage objects: %u; targets: %u; remarks: %u\n", config->objects->len,
		config->targets->len, report->count);
	return TCMUCTL_DONE;
}
