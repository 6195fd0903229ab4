/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that the model requires of this front end (model/front_end.h). Main thread, unless a comment
 * says something else.
 */
#ifndef ISCSI_FRONT_END_H
#define ISCSI_FRONT_END_H

#include <stdbool.h>

#include "loop/loop.h"
#include "model/front_end.h"
#include "util/list.h"
#include "util/main_queue.h"

struct iscsi_server;

struct iscsi_front_end {
	struct model_front_end ops;
	/* The broadcast that visits all loops, so that each session takes over the changes of the model. */
	struct loop_broadcast *broadcast;
	/* Whether the broadcast is in progress. */
	bool updating;
	/*
	 * Lists of struct main_work: callers that wait for the broadcast in progress, and callers that wait
	 * for the next one.
	 */
	struct list served, waiting;
	/* Work that is posted when the broadcast is over. */
	struct main_work over;
};

/* The functions of the broadcast. */
extern const struct loop_broadcast_ops iscsi_update_ops;

void iscsi_front_end_init(struct iscsi_server *server);
/*
 * Separates the front end from the model: closes the listeners, and waits until the loops have been visited.
 */
void iscsi_front_end_stop(struct iscsi_server *server);
#endif
