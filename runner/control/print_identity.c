/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Implements --identity, for scripts that configure the kernel's devices. They ask the daemon for the serial
 * number instead of choosing one.
 */
#include "control/print_identity.h"

#include <errno.h>
#include <stdio.h>

#include "backstore/backstore.h"
#include "config/conf.h"
#include "config/export.h"
#include "storage/identity.h"

static int print(const struct config_options *options, const struct config_export *export,
		 struct error *error)
{
	struct tcmur_identity storage;
	struct storage_identity identity;
	const struct storage_object object = {
	    .config = export->spec.config,
	    .storage = &storage,
	    .name = export->name,
	    .configured = export->identity.serial,
	};
	int err = backstore_identify(&export->spec, &storage, error);

	if (err)
		return err;
	struct storage_registry *registry = storage_registry_new(options->state_dir, NULL);
	if (!registry)
		return error_set(error, ENOMEM, "out of memory");
	err = storage_identity_choose(registry, &object, false, &identity, error);
	if (!err)
		puts(identity.serial);
	storage_registry_free(registry);
	return err;
}

int control_print_identity(struct config_options *options, struct error *error)
{
	struct conf conf;
	struct config_export export;

	conf_read(&conf, options->config);
	conf_complete(&conf, options);
	conf_free(&conf);
	int err = config_export_parse(&export, options->identity, error);
	if (err)
		return err;
	export.spec.state_dir = options->state_dir;
	err = print(options, &export, error);
	config_export_free(&export);
	return err;
}
