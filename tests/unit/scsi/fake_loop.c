/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops of fake_loop.h, which replace the loop library: there are no threads, no descriptors and no
 * time.
 */
#include "fake_loop.h"

#include <assert.h>
#include <stdlib.h>

#include "util/bytes.h"

struct loop {
	unsigned index;
	struct loop_work *first, **last; /* The posted work. */
};

static struct loop loops[FAKE_LOOPS_MAX];
static struct loop *loop_pointers[FAKE_LOOPS_MAX];
static struct loop_set set = {.loops = loop_pointers};
static struct loop *current;

struct loop_set *fake_loops(unsigned n)
{
	assert(n <= FAKE_LOOPS_MAX);
	set.nloops = n;
	for (unsigned i = 0; i < n; i++) {
		loops[i] = (struct loop){.index = i, .last = &loops[i].first};
		loop_pointers[i] = &loops[i];
	}
	current = &loops[0];
	return &set;
}

struct loop *fake_loop(unsigned i)
{
	return loop_pointers[i];
}

void fake_loop_enter(struct loop *loop)
{
	current = loop;
}

static bool run_one(struct loop *loop)
{
	struct loop_work *work = loop->first;

	if (!work)
		return false;
	loop->first = work->next;
	if (!loop->first)
		loop->last = &loop->first;
	current = loop;
	work->fn(work);
	current = &loops[0];
	return true;
}

void fake_run_posted(void)
{
	bool again;

	do {
		again = false;
		for (unsigned i = 0; i < set.nloops; i++)
			again |= run_one(&loops[i]);
	} while (again);
}

/* --- loop.h ------------------------------------------------------------------------ */

unsigned loop_index(const struct loop *loop)
{
	return loop->index;
}

struct loop *loop_current(void)
{
	return current;
}

void loop_post(struct loop *loop, struct loop_work *work)
{
	work->next = NULL;
	*loop->last = work;
	loop->last = &work->next;
}

void loop_defer(struct loop *loop, struct loop_work *work)
{
	loop_post(loop, work);
}

/* What the fake keeps in loop_op.priv. */
struct blocking {
	struct loop_work post;
	struct loop_op *op;
	int (*fn)(struct loop_op *op);
};
_Static_assert(sizeof(struct blocking) <= sizeof(((struct loop_op *)NULL)->priv), "it fits");

static void run_blocking(struct loop_work *work)
{
	struct blocking *blocking = container_of(work, struct blocking, post);

	blocking->op->done(blocking->op, blocking->fn(blocking->op));
}

void loop_blocking(struct loop *loop, struct loop_op *op, int (*work)(struct loop_op *op))
{
	struct blocking *blocking = (struct blocking *)op->priv;

	blocking->post.fn = run_blocking;
	blocking->op = op;
	blocking->fn = work;
	loop_post(loop, &blocking->post);
}

void *loop_buffer_get(struct loop *loop, size_t len)
{
	(void)loop;
	return malloc(len);
}

void loop_buffer_put(struct loop *loop, void *buffer, size_t len)
{
	(void)loop;
	(void)len;
	free(buffer);
}

void *loop_buffer_get_charged(struct loop *loop, struct loop_buffer_account *account, size_t len)
{
	(void)account;
	return loop_buffer_get(loop, len);
}

void loop_buffer_put_charged(struct loop *loop, struct loop_buffer_account *account, void *buffer, size_t len)
{
	(void)account;
	loop_buffer_put(loop, buffer, len);
}
