/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads, writes and other I/O on a file descriptor, as requests of the loop's queue. The handlers open the
 * descriptor.
 */
#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(struct fdio_request) <= TCMUR_IO_SCRATCH_MAX, "fits the scratch space");

#define DIRECT_ALIGN 4096u      /* This alignment is enough for every logical block size in use. */
#define BOUNCE_LEN   (1u << 20) /* The size of an aligned buffer. It limits the memory and not the I/O. */

static struct fdio_request *request_init(const struct fdio *fdio, struct tcmur_queue *queue,
					 struct tcmur_io *io, void (*done)(struct tcmur_op *op, int result))
{
	struct fdio_request *request = io->scratch;

	request->op.done = done;
	request->op.io = io;
	request->fdio = fdio;
	request->queue = queue;
	request->moved = 0;
	request->rwf = 0;
	request->write = true;
	request->sync_after = false;
	return request;
}

/* --- completion ------------------------------------------------------------------------------- */

/* A result that the kernel never returns. It means that the I/O reaches past the end of the storage. */
#define PAST_END INT_MIN

/*
 * Returns the size of a regular file in bytes, or UINT64_MAX if the kernel does not report it. A network file
 * system does not ask its server for the size, so this does not block.
 */
static uint64_t file_size(int fd)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &stx) < 0)
		return UINT64_MAX;
	return stx.stx_size;
}

/*
 * Completes an I/O past the end, whose blocks cannot be read. For a write, the status also tells the
 * initiator which blocks are lost.
 */
static void complete_past_end(struct fdio_request *request)
{
	const struct fdio *fdio = request->fdio;
	struct tcmur_io *io = request->op.io;

	if (fdio->past_end) {
		uint64_t size = file_size(fdio->fd);

		fdio->past_end(fdio, size);
		if (size < io->offset + io->len)
			request->moved = size > io->offset ? size - io->offset : 0;
	}
	io->miscompare_offset = request->moved;
	tcmur_io_complete(io, TCMUR_READ_ERROR);
}

static void complete(struct fdio_request *request, int result)
{
	if (result == PAST_END)
		complete_past_end(request);
	else
		tcmur_io_complete(request->op.io,
				  result < 0 ? tcmur_status_from_errno(result, request->write) : TCMUR_OK);
}

static void synced(struct tcmur_op *op, int result)
{
	complete((struct fdio_request *)op, result);
}

/* The function done() of all requests except readv and writev of a queue. */
static void finish(struct tcmur_op *op, int result)
{
	struct fdio_request *request = (struct fdio_request *)op;

	if (result < 0 || !request->sync_after) {
		complete(request, result);
		return;
	}
	op->done = synced;
	tcmur_queue_fdatasync(request->queue, op, request->fdio->fd);
}

/* --- places in the iovec array ---------------------------------------------------------------- */

struct place {
	const struct iovec *iov;
	uint32_t iovcnt; /* The number of iovecs, counted from iov. */
	size_t skip;     /* The number of bytes to skip in the first iovec. */
};

static struct place place_at(const struct tcmur_io *io, uint64_t offset)
{
	struct place place = {.iov = io->iov, .iovcnt = io->iovcnt, .skip = offset};

	while (place.iovcnt > 0 && place.skip >= place.iov->iov_len) {
		place.skip -= place.iov->iov_len;
		place.iov++;
		place.iovcnt--;
	}
	return place;
}

enum copy { COPY_FROM_IOV, COPY_TO_IOV };

/* Moves len bytes between the buffer and the iovec array. offset is the position in the array. */
static void copy_iov(const struct tcmur_io *io, uint64_t offset, void *buffer, uint64_t len, enum copy how)
{
	struct place place = place_at(io, offset);
	char *flat = buffer;

	for (; len > 0 && place.iovcnt > 0; place.iov++, place.iovcnt--, place.skip = 0) {
		size_t n = place.iov->iov_len - place.skip;
		char *piece = (char *)place.iov->iov_base + place.skip;

		if (n > len)
			n = len;
		len -= n;
		if (n == 0)
			continue;
		if (how == COPY_FROM_IOV)
			memcpy(flat, piece, n);
		else
			memcpy(piece, flat, n);
		flat += n;
	}
}

/* --- read and write ------------------------------------------------------------------------------ */

/* The part of the data that is moved next. */
struct piece {
	const struct iovec *iov;
	uint32_t iovcnt;
	off_t offset;
};

/*
 * Returns the piece to move next. After a short transfer that ended inside an iovec, the rest of this iovec
 * is moved alone, because io->iov must not be changed.
 */
