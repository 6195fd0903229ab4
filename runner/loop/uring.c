/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The io_uring engine. Requests become SQEs at once, and one io_uring_enter() in each turn passes them to the
 * kernel and fetches the completions. Polls are set up and cancelled at this moment, too, from the list of
 * dirty slots. Therefore a watch that is added and deleted within one turn never reaches the kernel, and
 * nothing is lost if the queue is full.
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "loop/internal.h"
#include "util/bytes.h"
#include "util/clock.h"

#define SQ_ENTRIES 512
#define CQ_ENTRIES 4096

/*
 * The engine needs timeouts as arguments (Linux 5.11), completions that are kept when the queue is full, and
 * multishot polls (Linux 5.13, which has the feature RSRC_TAGS, too).
 */
#define FEATURES_NEEDED (IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP | IORING_FEAT_RSRC_TAGS)

/* The user_data of SQEs whose completion is ignored. */
#define IGNORED 0

struct uring {
	struct io_uring ring;
	/* Requests that found the submission queue full. */
	struct fifo backlog;
	/*
	 * The first deadline of the requests that were not passed to the kernel yet, or NEVER_NS if none has
	 * a deadline.
	 */
	uint64_t due_ns;
	/* The index of the first slot whose poll must be changed, plus 1. */
	uint32_t dirty;
};

/*
 * Registers a descriptor as a fixed file. When a process is killed, its threads end, but its asynchronous I/O
 * continues. The kernel keeps the ring, and its registered files, until the last request has ended.
 */
static int register_held_file(struct io_uring *ring, const int *fd)
{
	return fd ? io_uring_register_files(ring, fd, 1) : 0;
}

static int uring_init(struct loop *loop)
{
	/*
	 * Sets of flags, the best one first. With these flags, the kernel processes completions when the loop
	 * asks for them, on the only thread that submits: Linux 6.1 without interrupting the thread, and
	 * Linux 5.19 with fewer interruptions. The last set works with all kernels.
	 */
	static const unsigned flags[] = {
	    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
		IORING_SETUP_TASKRUN_FLAG,
	    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
	    0,
	};
	struct uring *uring = calloc(1, sizeof(*uring));
	struct io_uring_params params;
	int ret = -EINVAL;

	if (!uring)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(flags) && ret == -EINVAL; i++) {
		params = (struct io_uring_params){.flags = flags[i] | IORING_SETUP_CQSIZE,
						  .cq_entries = CQ_ENTRIES};
		ret = io_uring_queue_init_params(SQ_ENTRIES, &uring->ring, &params);
	}
	if (ret < 0) {
		free(uring);
		return ret;
	}
	ret = (params.features & FEATURES_NEEDED) == FEATURES_NEEDED
		  ? register_held_file(&uring->ring, loop->hold)
		  : -EOPNOTSUPP;
	if (ret < 0) {
		io_uring_queue_exit(&uring->ring);
		free(uring);
		return ret;
	}
	uring->due_ns = NEVER_NS;
	io_uring_ring_dontfork(&uring->ring);
	loop->engine_data = uring;
	return 0;
}

static void uring_fini(struct loop *loop)
{
	struct uring *uring = loop->engine_data;

	io_uring_queue_exit(&uring->ring);
	free(uring);
}

/* Returns an SQE, or NULL if the kernel accepts none at the moment because it has no memory. */
static struct io_uring_sqe *next_sqe(struct loop *loop, struct uring *uring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

	if (!sqe) {
		loop_count(&loop->enters);
		io_uring_submit(&uring->ring);
		sqe = io_uring_get_sqe(&uring->ring);
	}
	return sqe;
}

/* --- requests --------------------------------------------------------------------------------- */

static void prepare(struct uring *uring, struct io_uring_sqe *sqe, struct loop_op *op)
{
	struct request *r = request_of(op);

	if (op->deadline_ns)
		uring->due_ns = MIN(uring->due_ns, op->deadline_ns);

	switch (r->kind) {
	case REQUEST_READV:
		io_uring_prep_readv2(sqe, r->fd, r->iov, r->iovcnt, r->offset, r->flags);
		break;
	case REQUEST_WRITEV:
		io_uring_prep_writev2(sqe, r->fd, r->iov, r->iovcnt, r->offset, r->flags);
		break;
	case REQUEST_FDATASYNC:
		io_uring_prep_fsync(sqe, r->fd, IORING_FSYNC_DATASYNC);
		break;
	case REQUEST_FALLOCATE:
		io_uring_prep_fallocate(sqe, r->fd, r->flags, (off_t)r->offset, (off_t)r->len);
		break;
	default:
		contract(r->kind == REQUEST_POLL);
		io_uring_prep_poll_add(sqe, r->fd, r->events);
	}
	io_uring_sqe_set_data(sqe, op);
}

