/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits for single block commands. The checks of the commands and the VPD pages B0h and B2h both use
 * these values, so they always agree. MAXIMUM TRANSFER LENGTH is SCSI_MAX_TRANSFER in lu.h, because admission
 * checks it.
 */
#ifndef SCSI_SBC_LIMITS_H
#define SCSI_SBC_LIMITS_H

#include "scsi/lu.h"
#include "util/bytes.h"

/*
 * The largest sum of blocks in the descriptors of an UNMAP. It limits for how long the command holds its
 * range.
 */
#define SBC_MAX_UNMAP_BLOCKS (1u << 20)
/*
 * WRITE SAME may have to write all copies of its block. Some initiators use this limit for WRITE, too, so it
 * does not exceed MAXIMUM TRANSFER LENGTH with 512-byte blocks.
 */
#define SBC_MAX_WRITE_SAME_BLOCKS (SCSI_MAX_TRANSFER / 512)
#define SBC_MAX_UNMAP_DESCRIPTORS 256u
/* The largest number of descriptors in the parameter data of GET LBA STATUS */
#define SBC_MAX_LBA_STATUS 256u
/* The number of bytes that FORMAT UNIT clears in one step */
#define SBC_FORMAT_STEP (16u << 20)

/*
 * A READ of at least this many bytes is sent from the handler's own memory. Such memory may change until it
 * is sent. A shorter READ is copied under the range lock, so that short data, such as a lock that COMPARE AND
 * WRITE changes, is always consistent.
 */
#define SBC_LEND_MIN (64u << 10)

/* LBPME: initiators can tell the LU that they do not need blocks any more (SBC-4 4.7.3). */
static inline bool sbc_is_thin(const struct scsi_lu *lu)
{
	return lu->info->thin && backstore_has_unmap(lu->bs);
}

/* LBPRZ: unmapped blocks read as zeros. */
static inline bool sbc_unmap_zeroes(const struct scsi_lu *lu)
{
	return sbc_is_thin(lu) && lu->info->unmap_zeroes;
}

static inline uint32_t sbc_physical_block_size(const struct scsi_lu *lu)
{
	return lu->info->physical_block_size ? lu->info->physical_block_size : lu->block_size;
}

static inline uint32_t sbc_unmap_granularity(const struct scsi_lu *lu)
{
	return lu->info->unmap_granularity ? lu->info->unmap_granularity : lu->block_size;
}

/*
 * MAXIMUM COMPARE AND WRITE LENGTH: the largest number that fits into the one-byte field, but not more than
 * MAXIMUM TRANSFER LENGTH.
 */
static inline uint32_t sbc_max_compare_blocks(const struct scsi_lu *lu)
{
	return MIN(255u, lu->max_transfer >> lu->block_shift);
}

/*
 * THRESHOLD EXPONENT: the smallest exponent with which the 32-bit counts of log page 0Ch can count all
 * blocks.
 */
static inline unsigned sbc_threshold_exponent(const struct scsi_lu *lu)
{
	uint64_t blocks = scsi_lu_blocks(lu);
	unsigned exponent = 0;

	while (blocks >> exponent > UINT32_MAX)
		exponent++;
	return exponent;
}
#endif
