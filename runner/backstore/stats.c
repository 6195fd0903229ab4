/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of I/O. Each loop writes its own with plain stores, and a reader adds them up. */
#include "backstore/private.h"

/* One thread writes a counter, so no read-modify-write is needed; it is atomic so that no reader
 * sees half of it. */
static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void stats_count(struct backstore_io *bio, enum tcmur_status status)
{
	struct backstore_counters *counters = &loop_of(bio)->counters;

	switch (bio->op) {
	case BACKSTORE_READ:
		add(&counters->reads, 1);
		add(&counters->read_bytes, bio->io.len);
		break;
	case BACKSTORE_WRITE:
		add(&counters->writes, 1);
		add(&counters->write_bytes, bio->io.len);
		break;
	default:
		add(&counters->others, 1);
	}
	if (status != TCMUR_OK && status != TCMUR_MISCOMPARE)
		add(&counters->errors, 1);
}

void backstore_stats(const struct backstore *bs, struct backstore_stats *stats)
{
	*stats = (struct backstore_stats){0};
	for (unsigned i = 0; i < bs->set->nloops; i++) {
		const struct backstore_counters *counters = &bs->loops[i].counters;

		stats->reads += read_counter(&counters->reads);
		stats->writes += read_counter(&counters->writes);
		stats->read_bytes += read_counter(&counters->read_bytes);
		stats->write_bytes += read_counter(&counters->write_bytes);
		stats->others += read_counter(&counters->others);
		stats->errors += read_counter(&counters->errors);
	}
}
