/* SPDX-License-Identifier: Apache-2.0 */
/* Starts and stops all loops of the daemon and their pool in the right order. */
#include <errno.h>
#include <stdlib.h>

#include "loop/internal.h"
#include "util/bytes.h"

int loop_set_start(struct loop_set *set, const struct loop_options *options, struct error *error)
{
	unsigned nloops = MAX(options->nloops, 1u);
	int ret;

	*set = (struct loop_set){.loops = calloc(nloops, sizeof(struct loop *))};
	if (!set->loops)
		return error_set(error, ENOMEM, "event loops: out of memory");
	ret = loop_pool_start(&set->pool, options->npool, error);
	while (ret == 0 && set->nloops < nloops) {
		ret = loop_start(&set->loops[set->nloops], set, set->nloops, options, error);
		if (ret == 0)
			set->nloops++;
	}
	if (ret < 0)
		loop_set_stop(set);
	return ret;
}

void loop_set_stop(struct loop_set *set)
{
	/*
	 * The loops wait for answers of the pool, so the pool is stopped after them. A late job may still
	 * post work to a loop, so the memory of the loops is freed last.
	 */
	for (unsigned i = 0; i < set->nloops; i++)
		loop_join(set->loops[i]);
	if (set->pool)
		loop_pool_stop(set->pool);
	for (unsigned i = 0; i < set->nloops; i++)
		loop_free(set->loops[i]);
	free(set->loops);
	*set = (struct loop_set){0};
}
