/* SPDX-License-Identifier: Apache-2.0 */
/* TPGs get other relative target port identifiers. Main thread. */
#ifndef CONFIG_SAVECONFIG_RENUMBER_H
#define CONFIG_SAVECONFIG_RENUMBER_H

#include "config/saveconfig_plan.h"

/*
 * Runs the step at this position, which is CONFIG_RENUMBER, together with the following steps of its group.
 * If they are refused, each node gets the reason as the problem of its value. Returns the number of these
 * steps.
 */
guint saveconfig_renumber(struct model *model, const GArray *steps, guint at);
#endif
