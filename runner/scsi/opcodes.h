/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opcode table: one row a command (and service action). Admission (cmd.c), REPORT SUPPORTED OPERATION
 * CODES (opcode_report.c), the reservation matrix (reserve.c) and docs/scsi-support.md all come out of it, so
 * a command is there exactly when it has a row.
 */
#ifndef SCSI_OPCODES_H
#define SCSI_OPCODES_H

#include "scsi/scsi.h"

#define SCSI_CDB_FIXED_MAX 16

/* What the CDB's length field counts, and so how many bytes move. */
enum scsi_transfer {
	SCSI_XFER_NONE, /* no data; a length field, if any, is a number of blocks (VERIFY, SYNCHRONIZE CACHE)
			 */
	SCSI_XFER_BLOCKS, /* as many blocks */
	SCSI_XFER_TWICE,  /* twice as many blocks: COMPARE AND WRITE */
	SCSI_XFER_SAME,   /* one block, none with NDOB; the field is the range: WRITE SAME */
	SCSI_XFER_VERIFY, /* by BYTCHK: none, as many blocks, or one block: VERIFY */
	SCSI_XFER_BYTES,  /* an allocation length (in) or parameter list length (out) */
	SCSI_XFER_FORMAT, /* the header of FORMAT UNIT's parameter list, where it has one */
	SCSI_XFER_EIGHT,  /* 8 bytes without a length field: READ CAPACITY (10) */
};

/* What a reservation held by another nexus does to the command (SPC-2 5.5.1 table 10, SBC-3 4.17 table 10).
 */
enum scsi_access {
	SCSI_ACCESS_ANY,     /* never conflicts: INQUIRY, READ CAPACITY */
	SCSI_ACCESS_READ,    /* reads the medium */
	SCSI_ACCESS_WRITE,   /* changes the medium */
	SCSI_ACCESS_CONTROL, /* changes or tells the LU's state: conflicts with any reservation */
	SCSI_ACCESS_LOOSEN,  /* conflicts unless it only loosens: PREVENT = 0, START = 1 */
};

enum scsi_op_flags {
	SCSI_OP_ALWAYS =
	    1 << 0, /* without a LUN and with a unit attention pending too (SAM-5 5.14): INQUIRY … */
	SCSI_OP_MEDIUM = 1 << 1,   /* needs a started LU, else NOT READY */
	SCSI_OP_WRITES = 1 << 2,   /* refused on a write protected LU */
	SCSI_OP_SA = 1 << 3,       /* service_action, in byte 1 bits 4-0, is part of the code */
	SCSI_OP_ZERO_256 = 1 << 4, /* length 0 means 256 blocks: READ (6), WRITE (6) */
	SCSI_OP_MAX_XFER = 1 << 5, /* VPD B0 MAXIMUM TRANSFER LENGTH binds it (SBC-4 6.6.4) */
	SCSI_OP_THIN = 1 << 6,     /* only where the backstore can unmap */
	SCSI_OP_ALUA = 1 << 7,     /* only where the target port groups are known (alua.h) */
	SCSI_OP_ALUA_SET = 1 << 8, /* only where initiators may change their states */
};

struct scsi_op {
	const char *name;
	/* On the command's loop, after all checks that the row describes. Ends in scsi_complete(cmd), once,
	 * now or later. A command of several steps looks at cmd->aborted between them and then just
	 * completes. */
	void (*exec)(struct scsi_cmd *cmd);
	uint8_t opcode;
	uint8_t service_action;
	uint8_t cdb_len;
	uint8_t lba_at,
	    lba_len; /* bytes in the CDB; lba_len 0: none. Masked by usage: READ (6) has 21 bits */
	uint8_t len_at, len_len; /* the same for the length */
	uint8_t transfer;        /* enum scsi_transfer */
	uint8_t direction;       /* enum scsi_direction */
	uint8_t access;          /* enum scsi_access */
	uint16_t flags;          /* enum scsi_op_flags */
	/* CDB usage data (SPC-4 6.34.3): bits that are evaluated, or ignored as the standard allows. Any
	 * other bit set in a CDB is INVALID FIELD IN CDB: reserved bits, RDPROTECT and the like, NACA. Byte 0
	 * is the opcode. */
	uint8_t usage[SCSI_CDB_FIXED_MAX];
};

extern const struct scsi_op scsi_ops[];
extern const unsigned scsi_nops;

/* The row of a CDB, NULL when there is none that this LU has (lu NULL: that any has). *opcode_known: some row has the
 * opcode, with another service action. Any thread. */
const struct scsi_op *scsi_op_find(const struct scsi_lu *lu, uint8_t opcode, uint8_t service_action,
				   bool *opcode_known);
/* False for what this LU cannot do. */
bool scsi_op_available(const struct scsi_op *op, const struct scsi_lu *lu);
#endif
