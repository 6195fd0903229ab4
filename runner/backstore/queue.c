/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Implements <tcmur/queue.h>: offers the file I/O of the loop under the names of the handler API. Each
 * request is connected with its I/O, so that the I/O can be cancelled.
 */
#include <errno.h>

#include "backstore/private.h"
#include "util/clock.h"

#include <tcmur/queue.h>

_Static_assert(sizeof(struct loop_op) <= sizeof(((struct tcmur_op *)0)->priv),
	       "tcmur_op has room for a loop_op");
_Static_assert(_Alignof(struct loop_op) <= _Alignof(uint64_t), "and is aligned for it");

static struct loop *loop_of_queue(struct tcmur_queue *queue)
{
	return (struct loop *)queue;
}

static struct tcmur_op *public_op(struct loop_op *op)
{
	return container_of((void *)op, struct tcmur_op, priv);
}

/*
 * Returns the I/O whose scratch space contains the op. If the op is in other memory, its I/O is unknown, and
 * the function returns NULL.
 */
static struct backstore_io *io_of(const struct tcmur_op *op)
{
	uintptr_t bio = (uintptr_t)op->io - offsetof(struct backstore_io, io);
	uintptr_t at = (uintptr_t)op - bio - offsetof(struct backstore_io, scratch);

	return op->io && at <= TCMUR_IO_SCRATCH_MAX - sizeof(*op) ? (struct backstore_io *)bio : NULL;
}

static void done(struct loop_op *inner, int result)
{
	struct tcmur_op *op = public_op(inner);
	struct backstore_io *bio = io_of(op);

	if (bio) {
		bio->request = NULL;
		/*
		 * A request that was interrupted because its I/O was cancelled must not be repeated by the
		 * handler.
		 */
		if (result == -EINTR && atomic_load_explicit(&bio->cancelled, memory_order_relaxed))
			result = -ECANCELED;
	}
	op->done(op, result);
}

static struct loop_op *prepare(struct tcmur_op *op)
{
	struct loop_op *inner = (struct loop_op *)(void *)op->priv;
	struct backstore_io *bio = io_of(op);

	inner->done = done;
	inner->deadline_ns = bio ? bio->deadline_ns : 0;
	if (bio)
		bio->request = inner;
	return inner;
}

void tcmur_queue_readv(struct tcmur_queue *queue, struct tcmur_op *op, int fd, const struct iovec *iov,
		       uint32_t iovcnt, uint64_t offset, int rwf)
{
	loop_readv(loop_of_queue(queue), prepare(op), fd, iov, iovcnt, offset, rwf);
}

void tcmur_queue_writev(struct tcmur_queue *queue, struct tcmur_op *op, int fd, const struct iovec *iov,
			uint32_t iovcnt, uint64_t offset, int rwf)
{
	loop_writev(loop_of_queue(queue), prepare(op), fd, iov, iovcnt, offset, rwf);
}

void tcmur_queue_fdatasync(struct tcmur_queue *queue, struct tcmur_op *op, int fd)
{
	loop_fdatasync(loop_of_queue(queue), prepare(op), fd);
}

void tcmur_queue_fallocate(struct tcmur_queue *queue, struct tcmur_op *op, int fd, int mode, uint64_t offset,
			   uint64_t len)
{
	loop_fallocate(loop_of_queue(queue), prepare(op), fd, mode, offset, len);
}

void tcmur_queue_poll(struct tcmur_queue *queue, struct tcmur_op *op, int fd, uint32_t events)
{
	loop_poll(loop_of_queue(queue), prepare(op), fd, events);
}

/* --- timers --- */

_Static_assert(sizeof(struct loop_timer) <= sizeof(((struct tcmur_timer *)0)->priv),
	       "tcmur_timer has room for a loop_timer");

static struct loop_timer *inner_timer(struct tcmur_timer *timer)
{
	return (struct loop_timer *)(void *)timer->priv;
}

static void timer_fired(struct loop_timer *inner)
{
	struct tcmur_timer *timer = container_of((void *)inner, struct tcmur_timer, priv);

	timer->fn(timer);
}

void tcmur_queue_timer_start(struct tcmur_queue *queue, struct tcmur_timer *timer, uint64_t delay_ns)
{
	struct loop *loop = loop_of_queue(queue);
	uint64_t turn_ns = loop_now_ns(loop), past_ns = clock_now_ns() - turn_ns;

	inner_timer(timer)->fn = timer_fired;
	/*
	 * The loop's clock may be behind, because it is read once in a turn. The caller means a time from
	 * now.
	 */
	loop_timer_arm(loop, inner_timer(timer),
		       delay_ns < UINT64_MAX - past_ns ? delay_ns + past_ns : UINT64_MAX);
}

void tcmur_queue_timer_stop(struct tcmur_timer *timer)
{
	loop_timer_cancel(inner_timer(timer));
}

/* --- calls that block --- */

/*
 * A struct loop_op occupies the beginning of priv. The last word of priv stores the function of the handler,
 * until run_work() calls this function on the pool.
 */
#define WORK_SLOT (sizeof(((struct tcmur_op *)0)->priv) / sizeof(uint64_t) - 1)
_Static_assert(sizeof(struct loop_op) <= WORK_SLOT * sizeof(uint64_t), "the last word of priv is free");

static int run_work(struct loop_op *inner)
{
	struct tcmur_op *op = public_op(inner);
	int (*work)(struct tcmur_op *) = (int (*)(struct tcmur_op *))(uintptr_t)op->priv[WORK_SLOT];

	return work(op);
}

void tcmur_queue_blocking(struct tcmur_queue *queue, struct tcmur_op *op, int (*work)(struct tcmur_op *op))
{
	op->priv[WORK_SLOT] = (uintptr_t)work;
	loop_blocking(loop_of_queue(queue), prepare(op), run_work);
}

void tcmur_queue_blocking_serial(struct tcmur_queue *queue, struct tcmur_op *op,
				 int (*work)(struct tcmur_op *op))
{
	struct backstore_io *bio = io_of(op);

	op->priv[WORK_SLOT] = (uintptr_t)work;
	if (bio)
		loop_blocking_in_lane(loop_of_queue(queue), prepare(op), &bio->bs->lane, run_work);
	else
		loop_blocking(loop_of_queue(queue), prepare(op), run_work);
}
