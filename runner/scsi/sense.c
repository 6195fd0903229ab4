/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds sense data in both formats, and translates the result of a handler's I/O to status and
 * sense. No other file writes sense bytes.
 */
#include "scsi/sense.h"

#include "scsi/lu.h"
#include "util/bytes.h"

/* Sense key specific information, SPC-4 4.5.2.4 */
#define SKS_VALID     0x80 /* SKSV */
#define SKS_IN_CDB    0x40 /* C/D */
#define SKS_BIT_VALID 0x08 /* BPV */

struct sense {
	uint32_t code;
	bool has_info, has_specific;
	uint64_t info;
	uint8_t specific[3];
};

/*
 * Fixed format, SPC-4 4.5.3. INFORMATION has only 32 bits in this format, so a larger value is not reported.
 */
static unsigned build_fixed(uint8_t *out, const struct sense *sense)
{
	memset(out, 0, 18);
	out[0] = 0x70;
	out[2] = (uint8_t)(sense->code >> 16);
	out[7] = 18 - 8;
	out[12] = (uint8_t)(sense->code >> 8);
	out[13] = (uint8_t)sense->code;
	if (sense->has_info && sense->info <= UINT32_MAX) {
		out[0] |= 0x80;
		put_be32(&out[3], (uint32_t)sense->info);
	}
	if (sense->has_specific)
		memcpy(&out[15], sense->specific, 3);
	return 18;
}

/* Descriptor format, SPC-4 4.5.2 */
static unsigned build_descriptor(uint8_t *out, const struct sense *sense)
{
	unsigned len = 8;

	memset(out, 0, SCSI_SENSE_MAX);
	out[0] = 0x72;
	out[1] = (uint8_t)(sense->code >> 16);
	out[2] = (uint8_t)(sense->code >> 8);
	out[3] = (uint8_t)sense->code;
	if (sense->has_info) {
		uint8_t *desc = &out[len];

		desc[0] = 0x00;
		desc[1] = 0x0a;
		desc[2] = 0x80;
		put_be64(&desc[4], sense->info);
		len += 12;
	}
	if (sense->has_specific) {
		uint8_t *desc = &out[len];

		desc[0] = 0x02;
		desc[1] = 0x06;
		memcpy(&desc[4], sense->specific, 3);
		len += 8;
	}
	out[7] = (uint8_t)(len - 8);
	return len;
}

static unsigned build(uint8_t *out, const struct sense *sense, bool descriptor)
{
	return descriptor ? build_descriptor(out, sense) : build_fixed(out, sense);
}

static void check(struct scsi_cmd *cmd, const struct sense *sense)
{
	bool descriptor = cmd->lu && scsi_lu_gate(cmd->lu) & SCSI_GATE_D_SENSE;

	cmd->status = SCSI_CHECK_CONDITION;
	cmd->sense_len = (uint8_t)build(cmd->sense, sense, descriptor);
	cmd->data_in_len = 0;
}

static struct sense with_progress(uint32_t code, uint16_t progress)
{
	struct sense sense = {.code = code, .has_specific = true, .specific = {SKS_VALID}};

	put_be16(&sense.specific[1], progress);
	return sense;
}

void scsi_check(struct scsi_cmd *cmd, uint32_t code)
{
	check(cmd, &(struct sense){.code = code});
}

void scsi_check_field(struct scsi_cmd *cmd, uint32_t code, unsigned byte, int bit)
{
	struct sense sense = {.code = code, .has_specific = true, .specific = {SKS_VALID}};

	if (code == SENSE_INVALID_FIELD_IN_CDB)
		sense.specific[0] |= SKS_IN_CDB;
	if (bit >= 0)
		sense.specific[0] |= (uint8_t)(SKS_BIT_VALID | bit);
	put_be16(&sense.specific[1], (uint16_t)byte);
	check(cmd, &sense);
}

void scsi_check_info(struct scsi_cmd *cmd, uint32_t code, uint64_t information)
{
	check(cmd, &(struct sense){.code = code, .has_info = true, .info = information});
}

void scsi_check_range(struct scsi_cmd *cmd, uint64_t lba)
{
	scsi_check_info(cmd, SENSE_LBA_OUT_OF_RANGE, MAX(lba, scsi_lu_blocks(cmd->lu)));
}

void scsi_check_progress(struct scsi_cmd *cmd, uint32_t code, uint16_t progress)
{
	struct sense sense = with_progress(code, progress);

	check(cmd, &sense);
}

