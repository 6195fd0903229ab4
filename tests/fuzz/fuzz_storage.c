/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handler in memory below the real backstore, and the parts of the loop library that fake_loop.c does not
 * have. Everything runs on one thread, so that the same input always does the same. The handler lacks most
 * optional callbacks, so the backstore emulates them; this is the code that the fuzzer should reach.
 */
#include "fuzz_storage.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backstore/private.h"
#include "fake_loop.h"
#include "util/bytes.h"

#define MEMORY (128u << 10) /* A power of two; larger storage repeats these bytes. */

static uint8_t memory[MEMORY];
static uint64_t size;
static enum tcmur_status next_failure;
/* The list of struct request, linked by its member node. */
static struct list at_handler = LIST_INIT(at_handler);

/* One I/O that the handler has received; it lies in the I/O's scratch space. */
struct request {
	struct list node;
	struct tcmur_io *io;
	bool writes;
};
_Static_assert(sizeof(struct request) <= TCMUR_IO_SCRATCH_MAX, "a request fits in the scratch");

/* --- the handler ----------------------------------------------------------------------------- */

static void copy(struct tcmur_io *io, bool writes)
{
	uint64_t at = io->offset;

	for (uint32_t i = 0; i < io->iovcnt; i++) {
		uint8_t *p = io->iov[i].iov_base;

		for (size_t k = 0; k < io->iov[i].iov_len && at < io->offset + io->len; k++, at++) {
			if (writes)
				memory[at % MEMORY] = p[k];
			else
				p[k] = memory[at % MEMORY];
		}
	}
	assert(at == io->offset + io->len);
}

static void queue_io(struct tcmur_io *io, bool writes)
{
	struct request *request = io->scratch;

	*request = (struct request){.io = io, .writes = writes};
	list_add_tail(&at_handler, &request->node);
}

static void handler_read(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)handle;
	(void)queue;
	queue_io(io, false);
}

static void handler_write(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)handle;
	(void)queue;
	queue_io(io, true);
}

static void handler_no_data(void *handle, struct tcmur_queue *queue, struct tcmur_io *io)
{
	(void)handle;
	(void)queue;
	assert(!io->iovcnt);
	queue_io(io, false);
}

static uint32_t handler_data(void *handle, uint64_t offset, uint64_t len, struct iovec *iov, uint32_t max)
{
	(void)handle;
	if (!max || offset % MEMORY + len > MEMORY)
		return 0;
	iov[0] = (struct iovec){memory + offset % MEMORY, len};
	return 1;
}

static int handler_usage(void *handle, struct tcmur_usage *usage)
{
	(void)handle;
	*usage = (struct tcmur_usage){.used = size / 2, .available = size / 4};
	return 0;
}

static int handler_refresh(void *handle, struct tcmur_info *info)
{
	(void)handle;
	info->size = size;
	return 0;
}

static void handler_close(void *handle)
{
	(void)handle;
}

bool fuzz_storage_end_io(void)
{
	struct list *node = list_pop(&at_handler);
	struct request *request = node ? list_entry(node, struct request, node) : NULL;
	enum tcmur_status status = next_failure;

	if (!request)
		return false;
	next_failure = TCMUR_OK;
	if (status == TCMUR_OK && request->io->iovcnt)
		copy(request->io, request->writes);
	fake_loop_enter(container_of(request->io, struct backstore_io, io)->loop);
	tcmur_io_complete(request->io, status);
	fake_loop_enter(fake_loop(0));
	return true;
}

void fuzz_storage_fail_next(enum tcmur_status status)
{
	next_failure = status;
}

/* --- the backstore --------------------------------------------------------------------------- */

static struct handler handler;

static void set_up_handler(uint8_t how)
{
	handler = (struct handler){
	    .api =
		{
		    .name = "fuzz",
		    .thread_model = how & 1 ? TCMUR_PARALLEL : TCMUR_ASYNC,
		    .io_size = sizeof(struct request),
		    .read = handler_read,
		    .write = handler_write,
		    .flush = how & 2 ? handler_no_data : NULL,
		    .unmap = handler_no_data,
		    .usage = handler_usage,
		    .refresh = handler_refresh,
		    .close = handler_close,
		    .data = how & 4 ? handler_data : NULL,
		},
	};
	loop_lane_init(&handler.lane);
}

