/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backstore of fakes.h, in memory. It checks that the device server keeps the contract, and ends its I/O
 * when the test says so.
 */
#include "fakes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/iov.h"

static struct list living = LIST_INIT(living);

struct backstore *fake_backstore_new(uint64_t size, uint32_t block_size)
{
	struct backstore *bs = calloc(1, sizeof(*bs));

	assert(bs && size % block_size == 0);
	bs->info = (struct tcmur_info){
	    .size = size, .block_size = block_size, .write_cache = true, .thin = true, .unmap_zeroes = true};
	bs->size = size;
	bs->data = calloc(1, size);
	bs->extent = malloc(size / block_size);
	assert(bs->data && bs->extent);
	memset(bs->extent, TCMUR_EXTENT_DEALLOCATED, size / block_size);
	list_init(&bs->held);
	list_add_tail(&living, &bs->node);
	return bs;
}

void fake_backstore_free(struct backstore *bs)
{
	assert(list_empty(&bs->held));
	list_del(&bs->node);
	free(bs->data);
	free(bs->extent);
	free(bs);
}

void fake_backstore_resize(struct backstore *bs, uint64_t size)
{
	assert(size <= bs->info.size);
	bs->size = size;
	if (bs->resized)
		bs->resized(bs->resized_arg, size);
}

const struct fake_call *fake_last(const struct backstore *bs)
{
	return &bs->calls[(bs->ncalls - 1) % ARRAY_SIZE(bs->calls)];
}

/* --- what each operation does ------------------------------------------------------ */

static void mark(struct backstore *bs, const struct tcmur_io *io, enum tcmur_extent_state state)
{
	memset(bs->extent + io->offset / bs->info.block_size, state, io->len / bs->info.block_size);
}

static enum tcmur_status do_read(struct backstore_io *bio)
{
	struct tcmur_io *io = &bio->io;
	struct backstore *bs = bio->bs;
	uint64_t piece = bs->lend_piece ? bs->lend_piece : io->len, at = 0;

	bio->nlent = 0;
	if (bio->lend && bs->can_lend && (io->len + piece - 1) / piece <= bio->max_lend) {
		for (; at < io->len; at += piece)
			bio->lend[bio->nlent++] =
			    (struct iovec){bs->data + io->offset + at, MIN(piece, io->len - at)};
		return TCMUR_OK;
	}
	if (!io->iov)
		return TCMUR_NO_RESOURCE;
	assert(iov_total(io->iov, io->iovcnt) == io->len);
	iov_copy_to(io->iov, io->iovcnt, 0, bs->data + io->offset, io->len);
	return TCMUR_OK;
}

static enum tcmur_status do_write(struct backstore *bs, struct tcmur_io *io, size_t from)
{
	assert(iov_total(io->iov, io->iovcnt) == from + io->len);
	iov_copy_from(io->iov, io->iovcnt, from, bs->data + io->offset, io->len);
	mark(bs, io, TCMUR_EXTENT_MAPPED);
	return TCMUR_OK;
}

static enum tcmur_status do_zero(struct backstore *bs, struct tcmur_io *io, enum tcmur_extent_state state)
{
	assert(!io->iov);
	if (state == TCMUR_EXTENT_MAPPED || bs->info.unmap_zeroes)
		memset(bs->data + io->offset, 0, io->len);
	else
		memset(bs->data + io->offset, 0xee, io->len);
	mark(bs, io, state);
	return TCMUR_OK;
}

static enum tcmur_status do_write_same(struct backstore *bs, struct tcmur_io *io)
{
	uint32_t block = bs->info.block_size;

	assert(iov_total(io->iov, io->iovcnt) == block);
	for (uint64_t at = 0; at < io->len; at += block)
		iov_copy_from(io->iov, io->iovcnt, 0, bs->data + io->offset + at, block);
	mark(bs, io, TCMUR_EXTENT_MAPPED);
	return TCMUR_OK;
}

static enum tcmur_status do_or(struct backstore *bs, struct tcmur_io *io)
{
	uint8_t *to = bs->data + io->offset;

