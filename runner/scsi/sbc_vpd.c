/* SPDX-License-Identifier: Apache-2.0 */
/* VPD pages of block devices: SBC-4 6.6.4 Block Limits, 6.6.2 Block Device Characteristics, 6.6.7 Logical
 * Block Provisioning. All they say is what sbc_limits.h, which the commands check against, and the handler
 * say. */
#include "scsi/sbc.h"
#include "scsi/sbc_limits.h"
#include "util/bytes.h"

unsigned sbc_vpd_block_limits(const struct scsi_lu *lu, uint8_t *page)
{
	uint32_t granule = sbc_unmap_granularity(lu);

	/* Byte 4: WSNZ = 0, WRITE SAME takes zero blocks as "to the end". */
	page[5] = SBC_MAX_COMPARE_BLOCKS;
	put_be16(page + 6, (uint16_t)(sbc_physical_block_size(lu) >> lu->block_shift));
	put_be32(page + 8, lu->max_transfer >> lu->block_shift);
	put_be32(page + 12, MIN(lu->info->optimal_io, lu->max_transfer) >> lu->block_shift);
	if (sbc_is_thin(lu)) {
		put_be32(page + 20, SBC_MAX_UNMAP_BLOCKS);
		put_be32(page + 24, SBC_MAX_UNMAP_DESCRIPTORS);
		put_be32(page + 28, granule >> lu->block_shift);
		/* With UGAVALID */
		put_be32(page + 32, 1u << 31 | (lu->info->unmap_alignment % granule) >> lu->block_shift);
	}
	put_be64(page + 36, SBC_MAX_WRITE_SAME_BLOCKS);
	return 0x3c;
}

unsigned sbc_vpd_block_characteristics(const struct scsi_lu *lu, uint8_t *page)
{
	/* MEDIUM ROTATION RATE: 1 is a medium that does not rotate, 0 one of which the rate is not known. */
	put_be16(page + 4, lu->info->rotational ? 0 : 1);
	page[8] = 0x01; /* VBULS: VERIFY compares blocks that are unmapped, too */
	return 0x3c;
}

unsigned sbc_vpd_provisioning(const struct scsi_lu *lu, uint8_t *page)
{
	if (sbc_is_thin(lu)) {
		page[5] = 0xe0;                               /* LBPU, LBPWS, LBPWS10 */
		page[5] |= sbc_unmap_zeroes(lu) ? 1 << 2 : 0; /* LBPRZ, three bits wide */
		page[6] = 0x02;                               /* thin provisioned */
	}
	return 4;
}