struct backstore *fuzz_storage_open(struct loop_set *set, uint8_t how)
{
	static const struct backstore_spec spec = {.name = "fuzz", .config = "fuzz/storage"};
	uint32_t block = how & 8 ? 4096 : 512;
	struct backstore *bs;

	set_up_handler(how);
	memset(memory, 0, sizeof(memory));
	next_failure = TCMUR_OK;
	size = 64 * block;
	bs = backstore_allocate(set, &handler, &spec);
	assert(bs);
	bs->handle = &handler;
	bs->info = (struct tcmur_info){
	    .size = size,
	    .block_size = block,
	    .thin = true,
	    .unmap_zeroes = false,
	    .write_cache = how & 2,
	    .max_io = how & 16 ? block : 0,
	    .max_unmap = how & 32 ? 2 * block : 0,
	};
	assert(info_normalize(&handler, &spec, &bs->info, NULL) == 0);
	atomic_store_explicit(&bs->size, bs->info.size, memory_order_relaxed);
	refresh_begin(bs);
	return bs;
}

void fuzz_storage_close(struct backstore *bs)
{
	assert(list_empty(&at_handler));
	/* backstore_close() would wait for the threads of the loops, which do not exist here. */
	fuzz_storage_run_jobs();
	refresh_end(bs);
	assert(bs->range.waiting == 0 && !bs->range.is_draining && bs->pool_calls == 0);
	for (unsigned i = 0; i < bs->set->nloops; i++)
		assert(list_empty(&bs->loops[i].inflight));
	backstore_unref(bs);
	loop_lane_destroy(&handler.lane);
}

void fuzz_storage_resize(struct backstore *bs, uint8_t choice)
{
	uint32_t block = bs->info.block_size;
	const uint64_t blocks[] = {64, 1, 8, 63, 200, UINT32_MAX, 1ull << 32, (1ull << 34) + 1};

	size = blocks[choice % ARRAY_SIZE(blocks)] * block;
	backstore_refresh(bs);
}

/* --- the rest of the loop library ------------------------------------------------------------ */

static struct loop_pool_job *first_job, **last_job = &first_job;

void loop_pool_submit(struct loop_pool *pool, struct loop_pool_job *job)
{
	(void)pool;
	job->next = NULL;
	*last_job = job;
	last_job = &job->next;
}

bool loop_pool_cancel(struct loop_pool *pool, struct loop_pool_job *job)
{
	(void)pool;
	for (struct loop_pool_job **link = &first_job; *link; link = &(*link)->next) {
		if (*link != job)
			continue;
		*link = job->next;
		if (!*link)
			last_job = link;
		return true;
	}
	return false;
}

/* A job runs outside of any loop, as on a thread of the pool. */
bool fuzz_storage_run_job(void)
{
	struct loop_pool_job *job = first_job;

	if (!job)
		return false;
	first_job = job->next;
	if (!first_job)
		last_job = &first_job;
	fake_loop_enter(NULL);
	job->fn(job);
	fake_loop_enter(fake_loop(0));
	return true;
}

void fuzz_storage_run_jobs(void)
{
	while (fuzz_storage_run_job())
		;
}

uint64_t loop_pulse_now_ns(struct loop *loop)
{
	(void)loop;
	return 1000;
}

/* The handler calls none of these functions of the loop. */
#define NOT_CALLED(name, ...)      \
	void name(__VA_ARGS__)     \
	{                          \
		assert(!"called"); \
	}
#pragma GCC diagnostic ignored "-Wunused-parameter"
NOT_CALLED(loop_readv, struct loop *loop, struct loop_op *op, int fd, const struct iovec *iov,
	   unsigned iovcnt, uint64_t offset, int rwf)
NOT_CALLED(loop_writev, struct loop *loop, struct loop_op *op, int fd, const struct iovec *iov,
	   unsigned iovcnt, uint64_t offset, int rwf)
NOT_CALLED(loop_fdatasync, struct loop *loop, struct loop_op *op, int fd)
NOT_CALLED(loop_fallocate, struct loop *loop, struct loop_op *op, int fd, int mode, uint64_t offset,
	   uint64_t len)
NOT_CALLED(loop_poll, struct loop *loop, struct loop_op *op, int fd, uint32_t events)
NOT_CALLED(loop_cancel, struct loop *loop, struct loop_op *op)

void fake_run(void)
{
	do {
		fake_run_posted();
	} while (fuzz_storage_run_job() || fuzz_storage_end_io());
}
