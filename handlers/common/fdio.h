/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disk I/O on a file descriptor, for the handlers whose storage is a regular file or a block device. A read
 * or write is one request of the queue. Its state lies in io->scratch, and nothing is allocated.
 */
#ifndef COMMON_FDIO_H
#define COMMON_FDIO_H

#ifndef TCMUR_API_VERSION
#define TCMUR_API_VERSION 1
#endif
#include <tcmur/queue.h>

/* The way in which transfers run: the cheapest one that does not stop an event loop. */
enum fdio_way {
	FDIO_QUEUE, /* Reads and writes are requests of the queue. */
	/*
	 * Buffered writes run on the pool, one at a time for each file. With io_uring, a slow file could
	 * delay others, because the kernel gives buffered writes to workers that all files share.
	 */
	FDIO_POOL_WRITES,
	FDIO_INLINE, /* The storage is memory: transfers run at once, on the calling thread. */
};

/* Only open() writes this, so every loop may read it without a lock. */
struct fdio {
	int fd;
	enum fdio_way way;
	/*
	 * The file was opened with O_DIRECT, so buffers that are not aligned are copied through one that is.
	 */
	bool direct;
	/*
	 * Not NULL if the storage may become shorter while it is served, and if a write past its end would
	 * make it longer: such writes are refused, and past_end() is called.
	 */
	void (*past_end)(const struct fdio *fdio, uint64_t size);
	/*
	 * Used with past_end; any thread, does not block. Returns true if the storage has at least end bytes.
	 * Returns false if nothing is known, and then the size is asked for. NULL: nothing is ever known.
	 */
	bool (*reaches)(const struct fdio *fdio, uint64_t end);
	bool punch; /* fallocate() can punch holes in this file. */
};

/* The contents of io->scratch. */
struct fdio_request {
	struct tcmur_op op; /* The first member, so that work() and done() find the request. */
	const struct fdio *fdio;
	struct tcmur_queue *queue;
	uint64_t moved;    /* The number of bytes of a read or write that have been moved. */
	struct iovec rest; /* The rest of the iovec in which a short transfer ended. */
	int rwf;
	bool write;
	bool sync_after; /* FUA needs an fdatasync() after the request. */
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

/* For work(): returns the storage of the request. */
static inline const struct fdio *fdio_of(const struct tcmur_op *op)
{
	return ((const struct fdio_request *)op)->fdio;
}
#endif
