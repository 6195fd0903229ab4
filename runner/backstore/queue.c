/* SPDX-License-Identifier: Apache-2.0 */
/* <tcmur/queue.h>: the loop's file I/O under the handler API's names. */
#include "backstore/private.h"

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

static void done(struct loop_op *op, int result)
{
	public_op(op)->done(public_op(op), result);
}

static struct loop_op *prepare(struct tcmur_op *op)
{
	struct loop_op *inner = (struct loop_op *)(void *)op->priv;

	inner->done = done;
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

/* The loop's work gets the loop's op; the handler's work is kept in the last word of priv meanwhile. */
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
