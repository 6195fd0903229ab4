/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polls for a while instead of sleeping at once. The duration adapts to how often polling has found an event.
 */
#include "loop/internal.h"
#include "util/bytes.h"
#include "util/clock.h"

void spin_init(struct spinning *spinning, const struct loop_options *options)
{
	list_init(&spinning->pollers);
	spinning->max_ns = spinning->next_ns = (uint64_t)options->spin_us * 1000;
	spinning->alone_ns = spinning->max_ns;
	spinning->polling_ns = (uint64_t)options->poller_spin_us * 1000;
}

void loop_poller_add(struct loop *loop, struct loop_poller *poller)
{
	struct spinning *spinning = &loop->spinning;

	list_add_tail(&spinning->pollers, &poller->node);
	spinning->max_ns = spinning->next_ns = spinning->polling_ns;
}

void loop_poller_del(struct loop *loop, struct loop_poller *poller)
{
	struct spinning *spinning = &loop->spinning;

	list_del(&poller->node);
	if (!list_empty(&spinning->pollers))
		return;
	spinning->max_ns = spinning->alone_ns;
	spinning->next_ns = MIN(spinning->next_ns, spinning->max_ns);
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static bool poll_all(struct spinning *spinning)
{
	struct list *node, *tmp;
	bool any = false;

	list_for_each (&spinning->pollers, node, tmp) {
		struct loop_poller *poller = list_entry(node, struct loop_poller, node);

		any |= poller->look(poller);
	}
	return any;
}

bool spin(struct loop *loop, uint64_t at_most_ns)
{
	struct spinning *spinning = &loop->spinning;
	uint64_t end = clock_now_ns() + MIN(spinning->next_ns, at_most_ns);

	do {
		if (!mailbox_empty(loop) || loop->engine->ready(loop) || poll_all(spinning))
			return true;
		relax();
	} while (clock_now_ns() < end);
	spinning->next_ns /= 2; /* no event came */
	return false;
}

void spin_slept(struct spinning *spinning, uint64_t ns)
{
	/*
	 * Spinning would have found the event that ended such a short sleep, so the loop spins longer the
	 * next time.
	 */
	if (ns < spinning->max_ns)
		spinning->next_ns = MIN(spinning->max_ns, MAX(2 * spinning->next_ns, spinning->max_ns / 8));
}
