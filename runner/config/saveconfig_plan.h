/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps lead from the running configuration to another one. Main thread. */
#ifndef CONFIG_SAVECONFIG_PLAN_H
#define CONFIG_SAVECONFIG_PLAN_H

#include "config/saveconfig_tree.h"

enum config_step_kind {
	/* A TPG. */
	CONFIG_DISABLE,
	/* The node is one of the running configuration. */
	CONFIG_DELETE,
	CONFIG_CREATE,
	/* An attribute, to text. */
	CONFIG_SET,
	/* A storage object, to text. */
	CONFIG_RESIZE,
	/* A storage object. Steps of this kind that follow each other run at the same time. */
	CONFIG_OPEN,
	/* A TPG, unless something would then give more access than the file does. */
	CONFIG_ENABLE,
};

struct config_step {
	enum config_step_kind kind;
	struct config_node *node;
	const struct model_attribute *attribute;
	/* Its memory is the node's, or the table's. */
	const char *text;
};

enum config_plan {
	/* The running configuration becomes equal to the wanted one. */
	CONFIG_PLAN_ALL,
	/* The same, but what the wanted configuration does not have stays. */
	CONFIG_PLAN_BESIDE,
	/* What of the wanted configuration could not be restored is tried again; nothing else is changed. */
	CONFIG_PLAN_AGAIN,
};

/*
 * The steps (struct config_step, an array of values) from the running configuration, as saveconfig_dump()
 * returns it, to the wanted one. Both trees outlive the steps. Names of storage objects that are to be
 * created are chosen here.
 */
GArray *saveconfig_plan(struct config_node *want, struct config_node *running, enum config_plan purpose);
#endif
