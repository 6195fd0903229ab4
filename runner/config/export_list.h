/* SPDX-License-Identifier: Apache-2.0 */
/* All exports of a command line: chooses the target and the LUN of each. */
#ifndef CONFIG_EXPORT_LIST_H
#define CONFIG_EXPORT_LIST_H

#include "config/export.h"

/*
 * Chooses target and LUN number of each export. iqn is the target of all exports; if it is NULL, the name of
 * the target is prefix followed by the name of the export. Exports that share a target each need lun=, so
 * that no LUN number changes when another export is added or removed. Returns 0, or -EINVAL with an error
 * that names the exports.
 */
int config_exports_place(struct config_export *const *exports, unsigned n, const char *iqn,
			 const char *prefix, struct error *error);
#endif
