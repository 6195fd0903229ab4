/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handler that does what a test's script says. It is built several times: HANDLER is its name, MODEL its
 * thread model, MINIMAL leaves out everything except read and write, CDB_ONLY leaves out these two, and
 * CANCELS adds cancel.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "script.h"

#include <tcmur/queue.h>

struct scratch {
	struct tcmur_op op; /* The first member: work() finds the request from its op. */
	struct script *script;
	enum tcmur_status status;
};

static void note_most(unsigned *most, unsigned now)
{
	unsigned seen = __atomic_load_n(most, __ATOMIC_RELAXED);

	while (now > seen &&
	       !__atomic_compare_exchange_n(most, &seen, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void count(struct script *script, enum script_call call, const struct tcmur_io *io)
{
	uint64_t longest = __atomic_load_n(&script->longest, __ATOMIC_RELAXED);

	__atomic_add_fetch(&script->calls[call], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&script->bytes, io->len, __ATOMIC_RELAXED);
	if (io->len > longest)
		__atomic_store_n(&script->longest, io->len, __ATOMIC_RELAXED);
	if (call != SCRIPT_READ)
		__atomic_store_n(&script->flags, io->flags, __ATOMIC_RELAXED);
	note_most(&script->most_running, __atomic_add_fetch(&script->running, 1, __ATOMIC_RELAXED));
}

static void complete(struct script *script, struct tcmur_io *io, enum tcmur_status status)
{
	bool twice = script->twice;

	__atomic_sub_fetch(&script->running, 1, __ATOMIC_RELAXED);
	tcmur_io_complete(io, status);
	if (twice)
		tcmur_io_complete(io, status);
}

static int work(struct tcmur_op *op)
{
	usleep(((struct scratch *)(void *)op)->script->delay_us);
	return 7;
}

static void worked(struct tcmur_op *op, int result)
{
	struct scratch *scratch = (struct scratch *)(void *)op;

	complete(scratch->script, op->io, result == 7 ? scratch->status : TCMUR_HARDWARE_ERROR);
}

/* Ends the call with this status, or in the way that the script says. */
static void end(struct script *script, struct tcmur_queue *queue, struct tcmur_io *io,
		enum tcmur_status status)
{
	struct scratch *scratch = io->scratch;

	if (script->fail && io->offset <= script->fail_offset && script->fail_offset < io->offset + io->len)
		status = script->fail;
	if (script->parks)
		return;
	if (script->delay_us && queue) {
		*scratch =
		    (struct scratch){.op = {.done = worked, .io = io}, .script = script, .status = status};
		tcmur_queue_blocking(queue, &scratch->op, work);
		return;
	}
	if (script->delay_us)
		usleep(script->delay_us);
	complete(script, io, status);
}

/*
 * Copies or compares the medium and iov, from the byte skip of iov on. When comparing, returns the first byte
 * that differs.
 */
enum copy { FROM_MEDIUM, TO_MEDIUM, COMPARE };
static uint64_t copy(struct script *script, struct tcmur_io *io, uint64_t skip, enum copy how)
{
	uint64_t done = 0;

	for (uint32_t i = 0; i < io->iovcnt && done < io->len; i++) {
		uint8_t *at = io->iov[i].iov_base, *medium = &script->media[io->offset + done];
		size_t len = io->iov[i].iov_len, skipped = skip < len ? skip : len;

		skip -= skipped;
		at += skipped;
		len -= skipped;
		if (len > io->len - done)
			len = io->len - done;
		if (how == FROM_MEDIUM)
			memcpy(at, medium, len);
		else if (how == TO_MEDIUM)
			memcpy(medium, at, len);
		else
			for (size_t k = 0; k < len; k++)
				if (at[k] != medium[k])
					return done + k;
		done += len;
	}
	return done;
}

static void scripted_read(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	count(handle, SCRIPT_READ, io);
	copy(handle, io, 0, FROM_MEDIUM);
	end(handle, queue, io, TCMUR_OK);
}

static void scripted_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	count(handle, SCRIPT_WRITE, io);
	copy(handle, io, 0, TO_MEDIUM);
	end(handle, queue, io, TCMUR_OK);
}

#ifndef MINIMAL
static void scripted_flush(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	count(handle, SCRIPT_FLUSH, io);
	end(handle, queue, io, TCMUR_OK);
}

static void zero(struct script *script, enum script_call call, struct tcmur_queue *queue, struct tcmur_io *io)
{
	count(script, call, io);
	memset(script->media + io->offset, 0, io->len);
	end(script, queue, io, TCMUR_OK);
}

static void scripted_unmap(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	zero(handle, SCRIPT_UNMAP, queue, io);
}

#ifndef NO_ZEROES
static void scripted_write_zeroes(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	zero(handle, SCRIPT_WRITE_ZEROES, queue, io);
}
#endif

static void scripted_write_same(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	struct script *script = handle;
	uint64_t block = script->info.block_size, left = io->len;
	struct tcmur_io one = *io;

	count(script, SCRIPT_WRITE_SAME, io);
	for (one.len = block; left; left -= block, one.offset += block)
		copy(script, &one, 0, TO_MEDIUM);
	end(script, queue, io, TCMUR_OK);
}

static void scripted_compare_and_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	count(handle, SCRIPT_COMPARE_AND_WRITE, io);
	io->miscompare_offset = copy(handle, io, 0, COMPARE);
	if (io->miscompare_offset < io->len) {
		end(handle, queue, io, TCMUR_MISCOMPARE);
		return;
	}
	copy(handle, io, io->len, TO_MEDIUM);
	end(handle, queue, io, TCMUR_OK);
}

static void scripted_extents(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	count(handle, SCRIPT_EXTENTS, io);
	if (io->max_extents)
		io->extents[io->nextents++] =
		    (struct tcmur_extent){io->offset, io->len, TCMUR_EXTENT_ANCHORED};
	end(handle, queue, io, TCMUR_OK);
}

static uint32_t scripted_data(void *handle, uint64_t offset, uint64_t len, struct iovec *iov, uint32_t iovcnt)
{
	struct script *script = handle;

	if (!script->lends || !iovcnt)
		return 0;
	iov[0] = (struct iovec){script->media + offset, len};
	return 1;
}

/* Executes only TEST UNIT READY. The answer CONDITION MET shows a test that the handler has executed it. */
static bool scripted_scsi(void *handle, struct tcmur_queue *queue, struct tcmur_scsi *cmd)
{
	(void)handle;
	(void)queue;
	if (cmd->cdb[0] != 0)
		return false;
	tcmur_scsi_complete(cmd, 0x04);
	return true;
}
#endif

#ifdef CANCELS
static void scripted_cancel(void *handle, struct tcmur_io *io)
{
	struct script *script = handle;

	__atomic_add_fetch(&script->cancels, 1, __ATOMIC_RELAXED);
	complete(script, io, TCMUR_ABORTED);
}
#endif

static int scripted_open(struct tcmur_open *open)
{
	void *address;
	struct script *script;

	if (sscanf(open->config, "%p", &address) != 1)
		return tcmur_open_error(open, EINVAL, "no script");
	script = address;
	if (script->open_error)
		return tcmur_open_error(open, script->open_error, "scripted: %s",
					strerror(script->open_error));
	open->info = script->info;
	open->handle = script;
	if (*tcmur_open_option(open, "text", ""))
		tcmur_log(open->lun, TCMUR_LOG_INFO, "text=%s", tcmur_open_option(open, "text", ""));
	return 0;
}

static void scripted_close(void *handle)
{
	__atomic_add_fetch(&((struct script *)handle)->closes, 1, __ATOMIC_RELAXED);
}

static int scripted_refresh(void *handle, struct tcmur_info *info)
{
	struct script *script = handle;

	info->size = __atomic_load_n(&script->info.size, __ATOMIC_RELAXED);
	__atomic_add_fetch(&script->refreshes, 1, __ATOMIC_RELAXED);
	return 0;
}

#ifndef MINIMAL
static int scripted_resize(void *handle, uint64_t size)
{
	struct script *script = handle;

	if (!script->resize_error)
		__atomic_store_n(&script->info.size, size, __ATOMIC_RELAXED);
	return -script->resize_error;
}

static int scripted_usage(void *handle, struct tcmur_usage *usage)
{
	const struct script *script = handle;

	*usage = script->usage;
	return -script->usage_error;
}
#endif

static const struct tcmur_option options[] = {{"text", "a text that the handler logs (empty)"}, {NULL, NULL}};

static struct tcmur_handler scripted = {
    .io_size = sizeof(struct scratch),
    .name = HANDLER,
    .summary = "Behaves as a test demands",
    .config_desc = "the address of a script",
    .options = options,
    .open = scripted_open,
    .close = scripted_close,
    .refresh = scripted_refresh,
    .read = scripted_read,
    .write = scripted_write,
#ifndef MINIMAL
    .flush = scripted_flush,
    .unmap = scripted_unmap,
#ifndef NO_ZEROES
    .write_zeroes = scripted_write_zeroes,
#endif
    .write_same = scripted_write_same,
    .compare_and_write = scripted_compare_and_write,
    .extents = scripted_extents,
    .data = scripted_data,
    .scsi = scripted_scsi,
    .resize = scripted_resize,
    .usage = scripted_usage,
#endif
#ifdef CANCELS
    .cancel = scripted_cancel,
#endif
};

/*
 * As if the handler was built before flush and later members were added: these bytes do not belong to the
 * handler.
 */
#ifdef OLD
struct tcmur_handler *tcmur_handler_entry(void)
{
	scripted.struct_size = offsetof(struct tcmur_handler, flush);
	scripted.api_version = 1;
	scripted.thread_model = MODEL;
	return &scripted;
}
#elif defined CDB_ONLY /* not a disk */
struct tcmur_handler *tcmur_handler_entry(void)
{
	scripted.struct_size = sizeof(scripted);
	scripted.api_version = 1;
	scripted.thread_model = MODEL;
	scripted.read = scripted.write = NULL;
	return &scripted;
}
#else
TCMUR_REGISTER_HANDLER(scripted, MODEL)
#endif
