/* SPDX-License-Identifier: Apache-2.0 */
/* The parsed text of one --export: HANDLER/CONFIG[,KEY=VALUE]... */
#ifndef CONFIG_EXPORT_H
#define CONFIG_EXPORT_H

#include "backstore/backstore.h"
#include "scsi/scsi.h"
#include "storage/spec.h"
#include "util/error.h"

struct config_export {
	/* A copy of the argument, to which the strings below point. */
	char *text;
	/* The storage with all options of its handler, in the dev_config form: HANDLER/CONFIG;KEY=VALUE. */
	char *dev_config;
	/* The storage, parsed. */
	struct storage_spec storage;
	/* The name of the target, from name= or else made from CONFIG. */
	const char *name;
	char *made_name;
	/* Whether name= was given. Only exports with an explicit name can share a target. */
	bool has_name;
	/* Whether lun= was given. */
	bool has_lun;
	/* 0 unless lun= was given. */
	unsigned lun;
	/* The name of the iSCSI target in lower case, which config_exports_place() sets. */
	char *target;
	/* The set of the daemon's own keys that were given, with one bit for each. */
	unsigned given;
	struct backstore_spec spec;
	struct scsi_identity identity;
};

/*
 * Parses the text of one --export. Keys that are not the daemon's own are left to the handler, which refuses
 * those that it does not know. Returns 0, or -EINVAL with an error that names the argument and the key.
 */
int config_export_parse(struct config_export *export, const char *text, struct error *error);
void config_export_free(struct config_export *export);
#endif
