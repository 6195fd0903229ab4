/* SPDX-License-Identifier: Apache-2.0 */
/* What the operations on saveconfig.json share: saveconfig.c and saveconfig_again.c. Main thread. */
#ifndef CONFIG_SAVECONFIG_PRIVATE_H
#define CONFIG_SAVECONFIG_PRIVATE_H

#include "config/saveconfig.h"
#include "config/saveconfig_plan.h"
#include "config/saveconfig_tree.h"

struct operation {
	struct saveconfig *config;
	void (*run)(struct operation *operation);
	/* The file, and whether it is the daemon's own. */
	char *path;
	bool is_own;
	/* Restore and reload. */
	enum config_plan purpose;
	/* Reload: unsaved changes may be lost. */
	bool discard;
	saveconfig_done *done;
	void *arg;
	/* What is wanted, or what is saved. */
	struct config_node *tree;
	/* What ran when the operation began. */
	struct config_node *running;
	GPtrArray *lines;
	/* Of the model, when the operation began. */
	uint64_t generation;
};

struct saveconfig {
	struct model *model;
	char *path;
	struct config_node *file, *saved;
	/* Of the model, when it was equal to the daemon's own file. */
	uint64_t saved_generation;
	bool is_saved;
	/* Lines about numbers that the next start would choose otherwise (saveconfig_numbers.h). */
	GPtrArray *renumbered;
	/* The first one runs. */
	GQueue operations;
	struct model_watch watch;
	unsigned ticks;
};

/* Puts an operation at the end of the queue. The caller completes it and calls saveconfig_run_if_first(). */
struct operation *saveconfig_start(struct saveconfig *config, void (*run)(struct operation *operation),
				   const char *path, saveconfig_done *done, void *arg);
void saveconfig_run_if_first(struct operation *operation);
/* Ends the operation, which is freed, and runs the next one. */
void saveconfig_finish(struct operation *operation, int err, const struct error *error);
/* config_apply_owner.late; arg is the struct saveconfig. */
void saveconfig_on_late(void *arg, const char *name, const char *reason);
/* The watch of the model. */
void saveconfig_on_change(struct model_watch *watch, enum model_event event, struct model_object *object);
#endif
