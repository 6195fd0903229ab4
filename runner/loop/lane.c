/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane of the blocking pool: its jobs run one after the other, in the order of submission, and occupy at
 * most one thread of the pool. A thread that has taken a lane runs several of its jobs, so that a busy lane
 * does not cost one wake-up for each job. Then the other users of the pool get their turn. Jobs of different
 * lanes run in parallel.
 */
#include "loop/internal.h"
#include "util/cleanup.h"

/* The number of jobs that a thread runs before the lane goes to the end of the pool's queue. */
#define LANE_BATCH 16

void loop_lane_init(struct loop_lane *lane)
{
	*lane = (struct loop_lane){.first = NULL};
	pthread_mutex_init(&lane->lock, NULL);
}

void loop_lane_destroy(struct loop_lane *lane)
{
	pthread_mutex_destroy(&lane->lock);
}

/*
 * Returns the next job. If no job waits, ends the run and returns NULL; the next job that is submitted starts
 * a new run.
 */
static struct loop_pool_job *next_job_or_stop(struct loop_lane *lane)
{
	SCOPE_LOCK(&lane->lock);
	struct loop_pool_job *job = lane->first;

	if (job)
		lane->first = job->next;
	else
		lane->running = false;
	return job;
}

static void run_batch(struct loop_pool_job *self)
{
	struct loop_lane *lane = container_of(self, struct loop_lane, job);

	for (unsigned i = 0; i < LANE_BATCH; i++) {
		struct loop_pool_job *job = next_job_or_stop(lane);

		if (!job)
			return;
		job->fn(job);
	}
	loop_pool_submit(lane->pool, &lane->job);
}

bool loop_lane_is_busy(struct loop_lane *lane)
{
	SCOPE_LOCK(&lane->lock);

	return lane->running;
}

bool loop_lane_cancel(struct loop_lane *lane, struct loop_pool_job *job)
{
	SCOPE_LOCK(&lane->lock);
	struct loop_pool_job *before = NULL, *at;

	for (at = lane->first; at && at != job; at = at->next)
		before = at;
	if (!at)
		return false;
	*(before ? &before->next : &lane->first) = job->next;
	if (lane->last == job)
		lane->last = before;
	return true;
}

/* Adds the job. Returns true if the lane was idle, so that the caller has to start a run. */
static bool append(struct loop_lane *lane, struct loop_pool *pool, struct loop_pool_job *job)
{
	SCOPE_LOCK(&lane->lock);
	bool was_idle = !lane->running;

	job->next = NULL;
	if (lane->first)
		lane->last->next = job;
	else
		lane->first = job;
	lane->last = job;
	lane->running = true;
	if (was_idle)
		lane->pool = pool;
	return was_idle;
}

void loop_lane_submit(struct loop_lane *lane, struct loop_pool *pool, struct loop_pool_job *job)
{
	if (!append(lane, pool, job))
		return;
	lane->job.fn = run_batch;
	loop_pool_submit(pool, &lane->job);
}
