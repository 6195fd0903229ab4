/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the daemon that handlers call, for tests that load only a handler. */
#include "fake_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tcmur_queue {
	int unused;
};
static struct tcmur_queue the_queue;

struct faults faults;
struct counts counts;
static unsigned completions;
static enum tcmur_status completed_with;

int fake_daemon_reset(void **state)
{
	(void)state;
	memset(&faults, 0, sizeof(faults));
	memset(&counts, 0, sizeof(counts));
	return 0;
}

static int take(int *fault)
{
	int err = *fault;

	*fault = 0;
	return err;
}

/* --- the queue -------------------------------------------------------------------------------- */

/* Returns the first at_most bytes of iov. */
static uint32_t shorten(const struct iovec *iov, uint32_t iovcnt, struct iovec *out)
{
	size_t left = faults.at_most ? faults.at_most : SIZE_MAX;
	uint32_t n = 0;

	for (; n < iovcnt && left > 0; n++) {
		out[n] = iov[n];
		if (out[n].iov_len > left)
			out[n].iov_len = left;
		left -= out[n].iov_len;
	}
	return n;
}

static ssize_t move(int fd, const struct iovec *iov, uint32_t iovcnt, uint64_t offset, int rwf, bool write)
{
	struct iovec *part = calloc(iovcnt + 1, sizeof(*part));
	uint32_t n = shorten(iov, iovcnt, part);
	ssize_t result = write ? pwritev2(fd, part, (int)n, (off_t)offset, rwf)
			       : preadv2(fd, part, (int)n, (off_t)offset, rwf);

	if (result < 0)
		result = -errno;
	free(part);
	return result;
}

static void transfer(struct tcmur_op *op, int fd, const struct iovec *iov, uint32_t iovcnt, uint64_t offset,
		     int rwf, bool write)
{
	ssize_t result = take(&faults.transfer);

	counts.transfers++;
	counts.last_rwf = rwf;
	if (result == 0 && rwf && faults.no_dsync)
		result = -EOPNOTSUPP;
	if (result == 0)
		result = move(fd, iov, iovcnt, offset, rwf, write);
	op->done(op, (int)result);
}

void tcmur_queue_readv(struct tcmur_queue *queue, struct tcmur_op *op, int fd, const struct iovec *iov,
		       uint32_t iovcnt, uint64_t offset, int rwf)
{
	assert_ptr_equal(queue, &the_queue);
	transfer(op, fd, iov, iovcnt, offset, rwf, false);
}

void tcmur_queue_writev(struct tcmur_queue *queue, struct tcmur_op *op, int fd, const struct iovec *iov,
			uint32_t iovcnt, uint64_t offset, int rwf)
{
	assert_ptr_equal(queue, &the_queue);
	transfer(op, fd, iov, iovcnt, offset, rwf, true);
}

void tcmur_queue_fdatasync(struct tcmur_queue *queue, struct tcmur_op *op, int fd)
{
	int result = take(&faults.sync);

	assert_ptr_equal(queue, &the_queue);
	counts.syncs++;
	if (result == 0 && fdatasync(fd) < 0)
		result = -errno;
	op->done(op, result);
}

void tcmur_queue_fallocate(struct tcmur_queue *queue, struct tcmur_op *op, int fd, int mode, uint64_t offset,
			   uint64_t len)
{
	int result = take(&faults.fallocate);

	assert_ptr_equal(queue, &the_queue);
	counts.fallocates++;
	counts.last_mode = mode;
	if (result == 0 && fallocate(fd, mode, (off_t)offset, (off_t)len) < 0)
		result = -errno;
	op->done(op, result);
}

void tcmur_queue_blocking(struct tcmur_queue *queue, struct tcmur_op *op, int (*work)(struct tcmur_op *op))
{
	assert_ptr_equal(queue, &the_queue);
	counts.blocking++;
	op->done(op, work(op));
}

void tcmur_queue_blocking_serial(struct tcmur_queue *queue, struct tcmur_op *op,
				 int (*work)(struct tcmur_op *op))
{
	counts.blocking_serial++;
	tcmur_queue_blocking(queue, op, work);
}

/* --- the other functions that a handler calls --- */

void tcmur_io_complete(struct tcmur_io *io, enum tcmur_status status)
{
	completions++;
	completed_with = status;
	/* the memory does not belong to the handler any more */
	memset(io->scratch, 0xdb, TCMUR_IO_SCRATCH_MAX);
}

