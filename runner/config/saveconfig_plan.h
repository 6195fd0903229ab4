/* SPDX-License-Identifier: Apache-2.0 */
/* Plans the steps that lead from the running configuration to another one. Main thread. */
#ifndef CONFIG_SAVECONFIG_PLAN_H
#define CONFIG_SAVECONFIG_PLAN_H

#include "config/saveconfig_tree.h"

enum config_step_kind {
	/*
	 * Disables a TPG. text says why its entry in the file cannot be understood, or is NULL if the entry
	 * itself disables the TPG.
	 */
	CONFIG_DISABLE,
	/* Deletes an object. The node belongs to the running configuration. */
	CONFIG_DELETE,
	CONFIG_CREATE,
	/* Sets an attribute to the value text. */
	CONFIG_SET,
	/* Resizes a storage object to the size text. */
	CONFIG_RESIZE,
	/* Opens a storage object. Steps of this kind that follow each other run at the same time. */
	CONFIG_OPEN,
	/*
	 * Gives a TPG the relative target port identifier text. Steps of this kind that follow each other and
	 * have the same group succeed together or not at all.
	 */
	CONFIG_RENUMBER,
	/* Enables a TPG, unless initiators would then get more access than the file gives. */
	CONFIG_ENABLE,
};

struct config_step {
	enum config_step_kind kind;
	struct config_node *node;
	const struct model_attribute *attribute;
	/* The memory belongs to the node or to the table of attributes. */
	const char *text;
	/* Of CONFIG_RENUMBER. */
	guint group;
};

enum config_plan {
	/* The plan makes the running configuration equal to the wanted one. */
	CONFIG_PLAN_REPLACE,
	/* The plan does the same, but keeps objects that the wanted configuration does not have. */
	CONFIG_PLAN_ADD,
	/* The plan only tries those parts of the wanted configuration again that could not be restored. */
	CONFIG_PLAN_RETRY,
};

/*
 * Returns the steps (an array of struct config_step) from the running configuration, as saveconfig_dump()
 * returns it, to the wanted one. Both trees must outlive the steps. The function also chooses the names of
 * storage objects that are to be created.
 */
GArray *saveconfig_plan(struct config_node *want, struct config_node *running, enum config_plan purpose);
/*
 * Returns whether no other work may run between these two steps of a plan, which follow each other. An object
 * is created together with its values, so that no session sees a LUN before it is write-protected. An ACL is
 * created together with its mapped LUNs, so that no session sees only some of them.
 */
bool saveconfig_belong_together(const struct config_step *step, const struct config_step *next);
#endif
