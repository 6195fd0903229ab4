/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "backstore/backstore.h"
#include "control/dump_handlers.h"
#include "control/print_identity.h"
#include "config/options.h"
#include "control/service.h"
#include "dbus/service.h"
#include "util/log.h"

static int serve(struct control_options *options, struct error *error)
{
	struct control_service *service;
	int err = control_service_start(&service, options, error);

	if (err)
		return err;
	struct dbus_service *dbus = control_service_has_kernel(service) ? dbus_service_start(service) : NULL;
	control_service_run(service);
	if (dbus)
		dbus_service_stop(dbus);
	if (control_service_stop(service))
		return error_set(error, EIO, "not all data could be flushed");
	return 0;
}

static int run(struct control_options *options, struct error *error)
{
	if (options->version) {
		puts("tcmu-runner " TCMUR_VERSION);
		return 0;
	}
	if (options->debug)
		log_set_level(LOG_LEVEL_DEBUG);
	if (backstore_load_handlers(options->handler_path, error) < 0)
		return -1;

	int err = 0;
	if (options->dump_handlers)
		control_dump_handlers();
	else if (options->identity)
		err = control_print_identity(options, error);
	else
		err = serve(options, error);
	backstore_unload_handlers();
	return err;
}

int main(int argc, char **argv)
{
	struct control_options options;
	struct error error = {""};

	(void)argc;
	int err = control_options_parse(&options, argv, &error);
	if (!err)
		err = run(&options, &error);
	control_options_free(&options);
	if (!err)
		return EXIT_SUCCESS;
	fprintf(stderr, "tcmu-runner: %s\n", error.text);
	/* The systemd unit does not start the daemon again after this status, because another start would also fail. */
	return err == -ENOTSUP ? EX_UNAVAILABLE : EXIT_FAILURE;
}
