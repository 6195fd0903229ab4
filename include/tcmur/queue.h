/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asynchronous file I/O for TCMUR_ASYNC handlers, on the event loop that called them. Requests made in one
 * turn of the loop go to the kernel together. Where the kernel has no io_uring the same calls run on pool
 * threads.
 *
 * All functions are to be called on the queue's own thread, i.e. inside a data callback or inside a done
 * callback, and never block. done runs on the same thread, later or (for what cannot be queued) before the
 * call returns.
 */
#ifndef TCMUR_QUEUE_H
#define TCMUR_QUEUE_H

#include <tcmur/handler.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One request. The handler keeps it in io->scratch, so nothing is allocated. All memory passed stays valid
 * until done; done gets the kernel's answer: bytes moved, or -errno. -ECANCELED: the daemon called the
 * request back, since nobody waits for the I/O any more; the I/O then ends with an error.
 */
struct tcmur_op {
	void (*done)(struct tcmur_op *op, int result);
	struct tcmur_io *io; /* whose scratch it lies in: set by the handler, who finds it in done */
	uint64_t priv[14];   /* the daemon's */
};

/* rwf: RWF_* flags of preadv2(2)/pwritev2(2), e.g. RWF_DSYNC for FUA. offset in bytes. */
void tcmur_queue_readv(struct tcmur_queue *queue, struct tcmur_op *op, int fd, const struct iovec *iov,
		       uint32_t iovcnt, uint64_t offset, int rwf);
void tcmur_queue_writev(struct tcmur_queue *queue, struct tcmur_op *op, int fd, const struct iovec *iov,
			uint32_t iovcnt, uint64_t offset, int rwf);
/* fdatasync(2) of the whole file. */
void tcmur_queue_fdatasync(struct tcmur_queue *queue, struct tcmur_op *op, int fd);
/* fallocate(2). */
void tcmur_queue_fallocate(struct tcmur_queue *queue, struct tcmur_op *op, int fd, int mode, uint64_t offset,
			   uint64_t len);
/* Waits once for poll(2) events; result is the events. */
void tcmur_queue_poll(struct tcmur_queue *queue, struct tcmur_op *op, int fd, uint32_t events);
/* Runs work on a blocking pool thread, then done(op, its return value) back on the queue's thread. */
void tcmur_queue_blocking(struct tcmur_queue *queue, struct tcmur_op *op, int (*work)(struct tcmur_op *op));
/*
 * The same, but these calls of one LUN run one after the other, in the order in which they were made: for
 * work that would only wait for a lock which another call holds. op lies in io->scratch and op->io is set.
 */
void tcmur_queue_blocking_serial(struct tcmur_queue *queue, struct tcmur_op *op,
				 int (*work)(struct tcmur_op *op));

/* A timer. It lies where its owner likes, for example in io->scratch, and stays there while it runs. */
struct tcmur_timer {
	void (*fn)(struct tcmur_timer *timer);
	/* The daemon's; zero before the first start. */
	uint64_t priv[4];
};
/*
 * Calls fn once on the queue's thread, not before delay_ns nanoseconds have passed. A timer that runs is
 * started anew.
 */
void tcmur_queue_timer_start(struct tcmur_queue *queue, struct tcmur_timer *timer, uint64_t delay_ns);
/* fn is not called any more. A timer that does not run is left as it is. */
void tcmur_queue_timer_stop(struct tcmur_timer *timer);

#ifdef __cplusplus
}
#endif
#endif