enum tcmur_status tcmur_status_from_errno(int err, bool write)
{
	switch (abs(err)) {
	case ENOSPC:
	case EDQUOT:
		return TCMUR_NO_SPACE;
	case ENOMEM:
		return TCMUR_NO_RESOURCE;
	case EOPNOTSUPP:
		return TCMUR_NOT_SUPPORTED;
	default:
		return write ? TCMUR_WRITE_ERROR : TCMUR_READ_ERROR;
	}
}

int tcmur_open_error(struct tcmur_open *open, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(open->error, sizeof(open->error), format, args);
	va_end(args);
	return -err;
}

char logged[512];
int kept_memory = -1;
bool kept_memory_is_found;
unsigned notes;

int tcmur_open_memory(struct tcmur_open *open, uint64_t size, bool *found)
{
	(void)open;
	if (kept_memory < 0 || ftruncate(kept_memory, (off_t)size) < 0)
		return -EOPNOTSUPP;
	*found = kept_memory_is_found;
	return dup(kept_memory);
}

void *replaced;

void *tcmur_open_replaced(const struct tcmur_open *open)
{
	(void)open;
	return replaced;
}

void tcmur_lun_written(struct tcmur_lun *lun)
{
	(void)lun;
	notes++;
}

void tcmur_log(struct tcmur_lun *lun, enum tcmur_log_level level, const char *format, ...)
{
	va_list args;

	(void)lun;
	(void)level;
	va_start(args, format);
	vsnprintf(logged, sizeof(logged), format, args);
	va_end(args);
}

const char *tcmur_open_option(const struct tcmur_open *open, const char *name, const char *fallback)
{
	for (uint32_t i = 0; i < open->noptions; i++) {
		if (strcmp(open->options[i].name, name) == 0)
			return open->options[i].value;
	}
	return fallback;
}

/* --- functions that drive a handler --- */

int fake_daemon_open(struct opening *opening, const char *state_dir, struct wanted wanted)
{
	uint32_t n = 0;

	memset(opening, 0, sizeof(*opening));
	for (; wanted.options && wanted.options[n]; n++) {
		const char *text = wanted.options[n];
		size_t len = strcspn(text, "=");

		assert_true(n < 4 && len < sizeof(opening->names[n]));
		memcpy(opening->names[n], text, len);
		opening->values[n].name = opening->names[n];
		opening->values[n].value = text + len + (text[len] == '=');
	}
	opening->open.config = wanted.config;
	opening->open.state_dir = state_dir;
	opening->open.options = opening->values;
	opening->open.noptions = n;
	opening->open.size = wanted.size;
	opening->open.block_size = wanted.block_size;
	opening->open.read_only = wanted.read_only;
	opening->open.existing = wanted.existing;
	opening->open.create = !wanted.no_create;
	/* any pointer is good, because the handler only returns it */
	opening->open.lun = (struct tcmur_lun *)opening;
	return tcmur_handler_entry()->open(&opening->open);
}

enum tcmur_status fake_daemon_io(data_callback *callback, void *handle, struct tcmur_io *io)
{
	_Alignas(16) uint8_t scratch[TCMUR_IO_SCRATCH_MAX];

	memset(scratch, 0xa5, sizeof(scratch)); /* "not zeroed" */
	io->scratch = scratch;
	completions = 0;
	callback(handle, &the_queue, io);
	assert_int_equal(completions, 1);
	io->scratch = NULL;
	return completed_with;
}

enum tcmur_status fake_daemon_read(void *handle, uint64_t offset, void *data, size_t len)
{
	struct iovec iov = {data, len};
	struct tcmur_io io = {.offset = offset, .len = len, .iov = &iov, .iovcnt = 1};

	return fake_daemon_io(tcmur_handler_entry()->read, handle, &io);
}

enum tcmur_status fake_daemon_write(void *handle, uint64_t offset, const void *data, size_t len,
				    uint32_t flags)
{
	struct iovec iov = {(void *)(uintptr_t)data, len};
	struct tcmur_io io = {.offset = offset, .len = len, .iov = &iov, .iovcnt = 1, .flags = flags};

	return fake_daemon_io(tcmur_handler_entry()->write, handle, &io);
}

enum tcmur_status fake_daemon_range(data_callback *callback, void *handle, uint64_t offset, uint64_t len,
				    uint32_t flags)
{
	struct tcmur_io io = {.offset = offset, .len = len, .flags = flags};

	return fake_daemon_io(callback, handle, &io);
}

void fill(uint8_t *data, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(((uint32_t)i * 2654435761u + seed) >> 7);
}

bool all_zero(const uint8_t *data, size_t len)
{
	return len == 0 || (data[0] == 0 && memcmp(data, data + 1, len - 1) == 0);
}
