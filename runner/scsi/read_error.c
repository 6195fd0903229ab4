/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the first bad block of a medium error (SBC-4 4.18.1). Most handlers report only that a range cannot
 * be read. Initiators such as Linux keep the blocks before the LBA in the INFORMATION field, and report an
 * error only for the rest, so this file reads the range again in halves until one block is left.
 *
 * Write errors are not searched: reading again would not show which blocks were written, and a wrong
 * INFORMATION would make an initiator believe that lost blocks are safe.
 */
#include "scsi/scsi_io.h"
#include "util/bytes.h"

static scsi_io_done probe_done;

/*
 * The first bad block is one of this many blocks, counted from the beginning of the next probe. The number is
 * stored in cmd->state.
 */
static uint64_t blocks_left(const struct scsi_cmd *cmd)
{
	return (uintptr_t)cmd->state;
}

/* Reads the first half of the remaining blocks, or the only one, without keeping the data. */
static void probe(struct scsi_cmd *cmd, uint64_t lba, uint64_t nblocks)
{
	cmd->state = (void *)(uintptr_t)nblocks;
	scsi_io(cmd, BACKSTORE_VERIFY, lba, MAX(nblocks / 2, 1), 0, probe_done);
}

static void fail(struct scsi_cmd *cmd, uint64_t bad_lba, uint64_t data_in_len)
{
	cmd->state = NULL;
	scsi_check_info(cmd, SENSE_READ_ERROR, bad_lba);
	cmd->data_in_len = data_in_len;
	scsi_complete(cmd);
}

static void good_part_read(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = scsi_io_cmd(bio);
	uint64_t len = bio->io.len;

	fail(cmd, cmd->lba + (len >> cmd->lu->block_shift), status == TCMUR_OK ? len : 0);
}

static void shorten_iov(struct scsi_cmd *cmd, uint64_t len)
{
	uint32_t n = 0;

	for (; len; n++) {
		cmd->iov[n].iov_len = MIN(cmd->iov[n].iov_len, len);
		len -= cmd->iov[n].iov_len;
	}
	cmd->iovcnt = n;
}

/* Reads the good blocks again, because the failed read may have left anything in the buffer. */
static void found(struct scsi_cmd *cmd, uint64_t bad_lba)
{
	uint64_t good = bad_lba - cmd->lba;

	if (cmd->direction == SCSI_DATA_IN && good && cmd->iov) {
		shorten_iov(cmd, good << cmd->lu->block_shift);
		scsi_io_data(cmd, BACKSTORE_READ, cmd->lba, good, 0, good_part_read);
	} else {
		fail(cmd, bad_lba, 0);
	}
}

static void probe_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = scsi_io_cmd(bio);
	uint64_t lba = bio->io.offset >> cmd->lu->block_shift, probed = bio->io.len >> cmd->lu->block_shift;

	if (cmd->aborted || (status != TCMUR_OK && status != TCMUR_READ_ERROR)) {
		scsi_check(cmd, SENSE_READ_ERROR);
		scsi_complete(cmd);
	} else if (status == TCMUR_READ_ERROR && probed == 1) {
		found(cmd, lba);
	} else if (status == TCMUR_READ_ERROR) {
		probe(cmd, lba, probed);
	} else if (probed < blocks_left(cmd)) {
		probe(cmd, lba + probed, blocks_left(cmd) - probed);
	} else { /* The last block can be read now, so it is unknown which block was bad. */
		scsi_check(cmd, SENSE_READ_ERROR);
		scsi_complete(cmd);
	}
}

void scsi_io_read(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = scsi_io_cmd(bio);
	uint64_t bad_byte = bio->io.miscompare_offset;

	if (status != TCMUR_READ_ERROR || cmd->nblocks == 1 || cmd->aborted)
		scsi_io_complete(bio, status);
	else if (bad_byte < bio->io.len)
		found(cmd, cmd->lba + (bad_byte >> cmd->lu->block_shift));
	else
		probe(cmd, cmd->lba, cmd->nblocks);
}
