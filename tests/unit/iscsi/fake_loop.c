/* SPDX-License-Identifier: Apache-2.0 */
/* The fake loop. */
#include <assert.h>
#include <poll.h>
#include <stdlib.h>

#include "wire_fixture.h"

struct loop {
	struct loop_work *first, **last; /* Posted and deferred work. */
	struct loop_watch *watch;
	struct loop_timer *timer;
	bool again;
};

static struct loop loop = {.last = &loop.first};
static struct loop *loops[] = {&loop};
static struct loop_set set = {.nloops = 1, .loops = loops};
static uint8_t scratch[LOOP_SCRATCH_SIZE];

struct loop_set *wire_loop_set(void);
struct loop_set *wire_loop_set(void)
{
	return &set;
}

static bool run_work(void)
{
	struct loop_work *work = loop.first;

	if (!work)
		return false;
	loop.first = work->next;
	if (!loop.first)
		loop.last = &loop.first;
	work->queued = false;
	work->fn(work);
	return true;
}

/* The watch is level-triggered here, so it asks the connection whether a call can make progress. */
static bool run_watch(void)
{
	const struct iscsi_conn *conn = wire_conn();
	struct pollfd p;

	if (!loop.watch)
		return false;
	p = (struct pollfd){.fd = loop.watch->fd, .events = POLLIN | POLLOUT};
	poll(&p, 1, 0);
	if (conn->rx.paused || (conn->close_after_send && conn->state != ISCSI_CONN_CLOSING))
		p.revents &= ~POLLIN;
	if (!conn->tx.blocked)
		p.revents &= ~POLLOUT;
	if (!loop.again && !p.revents)
		return false;
	loop.again = false;
	wire.now_ns++; /* this is a new turn */
	loop.watch->fn(loop.watch, (uint32_t)p.revents);
	return true;
}

void wire_turn(void)
{
	for (unsigned n = 0; n < 1000 && (run_work() || run_watch()); n++)
		;
}

bool wire_expire(void)
{
	struct loop_timer *timer = loop.timer;

	loop.timer = NULL;
	if (timer)
		timer->fn(timer);
	return timer;
}

static void enqueue(struct loop_work *work)
{
	work->next = NULL;
	*loop.last = work;
	loop.last = &work->next;
}

void loop_post(struct loop *l, struct loop_work *work)
{
	(void)l;
	enqueue(work);
}

void loop_defer(struct loop *l, struct loop_work *work)
{
	(void)l;
	if (work->queued)
		return;
	work->queued = true;
	enqueue(work);
}

uint64_t loop_now_ns(struct loop *l)
{
	(void)l;
	return wire.now_ns;
}

int loop_watch_add(struct loop *l, struct loop_watch *watch)
{
	assert(!l->watch);
	watch->loop = l;
	l->watch = watch;
	return 0;
}

void loop_watch_again(struct loop_watch *watch)
{
	watch->loop->again = true;
}

void loop_watch_del(struct loop_watch *watch)
{
	watch->loop->watch = NULL;
	watch->loop->again = false;
}

void loop_timer_arm(struct loop *l, struct loop_timer *timer, uint64_t delay_ns)
{
	wire.timer_ns = delay_ns;
	l->timer = timer;
}

void loop_timer_cancel(struct loop_timer *timer)
{
	if (loop.timer == timer)
		loop.timer = NULL;
}

size_t loop_buffer_size(size_t len)
{
	return len;
}

size_t loop_buffer_left(const struct loop *l)
{
	(void)l;
	return wire.buffer_limit - wire.buffer_bytes;
}

size_t loop_buffer_limit(const struct loop *l)
{
	(void)l;
	return wire.buffer_limit;
}

unsigned loop_index(const struct loop *l)
{
	(void)l;
	return 0;
}

void *loop_buffer_get(struct loop *l, size_t len)
{
	(void)l;
	if (wire.no_buffers) {
		wire.no_buffers--;
		return NULL;
	}
	wire.buffers++;
	wire.buffer_bytes += len;
	/* test_fast_path.c counts the calls of malloc, so this is another function */
	return aligned_alloc(64, (len + 63) & ~63ul);
}

void loop_buffer_put(struct loop *l, void *buffer, size_t len)
{
	(void)l;
	wire.buffers--;
	wire.buffer_bytes -= len;
	free(buffer);
}

void *loop_buffer_get_charged(struct loop *l, struct loop_buffer_account *account, size_t len)
{
	void *buffer = loop_buffer_get(l, len);

	if (buffer)
		account->used += len;
	return buffer;
}

void loop_buffer_put_charged(struct loop *l, struct loop_buffer_account *account, void *buffer, size_t len)
{
	account->used -= len;
	loop_buffer_put(l, buffer, len);
}

void *loop_scratch(struct loop *l)
{
	(void)l;
	return scratch;
}
