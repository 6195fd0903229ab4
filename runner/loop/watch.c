/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readiness of descriptors: the table of tokens, and the functions for users. The engines poll the
 * descriptors.
 */
#include <errno.h>
#include <stdlib.h>

#include "loop/internal.h"

int slot_get(struct slot_table *table)
{
	uint32_t index;

	if (!table->free) {
		uint32_t room = table->n ? 2 * table->n : 32;
		struct slot *slots = realloc(table->slots, room * sizeof(*slots));

		if (!slots)
			return -ENOMEM;
		for (uint32_t i = table->n; i < room; i++)
			slots[i] = (struct slot){.generation = 1, .next = i + 1 < room ? i + 2 : 0};
		table->free = table->n + 1;
		table->slots = slots;
		table->n = room;
	}
	index = table->free - 1;
	table->free = table->slots[index].next;
	table->slots[index].next = 0;
	return (int)index;
}

void slot_put(struct slot_table *table, uint32_t index)
{
	struct slot *slot = &table->slots[index];

	*slot = (struct slot){.generation = slot->generation + 1, .next = table->free};
	table->free = index + 1;
}

uint64_t slot_token(const struct slot_table *table, uint32_t index)
{
	return (uint64_t)table->slots[index].generation << 32 | index << 1 | TOKEN_BIT;
}

struct slot *slot_find(const struct slot_table *table, uint64_t token)
{
	uint32_t index = token_index(token);

	if (index >= table->n || slot_token(table, index) != token)
		return NULL;
	if (!table->slots[index].watch && !table->slots[index].op)
		return NULL;
	return &table->slots[index];
}

static void call_again(struct loop_work *work)
{
	struct loop_watch *watch = container_of(work, struct loop_watch, again);

	watch->fn(watch, watch->events);
}

int loop_watch_add(struct loop *loop, struct loop_watch *watch)
{
	int index = slot_get(&loop->watches);
	int ret;

	contract(loop == loop_current());
	if (index < 0)
		return index;
	watch->loop = loop;
	watch->again = (struct loop_work){.fn = call_again};
	watch->token = slot_token(&loop->watches, (uint32_t)index);
	loop->watches.slots[index].watch = watch;
	ret = loop->engine->watch_add(loop, (uint32_t)index);
	if (ret < 0) {
		slot_put(&loop->watches, (uint32_t)index);
		watch->loop = NULL;
	}
	return ret;
}

void loop_watch_again(struct loop_watch *watch)
{
	if (watch->again.queued)
		return;
	watch->again.queued = true;
	fifo_push(&watch->loop->again, &watch->again);
	watch->loop->nagain++;
}

void loop_watch_del(struct loop_watch *watch)
{
	/* The list is short, because it contains only watches that did not finish reading in this turn. */
	if (watch->again.queued && fifo_remove(&watch->loop->again, &watch->again))
		watch->loop->nagain--;
	watch->again.queued = false;
	watch->loop->engine->watch_del(watch->loop, token_index(watch->token));
	watch->loop = NULL;
}
