/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waits for operations of the model on the main thread when no main loop runs, which is at the start and at
 * the stop of the daemon. During the wait, the main thread runs the work that other threads post to it.
 */
#ifndef CONTROL_MODEL_WAIT_H
#define CONTROL_MODEL_WAIT_H

#include "model/model.h"
#include "util/main_queue.h"

/* The number of operations in progress, and the first error. Initialize the structure with {0}. */
struct model_wait {
	unsigned pending;
	int err;
	struct error error;
};

/*
 * Counts one more operation. The caller passes the returned pointer, together with model_wait_done(), to the
 * operation.
 */
struct model_wait *model_wait_add(struct model_wait *wait);
/* The function that an operation calls when it has ended. arg is the struct model_wait. */
void model_wait_done(void *arg, int err, const struct error *error);
/* Returns when all operations have ended. Returns 0, or the first error with error set. */
int model_wait_for(struct model_wait *wait, struct main_queue *main, struct error *error);

/*
 * Returns false if operations are still in progress after timeout_ms milliseconds; wait must stay valid in
 * this case.
 */
bool model_wait_for_ms(struct model_wait *wait, struct main_queue *main, unsigned timeout_ms);

/*
 * Sets an attribute before the front end runs, so that the change need not wait for loops. Returns 0, or
 * -errno with error set.
 */
int model_set_now(struct model_object *object, const char *group, const char *name, const char *text,
		  struct error *error);
#endif
