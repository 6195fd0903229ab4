/* SPDX-License-Identifier: Apache-2.0 */
/* One --export, taken apart: HANDLER/CONFIG[,KEY=VALUE]… */
#ifndef CONFIG_EXPORT_H
#define CONFIG_EXPORT_H

#include "backstore/backstore.h"
#include "scsi/scsi.h"
#include "util/error.h"

#define CONTROL_EXPORT_MAX_OPTIONS 16

struct control_export {
	char *text;       /* the argument, cut into the strings below */
	const char *name; /* of the target: name=, else made from CONFIG */
	char *made_name;
	unsigned given; /* the daemon's own keys that were there, a bit each */
	struct backstore_spec spec;
	struct scsi_identity identity;
	struct tcmur_option_value options[CONTROL_EXPORT_MAX_OPTIONS];
};

/* Keys that are not the daemon's own are left to the handler, which refuses what it does not know.
 * 0, or -EINVAL with an error that names the argument and the key. */
int control_export_parse(struct control_export *export, const char *text, struct error *error);
void control_export_free(struct control_export *export);
#endif
