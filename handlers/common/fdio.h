/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disk I/O on a file descriptor, for the handlers whose storage is one: regular files and block
 * devices. A read or write is one request of the queue, its state lives in io->scratch, and nothing
 * is allocated.
 */
#ifndef COMMON_FDIO_H
#define COMMON_FDIO_H

#ifndef TCMUR_API_VERSION
#define TCMUR_API_VERSION 1
#endif
#include <tcmur/queue.h>

/* How transfers run, the cheapest way that does not stop an event loop. */
enum fdio_way {
	FDIO_QUEUE, /* reads and writes by the queue */
	/* Buffered writes on the pool, one at a time for one file. With io_uring a slow file could
	 * delay others, because the kernel gives buffered writes to workers that files share. */
	FDIO_POOL_WRITES,
	FDIO_INLINE, /* the storage is memory: at once, on the calling thread */
};

/* Written by open() only, so that every loop may read it without a lock. */
struct fdio {
	int fd;
	enum fdio_way way;
	bool direct; /* opened with O_DIRECT: unaligned buffers go through an aligned one */
	/* The storage may get shorter while it is served, and a write past its end would lengthen
	 * it: such writes are refused, and past_end() is called. NULL: neither is needed. */
	void (*past_end)(const struct fdio *fdio, uint64_t size);
	/* With past_end; any thread, does not block. True: the storage has at least end bytes. False: nothing
	 * is known, and the size is asked for. NULL: nothing is ever known. */
	bool (*reaches)(const struct fdio *fdio, uint64_t end);
	bool punch; /* fallocate() punches holes here */
};

/* What io->scratch holds. */
struct fdio_request {
	struct tcmur_op op; /* first, so that work() and done() find the request */
	const struct fdio *fdio;
	struct tcmur_queue *queue;
	uint64_t moved;    /* bytes of a read or write that are done */
	struct iovec rest; /* of an iovec that a short transfer ended in */
	int rwf;
	bool write;
	bool sync_after; /* FUA needs an fdatasync() after the request */
};

/* Data callbacks: on the queue's thread, never block, complete the I/O exactly once. */
void fdio_read(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io);
void fdio_write(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io);
void fdio_flush(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io);
/* Only where fdio->punch. */
void fdio_unmap(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io);
void fdio_write_zeroes(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io);
/* Runs work on a pool thread and completes the I/O by what it returns: 0 or -errno. */
void fdio_blocking(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io, bool write,
		   int (*work)(struct tcmur_op *op));

/* For work(): the storage of the request. */
static inline const struct fdio *fdio_of(const struct tcmur_op *op)
{
	return ((const struct fdio_request *)op)->fdio;
}
#endif
