/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Function calls for the main thread. Event loops, threads of the pool and other threads post work, and the
 * main thread runs it. The model and everything that changes it belong to the main thread, so no lock guards
 * them.
 */
#ifndef UTIL_MAIN_QUEUE_H
#define UTIL_MAIN_QUEUE_H

#include <stdbool.h>

#include "util/list.h"

struct main_queue;

/*
 * A call, which is embedded in a structure of the owner. The owner sets fn. The queue uses the other members.
 */
struct main_work {
	void (*fn)(struct main_work *work);
	struct list node;
};

/* Returns NULL if there is no memory or no descriptor. */
struct main_queue *main_queue_new(void);
/* Main thread. Frees the queue. No work may be queued, and none may be posted any more. */
void main_queue_free(struct main_queue *queue);
/*
 * Any thread. Makes the main thread call work->fn(work), in the order of posting. The work must not be posted
 * again before fn has been called; fn may free the memory of the work, or post it again.
 */
void main_queue_post(struct main_queue *queue, struct main_work *work);
/* Returns a descriptor that is readable while work is queued. It belongs to the queue. */
int main_queue_fd(const struct main_queue *queue);
/*
 * Main thread. Runs the work that was posted before this call. The function of a work may call this function,
 * too.
 */
void main_queue_run(struct main_queue *queue);
/*
 * Main thread, before the main loop runs or after its end. Waits until work is queued, but at most ms
 * milliseconds, and runs it. Returns false if there was none.
 */
bool main_queue_wait(struct main_queue *queue, int ms);
#endif
