/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one block command may ask for. The checks of the commands and the VPD pages B0 and B2 both take it
 * from here, so that they cannot disagree. MAXIMUM TRANSFER LENGTH is SCSI_MAX_TRANSFER in lu.h: admission
 * checks it.
 */
#ifndef SCSI_SBC_LIMITS_H
#define SCSI_SBC_LIMITS_H

#include "scsi/lu.h"

#define SBC_MAX_COMPARE_BLOCKS 255u /* COMPARE AND WRITE: all that its one-byte length can say */
/* These two bound how long one command holds its range. WRITE SAME may have to write all of its pattern out,
 * and some initiators take its limit for one of WRITE: it is no more than MAXIMUM TRANSFER LENGTH with
 * 512-byte blocks. */
#define SBC_MAX_UNMAP_BLOCKS      (1u << 20) /* sum over the descriptors of an UNMAP */
#define SBC_MAX_WRITE_SAME_BLOCKS (SCSI_MAX_TRANSFER / 512)
#define SBC_MAX_UNMAP_DESCRIPTORS 256u
#define SBC_MAX_LBA_STATUS        256u        /* descriptors in a GET LBA STATUS */
#define SBC_FORMAT_STEP           (16u << 20) /* bytes that FORMAT UNIT clears at a time */

/*
 * Bytes from which on a READ is sent from the handler's own memory. Such memory may change until it is sent; a copy is
 * made under the range lock, so that what is read in short, like a lock that COMPARE AND WRITE changes, is never torn.
 */
#define SBC_LEND_MIN (64u << 10)

/* LBPME: the LU can be told that blocks are not needed (SBC-4 4.7.3). */
static inline bool sbc_is_thin(const struct scsi_lu *lu)
{
	return lu->info->thin && backstore_has_unmap(lu->bs);
}

/* LBPRZ: what was unmapped reads as zeros. */
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
#endif
