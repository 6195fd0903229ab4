/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the steps that saveconfig_plan.h lists. Main thread. */
#ifndef CONFIG_SAVECONFIG_APPLY_H
#define CONFIG_SAVECONFIG_APPLY_H

#include "config/saveconfig_tree.h"

struct config_apply_owner {
	/* All steps have run. lines: the steps that failed and that belong to no node of the wanted tree. */
	void (*done)(void *arg, GPtrArray *lines);
	/*
	 * Called after done(): storage that has not answered in time cannot be served, and its object was
	 * deleted. name is the name of its node.
	 */
	void (*late)(void *arg, const char *name, const char *reason);
	void *arg;
};

/* How long the other steps wait for storage, in seconds. */
#define CONFIG_OPEN_S 30

/*
 * Runs the steps one after the other; storage opens at the same time. An entry that fails gets a problem in
 * its node, and steps for it and for what is below it are left out. Takes over steps. The wanted tree lives
 * until done(), the owner until the model is empty.
 */
void saveconfig_apply(struct model *model, GArray *steps, const struct config_apply_owner *owner);
#endif
