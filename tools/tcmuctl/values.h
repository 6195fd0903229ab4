/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes and values on the command line: NAME=VALUE, and secrets in files. */
#ifndef TCMUCTL_VALUES_H
#define TCMUCTL_VALUES_H

#include "tcmuctl/cli.h"

/*
 * Adds a member "NAME" for a word "NAME=VALUE". If the word has another form, or the attribute is a secret,
 * sets the status and returns false.
 */
bool values_add(struct cli *cli, struct service *service, JsonObject *values, const char *word);
/*
 * Adds a member "NAME" for a word "NAME=FILE". Its value is the first line of FILE; "-" means standard input.
 */
bool values_add_file(struct cli *cli, const char *word, JsonObject *values);
#endif
