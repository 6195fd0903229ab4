/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O on files in memory. It waits for nothing, so it is executed here and now; but a system call for each
 * request would cost more than what it moves. Linux AIO executes buffered I/O inside io_submit, as many
 * requests as it is given: at the end of a turn those of the turn go there together. (io_uring would give
 * each buffered write on tmpfs to a worker thread.) Where the kernel has no AIO each request is a call.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/internal.h"

#define BATCH 64

static struct iocb iocb_of(struct loop_op *op)
{
	const struct request *r = request_of(op);

	return (struct iocb){
	    .aio_data = (uintptr_t)op,
	    .aio_lio_opcode = r->kind == REQUEST_READV ? IOCB_CMD_PREADV : IOCB_CMD_PWRITEV,
	    .aio_fildes = (uint32_t)r->fd,
	    .aio_buf = (uintptr_t)r->iov,
	    .aio_nbytes = r->iovcnt,
	    .aio_offset = (int64_t)r->offset,
	    .aio_rw_flags = r->flags,
	};
}

/* How many of the requests, from the first on, the kernel has executed. */
static unsigned execute_together(struct memory_io *memory, struct loop_op **ops, unsigned n,
				 struct io_event *events)
{
	struct iocb iocbs[BATCH], *list[BATCH];
	long taken, got;

	if (!memory->set_up && syscall(SYS_io_setup, BATCH, &memory->aio) < 0)
		memory->aio = 0;
	memory->set_up = true;
	if (!memory->aio)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		iocbs[i] = iocb_of(ops[i]);
		list[i] = &iocbs[i];
	}
	taken = syscall(SYS_io_submit, memory->aio, n, list);
	if (taken <= 0)
		return 0; /* the first is refused: a bad descriptor, say; executed alone, it tells why */
	do
		got = syscall(SYS_io_getevents, memory->aio, taken, taken, events, NULL);
	while (got < 0 && errno == EINTR);
	assert(got == taken);
	return (unsigned)taken;
}

static void execute_batch(struct loop *loop, struct loop_op **ops, unsigned n)
{
	struct io_event events[BATCH];
	unsigned taken = n > 1 ? execute_together(&loop->memory, ops, n, events) : 0;

	for (unsigned i = 0; i < taken; i++)
		request_finish(loop, (struct loop_op *)(uintptr_t)events[i].data, (int)events[i].res);
	for (unsigned i = taken; i < n; i++)
		request_finish(loop, ops[i], request_execute(ops[i]));
}

/* Requests that a callback adds are for the next time, in the same turn. */
static void execute_queued(struct loop_work *work)
{
	struct memory_io *memory = container_of(work, struct memory_io, execute);
	struct loop *loop = container_of(memory, struct loop, memory);
	struct fifo queued = memory->queued;

	memory->queued.head = NULL;
	while (queued.head) {
		struct loop_op *ops[BATCH];
		unsigned n = 0;

		while (n < BATCH && queued.head)
			ops[n++] = op_of(container_of(fifo_pop(&queued), struct request, note));
		execute_batch(loop, ops, n);
	}
}

void memory_submit(struct loop *loop, struct loop_op *op)
{
	fifo_push(&loop->memory.queued, &request_of(op)->note);
	loop->memory.execute.fn = execute_queued;
	loop_defer(loop, &loop->memory.execute);
}

void memory_fini(struct memory_io *memory)
{
	if (memory->aio)
		syscall(SYS_io_destroy, memory->aio);
}
