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

/* The next job; where there is none the run ends: whoever submits then starts a new one. */
static struct pool_job *take(struct serial *serial)
{
	SCOPE_LOCK(&serial->lock);
	struct pool_job *job = serial->first;

	if (job)
		serial->first = job->next;
	else
		serial->running = false;
	return job;
}

static void run(struct pool_job *self)
{
	struct serial *serial = container_of(self, struct serial, job);

	for (unsigned i = 0; i < SERIAL_BATCH; i++) {
		struct pool_job *job = take(serial);

		if (!job)
			return;
		job->fn(job);
	}
	pool_submit(serial->pool, &serial->job);
}

bool serial_busy(struct serial *serial)
{
	SCOPE_LOCK(&serial->lock);

	return serial->running;
}

bool serial_cancel(struct serial *serial, struct pool_job *job)
{
	SCOPE_LOCK(&serial->lock);
	struct pool_job *before = NULL, *at;

	for (at = serial->first; at && at != job; at = at->next)
		before = at;
	if (!at)
		return false;
	*(before ? &before->next : &serial->first) = job->next;
	if (serial->last == job)
		serial->last = before;
	return true;
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
	if (start)
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
