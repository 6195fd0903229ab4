/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opcode table: one row for each command and service action. Admission (cmd.c), REPORT
 * SUPPORTED OPERATION CODES (opcode_report.c), the reservation matrix (reserve.c) and
 * docs/scsi-support.md are all made from it, so a command exists exactly when it has a row.
 */
#ifndef SCSI_OPCODES_H
#define SCSI_OPCODES_H

#include "scsi/scsi.h"

#define SCSI_CDB_FIXED_MAX 16

/* What the length field of the CDB counts, which determines how many bytes the command transfers. */
enum scsi_transfer {
	/* No data. A length field, if there is one, is a number of blocks (SYNCHRONIZE CACHE). */
	SCSI_XFER_NONE,
	/* A number of blocks, which are transferred */
	SCSI_XFER_BLOCKS,
	/* An allocation length (Data-In) or a parameter list length (Data-Out), in bytes */
	SCSI_XFER_BYTES,
	/* A number of blocks or nothing; the row's data_len() says how many bytes are transferred */
	SCSI_XFER_BY_ROW,
};

/*
 * How a reservation of another nexus affects the command (SPC-2 5.5.1 table 10, SBC-3 4.17 table
 * 10).
 */
enum scsi_access {
	/* Never conflicts: INQUIRY, READ CAPACITY */
	SCSI_ACCESS_ANY,
	/* Reads the medium */
	SCSI_ACCESS_READ,
	/* Changes the medium */
	SCSI_ACCESS_WRITE,
	/*
	 * Changes or reports the state of the LU. Such a command conflicts with any reservation, unless
	 * allowed_by_reservation() returns true.
	 */
	SCSI_ACCESS_CONTROL,
};

enum scsi_op_flags {
	/*
	 * Runs without a LUN, and does not report a pending unit attention (SAM-5 5.14): INQUIRY
	 * and others
	 */
	SCSI_OP_ALWAYS = 1 << 0,
	/* Needs a usable medium; without one, it ends in NOT READY or MEDIUM ERROR */
	SCSI_OP_MEDIUM = 1 << 1,
	/* Fails on a write protected LU */
	SCSI_OP_WRITES = 1 << 2,
	/* service_action, in byte 1 bits 4-0, is part of the code */
	SCSI_OP_SA = 1 << 3,
	/* A length of 0 means 256 blocks: READ (6), WRITE (6) */
	SCSI_OP_ZERO_256 = 1 << 4,
	/* MAXIMUM TRANSFER LENGTH of VPD page B0h limits it (SBC-4 6.6.4) */
	SCSI_OP_MAX_XFER = 1 << 5,
	/* Exists only if the backstore can unmap */
	SCSI_OP_THIN = 1 << 6,
	/* Exists only if the target port groups are known (alua.h) */
	SCSI_OP_ALUA = 1 << 7,
	/* Exists only if initiators may change the states of target port groups */
	SCSI_OP_ALUA_SET = 1 << 8,
	/* Refuses not only too little but also too much Data-Out: COMPARE AND WRITE, WRITE SAME */
	SCSI_OP_EXACT = 1 << 9,
	/* Runs on a medium with a corrupted format, and repairs it: FORMAT UNIT */
	SCSI_OP_CURES_CORRUPTED = 1 << 10,
};

struct scsi_op {
	const char *name;
	/*
	 * Is called on the command's loop after all checks that the row describes. It must call
	 * scsi_complete(cmd) exactly once, at once or later. A command of several steps must check
	 * cmd->aborted between its steps; if it is set, the command is only completed.
	 */
	void (*exec)(struct scsi_cmd *cmd);
	/*
	 * For SCSI_XFER_BY_ROW. scsi_parse() calls it when nblocks is set. It sets the number of bytes
	 * that the CDB transfers, or returns false with sense set.
	 */
	bool (*data_len)(struct scsi_cmd *cmd, uint64_t *len);
	/*
	 * For SCSI_ACCESS_CONTROL; may be NULL. Returns true if this CDB is allowed while another initiator
	 * holds a reservation, because it only starts or unlocks the unit (SPC-2 table 10).
	 */
	bool (*allowed_by_reservation)(const struct scsi_cmd *cmd);
	uint8_t opcode;
	uint8_t service_action;
	uint8_t cdb_len;
	/*
	 * Position and length of the LBA in the CDB. The length is 0 if there is no LBA. Bits that are not
	 * set in usage do not belong to the LBA: READ (6), for example, has an LBA of 21 bits.
	 */
	uint8_t lba_at, lba_len;
	/* Position and length of the length field */
	uint8_t len_at, len_len;
	uint8_t transfer;  /* enum scsi_transfer */
	uint8_t direction; /* enum scsi_direction */
	uint8_t access;    /* enum scsi_access */
	uint16_t flags;    /* enum scsi_op_flags */
	/*
	 * CDB usage data (SPC-4 6.34.3): the bits that are evaluated, or ignored as the standard allows. If
	 * any other bit is set in a CDB, the command ends with INVALID FIELD IN CDB. Such bits are reserved
	 * bits, RDPROTECT and similar fields, and NACA. Byte 0 is the opcode.
	 */
	uint8_t usage[SCSI_CDB_FIXED_MAX];
};

extern const struct scsi_op scsi_ops[];
extern const unsigned scsi_nops;

/*
 * Any thread. Returns the row of a CDB, or NULL if this LU does not support the command. If lu is NULL,
 * returns the row even if only some LUs support the command. Sets *opcode_known if any row has this
 * opcode, whatever its service action.
 */
const struct scsi_op *scsi_op_find(const struct scsi_lu *lu, uint8_t opcode, uint8_t service_action,
				   bool *opcode_known);
/* Returns whether this LU supports the command. */
bool scsi_op_available(const struct scsi_op *op, const struct scsi_lu *lu);
#endif
