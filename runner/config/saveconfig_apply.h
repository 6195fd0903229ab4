/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the steps that saveconfig_plan.h lists. Main thread. */
#ifndef CONFIG_SAVECONFIG_APPLY_H
#define CONFIG_SAVECONFIG_APPLY_H

#include "config/saveconfig_tree.h"

struct config_apply_owner {
	/*
	 * Is called when all steps have run. lines (char *) are about steps that have failed and for which no
	 * node of the wanted tree has a problem. may_differ is true if another administrator has changed the
	 * configuration between two steps. The configuration may then differ from the wanted one.
	 */
	void (*done)(void *arg, GPtrArray *lines, bool may_differ);
	/*
	 * Is called after done() if storage answers only after CONFIG_OPEN_S seconds, and the answer is that
	 * it cannot be opened. The storage object has been deleted. name is the name of its node.
	 */
	void (*late)(void *arg, const char *name, const char *reason);
	/*
	 * NULL, or a function that is called now and then while steps run, with the number of steps that have
	 * run and the number of all steps.
	 */
	void (*progress)(void *arg, unsigned done, unsigned total);
	/* Is called instead of done() after saveconfig_apply_abandon(). */
	void (*abandoned)(void *arg);
	/* The steps that are running, for saveconfig_apply_abandon(); NULL if no steps are running. */
	struct apply **running;
	void *arg;
};

/* The time in seconds for which the other steps wait until storage is open. */
#define CONFIG_OPEN_S 30

/*
 * Runs the steps one after the other, except that all storage is opened at the same time. Other work of the
 * main thread runs between the steps. If a step fails, the node of its entry gets a problem, and the
 * remaining steps for this node and for the nodes below it are left out. The function takes over the memory
 * of steps. The wanted tree must exist until done() is called, and owner->arg must exist until the model is
 * empty.
 */
void saveconfig_apply(struct model *model, GArray *steps, const struct config_apply_owner *owner);
/*
 * Leaves out the remaining steps, because the daemon stops. Storage that is being opened is left to the
 * model.
 */
void saveconfig_apply_abandon(struct apply *apply);
#endif