static void uring_submit(struct loop *loop, struct loop_op *op)
{
	struct uring *uring = loop->engine_data;
	struct io_uring_sqe *sqe = uring->backlog.head ? NULL : next_sqe(loop, uring);

	if (sqe)
		prepare(uring, sqe, op);
	else
		fifo_push(&uring->backlog, &request_of(op)->note);
}

/*
 * The kernel takes SQEs in order, so it gets the request before the cancellation. If the request has already
 * ended, the address cannot belong to another request at this moment.
 */
static void uring_cancel(struct loop *loop, struct loop_op *op)
{
	struct uring *uring = loop->engine_data;

	if (fifo_remove(&uring->backlog, &request_of(op)->note)) {
		request_finish_later(op, -ECANCELED);
		return;
	}
	struct io_uring_sqe *sqe = next_sqe(loop, uring);

	if (!sqe)
		return;
	io_uring_prep_cancel(sqe, op, 0);
	io_uring_sqe_set_data64(sqe, IGNORED);
}

static void submit_backlog(struct loop *loop, struct uring *uring)
{
	while (uring->backlog.head) {
		struct io_uring_sqe *sqe = next_sqe(loop, uring);

		if (!sqe)
			return;
		prepare(uring, sqe, op_of(container_of(fifo_pop(&uring->backlog), struct request, note)));
	}
}

/* Returns NULL if the completion does not belong to a request. */
static struct loop_op *op_of_data(uint64_t user_data)
{
	return user_data == IGNORED || user_data & TOKEN_BIT ? NULL : (struct loop_op *)(uintptr_t)user_data;
}

static bool is_expired(const struct loop_op *op, uint64_t now_ns)
{
	return op && op->deadline_ns && op->deadline_ns <= now_ns;
}

/* If this thread was stopped during the turn and requests have expired meanwhile, makes them no-ops. */
static void call_off_expired(struct loop *loop, struct uring *uring)
{
	struct io_uring_sq *sq = &uring->ring.sq;
	uint64_t now_ns;

	if (uring->due_ns == NEVER_NS || uring->due_ns > (now_ns = loop_pulse_now_ns(loop)))
		return;
	for (unsigned i = sq->sqe_head; i != sq->sqe_tail; i++) {
		struct io_uring_sqe *sqe = &sq->sqes[i & sq->ring_mask];
		struct loop_op *op = op_of_data(sqe->user_data);

		if (!is_expired(op, now_ns))
			continue;
		request_of(op)->kind = REQUEST_CALLED_OFF;
		io_uring_prep_nop(sqe);
		io_uring_sqe_set_data(sqe, op);
	}
}

/* --- watches ---------------------------------------------------------------------------------- */

static void mark_dirty(struct loop *loop, uint32_t index)
{
	struct uring *uring = loop->engine_data;
	struct slot *slot = &loop->watches.slots[index];

	if (slot->dirty)
		return;
	slot->dirty = true;
	slot->next = uring->dirty;
	uring->dirty = index + 1;
}

/* Makes the engine ignore further events of the slot's poll, if it has one. */
static void retire_poll(struct loop *loop, uint32_t index)
{
	struct slot *slot = &loop->watches.slots[index];

	if (!slot->armed)
		return;
	slot->stale = slot_token(&loop->watches, index);
	slot->generation++;
	slot->armed = false;
}

static int uring_watch_add(struct loop *loop, uint32_t index)
{
	mark_dirty(loop, index);
	return 0;
}

static void uring_watch_del(struct loop *loop, uint32_t index)
{
	struct slot *slot = &loop->watches.slots[index];

	retire_poll(loop, index);
	slot->watch = NULL;
	if (slot->stale)
		mark_dirty(loop, index);
	if (!slot->dirty)
		slot_put(&loop->watches, index);
}

/*
 * Sets up or cancels the poll of a slot. Returns false if there is no SQE; the loop tries again in the next
 * turn.
 */
static bool update_poll(struct loop *loop, struct uring *uring, uint32_t index)
{
	struct slot *slot = &loop->watches.slots[index];
	struct io_uring_sqe *sqe;

	if (slot->stale) {
		sqe = next_sqe(loop, uring);
		if (!sqe)
			return false;
		/*
		 * POLL_REMOVE is not an alternative: it fails with EALREADY when the poll is about to report
		 * an event, and the file would then stay open forever.
		 */
		io_uring_prep_cancel64(sqe, slot->stale, 0);
		io_uring_sqe_set_data64(sqe, IGNORED);
		slot->stale = 0;
	}
	if (slot->watch && !slot->armed) {
		sqe = next_sqe(loop, uring);
		if (!sqe)
			return false;
		io_uring_prep_poll_multishot(sqe, slot->watch->fd, slot->watch->events);
		io_uring_sqe_set_data64(sqe, slot->watch->token);
		slot->armed = true;
	}
	return true;
}