	assert(iov_total(io->iov, io->iovcnt) == io->len);
	for (uint32_t i = 0; i < io->iovcnt; i++)
		for (size_t k = 0; k < io->iov[i].iov_len; k++)
			*to++ |= ((uint8_t *)io->iov[i].iov_base)[k];
	mark(bs, io, TCMUR_EXTENT_MAPPED);
	return TCMUR_OK;
}

/* Compares with len bytes of iov, which is repeated. */
static enum tcmur_status compare(struct backstore *bs, struct tcmur_io *io, uint64_t len)
{
	for (uint64_t at = 0; at < io->len; at += len) {
		struct iovec medium = {bs->data + io->offset + at, len};
		size_t same = iov_compare(io->iov, io->iovcnt, 0, &medium, 1, 0, len);

		if (same < len) {
			io->miscompare_offset = at + same;
			return TCMUR_MISCOMPARE;
		}
	}
	return TCMUR_OK;
}

static enum tcmur_status do_verify(struct backstore *bs, struct tcmur_io *io)
{
	size_t len = io->iov ? iov_total(io->iov, io->iovcnt) : 0;

	assert(!io->iov || len == io->len || len == bs->info.block_size);
	return io->iov ? compare(bs, io, len) : TCMUR_OK;
}

static enum tcmur_status do_compare_and_write(struct backstore *bs, struct tcmur_io *io)
{
	enum tcmur_status status = compare(bs, io, io->len);

	return status == TCMUR_OK ? do_write(bs, io, io->len) : status;
}

/* Reports extents of at most four blocks, so that neighbours may have the same state. */
static enum tcmur_status do_extents(struct backstore *bs, struct tcmur_io *io)
{
	uint32_t block = bs->info.block_size;

	if (bs->extents) {
		io->nextents = MIN(bs->nextents, io->max_extents);
		memcpy(io->extents, bs->extents, io->nextents * sizeof(*io->extents));
		return TCMUR_OK;
	}
	io->nextents = 0;
	for (uint64_t at = io->offset; at < io->offset + io->len && io->nextents < io->max_extents;) {
		struct tcmur_extent *e = &io->extents[io->nextents++];

		*e = (struct tcmur_extent){at, 0, bs->extent[at / block]};
		while (at < io->offset + io->len && e->len < 4 * block &&
		       bs->extent[at / block] == e->state) {
			at += block;
			e->len += block;
		}
	}
	return TCMUR_OK;
}

static bool overlaps_bad(const struct backstore *bs, const struct tcmur_io *io)
{
	uint32_t block = bs->info.block_size;

	return io->offset < bs->bad_to * block && io->offset + io->len > bs->bad_from * block;
}

static enum tcmur_status perform(struct backstore_io *bio)
{
	struct backstore *bs = bio->bs;
	struct tcmur_io *io = &bio->io;

	if (bio->op != BACKSTORE_FLUSH && (io->len > bs->size || io->offset > bs->size - io->len))
		return TCMUR_OUT_OF_RANGE;
	if (bs->inert)
		return TCMUR_OK;
	if ((bio->op == BACKSTORE_READ || bio->op == BACKSTORE_VERIFY) && overlaps_bad(bs, io)) {
		if (bs->names_bad_byte)
			io->miscompare_offset =
			    MAX(io->offset, bs->bad_from * bs->info.block_size) - io->offset;
		return TCMUR_READ_ERROR;
	}
	switch (bio->op) {
	case BACKSTORE_READ:
		return do_read(bio);
	case BACKSTORE_WRITE:
		return do_write(bs, io, 0);
	case BACKSTORE_UNMAP:
		assert(bs->info.thin && !bs->no_unmap);
		return do_zero(bs, io, TCMUR_EXTENT_DEALLOCATED);
	case BACKSTORE_WRITE_ZEROES:
		do_zero(bs, io, TCMUR_EXTENT_MAPPED);
		mark(bs, io, io->flags & TCMUR_IO_NO_UNMAP ? TCMUR_EXTENT_MAPPED : TCMUR_EXTENT_DEALLOCATED);
		return TCMUR_OK;
	case BACKSTORE_WRITE_SAME:
		return do_write_same(bs, io);
	case BACKSTORE_COMPARE_AND_WRITE:
		return do_compare_and_write(bs, io);
	case BACKSTORE_VERIFY:
		return do_verify(bs, io);
	case BACKSTORE_OR_WRITE:
		return do_or(bs, io);
	case BACKSTORE_EXTENTS:
		return do_extents(bs, io);
	case BACKSTORE_USAGE:
		assert(bs->has_usage);
		bio->usage = bs->usage;
		return TCMUR_OK;
	case BACKSTORE_FLUSH:
	case BACKSTORE_PREFETCH:
		return TCMUR_OK;
	}
	abort();
}

