/* SPDX-License-Identifier: Apache-2.0 */
#include "backstore/private.h"
#include "util/cleanup.h"
#include "util/list.h"

/* Jobs before other users of the pool get their turn on this thread. */
#define SERIAL_BATCH 16

void serial_init(struct serial *serial)
{
	*serial = (struct serial){.first = NULL};
	pthread_mutex_init(&serial->lock, NULL);
}

void serial_destroy(struct serial *serial)
{
	pthread_mutex_destroy(&serial->lock);
}

/* Ends the run when no job is left: whoever submits then starts a new one. */
static bool ended(struct serial *serial)
{
	SCOPE_LOCK(&serial->lock);

	if (!serial->first)
		serial->running = false;
	return !serial->running;
}

static struct pool_job *take(struct serial *serial)
{
	SCOPE_LOCK(&serial->lock);
	struct pool_job *job = serial->first;

	serial->first = job->next;
	return job;
}

static void run(struct pool_job *self)
{
	struct serial *serial = container_of(self, struct serial, job);

	for (unsigned i = 0; i < SERIAL_BATCH; i++) {
		struct pool_job *job = take(serial);

		job->fn(job);
		if (ended(serial))
			return;
	}
	pool_submit(serial->pool, &serial->job);
}

bool serial_busy(struct serial *serial)
{
	SCOPE_LOCK(&serial->lock);

	return serial->running;
}

static bool append(struct serial *serial, struct pool *pool, struct pool_job *job)
{
	SCOPE_LOCK(&serial->lock);
	bool start = !serial->running;

	job->next = NULL;
	if (serial->first)
		serial->last->next = job;
	else
		serial->first = job;
	serial->last = job;
	serial->running = true;
	serial->pool = pool;
	return start;
}

void serial_submit(struct serial *serial, struct pool *pool, struct pool_job *job)
{
	if (!append(serial, pool, job))
		return;
	serial->job.fn = run;
	pool_submit(pool, &serial->job);
}
