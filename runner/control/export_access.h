/* SPDX-License-Identifier: Apache-2.0 */
/* Sets who may log in to the targets of the command line, and at which portals. Main thread. */
#ifndef CONTROL_EXPORT_ACCESS_H
#define CONTROL_EXPORT_ACCESS_H

#include "config/options.h"
#include "model/model.h"
#include "util/error.h"

struct export_access;

/*
 * Checks the portals and reads the CHAP account. Refuses portals that other machines can reach if no option
 * says who may log in. Returns NULL with error set.
 */
struct export_access *export_access_new(const struct config_options *options, struct error *error);
void export_access_free(struct export_access *access);
/* Gives a new TPG its portals, attributes, accounts and ACLs. Returns 0, or -errno with error set. */
int export_access_apply(const struct export_access *access, struct model_object *tpg, struct error *error);
/*
 * Makes discovery sessions use the same account if --chap-discovery was given. Returns 0, or -errno with
 * error set.
 */
int export_access_apply_discovery(const struct export_access *access, struct model_object *root,
				  struct error *error);
#endif
