/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a saveconfig.json for the command line. runner/config finds the problems in the file. */
#include "control/check_saveconfig.h"

#include <stdio.h>

#include "config/saveconfig.h"

struct result {
	int err;
	struct error *error;
};

static void on_checked(void *arg, int err, const struct error *error, const char *const *lines)
{
	struct result *result = arg;

	for (; *lines; lines++)
		puts(*lines);
	result->err = err;
	*result->error = *error;
}

int control_check_saveconfig(const char *path, struct error *error)
{
	struct result result = {0, error};

	saveconfig_check(path, on_checked, &result);
	return result.err;
}
