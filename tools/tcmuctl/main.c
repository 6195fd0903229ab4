/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entry point of the control program: reads the options before the command, and finds the command in the
 * table. What a command does, and its own options, are left to its file.
 */
#include <glib.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "tcmuctl/command.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/import_command.h"
#include "util/bytes.h"

static enum tcmuctl_status run_help(char **args);

static const struct tcmuctl_command commands[] = {
    {"status", "", "Show the daemon and its disks, and what is degraded", run_status},
    {"ls", "[PATH]", "Show objects as a tree", run_ls},
    {"luns", "", "Show which LUN leads to which disk, and for which initiators", run_luns},
    {"sessions", "[PATH]", "Show the initiators that are logged in", run_sessions},
    {"create", "PATH [HANDLER/CONFIG]", "Create a disk, a target, a portal, an ACL or a LUN", run_create},
    {"delete", "PATH", "Delete an object", run_delete},
    {"enable", "PATH", "Open a disk, or let initiators log in to a target", run_enable},
    {"disable", "PATH", "End the sessions of a target and refuse new ones", run_disable},
    {"map", "TARGET DISK", "Show a disk to the initiators of a target, or to one", run_map},
    {"unmap", "TARGET [DISK]", "Take a disk away from initiators", run_unmap},
    {"get", "PATH [ATTRIBUTE]", "Show attributes of an object", run_get},
    {"set", "PATH ATTRIBUTE [VALUE]", "Set an attribute of an object", run_set},
    {"resize", "DISK SIZE", "Resize a disk", run_resize},
    {"replace", "DISK", "Open the storage of a disk again", run_replace},
    {"filters", "DISK", "List the filters of a disk", run_filters},
    {"set-filter", "DISK FILTER OPTION[=VALUE]", "Change an option of a filter", run_set_filter},
    {"drain", "[TARGET]", "End all sessions and flush disks, for maintenance", run_drain},
    {"kick", "SESSION", "End a session", run_kick},
    {"save", "[FILE]", "Save the configuration", run_save},
    {"restore", "[FILE]", "Restore the configuration from its file", run_restore},
    {"reload", "[FILE]", "Restore the configuration, unless unsaved changes would be lost", run_reload},
    {"diff", "[FILE]", "Compare the configuration with its file", run_diff},
    {"forget", "NAME", "Forget an entry that could not be restored", run_forget},
    {"watch", "", "Print each change when it happens", run_watch},
    {"show", "", "Show login keys, as iscsi-scst-adm does", run_show},
    {"schema", "", "Show all attributes with their meaning", run_schema},
    {"import-scst", "[OPTION]...", "Turn a configuration of SCST into a saveconfig.json", import_scst_run},
    {"import-tgt", "[OPTION]...", "Turn a configuration of tgt into a saveconfig.json", import_tgt_run},
    {"help", "[COMMAND]", "Print this summary, or the help of one command", run_help},
};

const struct tcmuctl_command *tcmuctl_find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static enum tcmuctl_status refuse_usage(const char *problem, const char *word)
{
	fprintf(stderr, "tcmuctl: %s%s; see tcmuctl --help\n", word, problem);
	return TCMUCTL_USAGE;
}

static void print_help(void)
{
	puts("Usage: tcmuctl [--help | --version] [--socket PATH] COMMAND [ARGUMENT]...\n\n"
	     "Administers tcmu-runner. The commands are:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-14s %s\n", commands[i].name, commands[i].help);
	puts("\n\"tcmuctl COMMAND --help\" prints the options of a command; see also tcmuctl(8).");
}

static enum tcmuctl_status run_help(char **args)
{
	const struct tcmuctl_command *command;
	char option[] = "--help";

	if (!args[1] || !strcmp(args[1], "--help")) {
		print_help();
		return TCMUCTL_DONE;
	}
	command = tcmuctl_find_command(args[1]);
	if (!command)
		return refuse_usage(" is not a command", args[1]);
	if (command->run == run_help) {
		printf("Usage: tcmuctl %s %s\n\n%s.\n", command->name, command->arguments, command->help);
		return TCMUCTL_DONE;
	}
	return command->run((char *[]){args[1], option, NULL});
}

/*
 * Reads "--socket PATH" before the command, which has the same meaning as after the command. Returns the rest
 * of the command line, or NULL if the path is missing.
 */
static char **take_socket(char **args)
{
	const char *path = NULL;

	if (!*args || strncmp(*args, "--socket", 8))
		return args;
	if ((*args)[8] == '=')
		path = *args + 9;
	else if (!(*args)[8])
		path = *++args;
	if (path)
		g_setenv("TCMU_SOCKET", path, TRUE);
	return path ? args + 1 : NULL;
}

static int run_command(char **args)
{
	const struct tcmuctl_command *command;

	args = take_socket(args);
	if (!args)
		return (int)refuse_usage("--socket needs a path", "");
	if (!*args)
		return (int)refuse_usage("the command is missing", "");
	if (**args == '-')
		return (int)refuse_usage(" is not an option", *args);
	command = tcmuctl_find_command(*args);
	if (!command)
		return (int)refuse_usage(" is not a command", *args);
	return (int)command->run(args);
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, ""); /* File names may be in any language. Messages and numbers do not change. */
	if (argc < 2)
		return (int)refuse_usage("the command is missing", "");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help();
		return TCMUCTL_DONE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("tcmuctl " TCMUR_VERSION);
		return TCMUCTL_DONE;
	}
	return run_command(argv + 1);
}
