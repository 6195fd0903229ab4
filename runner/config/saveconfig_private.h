/* SPDX-License-Identifier: Apache-2.0 */
/* The data and functions that saveconfig.c and saveconfig_retry.c share. Main thread. */
#ifndef CONFIG_SAVECONFIG_PRIVATE_H
#define CONFIG_SAVECONFIG_PRIVATE_H

#include "config/saveconfig.h"
#include "config/saveconfig_plan.h"
#include "config/saveconfig_tree.h"

struct operation {
	struct saveconfig *config;
	void (*run)(struct operation *operation);
	/* The path of the file, and whether it is the file with which the daemon was started. */
	char *path;
	bool is_own;
	/* How a restore or a reload changes the running configuration. */
	enum config_plan purpose;
	/* Whether a reload may discard unsaved changes. */
	bool discard;
	saveconfig_done *done;
	/* May be NULL. */
	saveconfig_progress *progress;
	void *arg;
	/* The configuration that is restored, reloaded, saved or compared. */
	struct config_node *tree;
	/* The configuration that ran when the operation began. */
	struct config_node *running;
	/* The number of settings in the file that have no effect here (saveconfig_note()). */
	unsigned remarks;
	/* The lines for done(). */
	GPtrArray *lines;
	/* model_generation() when the operation began. */
	uint64_t generation;
	/* Whether the operation is a save, and whether entries in its file were forgotten while it ran. */
	bool is_save, has_forgotten;
};

struct saveconfig {
	struct model *model;
	char *path;
	/* The configuration that was restored or saved last, with the entries that could not be restored. */
	struct config_node *file;
	/*
	 * The contents of the daemon's own file. If the daemon has no file of its own, what was saved or
	 * restored last.
	 */
	struct config_node *saved;
	/* model_generation() at the last moment when the model was equal to the daemon's own file. */
	uint64_t saved_generation;
	/* Whether saved_generation is valid. */
	bool is_saved;
	/* Lines about numbers that would be different after a start from the file (saveconfig_numbers.h). */
	GPtrArray *renumbered;
	/* The steps of the operation that is running, or NULL. */
	struct apply *steps;
	/* Whether saveconfig_stop() was called. */
	bool is_stopped;
	/* The operation that is running, and the operations that wait for its end. */
	GQueue operations;
	struct model_watch watch;
	/* The number of calls of saveconfig_tick(). */
	unsigned ticks;
};

/* Puts an operation at the end of the queue. The caller completes it and calls saveconfig_run_if_first(). */
struct operation *saveconfig_start(struct saveconfig *config, void (*run)(struct operation *operation),
				   const char *path, saveconfig_done *done, void *arg);
void saveconfig_run_if_first(struct operation *operation);
/* Ends the operation, which is freed, and runs the next one. */
void saveconfig_finish(struct operation *operation, int err, const struct error *error);
/*
 * Records that the model has got the configuration of config->file, which is the daemon's own file. If it may
 * differ, because others have changed the model at the same time, compares both.
 */
void saveconfig_note_applied(struct saveconfig *config, bool may_differ);
/* The function late() of struct config_apply_owner. arg is the struct saveconfig. */
void saveconfig_on_late(void *arg, const char *name, const char *reason);
/* The function abandoned() of struct config_apply_owner. arg is the struct saveconfig. */
void saveconfig_on_abandoned(void *arg);
/* The function of the watch on the model. */
void saveconfig_on_change(struct model_watch *watch, enum model_event event, struct model_object *object);
#endif
