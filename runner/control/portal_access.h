/* SPDX-License-Identifier: Apache-2.0 */
/* Who may log in, and where. Main thread. */
#ifndef CONTROL_PORTAL_ACCESS_H
#define CONTROL_PORTAL_ACCESS_H

#include "config/options.h"
#include "model/target.h"
#include "util/error.h"

/* Reads the CHAP account of the options; auth is all zero without one. 0, or -errno with error set. */
int portal_access_read_auth(const struct control_options *options, struct target_auth *auth,
			    struct error *error);
/* Adds the portals. Refuses those that other machines can reach if nothing says who may log in. */
int portal_access_add_portals(const struct control_options *options, struct target_model *model,
			      struct error *error);
/* Sets who may log in to the target, and with which account. */
int portal_access_set(const struct control_options *options, const struct target_auth *auth,
		      struct target *target, struct error *error);
#endif
