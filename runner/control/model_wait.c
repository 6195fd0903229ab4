/* SPDX-License-Identifier: Apache-2.0 */
/* Counts operations of the model, and runs the queue of the main thread until they have ended. */
#include "control/model_wait.h"

#include "util/clock.h"
#include "util/contract.h"

#define POLL_MS 1000

struct model_wait *model_wait_add(struct model_wait *wait)
{
	wait->pending++;
	return wait;
}

void model_wait_done(void *arg, int err, const struct error *error)
{
	struct model_wait *wait = arg;

	wait->pending--;
	if (!err || wait->err)
		return;
	wait->err = err;
	if (error)
		wait->error = *error;
}

int model_wait_for(struct model_wait *wait, struct main_queue *main, struct error *error)
{
	while (wait->pending)
		main_queue_wait(main, POLL_MS);
	if (wait->err && error)
		*error = wait->error;
	return wait->err;
}

bool model_wait_for_ms(struct model_wait *wait, struct main_queue *main, unsigned timeout_ms)
{
	uint64_t until = clock_now_ns() + timeout_ms * NS_PER_MS, now;

	while (wait->pending && (now = clock_now_ns()) < until)
		main_queue_wait(main, (int)((until - now) / NS_PER_MS) + 1);
	return !wait->pending;
}

int model_set_now(struct model_object *object, const char *group, const char *name, const char *text,
		  struct error *error)
{
	struct model_wait wait = {0};

	model_set(object, group, name, text, model_wait_done, model_wait_add(&wait));
	contract(!wait.pending);
	if (wait.err && error)
		*error = wait.error;
	return wait.err;
}