static struct piece next_piece(struct fdio_request *request)
{
	struct tcmur_io *io = request->op.io;
	struct place place = place_at(io, request->moved);
	struct piece piece = {place.iov, place.iovcnt < IOV_MAX ? place.iovcnt : IOV_MAX,
			      (off_t)(io->offset + request->moved)};

	if (place.skip > 0) {
		request->rest.iov_base = (char *)place.iov->iov_base + place.skip;
		request->rest.iov_len = place.iov->iov_len - place.skip;
		piece.iov = &request->rest;
		piece.iovcnt = 1;
	}
	return piece;
}

/* Any thread. Moves the next piece at once. Returns the number of bytes, or -errno. */
static int move(struct tcmur_op *op)
{
	struct fdio_request *request = (struct fdio_request *)op;
	struct piece piece = next_piece(request);
	int fd = request->fdio->fd;
	ssize_t n = request->write ? pwritev2(fd, piece.iov, (int)piece.iovcnt, piece.offset, request->rwf)
				   : preadv2(fd, piece.iov, (int)piece.iovcnt, piece.offset, 0);

	return n < 0 ? -errno : (int)n;
}

static void transferred(struct tcmur_op *op, int result);

/*
 * Starts a buffered write on the pool. The kernel holds the inode's lock while it copies the data of a
 * buffered write, so several threads that write to the same file would only wait for each other. With FUA,
 * the thread waits for the disk afterwards without holding the lock, so such writes do become faster if they
 * run at the same time.
 */
static void start_buffered_write(struct fdio_request *request)
{
	if (request->rwf)
		tcmur_queue_blocking(request->queue, &request->op, move);
	else
		tcmur_queue_blocking_serial(request->queue, &request->op, move);
}

static void transfer(struct fdio_request *request)
{
	const struct fdio *fdio = request->fdio;

	if (fdio->way == FDIO_INLINE) {
		transferred(&request->op, move(&request->op));
		return;
	}
	if (fdio->way == FDIO_POOL_WRITES && request->write) {
		start_buffered_write(request);
		return;
	}
	struct piece piece = next_piece(request);
	if (request->write)
		tcmur_queue_writev(request->queue, &request->op, fdio->fd, piece.iov, piece.iovcnt,
				   (uint64_t)piece.offset, request->rwf);
	else
		tcmur_queue_readv(request->queue, &request->op, fdio->fd, piece.iov, piece.iovcnt,
				  (uint64_t)piece.offset, 0);
}

/*
 * Returns whether EINVAL of a direct read means the end of the file. On some file systems, a direct read
 * fails with EINVAL if the end of the file is inside a block.
 */
static bool is_past_end(int fd, off_t offset)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && offset >= st.st_size;
}

/*
 * Moves up to BOUNCE_LEN bytes of the remaining data through the buffer. Returns 0 at the end of the storage,
 * or -errno.
 */
static ssize_t bounce_once(const struct fdio_request *request, char *buffer)
{
	const struct tcmur_io *io = request->op.io;
	uint64_t left = io->len - request->moved;
	size_t len = left < BOUNCE_LEN ? (size_t)left : BOUNCE_LEN;
	off_t offset = (off_t)(io->offset + request->moved);
	ssize_t n;

	if (request->write) {
		copy_iov(io, request->moved, buffer, len, COPY_FROM_IOV);
		n = TEMP_FAILURE_RETRY(pwrite(request->fdio->fd, buffer, len, offset));
		return n < 0 ? -errno : n;
	}
	n = TEMP_FAILURE_RETRY(pread(request->fdio->fd, buffer, len, offset));
	if (n < 0) {
		int err = errno;

		return err == EINVAL && is_past_end(request->fdio->fd, offset) ? 0 : -err;
	}
	copy_iov(io, request->moved, buffer, (uint64_t)n, COPY_TO_IOV);
	return n;
}

/* Called on a pool thread. Moves the remaining data through an aligned buffer. */
static int bounce(struct tcmur_op *op)
{
	struct fdio_request *request = (struct fdio_request *)op;
	char *buffer = aligned_alloc(DIRECT_ALIGN, BOUNCE_LEN);
	ssize_t n = 1;

	if (!buffer)
		return -ENOMEM;
	while (n > 0 && request->moved < op->io->len) {
		n = bounce_once(request, buffer);
		if (n > 0)
			request->moved += (uint64_t)n;
	}
	free(buffer);
	if (n == 0)
		return request->write ? -EIO : PAST_END;
	return n < 0 ? (int)n : 0;
}

/*
 * Starts a copy through an aligned buffer, because the kernel has refused the alignment of the I/O's own
 * buffer. This is rare, because the daemon's buffers are aligned.
 */
static void start_bounce(struct fdio_request *request)
{
	request->sync_after = request->sync_after || request->rwf != 0;
	request->op.done = finish;
	tcmur_queue_blocking(request->queue, &request->op, bounce);
}

