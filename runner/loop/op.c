/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the I/O requests of the loop's users, passes them to the engine or to the pool, and completes them.
 * The engines are in uring.c and epoll.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "loop/internal.h"
#include "util/clock.h"

static struct request *start(struct loop *loop, struct loop_op *op, enum request_kind kind, int fd)
{
	struct request *request = request_of(op);

	contract(loop == loop_current());
	loop->in_flight++;
	loop_count(&loop->ops);
	request->kind = (uint8_t)kind;
	request->fd = fd;
	request->lane = NULL;
	request->loop = loop;
	return request;
}

void request_finish(struct loop *loop, struct loop_op *op, int result)
{
	struct request *request = request_of(op);

	contract(request->kind != REQUEST_DONE && request->loop == loop && loop->in_flight > 0);
	request->kind = REQUEST_DONE;
	loop->in_flight--;
	op->done(op, result);
	assert_unlocked();
}

static void finish_posted(struct loop_work *note)
{
	struct request *request = container_of(note, struct request, note);

	request_finish(request->loop, op_of(request), request->result);
}

void request_finish_later(struct loop_op *op, int result)
{
	struct request *request = request_of(op);

	request->result = result;
	request->note = (struct loop_work){.fn = finish_posted};
	loop_post(request->loop, &request->note);
}

/* --- on the pool ------------------------------------------------------------------------------ */

static int execute(struct loop_op *op)
{
	struct request *r = request_of(op);
	ssize_t ret;

	switch (r->kind) {
	case REQUEST_READV:
		ret = preadv2(r->fd, r->iov, (int)r->iovcnt, (off_t)r->offset, r->flags);
		break;
	case REQUEST_WRITEV:
		ret = pwritev2(r->fd, r->iov, (int)r->iovcnt, (off_t)r->offset, r->flags);
		break;
	case REQUEST_FDATASYNC:
		ret = fdatasync(r->fd);
		break;
	case REQUEST_FALLOCATE:
		ret = fallocate(r->fd, r->flags, (off_t)r->offset, (off_t)r->len);
		break;
	default:
		contract(r->kind == REQUEST_BLOCKING);
		return r->work(op);
	}
	return ret < 0 ? -errno : (int)ret;
}

static void execute_job(struct loop_pool_job *job)
{
	struct request *request = container_of(job, struct request, job);
	struct loop_op *op = op_of(request);
	int result = -ECANCELED;

	if (!op->deadline_ns || clock_now_ns() < op->deadline_ns) {
		do
			result = execute(op);
		while (result == -EINTR && request->kind != REQUEST_BLOCKING);
	}
	request_finish_later(op, result);
}

void request_to_pool(struct loop *loop, struct loop_op *op)
{
	struct request *request = request_of(op);

	request->job.fn = execute_job;
	if (request->lane)
		loop_lane_submit(request->lane, loop->set->pool, &request->job);
	else
		loop_pool_submit(loop->set->pool, &request->job);
}

/*
 * If the request was waiting for a thread of the pool, removes it, so that it does not run, and returns true.
 */
static bool cancel_on_pool(struct loop *loop, struct request *request)
{
	return request->lane ? loop_lane_cancel(request->lane, &request->job)
			     : loop_pool_cancel(loop->set->pool, &request->job);
}

/* --- what users call -------------------------------------------------------------------------- */

static void start_rw(struct loop *loop, struct loop_op *op, enum request_kind kind, int fd,
		     const struct iovec *iov, unsigned iovcnt, uint64_t offset, int rwf)
{
	struct request *request = start(loop, op, kind, fd);

	request->iov = iov;
	request->iovcnt = iovcnt;
	request->offset = offset;
	request->flags = rwf;
	loop->engine->submit(loop, op);
}

void loop_readv(struct loop *loop, struct loop_op *op, int fd, const struct iovec *iov, unsigned iovcnt,
		uint64_t offset, int rwf)
{
	start_rw(loop, op, REQUEST_READV, fd, iov, iovcnt, offset, rwf);
}

void loop_writev(struct loop *loop, struct loop_op *op, int fd, const struct iovec *iov, unsigned iovcnt,
		 uint64_t offset, int rwf)
{
	start_rw(loop, op, REQUEST_WRITEV, fd, iov, iovcnt, offset, rwf);
}

void loop_fdatasync(struct loop *loop, struct loop_op *op, int fd)
{
	start(loop, op, REQUEST_FDATASYNC, fd);
	loop->engine->submit(loop, op);
}

void loop_fallocate(struct loop *loop, struct loop_op *op, int fd, int mode, uint64_t offset, uint64_t len)
{
	struct request *request = start(loop, op, REQUEST_FALLOCATE, fd);

	request->flags = mode;
	request->offset = offset;
	request->len = len;
	loop->engine->submit(loop, op);
}

void loop_poll(struct loop *loop, struct loop_op *op, int fd, uint32_t events)
{
	struct request *request = start(loop, op, REQUEST_POLL, fd);

	request->events = events;
	loop->engine->submit(loop, op);
}

void loop_blocking(struct loop *loop, struct loop_op *op, int (*work)(struct loop_op *op))
{
	struct request *request = start(loop, op, REQUEST_BLOCKING, -1);

	request->work = work;
	request_to_pool(loop, op);
}

void loop_blocking_in_lane(struct loop *loop, struct loop_op *op, struct loop_lane *lane,
			   int (*work)(struct loop_op *op))
{
	struct request *request = start(loop, op, REQUEST_BLOCKING, -1);

	request->work = work;
	request->lane = lane;
	request_to_pool(loop, op);
}

void loop_cancel(struct loop *loop, struct loop_op *op)
{
	struct request *request = request_of(op);

	contract(loop == loop_current() && request->loop == loop);
	if (request->kind == REQUEST_DONE)
		return;
	if (cancel_on_pool(loop, request))
		request_finish_later(op, -ECANCELED);
	else if (request->kind != REQUEST_BLOCKING)
		loop->engine->cancel(loop, op);
}
