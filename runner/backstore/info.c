/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the properties that a handler reports about its storage, and fills in defaults. */
#include <errno.h>

#include "backstore/private.h"
#include "util/log.h"

/*
 * The largest number of logical blocks in a physical block that READ CAPACITY (16) can report (SBC-4 5.19.2).
 */
#define PHYSICAL_BLOCKS_MAX (1u << 15)

static int check_blocks(const struct backstore_spec *spec, struct tcmur_info *info, struct error *error)
{
	uint32_t physical;

	if (info->block_size != 512 && info->block_size != 4096)
		return error_set(error, EINVAL,
				 "the handler reports a block size of %u, neither 512 nor 4096",
				 info->block_size);
	if (spec->block_size && spec->block_size != info->block_size)
		return error_set(error, EINVAL, "the storage has blocks of %u bytes, not %u",
				 info->block_size, spec->block_size);
	if (!info->physical_block_size)
		info->physical_block_size = info->block_size;
	physical = info->physical_block_size;
	if (physical < info->block_size || physical / info->block_size > PHYSICAL_BLOCKS_MAX ||
	    (physical & (physical - 1)))
		return error_set(error, EINVAL,
				 "the handler reports a physical block size of %u, which is not a power of "
				 "two times the block size %u",
				 physical, info->block_size);
	return 0;
}

/*
 * Rounds the size down to whole blocks. The bytes after the last whole block are not served, and may be
 * important, such as the backup header of a GPT, so this is logged. If this open has created the storage,
 * such a size is an error.
 */
static int round_to_blocks(const struct backstore_spec *spec, struct tcmur_info *info, struct error *error)
{
	uint64_t size = info->size, block = info->block_size, tail = size % block;

	info->size -= tail;
	if (tail && info->flags & TCMUR_INFO_CREATED)
		return error_set(
		    error, EINVAL,
		    "a size of %llu bytes is not a multiple of the block size, %llu bytes; use %llu",
		    (unsigned long long)size, (unsigned long long)block,
		    (unsigned long long)(info->size + block));
	if (!info->size || info->size > INT64_MAX)
		return error_set(error, EINVAL,
				 "the storage has a size of %llu bytes, which cannot be served",
				 (unsigned long long)size);
	if (tail)
		log_warn(spec->name ? spec->name : spec->config,
			 "the last %llu of %llu bytes are not served, because they do not fill a block of "
			 "%llu bytes",
			 (unsigned long long)tail, (unsigned long long)size, (unsigned long long)block);
	return 0;
}

static int check_size(const struct backstore_spec *spec, struct tcmur_info *info, struct error *error)
{
	if (info->size < spec->size)
		return error_set(error, ENOSPC, "the storage has %llu bytes, less than the %llu wanted",
				 (unsigned long long)info->size, (unsigned long long)spec->size);
	if (spec->existing && spec->size)
		info->size = spec->size;
	return round_to_blocks(spec, info, error);
}

/* Rounds a limit down to whole blocks. 0, which means "no limit", stays 0. */
static int check_limit(const char *name, uint64_t *limit, uint32_t block_size, struct error *error)
{
	if (*limit && *limit < block_size)
		return error_set(error, EINVAL, "the handler reports %s %llu, less than a block", name,
				 (unsigned long long)*limit);
	*limit -= *limit % block_size;
	return 0;
}

static int check_unmap(const struct handler *handler, struct tcmur_info *info, struct error *error)
{
	if (!handler->api.unmap)
		info->thin = false;
	if (!info->thin)
		info->unmap_zeroes = false;
	if (!info->unmap_granularity)
		info->unmap_granularity = info->block_size;
	if (info->unmap_granularity % info->block_size || info->unmap_alignment % info->block_size)
		return error_set(error, EINVAL,
				 "the handler reports unmap granularity %u and alignment %u, "
				 "which are not multiples of the block size",
				 info->unmap_granularity, info->unmap_alignment);
	return 0;
}

int info_normalize(const struct handler *handler, const struct backstore_spec *spec, struct tcmur_info *info,
		   struct error *error)
{
	int err;

	if (!handler->api.read) { /* This is not a disk. The handler's scsi() interprets the other members. */
		info->thin = false;
		if (!info->block_size)
			info->block_size = 512;
		return 0;
	}
	if ((err = check_blocks(spec, info, error)) || (err = check_size(spec, info, error)) ||
	    (err = check_limit("max_io", &info->max_io, info->block_size, error)) ||
	    (err = check_limit("max_unmap", &info->max_unmap, info->block_size, error)) ||
	    (err = check_unmap(handler, info, error)))
		return err;
	if (spec->read_only || !handler->api.write)
		info->read_only = true;
	info->optimal_io -= info->optimal_io % info->block_size;
	return 0;
}