unsigned scsi_sense_build(uint8_t *out, uint32_t code, bool descriptor)
{
	return build(out, &(struct sense){.code = code}, descriptor);
}

unsigned scsi_sense_build_progress(uint8_t *out, uint32_t code, uint16_t progress, bool descriptor)
{
	struct sense sense = with_progress(code, progress);

	return build(out, &sense, descriptor);
}

/*
 * Sets the sense for a medium error. The bad block is known if the handler has reported the first bad byte,
 * or if the I/O has only one block (SBC-4 4.18.1). read_error.c searches for the bad block of a longer read.
 */
static void check_medium(struct scsi_cmd *cmd, uint32_t code)
{
	const struct backstore_io *bio = &cmd->bio;

	if (bio->op != BACKSTORE_FLUSH && bio->io.miscompare_offset < bio->io.len)
		scsi_check_info(cmd, code,
				(bio->io.offset + bio->io.miscompare_offset) >> cmd->lu->block_shift);
	else if (bio->op != BACKSTORE_FLUSH && bio->io.len == cmd->lu->block_size)
		scsi_check_info(cmd, code, bio->io.offset >> cmd->lu->block_shift);
	else
		scsi_check(cmd, code);
}

/*
 * Sets the sense data that the handler has chosen. A key that means "no error" is a mistake of the handler.
 */
static void check_given(struct scsi_cmd *cmd, uint32_t code)
{
	uint32_t key = code >> 16;

	if (key <= SENSE_RECOVERED_ERROR || key > 0xf)
		scsi_check(cmd, SENSE_INTERNAL_FAILURE);
	else if (key == SENSE_MEDIUM_ERROR || key == SENSE_HARDWARE_ERROR)
		check_medium(cmd, code);
	else
		scsi_check(cmd, code);
}

/* Handles an LU that has shrunk since admission, or a handler that has another opinion about its size. */
static void check_out_of_range(struct scsi_cmd *cmd)
{
	const struct tcmur_io *io = &cmd->bio.io;

	if (io->offset + io->len > backstore_size(cmd->lu->bs))
		scsi_check_range(cmd, io->offset >> cmd->lu->block_shift);
	else
		scsi_check(cmd, SENSE_LBA_OUT_OF_RANGE);
}

void scsi_set_status(struct scsi_cmd *cmd, enum tcmur_status status)
{
	static const uint32_t codes[] = {
	    [TCMUR_NO_SPACE] = SENSE_SPACE_ALLOCATION_FAILED,
	    [TCMUR_NOT_SUPPORTED] = SENSE_INVALID_OPCODE,
	    [TCMUR_INVALID_FIELD] = SENSE_INVALID_FIELD_IN_CDB,
	    [TCMUR_WRITE_PROTECTED] = SENSE_WRITE_PROTECTED,
	    [TCMUR_NOT_READY] = SENSE_NOT_REPORTABLE,
	    [TCMUR_HARDWARE_ERROR] = SENSE_INTERNAL_FAILURE,
	    [TCMUR_TIMEOUT] = SENSE_COMMAND_TIMEOUT,
	    [TCMUR_ABORTED] = SENSE_ABORTED,
	    [TCMUR_FENCED] = SENSE_PORT_STANDBY,
	};

	switch (status) {
	case TCMUR_OK:
		cmd->status = SCSI_GOOD;
		return;
	case TCMUR_BUSY:
		cmd->status = SCSI_BUSY;
		return;
	case TCMUR_NO_RESOURCE:
		cmd->status = SCSI_TASK_SET_FULL;
		return;
	case TCMUR_CONFLICT:
		cmd->status = SCSI_RESERVATION_CONFLICT;
		return;
	case TCMUR_OUT_OF_RANGE:
		check_out_of_range(cmd);
		return;
	case TCMUR_READ_ERROR:
		check_medium(cmd, SENSE_READ_ERROR);
		return;
	case TCMUR_WRITE_ERROR:
		check_medium(cmd, SENSE_WRITE_ERROR);
		return;
	case TCMUR_SENSE:
		check_given(cmd, cmd->bio.io.sense);
		return;
	case TCMUR_MISCOMPARE:
		scsi_check_info(cmd, SENSE_MISCOMPARE_VERIFY, cmd->bio.io.miscompare_offset);
		return;
	default:
		/* A number that is not in the enum is a mistake of the handler. */
		scsi_check(cmd, (unsigned)status < ARRAY_SIZE(codes) && codes[status]
				    ? codes[status]
				    : SENSE_INTERNAL_FAILURE);
	}
}