static void update_polls(struct loop *loop, struct uring *uring)
{
	while (uring->dirty) {
		uint32_t index = uring->dirty - 1;
		struct slot *slot = &loop->watches.slots[index];

		if (!update_poll(loop, uring, index))
			return;
		uring->dirty = slot->next;
		slot->next = 0;
		slot->dirty = false;
		if (!slot->watch)
			slot_put(&loop->watches, index);
	}
}

static void report(struct loop *loop, uint64_t token, int result, bool more)
{
	struct slot *slot = slot_find(&loop->watches, token);
	struct loop_watch *watch;

	if (!slot)
		return;
	watch = slot->watch;
	if (!more) {
		slot->armed = false;
		/*
		 * The kernel may end a multishot poll at any time: because the completion queue is full,
		 * because there is no memory, or because the task is being traced. A new poll reports at once
		 * what the previous one has missed. For a descriptor that cannot be polled, a new poll would
		 * fail again and again.
		 */
		if (result >= 0 || result == -ECANCELED || result == -ENOMEM || result == -EAGAIN)
			mark_dirty(loop, token_index(token));
		else
			result = EPOLLERR;
	}
	if (result <= 0)
		return;
	watch->fn(watch, (uint32_t)result);
	assert_unlocked();
}

/* --- turns ------------------------------------------------------------------------------------ */

/* Returns whether the kernel has completions that it delivers only when the loop enters the kernel. */
static bool must_enter(struct uring *uring)
{
	return IO_URING_READ_ONCE(*uring->ring.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

static bool uring_ready(struct loop *loop)
{
	struct uring *uring = loop->engine_data;

	return io_uring_cq_ready(&uring->ring) || must_enter(uring);
}

static void uring_enter(struct loop *loop, uint64_t timeout_ns)
{
	struct uring *uring = loop->engine_data;
	struct __kernel_timespec timeout = {.tv_sec = (int64_t)(timeout_ns / NS_PER_S),
					    .tv_nsec = (int64_t)(timeout_ns % NS_PER_S)};
	struct io_uring_cqe *cqe;

	update_polls(loop, uring);
	submit_backlog(loop, uring);
	call_off_expired(loop, uring);
	uring->due_ns = NEVER_NS;
	if (uring->dirty || uring->backlog.head)
		timeout_ns = 0;

	if (timeout_ns == 0 && !io_uring_sq_ready(&uring->ring) && !must_enter(uring))
		return;
	loop_count(&loop->enters);
	/*
	 * After an error the SQEs are still in the queue, and the next turn tries again. EAGAIN and ENOMEM
	 * are temporary, and EINTR and ETIME are not errors.
	 */
	if (timeout_ns == 0)
		io_uring_submit_and_get_events(&uring->ring);
	else
		io_uring_submit_and_wait_timeout(&uring->ring, &cqe, 1,
						 timeout_ns == NEVER_NS ? NULL : &timeout, NULL);
}

static void finish(struct loop *loop, struct loop_op *op, int result)
{
	request_finish(loop, op, request_of(op)->kind == REQUEST_CALLED_OFF ? -ECANCELED : result);
}

static unsigned uring_reap(struct loop *loop)
{
	struct uring *uring = loop->engine_data;
	unsigned n = io_uring_cq_ready(&uring->ring);

	for (unsigned i = 0; i < n; i++) {
		struct io_uring_cqe *cqe = NULL, copy;

		io_uring_peek_cqe(&uring->ring, &cqe);
		copy = *cqe;
		/* This must be done before the callback, which may submit requests that need the room. */
		io_uring_cqe_seen(&uring->ring, cqe);
		if (copy.user_data & TOKEN_BIT)
			report(loop, copy.user_data, copy.res, copy.flags & IORING_CQE_F_MORE);
		else if (copy.user_data != IGNORED)
			finish(loop, (struct loop_op *)(uintptr_t)copy.user_data, copy.res);
	}
	return n;
}

const struct engine engine_uring = {
    .init = uring_init,
    .fini = uring_fini,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .watch_add = uring_watch_add,
    .watch_del = uring_watch_del,
    .enter = uring_enter,
    .ready = uring_ready,
    .reap = uring_reap,
};
