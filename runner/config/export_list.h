/* SPDX-License-Identifier: Apache-2.0 */
/* All exports of a command line: which target and which LUN each of them becomes. */
#ifndef CONFIG_EXPORT_LIST_H
#define CONFIG_EXPORT_LIST_H

#include "config/export.h"

/*
 * Chooses target and LUN number of each export. iqn: the target of all exports; NULL: prefix and the name of
 * the export. LUN numbers are explicit, so that an export that is added or removed does not move another one
 * to its number: exports that share a target need a lun= each. Returns 0, or -EINVAL with an error that names
 * the exports.
 */
int control_exports_place(struct control_export *const *exports, unsigned n, const char *iqn,
			  const char *prefix, struct error *error);
#endif
