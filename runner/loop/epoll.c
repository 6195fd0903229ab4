/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine for kernels and containers that refuse io_uring. epoll reports readiness, and the pool does file
 * I/O.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loop/internal.h"
#include "util/bytes.h"

#define EVENTS_A_TURN 128

struct epoll {
	int fd;
	int nevents; /* The number of events that were received and are not handled yet. */
	struct epoll_event events[EVENTS_A_TURN];
};

static int epoll_init(struct loop *loop)
{
	struct epoll *epoll = calloc(1, sizeof(*epoll));

	if (!epoll)
		return -ENOMEM;
	epoll->fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll->fd < 0) {
		int err = errno;

		free(epoll);
		return -err;
	}
	loop->engine_data = epoll;
	return 0;
}

static void epoll_fini(struct loop *loop)
{
	struct epoll *epoll = loop->engine_data;

	close(epoll->fd);
	free(epoll);
}

static int control(struct loop *loop, int action, int fd, uint32_t events, uint64_t token)
{
	struct epoll *epoll = loop->engine_data;
	struct epoll_event event = {.events = events, .data.u64 = token};

	return epoll_ctl(epoll->fd, action, fd, &event) < 0 ? -errno : 0;
}

/* --- watches ---------------------------------------------------------------------------------- */

static int epoll_watch_add(struct loop *loop, uint32_t index)
{
	struct loop_watch *watch = loop->watches.slots[index].watch;

	return control(loop, EPOLL_CTL_ADD, watch->fd, watch->events | EPOLLET, watch->token);
}

static void epoll_watch_del(struct loop *loop, uint32_t index)
{
	control(loop, EPOLL_CTL_DEL, loop->watches.slots[index].watch->fd, 0, 0);
	slot_put(&loop->watches, index);
}

/* --- requests --------------------------------------------------------------------------------- */

/*
 * Starts a poll. epoll accepts an open file only once, and a watch may use it already, so a poll registers a
 * duplicate of the descriptor. A file that epoll does not accept at all (a regular file) is always ready, as
 * with poll(2).
 */
static int poll_start(struct loop *loop, struct loop_op *op)
{
	struct request *request = request_of(op);
	int index = slot_get(&loop->watches);
	struct slot *slot;
	int ret;

	if (index < 0)
		return index;
	slot = &loop->watches.slots[index];
	slot->op = op;
	slot->fd = fcntl(request->fd, F_DUPFD_CLOEXEC, 0);
	ret = slot->fd < 0 ? -errno
			   : control(loop, EPOLL_CTL_ADD, slot->fd, request->events | EPOLLONESHOT,
				     slot_token(&loop->watches, (uint32_t)index));
	if (ret == 0)
		return 0;
	if (slot->fd >= 0)
		close(slot->fd);
	slot_put(&loop->watches, (uint32_t)index);
	return ret == -EPERM ? (int)(request->events & (EPOLLIN | EPOLLOUT)) : ret;
}

static void poll_forget(struct loop *loop, uint32_t index)
{
	int fd = loop->watches.slots[index].fd;

	control(loop, EPOLL_CTL_DEL, fd, 0, 0);
	close(fd);
	slot_put(&loop->watches, index);
}

static void poll_end(struct loop *loop, uint32_t index, uint32_t events)
{
	struct loop_op *op = loop->watches.slots[index].op;

	poll_forget(loop, index);
	request_finish(loop, op, (int)events);
}

static void epoll_submit(struct loop *loop, struct loop_op *op)
{
	struct request *request = request_of(op);
	int ret;

	if (request->kind != REQUEST_POLL) {
		request_to_pool(loop, op);
		return;
	}
	ret = poll_start(loop, op);
	if (ret != 0)
		request_finish_later(op, ret);
}

/* Cancels a request. The pool executes all requests except polls. */
static void epoll_cancel(struct loop *loop, struct loop_op *op)
{
	for (uint32_t i = 0; i < loop->watches.n; i++) {
		if (loop->watches.slots[i].op != op)
			continue;
		poll_forget(loop, i);
		request_finish_later(op, -ECANCELED);
		return;
	}
}

/* --- turns ------------------------------------------------------------------------------------ */

static int timeout_ms(uint64_t timeout_ns)
{
	if (timeout_ns == NEVER_NS)
		return -1;
	/*
	 * Rounds up. Otherwise the loop would not sleep during the last part of a millisecond before a timer
	 * is due.
	 */
	return (int)MIN((timeout_ns + 999999) / 1000000, (uint64_t)INT32_MAX);
}

static void epoll_enter(struct loop *loop, uint64_t timeout_ns)
{
	struct epoll *epoll = loop->engine_data;

	if (epoll->nevents)
		return;
	loop_count(&loop->enters);
	epoll->nevents = epoll_wait(epoll->fd, epoll->events, EVENTS_A_TURN, timeout_ms(timeout_ns));
	epoll->nevents = MAX(epoll->nevents, 0); /* EINTR */
}

static bool epoll_ready(struct loop *loop)
{
	epoll_enter(loop, 0);
	return ((struct epoll *)loop->engine_data)->nevents > 0;
}

static unsigned epoll_reap(struct loop *loop)
{
	struct epoll *epoll = loop->engine_data;
	int n = epoll->nevents;

	for (int i = 0; i < n; i++) {
		uint64_t token = epoll->events[i].data.u64;
		struct slot *slot = slot_find(&loop->watches, token);

		if (!slot)
			continue; /* A callback of this turn has deleted the watch. */
		if (slot->op) {
			poll_end(loop, token_index(token), epoll->events[i].events);
			continue;
		}
		slot->watch->fn(slot->watch, epoll->events[i].events);
		assert_unlocked();
	}
	epoll->nevents = 0;
	return (unsigned)n;
}

const struct engine engine_epoll = {
    .init = epoll_init,
    .fini = epoll_fini,
    .submit = epoll_submit,
    .cancel = epoll_cancel,
    .watch_add = epoll_watch_add,
    .watch_del = epoll_watch_del,
    .enter = epoll_enter,
    .ready = epoll_ready,
    .reap = epoll_reap,
};
