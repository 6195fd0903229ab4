/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mailbox is a stack. Any thread pushes work, and the loop takes the whole stack. "The loop
 * sleeps" is a value of the same word, so no wake-up can be lost: the loop falls asleep by
 * replacing "empty" with "asleep", which fails if work was posted first. A thread that posts later
 * replaces "asleep" and thereby learns that it must wake the loop. Exactly one thread replaces
 * "asleep" each time, so a sleep costs at most one write to the eventfd, and posting to a loop that
 * is awake costs no system call.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "loop/internal.h"
#include "util/log.h"

#define MAILBOX_ASLEEP ((struct loop_work *)1)

void loop_post(struct loop *loop, struct loop_work *work)
{
	struct loop_work *old = atomic_load_explicit(&loop->mailbox, memory_order_relaxed);

	/*
	 * Release: the loop must see everything that was written before the post. If the old top was taken
	 * and pushed again meanwhile (ABA), it is the top nevertheless, and next is correct.
	 */
	do
		work->next = old == MAILBOX_ASLEEP ? NULL : old;
	while (!atomic_compare_exchange_weak_explicit(&loop->mailbox, &old, work, memory_order_release,
						      memory_order_relaxed));
	/*
	 * The eventfd is never read. Each write is a new edge for the loop's watch, and the counter cannot
	 * overflow in practice.
	 */
	if (old == MAILBOX_ASLEEP && eventfd_write(loop->wake_fd, 1) < 0)
		log_crit(NULL, "cannot wake loop %u: %s", loop->index, strerror(errno));
}

bool mailbox_empty(const struct loop *loop)
{
	/* Relaxed: this is only a hint. mailbox_fall_asleep() finds work that is missed here. */
	return !atomic_load_explicit(&loop->mailbox, memory_order_relaxed);
}

bool mailbox_fall_asleep(struct loop *loop)
{
	struct loop_work *empty = NULL;

	return atomic_compare_exchange_strong_explicit(&loop->mailbox, &empty, MAILBOX_ASLEEP,
						       memory_order_relaxed, memory_order_relaxed);
}

void mailbox_wake_up(struct loop *loop)
{
	struct loop_work *asleep = MAILBOX_ASLEEP;

	/* This fails if work was posted, which also means that the loop is awake. */
	atomic_compare_exchange_strong_explicit(&loop->mailbox, &asleep, NULL, memory_order_relaxed,
						memory_order_relaxed);
}

void mailbox_run(struct loop *loop)
{
	struct loop_work *newest, *work = NULL;

	if (mailbox_empty(loop))
		return;
	/* Acquire: the loop must see everything that other threads wrote before they posted. */
	newest = atomic_exchange_explicit(&loop->mailbox, NULL, memory_order_acquire);
	while (newest) { /* The list is reversed, so that the oldest work comes first. */
		struct loop_work *older = newest->next;

		newest->next = work;
		work = newest;
		newest = older;
	}
	while (work) {
		struct loop_work *next = work->next;

		work->fn(work);
		assert_unlocked();
		work = next;
	}
}
