/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool: threads that may block. One thread exists from the start. Others are started when all threads are
 * busy, and end after they have been idle for some time. lane.c runs jobs one after the other on these
 * threads.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loop/internal.h"
#include "util/cleanup.h"

#define IDLE_S 5 /* A thread that gets no job for this time ends. */

struct loop_pool {
	pthread_mutex_t lock; /* The innermost lock: no other lock is taken while it is held. */
	pthread_cond_t more;
	struct loop_pool_job *head, *last; /* All members below are protected by lock. */
	unsigned idle;                     /* The number of threads that wait for a job. */
	unsigned njobs;                    /* The number of jobs that wait for a thread. */
	unsigned nthreads;
	unsigned max_threads;
	bool stopping;
	pthread_t threads[];
};

int thread_start(pthread_t *thread, const char *kind, unsigned number, void *(*fn)(void *arg), void *arg)
{
	/*
	 * These signals report a fault of the thread itself. If they were blocked, the kernel would kill the
	 * process without calling a signal handler.
	 */
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
	sigset_t blocked, before;
	char name[16];
	int err;

	sigfillset(&blocked);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&blocked, faults[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, &before); /* The new thread inherits the mask. */
	err = pthread_create(thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return -err;
	snprintf(name, sizeof(name), "%s/%u", kind, number);
	pthread_setname_np(*thread, name);
	return 0;
}

/* lock must be held. Returns false if there was no job for so long that this thread is not needed. */
static bool wait_for_job(struct loop_pool *pool)
{
	struct timespec until;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_S;
	pool->idle++;
	err = pool->nthreads == 1 ? pthread_cond_wait(&pool->more, &pool->lock)
				  : pthread_cond_timedwait(&pool->more, &pool->lock, &until);
	pool->idle--;
	return !err || pool->head || pool->nthreads == 1;
}

/* lock must be held. From now on, loop_pool_stop() does not wait for the calling thread. */
static void remove_calling_thread(struct loop_pool *pool)
{
	unsigned i = 0;

	while (!pthread_equal(pool->threads[i], pthread_self()))
		i++;
	pool->threads[i] = pool->threads[--pool->nthreads];
	pthread_detach(pthread_self());
}

/* Returns NULL if the thread must end. */
static struct loop_pool_job *next_job(struct loop_pool *pool)
{
	struct loop_pool_job *job;

	SCOPE_LOCK(&pool->lock);
	while (!pool->head) {
		if (pool->stopping)
			return NULL;
		if (!wait_for_job(pool) && !pool->stopping) {
			remove_calling_thread(pool);
			return NULL;
		}
	}
	job = pool->head;
	pool->head = job->next;
	pool->njobs--;
	return job;
}

static void *pool_thread(void *arg)
{
	struct loop_pool *pool = arg;
	struct loop_pool_job *job;

	while ((job = next_job(pool))) {
		job->fn(job);
		assert_unlocked();
	}
	return NULL;
}

/* lock must be held. */
static int add_thread(struct loop_pool *pool)
{
	int ret = thread_start(&pool->threads[pool->nthreads], "pool", pool->nthreads, pool_thread, pool);

	if (ret == 0)
		pool->nthreads++;
	return ret;
}

void loop_pool_submit(struct loop_pool *pool, struct loop_pool_job *job)
{
	SCOPE_LOCK(&pool->lock);
	job->next = NULL;
	if (pool->head)
		pool->last->next = job;
	else
		pool->head = job;
	pool->last = job;
	pool->njobs++;
	/*
	 * Threads that were woken for earlier jobs still count as idle until they run, so the jobs that wait
	 * are compared with the idle threads.
	 */
	if (pool->njobs > pool->idle && pool->nthreads < pool->max_threads)
		add_thread(pool); /* If this fails, the job waits for the existing threads. */
	pthread_cond_signal(&pool->more);
}

bool loop_pool_cancel(struct loop_pool *pool, struct loop_pool_job *job)
{
	struct loop_pool_job *before = NULL, *at;

	SCOPE_LOCK(&pool->lock);
	for (at = pool->head; at && at != job; at = at->next)
		before = at;
	if (!at)
		return false;
	*(before ? &before->next : &pool->head) = job->next;
	if (pool->last == job)
		pool->last = before;
	pool->njobs--;
	return true;
}

int loop_pool_start(struct loop_pool **started, unsigned max_threads, struct error *error)
{
	pthread_condattr_t monotonic;
	struct loop_pool *pool;
	int ret;

	if (max_threads == 0)
		max_threads = 1;
	pool = calloc(1, sizeof(*pool) + max_threads * sizeof(pool->threads[0]));
	if (!pool)
		return error_set(error, ENOMEM, "blocking pool: out of memory");
	pool->max_threads = max_threads;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->more, &monotonic);
	pthread_condattr_destroy(&monotonic);
	lock_take(&pool->lock); /* The new thread reads fields that add_thread() changes. */
	ret = add_thread(pool);
	lock_drop(&pool->lock);
	if (ret < 0) {
		loop_pool_stop(pool);
		return error_set(error, -ret, "blocking pool: cannot start a thread: %s", strerror(-ret));
	}
	*started = pool;
	return 0;
}

void loop_pool_stop(struct loop_pool *pool)
{
	lock_take(&pool->lock);
	pool->stopping = true;
	/* No more threads are started. The existing threads run the remaining jobs. */
	pool->max_threads = pool->nthreads;
	pthread_cond_broadcast(&pool->more);
	lock_drop(&pool->lock);
	for (unsigned i = 0; i < pool->nthreads; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->more);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
