/* SPDX-License-Identifier: Apache-2.0 */
/* WRITE SAME (10), (16): SBC-4 5.50, 5.51. */
#include "scsi/sbc.h"
#include "scsi/sbc_io.h"
#include "scsi/sbc_limits.h"
#include "util/bytes.h"

#define WRITE_SAME_UNMAP 0x08 /* byte 1. ANCHOR is refused by the opcode table: VPD B2 says ANC_SUP = 0 */

static bool is_zero(const struct iovec *iov, uint32_t iovcnt)
{
	for (uint32_t i = 0; i < iovcnt; i++) {
		const uint8_t *p = iov[i].iov_base;
		size_t len = iov[i].iov_len;

		if (len && (p[0] || memcmp(p, p + 1, len - 1) != 0))
			return false;
	}
	return true;
}

static bool write_same_check(struct scsi_cmd *cmd, uint64_t nblocks)
{
	if (cmd->cdb[1] & WRITE_SAME_UNMAP && !sbc_is_thin(cmd->lu))
		scsi_fail_cdb(cmd, 1, 3);
	else if (nblocks > SBC_MAX_WRITE_SAME_BLOCKS)
		scsi_fail_cdb(cmd, cmd->op->len_at, -1);
	else
		return sbc_io_exact(cmd, cmd->op->len_at);
	return false;
}

void sbc_write_same(struct scsi_cmd *cmd)
{
	/* WSNZ = 0: zero blocks means up to the end of the medium. */
	uint64_t nblocks = cmd->nblocks ? cmd->nblocks : scsi_lu_blocks(cmd->lu) - cmd->lba;
	bool unmap = cmd->cdb[1] & WRITE_SAME_UNMAP;
	uint32_t flags = sbc_io_write_through(cmd);

	if (!write_same_check(cmd, nblocks))
		return;
	/* With NDOB there is no Data-Out and transfer_len is 0: zeros. Only a block that reads as the
	 * Data-Out afterwards may be unmapped (SBC-4 4.7.3.4.4). */
	if (cmd->transfer_len && !is_zero(cmd->iov, cmd->iovcnt))
		sbc_io_data(cmd, BACKSTORE_WRITE_SAME, cmd->lba, nblocks, flags, sbc_io_written);
	else
		sbc_io(cmd, BACKSTORE_WRITE_ZEROES, cmd->lba, nblocks,
		       flags | (unmap ? 0 : TCMUR_IO_NO_UNMAP), sbc_io_written);
}