static void transferred(struct tcmur_op *op, int result)
{
	struct fdio_request *request = (struct fdio_request *)op;
	struct tcmur_io *io = op->io;

	if (result >= 0) {
		request->moved += (uint64_t)result;
		if (request->moved == io->len)
			finish(op, 0);
		else if (result > 0)
			transfer(request);
		else
			finish(op, request->write ? -EIO : PAST_END);
	} else if (result == -EINTR) {
		transfer(request);
	} else if (result == -EINVAL && request->fdio->direct) {
		start_bounce(request);
	} else if (result == -EOPNOTSUPP && request->rwf) {
		/*
		 * This file system has no RWF_DSYNC, so the data is written first and made stable afterwards.
		 */
		request->rwf = 0;
		request->sync_after = true;
		transfer(request);
	} else {
		finish(op, result);
	}
}

void fdio_read(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct fdio_request *request = request_init(fdio, queue, io, transferred);

	request->write = false;
	transfer(request);
}

/*
 * Completes I/O that would write past the end of the storage, because such a write would make the storage
 * longer.
 */
static bool refuse_past_end(struct fdio_request *request)
{
	const struct fdio *fdio = request->fdio;
	uint64_t end = request->op.io->offset + request->op.io->len;

	if (!fdio->past_end || (fdio->reaches && fdio->reaches(fdio, end)) || end <= file_size(fdio->fd))
		return false;
	complete(request, PAST_END);
	return true;
}

void fdio_write(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct fdio_request *request = request_init(fdio, queue, io, transferred);

	if (refuse_past_end(request))
		return;
	if (io->flags & TCMUR_IO_FUA)
		request->rwf = RWF_DSYNC;
	transfer(request);
}

/* --- flush, unmap, zeroes --------------------------------------------------------------------- */

void fdio_flush(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct fdio_request *request = request_init(fdio, queue, io, synced);

	tcmur_queue_fdatasync(queue, &request->op, fdio->fd);
}

/*
 * Is called when an UNMAP has ended. A block device that could zero when it was opened may be unable to do so
 * later, for example a disk that has refused once, or a loop device on tmpfs in Linux 6.11 to 6.16. UNMAP is
 * only a request (SBC-4 5.33): blocks that are not deallocated keep their contents.
 */
static void unmapped(struct tcmur_op *op, int result)
{
	finish(op, result == -EOPNOTSUPP ? 0 : result);
}

void fdio_unmap(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct fdio_request *request = request_init(fdio, queue, io, unmapped);

	if (refuse_past_end(request))
		return;
	request->sync_after = io->flags & TCMUR_IO_FUA;
	tcmur_queue_fallocate(queue, &request->op, fdio->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      io->offset, io->len);
}

/* Called on a pool thread. */
static int write_zeros(struct tcmur_op *op)
{
	static _Alignas(DIRECT_ALIGN) char zeros[1u << 16];
	struct fdio_request *request = (struct fdio_request *)op;
	struct tcmur_io *io = op->io;

	while (request->moved < io->len) {
		uint64_t left = io->len - request->moved;
		size_t len = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);
		ssize_t n = TEMP_FAILURE_RETRY(
		    pwrite(request->fdio->fd, zeros, len, (off_t)(io->offset + request->moved)));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		request->moved += (uint64_t)n;
	}
	return 0;
}

static void zeroed(struct tcmur_op *op, int result)
{
	struct fdio_request *request = (struct fdio_request *)op;

	op->done = finish;
	if (result == -EOPNOTSUPP) /* tmpfs, NFS and other file systems cannot zero a range. */
		tcmur_queue_blocking(request->queue, op, write_zeros);
	else
		finish(op, result);
}

void fdio_write_zeroes(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct fdio_request *request = request_init(fdio, queue, io, zeroed);
	bool unmap = fdio->punch && !(io->flags & TCMUR_IO_NO_UNMAP);

	if (refuse_past_end(request))
		return;
	request->sync_after = io->flags & TCMUR_IO_FUA;
	tcmur_queue_fallocate(queue, &request->op, fdio->fd,
			      (unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE) | FALLOC_FL_KEEP_SIZE,
			      io->offset, io->len);
}

void fdio_blocking(const struct fdio *fdio, struct tcmur_queue *queue, struct tcmur_io *io, bool write,
		   int (*work)(struct tcmur_op *op))
{
	struct fdio_request *request = request_init(fdio, queue, io, finish);

	request->write = write;
	request->sync_after = write && (io->flags & TCMUR_IO_FUA);
	tcmur_queue_blocking(queue, &request->op, work);
}
