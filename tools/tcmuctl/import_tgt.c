/* SPDX-License-Identifier: Apache-2.0 */
/* The command import-tgt: reads the configuration of tgt. The folder import interprets it. */
#include <errno.h>
#include <stdio.h>

#include "import/tgt.h"
#include "tcmuctl/import_command.h"

#define DEFAULT_CONF "/etc/tgt/targets.conf"

static const char help[] = "Usage: tcmuctl import-tgt [OPTION]...\n\n"
			   "Reads the configuration of tgt and writes a saveconfig.json. It needs neither\n"
			   "tgt nor a daemon. What cannot be carried over is listed on standard error.\n\n"
			   "  --conf FILE         the configuration (" DEFAULT_CONF ")\n"
			   "  -o, --output FILE   write the result here, with mode 0600, instead of to\n"
			   "                      standard output; it contains the CHAP secrets\n"
			   "  -h, --help          print this help\n";

/* Imports the configuration. conf is the value of the option --conf, or NULL. */
static enum tcmuctl_status import(const char *conf, const char *output, struct report *report)
{
	g_autoptr(saved_tree) config = saved_config_new();
	struct error error = {""};
	struct source *source;
	int err = 0;

	if (!conf && !g_file_test(DEFAULT_CONF, G_FILE_TEST_EXISTS)) {
		error_set(&error, ENOENT, DEFAULT_CONF " does not exist; name another file with --conf");
		return import_refuse(&error);
	}
	source = source_read(conf ? conf : DEFAULT_CONF, &err, &error);
	if (source)
		err = tgt_import(source, config, report, &error);
	source_free(source);
	return err ? import_refuse(&error) : import_finish(config, report, output);
}

enum tcmuctl_status import_tgt_run(char **args)
{
	g_autofree char *conf = NULL, *output = NULL;
	gboolean help_is_wanted = FALSE;
	struct report report = {.out = stderr};
	const GOptionEntry entries[] = {
	    {"conf", 0, 0, G_OPTION_ARG_FILENAME, &conf, NULL, NULL},
	    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, NULL, NULL},
	    {"help", 'h', 0, G_OPTION_ARG_NONE, &help_is_wanted, NULL, NULL},
	    {0},
	};
	enum tcmuctl_status status = TCMUCTL_DONE;

	if (!import_parse_options(entries, args))
		return TCMUCTL_USAGE;
	if (help_is_wanted)
		fputs(help, stdout);
	else
		status = import(conf, output, &report);
	report_clear(&report);
	return status;
}
