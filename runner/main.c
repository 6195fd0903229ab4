/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's entry point: parses the command line, and runs what it demands. runner/control does the work.
 */
#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "backstore/backstore.h"
#include "control/check_saveconfig.h"
#include "control/dump_handlers.h"
#include "control/print_identity.h"
#include "config/options.h"
#include "control/service.h"
#include "dbus/service.h"
#include "util/log.h"

/* Serves until the daemon is asked to stop. Sets status to the exit status of the command of --run. */
static int serve(struct config_options *options, int *status, struct error *error)
{
	struct control_service *service;
	int err = control_service_start(&service, options, error);

	if (err)
		return err;
	struct dbus_service *dbus = control_service_has_kernel(service) ? dbus_service_start(service) : NULL;
	*status = control_service_run(service, error);
	if (*status < 0)
		err = -ECHILD;
	if (dbus)
		dbus_service_stop(dbus);
	if (control_service_stop(service))
		return error_set(error, EIO, "not all data could be flushed");
	return err;
}

static int run(struct config_options *options, int *status, struct error *error)
{
	if (options->version) {
		puts("tcmu-runner " TCMUR_VERSION);
		return 0;
	}
	if (options->debug)
		log_set_level(LOG_LEVEL_DEBUG);
	if (options->check_saveconfig)
		return control_check_saveconfig(options->check_saveconfig, error);
	if (backstore_load_handlers(options->handler_path, error) < 0 ||
	    backstore_load_filters(options->handler_path, error) < 0)
		return -1;

	int err = 0;
	if (options->dump_handlers)
		err = control_dump_handlers(options->dump_handlers, error);
	else if (options->identity)
		err = control_print_identity(options, error);
	else
		err = serve(options, status, error);
	backstore_unload_filters();
	backstore_unload_handlers();
	return err;
}

int main(int argc, char **argv)
{
	struct config_options options;
	struct error error = {""};
	int status = EXIT_SUCCESS;

	(void)argc;
	/* File names may be in any language. Messages and numbers do not depend on the locale. */
	setlocale(LC_CTYPE, "");
	int err = config_options_parse(&options, argv, &error);
	bool usage = err;
	if (!err)
		err = run(&options, &status, &error);
	config_options_free(&options);
	if (!err)
		return status;
	fprintf(stderr, "tcmu-runner: %s%s\n", error.text, usage ? "; see tcmu-runner --help" : "");
	/*
	 * The systemd unit does not start the daemon again after this status, because another start would
	 * also fail.
	 */
	return err == -ENOTSUP ? EX_UNAVAILABLE : EXIT_FAILURE;
}
