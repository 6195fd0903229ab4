/* SPDX-License-Identifier: Apache-2.0 */
/* UNMAP: SBC-4 5.33. The descriptors stay in the Data-Out and are taken from there one after the other.
 * ANCHOR is refused by the opcode table: VPD B2 says ANC_SUP = 0. */
#include "scsi/sbc.h"
#include "scsi/sbc_io.h"
#include "scsi/sbc_limits.h"
#include "util/bytes.h"
#include "util/iov.h"

#define UNMAP_HEADER     8
#define UNMAP_DESCRIPTOR 16

struct unmap_range {
	uint64_t lba;
	uint32_t nblocks;
};

/* Complete descriptors in the list. One that is cut off by any of the lengths is ignored, as the standard
 * says. */
static uint32_t unmap_count(const struct scsi_cmd *cmd)
{
	uint8_t len[2];
	uint64_t arrived = MIN(cmd->data_out_len, cmd->transfer_len);

	if (arrived < UNMAP_HEADER)
		return 0;
	iov_copy_from(cmd->iov, cmd->iovcnt, 2, len, sizeof(len));
	return (uint32_t)(MIN(get_be16(len), arrived - UNMAP_HEADER) / UNMAP_DESCRIPTOR);
}

static struct unmap_range unmap_range(const struct scsi_cmd *cmd, uint32_t i)
{
	uint8_t d[UNMAP_DESCRIPTOR];

	iov_copy_from(cmd->iov, cmd->iovcnt, UNMAP_HEADER + (size_t)i * UNMAP_DESCRIPTOR, d, sizeof(d));
	return (struct unmap_range){get_be64(d), get_be32(d + 8)};
}

static bool unmap_in_range(const struct scsi_cmd *cmd, const struct unmap_range *r)
{
	uint64_t capacity = scsi_lu_blocks(cmd->lu);

	return r->lba <= capacity && r->nblocks <= capacity - r->lba;
}

static sbc_io_done unmap_done;

/* Unmaps the next range that is not empty; cmd->state is the index of its descriptor. */
static void unmap_next(struct scsi_cmd *cmd)
{
	uintptr_t i = (uintptr_t)cmd->state, n = unmap_count(cmd);
	struct unmap_range r = {0};

	while (i < n && r.nblocks == 0)
		r = unmap_range(cmd, (uint32_t)i++);
	cmd->state = (void *)i;
	if (r.nblocks == 0)
		scsi_complete(cmd);
	else
		sbc_io(cmd, BACKSTORE_UNMAP, r.lba, r.nblocks, sbc_io_write_through(cmd), unmap_done);
}

static void unmap_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = sbc_io_cmd(bio);

	if (status == TCMUR_OK && !cmd->aborted)
		unmap_next(cmd);
	else
		sbc_io_complete(bio, status);
}

/* Everything is checked before anything is unmapped. */
static bool unmap_check(struct scsi_cmd *cmd)
{
	uint32_t n = unmap_count(cmd);
	uint64_t nblocks = 0;

	if (n > SBC_MAX_UNMAP_DESCRIPTORS) {
		scsi_fail_list(cmd, 2, -1);
		return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct unmap_range r = unmap_range(cmd, i);

		if (!unmap_in_range(cmd, &r)) {
			scsi_fail(cmd, SENSE_LBA_OUT_OF_RANGE);
			return false;
		}
		nblocks += r.nblocks;
		if (nblocks > SBC_MAX_UNMAP_BLOCKS) {
			scsi_fail_list(cmd, UNMAP_HEADER + i * UNMAP_DESCRIPTOR + 8, -1);
			return false;
		}
	}
	return true;
}

void sbc_unmap(struct scsi_cmd *cmd)
{
	if (!sbc_is_thin(cmd->lu))
		scsi_fail(cmd, SENSE_INVALID_OPCODE);
	else if (cmd->transfer_len && cmd->data_out_len < UNMAP_HEADER)
		scsi_fail(cmd, SENSE_LIST_LENGTH_ERROR);
	else if (unmap_check(cmd))
		unmap_next(cmd);
}
