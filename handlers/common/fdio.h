/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disk I/O on a file descriptor, for handlers whose storage is a regular file or a block device. A read or
 * write is one request of the queue. Its state is in io->scratch, and nothing is allocated.
 */
#ifndef COMMON_FDIO_H
#define COMMON_FDIO_H

#ifndef TCMUR_API_VERSION
#define TCMUR_API_VERSION 1
#endif
#include <tcmur/queue.h>

/* The way in which transfers are executed: the cheapest one that does not block an event loop. */
enum fdio_way {
	FDIO_QUEUE, /* Reads and writes are requests of the queue. */
	/*
	 * Buffered writes run on the pool, one at a time for each file. With io_uring, a slow file could
	 * delay others, because the kernel gives buffered writes to workers that all files share.
	 */
	FDIO_POOL_WRITES,
	FDIO_INLINE, /* The storage is memory: transfers run at once, on the calling thread. */
};

/* Only open() writes this structure, so every loop may read it without a lock. */
struct fdio {
	int fd;
	enum fdio_way way;
	/*
	 * Whether the file was opened with O_DIRECT. Buffers that are not aligned are then copied through an
	 * aligned one.
	 */
	bool direct;
	/*
	 * Not NULL if the storage may become shorter while it is served, and a write past its end would
	 * lengthen it. Such writes are refused, and past_end() is called.
	 */
	void (*past_end)(const struct fdio *fdio, uint64_t size);
	/*
	 * For past_end. Any thread; does not block. Returns true if the storage has at least end bytes.
	 * Returns false if this is unknown; the size is then asked for. NULL has the same meaning as a
	 * function that always returns false.
	 */
	bool (*reaches)(const struct fdio *fdio, uint64_t end);
	bool punch; /* fallocate() can punch holes in this file. */
};

/* The contents of io->scratch. */
struct fdio_request {
	struct tcmur_op op; /* This must be the first member, so that work() and done() find the request. */
	const struct fdio *fdio;
	struct tcmur_queue *queue;
	uint64_t moved;    /* For a read or write: the number of bytes that have been moved. */
	struct iovec rest; /* The rest of the iovec inside which a short transfer ended. */
	int rwf;
	bool write;
	bool sync_after; /* Whether FUA needs an fdatasync() after the request. */
};

/* Data callbacks. They run on the queue's thread, never block, and complete the I/O exactly once. */
void fdio_read(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io);
void fdio_write(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io);
void fdio_flush(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io);
/* May only be used if fdio->punch is true. */
void fdio_unmap(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io);
void fdio_write_zeroes(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io);
/* Runs work on a pool thread, and completes the I/O with its return value, which is 0 or -errno. */
void fdio_blocking(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io, bool write,
		   int (*work)(struct tcmur_op *op));

/* For work(). Returns the storage of the request. */
static inline const struct fdio *fdio_of(const struct tcmur_op *op)
{
	return ((const struct fdio_request *)op)->fdio;
}
#endif