/* --- backstore.h ------------------------------------------------------------------- */

static void end(struct backstore_io *bio)
{
	bio->done(bio, bio->status == TCMUR_OK ? perform(bio) : bio->status);
}

void backstore_submit(struct backstore_io *bio)
{
	struct backstore *bs = bio->bs;

	assert(bio->io.offset % bs->info.block_size == 0 && bio->io.len % bs->info.block_size == 0);
	assert(bio->loop == loop_current() && bio->done);
	bs->calls[bs->ncalls++ % ARRAY_SIZE(bs->calls)] =
	    (struct fake_call){bio->op, bio->io.offset, bio->io.len, bio->io.flags};
	bio->io.miscompare_offset = TCMUR_OFFSET_UNKNOWN;
	bio->status = bs->ncalls == bs->fail_at ? bs->fail_with : TCMUR_OK;
	if (bio->deadline_ns == BACKSTORE_CANCELLED)
		bio->status = TCMUR_TIMEOUT;
	if (bs->defer)
		list_add_tail(&bs->held, &bio->node);
	else
		end(bio);
}

void backstore_cancel(struct backstore_io *bio)
{
	assert(bio->loop == loop_current() && bio->bs->defer);
	if (bio->bs->queue)
		bio->status = TCMUR_TIMEOUT;
}

void backstore_hold(struct backstore_io *bio)
{
	bio->bs->holds++;
}

bool fake_backstore_end(struct backstore *bs)
{
	struct list *node = list_pop(&bs->held);
	struct backstore_io *bio;

	if (!node)
		return false;
	bio = list_entry(node, struct backstore_io, node);
	fake_loop_enter(bio->loop);
	end(bio);
	fake_loop_enter(fake_loop(0));
	return true;
}

void fake_run(void)
{
	struct list *node, *tmp;
	bool again;

	do {
		again = false;
		fake_run_posted();
		list_for_each (&living, node, tmp)
			again |= fake_backstore_end(list_entry(node, struct backstore, node));
	} while (again);
}

const char *backstore_name(const struct backstore *bs)
{
	(void)bs;
	return "fake/0";
}

const char *backstore_config(const struct backstore *bs)
{
	return backstore_name(bs);
}

const struct tcmur_info *backstore_info(const struct backstore *bs)
{
	return &bs->info;
}

uint64_t backstore_size(const struct backstore *bs)
{
	return bs->size;
}

bool backstore_has_flush(const struct backstore *bs)
{
	return !bs->no_flush;
}

bool backstore_has_unmap(const struct backstore *bs)
{
	return !bs->no_unmap;
}

bool backstore_is_absent(const struct backstore *bs)
{
	return bs->absent;
}

bool backstore_has_scsi(const struct backstore *bs)
{
	return bs->scsi;
}

bool backstore_has_usage(const struct backstore *bs)
{
	return bs->has_usage;
}

bool backstore_scsi(struct backstore_scsi *bss)
{
	return bss->bs->scsi(bss);
}

void backstore_scsi_cancel(struct backstore_scsi *bss)
{
	(void)bss;
}

bool backstore_can_lend(struct backstore *bs)
{
	return bs->can_lend;
}

void backstore_refresh(struct backstore *bs)
{
	(void)bs;
}

void backstore_on_resize(struct backstore *bs, void (*fn)(void *arg, uint64_t new_size), void *arg)
{
	bs->resized = fn;
	bs->resized_arg = arg;
}

void backstore_stats(const struct backstore *bs, struct backstore_stats *stats)
{
	(void)bs;
	*stats = (struct backstore_stats){0};
}
