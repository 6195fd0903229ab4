/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control program's entry point: reads the options before the command, and finds the command in
 * the table. What a command does, and its own options, are left to its file.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "tcmuctl/command.h"
#include "tcmuctl/import_command.h"
#include "util/bytes.h"

static enum tcmuctl_status run_help(char **args);

static const struct tcmuctl_command commands[] = {
    {"import-scst", "[OPTION]...", "Turn a configuration of SCST into a saveconfig.json", import_scst_run},
    {"import-tgt", "[OPTION]...", "Turn a configuration of tgt into a saveconfig.json", import_tgt_run},
    {"help", "[COMMAND]", "Print this summary, or the help of one command", run_help},
};

static const struct tcmuctl_command *find_command(const char *name)
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
	puts("Usage: tcmuctl [--help | --version] COMMAND [ARGUMENT]...\n\n"
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
	command = find_command(args[1]);
	if (!command)
		return refuse_usage(" is not a command", args[1]);
	if (command->run == run_help) {
		printf("Usage: tcmuctl %s %s\n\n%s.\n", command->name, command->arguments, command->help);
		return TCMUCTL_DONE;
	}
	return command->run((char *[]){args[1], option, NULL});
}

int main(int argc, char **argv)
{
	const struct tcmuctl_command *command;

	setlocale(LC_CTYPE, ""); /* for file names of any language; messages and numbers stay as they are */
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
	if (argv[1][0] == '-')
		return (int)refuse_usage(" is not an option", argv[1]);
	command = find_command(argv[1]);
	if (!command)
		return (int)refuse_usage(" is not a command", argv[1]);
	return (int)command->run(argv + 1);
}
