/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asynchronous file I/O for TCMUR_ASYNC handlers, on the event loop that called them. Requests that are made
 * in one turn of the loop go to the kernel together. If the kernel has no io_uring, the same calls are
 * executed on pool threads. All functions must be called on the queue's own thread, which means inside a data
 * callback or inside a done callback. They never block. done() is called on the same thread, later or, for a
 * request that cannot be queued, before the function returns.
 */
#ifndef TCMUR_QUEUE_H
#define TCMUR_QUEUE_H

#include <tcmur/handler.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One request. The handler keeps it in io->scratch, so nothing is allocated. All memory that is passed must
 * be valid until done(). The result that done() gets is the kernel's result, which is the number of bytes
 * moved or -errno. -ECANCELED means that the daemon has cancelled the request, because the initiator no
 * longer waits for the I/O; the I/O then ends with an error.
 */
struct tcmur_op {
	void (*done)(struct tcmur_op *op, int result);
	/* The I/O whose scratch space contains the request. The handler sets it, and can use it in done(). */
	struct tcmur_io *io;
	uint64_t priv[14]; /* Used by the daemon. */
};

/* rwf are flags of preadv2(2) or pwritev2(2), for example RWF_DSYNC for FUA. offset is in bytes. */
void tcmur_queue_readv(struct tcmur_queue *queue, struct tcmur_op *op, int fd, const struct iovec *iov,
		       uint32_t iovcnt, uint64_t offset, int rwf);
void tcmur_queue_writev(struct tcmur_queue *queue, struct tcmur_op *op, int fd, const struct iovec *iov,
			uint32_t iovcnt, uint64_t offset, int rwf);
/* Calls fdatasync(2) for the whole file. */
void tcmur_queue_fdatasync(struct tcmur_queue *queue, struct tcmur_op *op, int fd);
/* Calls fallocate(2). */
void tcmur_queue_fallocate(struct tcmur_queue *queue, struct tcmur_op *op, int fd, int mode, uint64_t offset,
			   uint64_t len);
/* Waits once for events of poll(2). The result is the events. */
void tcmur_queue_poll(struct tcmur_queue *queue, struct tcmur_op *op, int fd, uint32_t events);
/*
 * Runs work on a pool thread, which may block, and then calls done with the return value of work on the
 * queue's thread.
 */
void tcmur_queue_blocking(struct tcmur_queue *queue, struct tcmur_op *op, int (*work)(struct tcmur_op *op));
/*
 * Does the same, but these calls of one LUN run one after the other, in the order in which they were made.
 * This is for work that would otherwise wait for a lock that another call holds. op must be in io->scratch,
 * and op->io must be set.
 */
void tcmur_queue_blocking_serial(struct tcmur_queue *queue, struct tcmur_op *op,
				 int (*work)(struct tcmur_op *op));

/*
 * A timer. Its owner decides where its memory is, for example in io->scratch. It must stay there while the
 * timer runs.
 */
struct tcmur_timer {
	void (*fn)(struct tcmur_timer *timer);
	/* Used by the daemon. It must be zero before the first start. */
	uint64_t priv[4];
};
/*
 * Calls fn once on the queue's thread, after at least delay_ns nanoseconds. A timer that runs already is
 * restarted.
 */
void tcmur_queue_timer_start(struct tcmur_queue *queue, struct tcmur_timer *timer, uint64_t delay_ns);
/* Stops a timer, so that fn is not called any more. Does nothing if the timer does not run. */
void tcmur_queue_timer_stop(struct tcmur_timer *timer);

#ifdef __cplusplus
}
#endif
#endif
