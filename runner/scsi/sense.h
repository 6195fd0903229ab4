/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sense data. The scsi_check functions set the command's status and sense, in fixed or descriptor format
 * according to the LU's D_SENSE (SPC-4 4.5), and do not complete the command.
 */
#ifndef SCSI_SENSE_H
#define SCSI_SENSE_H

#include "scsi/scsi.h"

/* SPC-4 4.5.6 */
enum scsi_sense_key {
	SENSE_NO_SENSE = 0x0,
	SENSE_RECOVERED_ERROR = 0x1,
	SENSE_NOT_READY = 0x2,
	SENSE_MEDIUM_ERROR = 0x3,
	SENSE_HARDWARE_ERROR = 0x4,
	SENSE_ILLEGAL_REQUEST = 0x5,
	SENSE_UNIT_ATTENTION = 0x6,
	SENSE_DATA_PROTECT = 0x7,
	SENSE_ABORTED_COMMAND = 0xb,
	SENSE_MISCOMPARE = 0xe,
};

#define SENSE_CODE(key, asc, ascq) ((uint32_t)(key) << 16 | (asc) << 8 | (ascq))

/* Sense key, ASC and ASCQ in one number */
#define SENSE_NONE                    SENSE_CODE(SENSE_NO_SENSE, 0x00, 0x00)
#define SENSE_NOT_REPORTABLE          SENSE_CODE(SENSE_NOT_READY, 0x04, 0x00)
#define SENSE_BECOMING_READY          SENSE_CODE(SENSE_NOT_READY, 0x04, 0x01)
#define SENSE_INTERVENTION_REQUIRED   SENSE_CODE(SENSE_NOT_READY, 0x04, 0x03)
#define SENSE_FORMAT_IN_PROGRESS      SENSE_CODE(SENSE_NOT_READY, 0x04, 0x04)
#define SENSE_PORT_STANDBY            SENSE_CODE(SENSE_NOT_READY, 0x04, 0x0b)
#define SENSE_WRITE_ERROR             SENSE_CODE(SENSE_MEDIUM_ERROR, 0x0c, 0x00)
#define SENSE_READ_ERROR              SENSE_CODE(SENSE_MEDIUM_ERROR, 0x11, 0x00)
#define SENSE_FORMAT_CORRUPTED        SENSE_CODE(SENSE_MEDIUM_ERROR, 0x31, 0x00)
#define SENSE_FORMAT_FAILED           SENSE_CODE(SENSE_MEDIUM_ERROR, 0x31, 0x01)
#define SENSE_INTERNAL_FAILURE        SENSE_CODE(SENSE_HARDWARE_ERROR, 0x44, 0x00)
#define SENSE_SET_PORT_GROUPS_FAILED  SENSE_CODE(SENSE_HARDWARE_ERROR, 0x67, 0x0a)
#define SENSE_SELF_TEST_FAILED        SENSE_CODE(SENSE_HARDWARE_ERROR, 0x3e, 0x03)
#define SENSE_INVALID_FIELD_IN_IU     SENSE_CODE(SENSE_ILLEGAL_REQUEST, 0x0e, 0x03)
#define SENSE_LIST_LENGTH_ERROR       SENSE_CODE(SENSE_ILLEGAL_REQUEST, 0x1a, 0x00)
#define SENSE_INVALID_OPCODE          SENSE_CODE(SENSE_ILLEGAL_REQUEST, 0x20, 0x00)
#define SENSE_LBA_OUT_OF_RANGE        SENSE_CODE(SENSE_ILLEGAL_REQUEST, 0x21, 0x00)
#define SENSE_INVALID_FIELD_IN_CDB    SENSE_CODE(SENSE_ILLEGAL_REQUEST, 0x24, 0x00)
#define SENSE_NO_SUCH_LUN             SENSE_CODE(SENSE_ILLEGAL_REQUEST, 0x25, 0x00)
#define SENSE_INVALID_FIELD_IN_LIST   SENSE_CODE(SENSE_ILLEGAL_REQUEST, 0x26, 0x00)
#define SENSE_SAVING_NOT_SUPPORTED    SENSE_CODE(SENSE_ILLEGAL_REQUEST, 0x39, 0x00)
#define SENSE_WRITE_PROTECTED         SENSE_CODE(SENSE_DATA_PROTECT, 0x27, 0x00)
#define SENSE_SPACE_ALLOCATION_FAILED SENSE_CODE(SENSE_DATA_PROTECT, 0x27, 0x07)
#define SENSE_ABORTED                 SENSE_CODE(SENSE_ABORTED_COMMAND, 0x00, 0x00)
#define SENSE_COMMAND_TIMEOUT         SENSE_CODE(SENSE_ABORTED_COMMAND, 0x2e, 0x02)
#define SENSE_MISCOMPARE_VERIFY       SENSE_CODE(SENSE_MISCOMPARE, 0x1d, 0x00)

/* Sets CHECK CONDITION with this sense code. */
void scsi_check(struct scsi_cmd *cmd, uint32_t sense);
/*
 * Does the same as scsi_check() with a field pointer (SPC-4 4.5.2.4.2). byte is an offset in the CDB for
 * INVALID FIELD IN CDB, otherwise in the parameter list. bit is the number, from 7 to 0, of the most
 * significant bit of the field in this byte, or -1 for the whole byte.
 */
void scsi_check_field(struct scsi_cmd *cmd, uint32_t sense, unsigned byte, int bit);
/*
 * Does the same as scsi_check() with INFORMATION, for example the offset of a miscompare or the LBA of a
 * medium error.
 */
void scsi_check_info(struct scsi_cmd *cmd, uint32_t sense, uint64_t information);
/*
 * Sets LBA OUT OF RANGE for a range that starts at lba and ends after the last block. INFORMATION is the
 * first LBA that is out of range (SBC-4 4.18.1).
 */
void scsi_check_range(struct scsi_cmd *cmd, uint64_t lba);
/*
 * Does the same as scsi_check() with a progress indication (SPC-4 4.5.2.4.4). progress is the number of
 * parts, out of 65536, that are done.
 */
void scsi_check_progress(struct scsi_cmd *cmd, uint32_t sense, uint16_t progress);
/*
 * Sets the status and sense for a handler's I/O that has ended; TCMUR_OK sets GOOD. Only this function
 * translates one into the other. INFORMATION is taken from cmd->bio: its miscompare_offset with
 * TCMUR_MISCOMPARE, or the LBA of the bad block with a medium error, if this block is known.
 */
void scsi_set_status(struct scsi_cmd *cmd, enum tcmur_status status);

/*
 * Builds sense data as REQUEST SENSE returns it, and returns its length. out has SCSI_SENSE_MAX
 * bytes.
 */
unsigned scsi_sense_build(uint8_t *out, uint32_t sense, bool descriptor);
unsigned scsi_sense_build_progress(uint8_t *out, uint32_t sense, uint16_t progress, bool descriptor);
#endif
