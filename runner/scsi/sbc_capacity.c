/* SPDX-License-Identifier: Apache-2.0 */
/* READ CAPACITY (10), (16): SBC-4 5.20, 5.21. */
#include "scsi/sbc.h"
#include "scsi/cmd.h"
#include "scsi/sbc_limits.h"
#include "util/bytes.h"

#define CAPACITY_PMI   0x01 /* byte 8 of (10), byte 14 of (16) */
#define CAPACITY_LBPME 0x80 /* byte 14 of the data of (16) */
#define CAPACITY_LBPRZ 0x40

/* An LBA is for PMI = 1 only, which asks for the last LBA before a delay: there is none, so it is the last
 * one. Both are obsolete in SBC-4, and old initiators still use them. */
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
