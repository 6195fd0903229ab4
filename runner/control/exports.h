/* SPDX-License-Identifier: Apache-2.0 */
/* Creates the exports of the command line as objects of the model. Main thread. */
#ifndef CONTROL_EXPORTS_H
#define CONTROL_EXPORTS_H

#include "config/options.h"
#include "model/model.h"
#include "storage/identity.h"
#include "util/error.h"

struct exports;

/*
 * Parses the options --export, --portal, --allow-initiator and --chap-user, and reads the secrets.
 * Nothing is served yet. Returns NULL with error set.
 */
struct exports *exports_new(const struct config_options *options, struct error *error);
void exports_free(struct exports *exports);
/*
 * Creates the objects. All storage that exists is opened before any storage is created, so that a start that
 * fails leaves nothing behind. Returns 0, or -errno with error set; in this case storage that was created has
 * been removed again, and the model is unchanged.
 */
int exports_create(struct exports *exports, struct model *model, const struct storage_context *context,
		   struct error *error);
/* Writes to the log what is served. */
void exports_log(const struct exports *exports);

/* The address of the first export, for the command of --run. */
struct exports_address {
	const char *portal, *target;
	unsigned lun;
};
struct exports_address exports_first(const struct exports *exports);
#endif
