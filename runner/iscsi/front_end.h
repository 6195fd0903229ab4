/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the model asks of this front end (model/front_end.h). Main thread, unless a comment says something
 * else.
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
	/* Visits all loops, so that each session follows the model. */
	struct loop_broadcast *broadcast;
	/* The broadcast is in progress. */
	bool updating;
	/* struct main_work: those that wait for this broadcast, and those that wait for the next one. */
	struct list served, waiting;
	/* Posted when the broadcast is over. */
	struct main_work over;
};

/* For the broadcast. */
extern const struct loop_broadcast_ops iscsi_update_ops;

void iscsi_front_end_init(struct iscsi_server *server);
/* The model has no front end any more. Closes the listeners, and waits until the loops have been visited. */
void iscsi_front_end_stop(struct iscsi_server *server);
#endif
