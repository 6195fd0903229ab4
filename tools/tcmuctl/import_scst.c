/* SPDX-License-Identifier: Apache-2.0 */
/* The command import-scst: finds SCST's files and reads them. The folder import interprets them. */
#include <errno.h>
#include <stdio.h>

#include "import/scst.h"
#include "tcmuctl/import_command.h"

#define DEFAULT_SCST_CONF "/etc/scst.conf"
#define DAEMON_CONF       "iscsi-scstd.conf"
#define ALLOW             "initiators.allow"
#define DENY              "initiators.deny"

static const char help[] =
    "Usage: tcmuctl import-scst [OPTION]...\n\n"
    "Reads the configuration of SCST and writes a saveconfig.json. It needs neither\n"
    "SCST nor a daemon. What cannot be carried over is listed on standard error.\n\n"
    "  --scst-conf FILE          devices, groups and targets (" DEFAULT_SCST_CONF ")\n"
    "  --iscsi-scstd-conf FILE   targets and accounts (" DAEMON_CONF ")\n"
    "  --initiators-allow FILE   addresses that may connect (" ALLOW ")\n"
    "  --initiators-deny FILE    addresses that may not (" DENY ")\n"
    "  -o, --output FILE         write the result here, with mode 0600, instead of to\n"
    "                            standard output; it contains the CHAP secrets\n"
    "  -h, --help                print this help\n\n"
    "The files that are not given are looked for in the folder of scst.conf. They\n"
    "need not exist, but there must be scst.conf or " DAEMON_CONF ".\n";

struct options {
	char *scst_conf, *daemon_conf, *allow, *deny, *output;
	gboolean help;
};

static bool parse(struct options *options, char **args)
{
	const GOptionEntry entries[] = {
	    {"scst-conf", 0, 0, G_OPTION_ARG_FILENAME, &options->scst_conf, NULL, NULL},
	    {"iscsi-scstd-conf", 0, 0, G_OPTION_ARG_FILENAME, &options->daemon_conf, NULL, NULL},
	    {"initiators-allow", 0, 0, G_OPTION_ARG_FILENAME, &options->allow, NULL, NULL},
	    {"initiators-deny", 0, 0, G_OPTION_ARG_FILENAME, &options->deny, NULL, NULL},
	    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output, NULL, NULL},
	    {"help", 'h', 0, G_OPTION_ARG_NONE, &options->help, NULL, NULL},
	    {0},
	};

	return import_parse_options(entries, args);
}

static void free_options(struct options *options)
{
	g_free(options->scst_conf);
	g_free(options->daemon_conf);
	g_free(options->allow);
	g_free(options->deny);
	g_free(options->output);
}

/* Reads a file. A file that the user has named must exist. */
static int read_file(struct source **source, const char *given, const char *fallback, struct error *error)
{
	int err = 0;

	*source = source_read(given ? given : fallback, &err, error);
	return err == -ENOENT && !given ? 0 : err;
}

struct files {
	struct source *scst_conf, *daemon_conf, *allow, *deny;
};

static int read_files(struct files *files, const struct options *options, struct report *report,
		      struct error *error)
{
	const char *scst_conf = options->scst_conf ? options->scst_conf : DEFAULT_SCST_CONF;
	g_autofree char *folder = g_path_get_dirname(scst_conf);
	g_autofree char *daemon_conf = g_build_filename(folder, DAEMON_CONF, NULL);
	g_autofree char *allow = g_build_filename(folder, ALLOW, NULL);
	g_autofree char *deny = g_build_filename(folder, DENY, NULL);
	int err;

	if ((err = read_file(&files->scst_conf, options->scst_conf, scst_conf, error)) ||
	    (err = read_file(&files->daemon_conf, options->daemon_conf, daemon_conf, error)) ||
	    (err = read_file(&files->allow, options->allow, allow, error)) ||
	    (err = read_file(&files->deny, options->deny, deny, error)))
		return err;
	if (!files->scst_conf && !files->daemon_conf)
		return error_set(error, ENOENT, "neither %s nor %s exists; name one with --scst-conf",
				 scst_conf, daemon_conf);
	if (!files->deny)
		report_add(report, (struct place){deny, 0},
			   "the file does not exist, so every address may connect");
	return 0;
}

static void free_files(struct files *files)
{
	source_free(files->scst_conf);
	source_free(files->daemon_conf);
	source_free(files->allow);
	source_free(files->deny);
}

static enum tcmuctl_status import(const struct options *options, struct report *report)
{
	g_autoptr(saved_tree) config = saved_config_new();
	struct files files = {NULL, NULL, NULL, NULL};
	struct error error = {""};
	int err = read_files(&files, options, report, &error);

	if (!err) {
		struct scst_sources sources = {files.scst_conf, files.daemon_conf, files.allow, files.deny};

		err = scst_import(&sources, config, report, &error);
	}
	free_files(&files);
	return err ? import_refuse(&error) : import_finish(config, report, options->output);
}

enum tcmuctl_status import_scst_run(char **args)
{
	struct options options = {0};
	struct report report = {.out = stderr};
	enum tcmuctl_status status = TCMUCTL_DONE;

	if (!parse(&options, args))
		status = TCMUCTL_USAGE;
	else if (options.help)
		fputs(help, stdout);
	else
		status = import(&options, &report);
	report_clear(&report);
	free_options(&options);
	return status;
}
