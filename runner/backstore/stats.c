/* SPDX-License-Identifier: Apache-2.0 */
/* Counters: each loop writes its own with plain stores, readers add them up. */
#include "backstore/private.h"

static void add(uint64_t *counter, uint64_t n)
{
	/* One writer, so no read-modify-write; atomic only so that a reader sees no torn value. */
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

void stats_count(struct backstore_io *bio, enum tcmur_status status)
{
	struct backstore_stats *stats = &loop_of(bio)->stats;

	switch (bio->op) {
	case BACKSTORE_READ:
		add(&stats->reads, 1);
		add(&stats->read_bytes, bio->io.len);
		break;
	case BACKSTORE_WRITE:
		add(&stats->writes, 1);
		add(&stats->write_bytes, bio->io.len);
		break;
	default:
		add(&stats->others, 1);
	}
	if (status != TCMUR_OK && status != TCMUR_MISCOMPARE)
		add(&stats->errors, 1);
}

void backstore_stats(const struct backstore *bs, struct backstore_stats *stats)
{
	*stats = (struct backstore_stats){0};
	for (unsigned i = 0; i < bs->set->nloops; i++) {
		const struct backstore_stats *part = &bs->loops[i].stats;

		stats->reads += __atomic_load_n(&part->reads, __ATOMIC_RELAXED);
		stats->writes += __atomic_load_n(&part->writes, __ATOMIC_RELAXED);
		stats->read_bytes += __atomic_load_n(&part->read_bytes, __ATOMIC_RELAXED);
		stats->write_bytes += __atomic_load_n(&part->write_bytes, __ATOMIC_RELAXED);
		stats->others += __atomic_load_n(&part->others, __ATOMIC_RELAXED);
		stats->errors += __atomic_load_n(&part->errors, __ATOMIC_RELAXED);
	}
}
