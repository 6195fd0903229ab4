/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The properties of the medium: READ CAPACITY (SBC-4 5.20, 5.21) and the VPD pages of block devices (SBC-4
 * 6.6.4 Block Limits, 6.6.2 Block Device Characteristics, 6.6.7 Logical Block Provisioning). The values come
 * from the handler and from sbc_limits.h. The commands check with the same values.
 */
#include "scsi/cmd.h"
#include "scsi/sbc.h"
#include "scsi/sbc_limits.h"
#include "util/bytes.h"

/* --- READ CAPACITY --------------------------------------------------------------------------- */

#define CAPACITY_PMI   0x01 /* byte 8 of (10), byte 14 of (16) */
#define CAPACITY_LBPME 0x80 /* byte 14 of the data of (16) */
#define CAPACITY_LBPRZ 0x40

bool sbc_read_capacity10_data_len(struct scsi_cmd *cmd, uint64_t *len)
{
	(void)cmd;
	*len = 8;
	return true;
}

/*
 * The CDB may contain an LBA only with PMI = 1, which asks for the last LBA before which there is no delay.
 * There is never a delay, so the answer is the last LBA of the medium. Both fields are obsolete in SBC-4, but
 * old initiators still use them.
 */
static bool capacity_check(struct scsi_cmd *cmd, uint64_t lba, unsigned pmi_at)
{
	if (cmd->cdb[pmi_at] & CAPACITY_PMI || lba == 0)
		return true;
	scsi_fail_cdb(cmd, 2, -1);
	return false;
}

void sbc_read_capacity10(struct scsi_cmd *cmd)
{
	uint64_t last = scsi_lu_blocks(cmd->lu) - 1;
	uint8_t data[8];

	if (!capacity_check(cmd, get_be32(cmd->cdb + 2), 8))
		return;
	put_be32(data, (uint32_t)MIN(last, UINT32_MAX));
	put_be32(data + 4, cmd->lu->block_size);
	scsi_data_in_bytes(cmd, data, sizeof(data));
}

void sbc_read_capacity16(struct scsi_cmd *cmd)
{
	const struct scsi_lu *lu = cmd->lu;
	uint8_t data[32] = {0};

	if (!capacity_check(cmd, get_be64(cmd->cdb + 2), 14))
		return;
	put_be64(data, scsi_lu_blocks(lu) - 1);
	put_be32(data + 8, lu->block_size);
	data[13] = (uint8_t)__builtin_ctz(sbc_physical_block_size(lu) / lu->block_size);
	if (sbc_is_thin(lu))
		data[14] |= CAPACITY_LBPME;
	if (sbc_unmap_zeroes(lu))
		data[14] |= CAPACITY_LBPRZ;
	scsi_data_in_bytes(cmd, data, sizeof(data));
}

/* --- VPD pages ------------------------------------------------------------------------------- */

/*
 * Returns OPTIMAL TRANSFER LENGTH in bytes. The value of the device is reported only if initiators can use it
 * unchanged. An adapted value would not be optimal, so 0 (not reported) is better.
 */
static uint64_t optimal_transfer(const struct scsi_lu *lu)
{
	uint64_t optimal = lu->info->optimal_io;

	return optimal % sbc_physical_block_size(lu) == 0 && optimal <= lu->max_transfer ? optimal : 0;
}

unsigned sbc_vpd_block_limits(const struct scsi_lu *lu, uint8_t *page)
{
	uint32_t granule = sbc_unmap_granularity(lu);

	/* Byte 4: WSNZ = 0, because zero blocks in WRITE SAME mean all blocks to the end. */
	page[5] = (uint8_t)sbc_max_compare_blocks(lu);
	put_be16(page + 6, (uint16_t)(sbc_physical_block_size(lu) >> lu->block_shift));
	put_be32(page + 8, lu->max_transfer >> lu->block_shift);
	put_be32(page + 12, (uint32_t)(optimal_transfer(lu) >> lu->block_shift));
	if (sbc_is_thin(lu)) {
		put_be32(page + 20, SBC_MAX_UNMAP_BLOCKS);
		put_be32(page + 24, SBC_MAX_UNMAP_DESCRIPTORS);
		put_be32(page + 28, granule >> lu->block_shift);
		/* The highest bit is UGAVALID. */
		put_be32(page + 32, 1u << 31 | (lu->info->unmap_alignment % granule) >> lu->block_shift);
	}
	put_be64(page + 36, SBC_MAX_WRITE_SAME_BLOCKS);
	return 0x3c;
}

unsigned sbc_vpd_block_characteristics(const struct scsi_lu *lu, uint8_t *page)
{
	/* MEDIUM ROTATION RATE: 1 for a medium that does not rotate, 0 for an unknown rate. */
	put_be16(page + 4, lu->info->rotational ? 0 : 1);
	page[8] = 0x01; /* VBULS: VERIFY also compares blocks that are unmapped */
	return 0x3c;
}

unsigned sbc_vpd_provisioning(const struct scsi_lu *lu, uint8_t *page)
{
	if (sbc_is_thin(lu)) {
		page[4] = (uint8_t)sbc_threshold_exponent(lu);
		page[5] = 0xe0;                               /* LBPU, LBPWS, LBPWS10 */
		page[5] |= sbc_unmap_zeroes(lu) ? 1 << 2 : 0; /* LBPRZ, three bits wide */
		page[6] = 0x02;                               /* thin provisioned */
	}
	return 4;
}
