/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "loop/internal.h"

/* One loop's part; loop_broadcast.works points to an array of these. */
struct leg {
	struct loop_work work; /* first */
	struct loop_broadcast *broadcast;
	struct loop *loop;
};

/* On each loop. The acknowledgement may come inside fn, so nothing is touched after it. */
static void run_leg(struct loop_work *work)
{
	struct leg *leg = container_of(work, struct leg, work);

	leg->broadcast->fn(leg->broadcast, leg->loop);
}

/* On the origin, after the last acknowledgement. */
static void finish(struct loop_work *work)
{
	struct loop_broadcast *broadcast = container_of(work, struct loop_broadcast, finish);

	free(broadcast->works);
	broadcast->works = NULL;
	broadcast->done(broadcast);
}

int loop_broadcast(struct loop *loop, struct loop_broadcast *broadcast)
{
	struct loop_set *set = loop->set;
	struct leg *legs = calloc(set->nloops, sizeof(*legs));

	contract(loop == loop_current());
	if (!legs)
		return -ENOMEM;
	broadcast->works = &legs[0].work;
	broadcast->origin = loop;
	broadcast->finish = (struct loop_work){.fn = finish};
	broadcast->pending = set->nloops;
	for (unsigned i = 0; i < set->nloops; i++) {
		legs[i] = (struct leg){{.fn = run_leg}, broadcast, set->loops[i]};
		loop_post(set->loops[i], &legs[i].work);
	}
	return 0;
}

void loop_broadcast_ack(struct loop_broadcast *broadcast)
{
	struct loop *origin = broadcast->origin;

	/* Release: what this loop did is seen by done. Acquire: the last one passes on what all the others
	 * did. */
	if (__atomic_sub_fetch(&broadcast->pending, 1, __ATOMIC_ACQ_REL) == 0)
		loop_post(origin, &broadcast->finish);
}
