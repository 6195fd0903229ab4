/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import commands, which read configurations of other targets, for the table in main.c, and the functions
 * that they share.
 */
#ifndef TCMUCTL_IMPORT_COMMAND_H
#define TCMUCTL_IMPORT_COMMAND_H

#include <glib.h>
#include <stdbool.h>

#include "import/report.h"
#include "import/saved.h"
#include "tcmuctl/command.h"
#include "util/error.h"

enum tcmuctl_status import_scst_run(char **args);
enum tcmuctl_status import_tgt_run(char **args);

/*
 * Parses the words of a command; args[0] is its name. If they are wrong, prints a message and returns false.
 * The strings of the options belong to the caller.
 */
bool import_parse_options(const GOptionEntry *entries, char **args);
/* Prints the error of a command, and returns TCMUCTL_REFUSED. */
enum tcmuctl_status import_refuse(const struct error *error);
/* Writes the result to the file output, or to standard output if output is NULL, and prints the report. */
enum tcmuctl_status import_finish(const struct saved_config *config, const struct report *report,
				  const char *output);
#endif
