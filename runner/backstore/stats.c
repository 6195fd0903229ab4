/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of I/O, and whether I/O is in flight. Each loop writes its own counters with plain stores, and a
 * reader adds them up.
 */
#include <semaphore.h>

#include "backstore/private.h"
#include "util/contract.h"
#include "util/counter.h"

void stats_count(struct backstore_io *bio, enum tcmur_status status)
{
	struct backstore_counters *counters = &loop_of(bio)->counters;

	switch (bio->op) {
	case BACKSTORE_READ:
		counter_add(&counters->reads, 1);
		counter_add(&counters->read_bytes, bio->io.len);
		break;
	case BACKSTORE_WRITE:
		counter_add(&counters->writes, 1);
		counter_add(&counters->write_bytes, bio->io.len);
		break;
	default:
		counter_add(&counters->others, 1);
	}
	if (status != TCMUR_OK && status != TCMUR_MISCOMPARE)
		counter_add(&counters->errors, 1);
}

void backstore_stats(const struct backstore *bs, struct backstore_stats *stats)
{
	*stats = (struct backstore_stats){0};
	for (unsigned i = 0; i < bs->set->nloops; i++) {
		const struct backstore_counters *counters = &bs->loops[i].counters;

		stats->reads += counter_read(&counters->reads);
		stats->writes += counter_read(&counters->writes);
		stats->read_bytes += counter_read(&counters->read_bytes);
		stats->write_bytes += counter_read(&counters->write_bytes);
		stats->others += counter_read(&counters->others);
		stats->errors += counter_read(&counters->errors);
	}
}

/* --- what is in flight --- */

struct look {
	struct loop_work work;
	struct backstore *bs;
	bool has_io;
	sem_t over;
};

static void look_at_loop(struct loop_work *work)
{
	struct look *look = container_of(work, struct look, work);
	unsigned loop = loop_index(loop_current());

	look->has_io = !list_empty(&look->bs->loops[loop].inflight);
	sem_post(&look->over);
}

bool backstore_has_io(struct backstore *bs)
{
	bool has_io = atomic_load(&bs->range.gate);

	contract(!loop_current());
	for (unsigned i = 0; i < bs->set->nloops && !has_io; i++) {
		struct look look = {.work.fn = look_at_loop, .bs = bs};

		sem_init(&look.over, 0, 0);
		loop_post(bs->set->loops[i], &look.work);
		while (sem_wait(&look.over) < 0)
			;
		has_io = look.has_io;
		sem_destroy(&look.over);
	}
	return has_io;
}
