/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opcode table and the search in it. A row describes what admission checks before the command's
 * function runs; the functions themselves are in the spc_* and sbc_* files.
 */
#include "scsi/opcodes.h"

#include "scsi/lu.h"
#include "scsi/sbc.h"
#include "scsi/spc.h"
#include "util/bytes.h"

#define LBA(at, bytes)    .lba_at = (at), .lba_len = (bytes)
#define LEN(at, bytes)    .len_at = (at), .len_len = (bytes)
#define MOVES(unit, way)  .transfer = SCSI_XFER_##unit, .direction = SCSI_##way
#define MOVES_BY(fn, way) .transfer = SCSI_XFER_BY_ROW, .data_len = (fn), .direction = SCSI_##way
#define ACCESS(class)     .access = SCSI_ACCESS_##class

/*
 * The rows are in ascending order of opcode and service action. Some usage bits are set although nothing
 * evaluates them: GROUP NUMBER, which is ignored if there is no grouping function; FUA_NV and SYNC_NV, which
 * are obsolete; and the reservation and third party identifications of RESERVE and RELEASE, which are ignored
 * without EXTENT and 3RDPTY (SPC-2 7.21).
 */
/* clang-format off */
const struct scsi_op scsi_ops[] = {
	{"TEST UNIT READY", spc_test_unit_ready,
	 .opcode = 0x00, .cdb_len = 6,
	 ACCESS(CONTROL), .flags = SCSI_OP_MEDIUM,
	 .usage = {0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
	{"REQUEST SENSE", spc_request_sense,
	 .opcode = 0x03, .cdb_len = 6, LEN(4, 1),
	 MOVES(BYTES, DATA_IN), ACCESS(ANY), .flags = SCSI_OP_ALWAYS,
	 .usage = {0x03, 0x01, 0x00, 0x00, 0xff, 0x00}},
	{"FORMAT UNIT", sbc_format_unit,
	 .opcode = 0x04, .cdb_len = 6,
	 MOVES_BY(sbc_format_data_len, DATA_OUT), ACCESS(WRITE),
	 .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_CURES_CORRUPTED,
	 .usage = {0x04, 0x3f, 0x00, 0x00, 0x00, 0x00}},
	{"READ (6)", sbc_read,
	 .opcode = 0x08, .cdb_len = 6, LBA(1, 3), LEN(4, 1),
	 MOVES(BLOCKS, DATA_IN), ACCESS(READ), .flags = SCSI_OP_MEDIUM | SCSI_OP_ZERO_256,
	 .usage = {0x08, 0x1f, 0xff, 0xff, 0xff, 0x00}},
	{"WRITE (6)", sbc_write,
	 .opcode = 0x0a, .cdb_len = 6, LBA(1, 3), LEN(4, 1),
	 MOVES(BLOCKS, DATA_OUT), ACCESS(WRITE), .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_ZERO_256,
	 .usage = {0x0a, 0x1f, 0xff, 0xff, 0xff, 0x00}},
	{"INQUIRY", spc_inquiry,
	 .opcode = 0x12, .cdb_len = 6, LEN(3, 2),
	 MOVES(BYTES, DATA_IN), ACCESS(ANY), .flags = SCSI_OP_ALWAYS,
	 /*
	  * In SCSI-2, bits 7-5 were the LUN. Linux sets them in the first INQUIRY that it sends to a target.
	  */
	 .usage = {0x12, 0xe1, 0xff, 0xff, 0xff, 0x00}},
	{"MODE SELECT (6)", spc_mode_select,
	 .opcode = 0x15, .cdb_len = 6, LEN(4, 1),
	 MOVES(BYTES, DATA_OUT), ACCESS(CONTROL),
	 .usage = {0x15, 0x11, 0x00, 0x00, 0xff, 0x00}},
	{"RESERVE (6)", spc_reserve,
	 .opcode = 0x16, .cdb_len = 6,
	 ACCESS(CONTROL),
	 .usage = {0x16, 0x00, 0xff, 0x00, 0x00, 0x00}},
	{"RELEASE (6)", spc_release,
	 .opcode = 0x17, .cdb_len = 6,
	 ACCESS(ANY),
	 .usage = {0x17, 0x00, 0xff, 0x00, 0x00, 0x00}},
	{"MODE SENSE (6)", spc_mode_sense,
	 .opcode = 0x1a, .cdb_len = 6, LEN(4, 1),
	 MOVES(BYTES, DATA_IN), ACCESS(CONTROL),
	 .usage = {0x1a, 0x08, 0xff, 0xff, 0xff, 0x00}},
	{"START STOP UNIT", sbc_start_stop_unit,
	 .opcode = 0x1b, .cdb_len = 6,
	 ACCESS(CONTROL), .allowed_by_reservation = sbc_start_stop_only_starts,
	 .usage = {0x1b, 0x01, 0x00, 0x0f, 0xf7, 0x00}},
	{"SEND DIAGNOSTIC", spc_send_diagnostic,
	 .opcode = 0x1d, .cdb_len = 6,
	 ACCESS(CONTROL), .flags = SCSI_OP_MEDIUM,
	 .usage = {0x1d, 0xf7, 0x00, 0x00, 0x00, 0x00}},
	{"PREVENT ALLOW MEDIUM REMOVAL", spc_prevent_allow,
	 .opcode = 0x1e, .cdb_len = 6,
	 ACCESS(CONTROL), .allowed_by_reservation = spc_allows_removal,
	 .usage = {0x1e, 0x00, 0x00, 0x00, 0x03, 0x00}},
	{"READ CAPACITY (10)", sbc_read_capacity10,
	 .opcode = 0x25, .cdb_len = 10,
	 MOVES_BY(sbc_read_capacity10_data_len, DATA_IN), ACCESS(ANY), .flags = SCSI_OP_MEDIUM,
	 .usage = {0x25, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x01, 0x00}},
	{"READ (10)", sbc_read,
	 .opcode = 0x28, .cdb_len = 10, LBA(2, 4), LEN(7, 2),
	 MOVES(BLOCKS, DATA_IN), ACCESS(READ), .flags = SCSI_OP_MEDIUM | SCSI_OP_MAX_XFER,
	 .usage = {0x28, 0x1a, 0xff, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0x00}},
	{"WRITE (10)", sbc_write,
	 .opcode = 0x2a, .cdb_len = 10, LBA(2, 4), LEN(7, 2),
	 MOVES(BLOCKS, DATA_OUT), ACCESS(WRITE), .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_MAX_XFER,
	 .usage = {0x2a, 0x1a, 0xff, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0x00}},
	{"WRITE AND VERIFY (10)", sbc_write_and_verify,
	 .opcode = 0x2e, .cdb_len = 10, LBA(2, 4), LEN(7, 2),
	 MOVES(BLOCKS, DATA_OUT), ACCESS(WRITE), .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_MAX_XFER,
	 .usage = {0x2e, 0x16, 0xff, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0x00}},
	{"VERIFY (10)", sbc_verify,
	 .opcode = 0x2f, .cdb_len = 10, LBA(2, 4), LEN(7, 2),
	 MOVES_BY(sbc_verify_data_len, DATA_OUT), ACCESS(READ), .flags = SCSI_OP_MEDIUM | SCSI_OP_MAX_XFER,
	 .usage = {0x2f, 0x16, 0xff, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0x00}},
	{"PRE-FETCH (10)", sbc_prefetch,
	 .opcode = 0x34, .cdb_len = 10, LBA(2, 4), LEN(7, 2),
	 ACCESS(READ), .flags = SCSI_OP_MEDIUM,
	 .usage = {0x34, 0x02, 0xff, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0x00}},
	{"SYNCHRONIZE CACHE (10)", sbc_synchronize_cache,
	 .opcode = 0x35, .cdb_len = 10, LBA(2, 4), LEN(7, 2),
	 ACCESS(WRITE), .flags = SCSI_OP_MEDIUM,
	 .usage = {0x35, 0x06, 0xff, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0x00}},
	{"WRITE SAME (10)", sbc_write_same,
	 .opcode = 0x41, .cdb_len = 10, LBA(2, 4), LEN(7, 2),
	 MOVES_BY(sbc_write_same_data_len, DATA_OUT), ACCESS(WRITE),
	 .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_EXACT,
	 .usage = {0x41, 0x08, 0xff, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0x00}},
	{"UNMAP", sbc_unmap,
	 .opcode = 0x42, .cdb_len = 10, LEN(7, 2),
	 MOVES(BYTES, DATA_OUT), ACCESS(WRITE), .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_THIN,
	 .usage = {0x42, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3f, 0xff, 0xff, 0x00}},
	{"LOG SENSE", spc_log_sense,
	 .opcode = 0x4d, .cdb_len = 10, LEN(7, 2),
	 MOVES(BYTES, DATA_IN), ACCESS(ANY),
	 .usage = {0x4d, 0x00, 0xff, 0xff, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00}},
	{"MODE SELECT (10)", spc_mode_select,
	 .opcode = 0x55, .cdb_len = 10, LEN(7, 2),
	 MOVES(BYTES, DATA_OUT), ACCESS(CONTROL),
	 .usage = {0x55, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00}},
	{"RESERVE (10)", spc_reserve,
	 .opcode = 0x56, .cdb_len = 10,
	 ACCESS(CONTROL),
	 .usage = {0x56, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
	{"RELEASE (10)", spc_release,
	 .opcode = 0x57, .cdb_len = 10,
	 ACCESS(ANY),
	 .usage = {0x57, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
	{"MODE SENSE (10)", spc_mode_sense,
	 .opcode = 0x5a, .cdb_len = 10, LEN(7, 2),
	 MOVES(BYTES, DATA_IN), ACCESS(CONTROL),
	 .usage = {0x5a, 0x18, 0xff, 0xff, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00}},
	{"READ (16)", sbc_read,
	 .opcode = 0x88, .cdb_len = 16, LBA(2, 8), LEN(10, 4),
	 MOVES(BLOCKS, DATA_IN), ACCESS(READ), .flags = SCSI_OP_MEDIUM | SCSI_OP_MAX_XFER,
	 .usage = {0x88, 0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
	{"COMPARE AND WRITE", sbc_compare_and_write,
	 .opcode = 0x89, .cdb_len = 16, LBA(2, 8), LEN(13, 1),
	 MOVES_BY(sbc_compare_data_len, DATA_OUT), ACCESS(WRITE),
	 .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_EXACT,
	 .usage = {0x89, 0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0x00, 0x00, 0x00, 0xff, 0x3f, 0x00}},
	{"WRITE (16)", sbc_write,
	 .opcode = 0x8a, .cdb_len = 16, LBA(2, 8), LEN(10, 4),
	 MOVES(BLOCKS, DATA_OUT), ACCESS(WRITE), .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_MAX_XFER,
	 .usage = {0x8a, 0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
	{"ORWRITE (16)", sbc_orwrite,
	 .opcode = 0x8b, .cdb_len = 16, LBA(2, 8), LEN(10, 4),
	 MOVES(BLOCKS, DATA_OUT), ACCESS(WRITE), .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_MAX_XFER,
	 .usage = {0x8b, 0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
	{"WRITE AND VERIFY (16)", sbc_write_and_verify,
	 .opcode = 0x8e, .cdb_len = 16, LBA(2, 8), LEN(10, 4),
	 MOVES(BLOCKS, DATA_OUT), ACCESS(WRITE), .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_MAX_XFER,
	 .usage = {0x8e, 0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
	{"VERIFY (16)", sbc_verify,
	 .opcode = 0x8f, .cdb_len = 16, LBA(2, 8), LEN(10, 4),
	 MOVES_BY(sbc_verify_data_len, DATA_OUT), ACCESS(READ), .flags = SCSI_OP_MEDIUM | SCSI_OP_MAX_XFER,
	 .usage = {0x8f, 0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
	{"PRE-FETCH (16)", sbc_prefetch,
	 .opcode = 0x90, .cdb_len = 16, LBA(2, 8), LEN(10, 4),
	 ACCESS(READ), .flags = SCSI_OP_MEDIUM,
	 .usage = {0x90, 0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
	{"SYNCHRONIZE CACHE (16)", sbc_synchronize_cache,
	 .opcode = 0x91, .cdb_len = 16, LBA(2, 8), LEN(10, 4),
	 ACCESS(WRITE), .flags = SCSI_OP_MEDIUM,
	 .usage = {0x91, 0x06, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
	{"WRITE SAME (16)", sbc_write_same,
	 .opcode = 0x93, .cdb_len = 16, LBA(2, 8), LEN(10, 4),
	 MOVES_BY(sbc_write_same_data_len, DATA_OUT), ACCESS(WRITE),
	 .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_EXACT,
	 .usage = {0x93, 0x09, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
	{"READ CAPACITY (16)", sbc_read_capacity16,
	 .opcode = 0x9e, .service_action = 0x10, .cdb_len = 16, LEN(10, 4),
	 MOVES(BYTES, DATA_IN), ACCESS(ANY), .flags = SCSI_OP_MEDIUM | SCSI_OP_SA,
	 .usage = {0x9e, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00}},
	{"GET LBA STATUS", sbc_get_lba_status,
	 .opcode = 0x9e, .service_action = 0x12, .cdb_len = 16, LBA(2, 8), LEN(10, 4),
	 MOVES(BYTES, DATA_IN), ACCESS(READ), .flags = SCSI_OP_MEDIUM | SCSI_OP_SA,
	 .usage = {0x9e, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00}},
	{"REPORT LUNS", spc_report_luns,
	 .opcode = 0xa0, .cdb_len = 12, LEN(6, 4),
	 MOVES(BYTES, DATA_IN), ACCESS(ANY), .flags = SCSI_OP_ALWAYS,
	 .usage = {0xa0, 0x00, 0xff, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00}},
	{"REPORT TARGET PORT GROUPS", spc_report_port_groups,
	 .opcode = 0xa3, .service_action = 0x0a, .cdb_len = 12, LEN(6, 4),
	 MOVES(BYTES, DATA_IN), ACCESS(ANY), .flags = SCSI_OP_SA | SCSI_OP_ALUA,
	 .usage = {0xa3, 0x3f, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00}},
	{"REPORT SUPPORTED OPERATION CODES", spc_report_opcodes,
	 .opcode = 0xa3, .service_action = 0x0c, .cdb_len = 12, LEN(6, 4),
	 MOVES(BYTES, DATA_IN), ACCESS(ANY), .flags = SCSI_OP_SA,
	 .usage = {0xa3, 0x1f, 0x87, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00}},
	{"REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", spc_report_tmfs,
	 .opcode = 0xa3, .service_action = 0x0d, .cdb_len = 12, LEN(6, 4),
	 MOVES(BYTES, DATA_IN), ACCESS(ANY), .flags = SCSI_OP_SA,
	 .usage = {0xa3, 0x1f, 0x80, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00}},
	{"SET TARGET PORT GROUPS", spc_set_port_groups,
	 .opcode = 0xa4, .service_action = 0x0a, .cdb_len = 12, LEN(6, 4),
	 MOVES(BYTES, DATA_OUT), ACCESS(CONTROL), .flags = SCSI_OP_SA | SCSI_OP_ALUA_SET,
	 .usage = {0xa4, 0x1f, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00}},
	{"READ (12)", sbc_read,
	 .opcode = 0xa8, .cdb_len = 12, LBA(2, 4), LEN(6, 4),
	 MOVES(BLOCKS, DATA_IN), ACCESS(READ), .flags = SCSI_OP_MEDIUM | SCSI_OP_MAX_XFER,
	 .usage = {0xa8, 0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
	{"WRITE (12)", sbc_write,
	 .opcode = 0xaa, .cdb_len = 12, LBA(2, 4), LEN(6, 4),
	 MOVES(BLOCKS, DATA_OUT), ACCESS(WRITE), .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_MAX_XFER,
	 .usage = {0xaa, 0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
	{"WRITE AND VERIFY (12)", sbc_write_and_verify,
	 .opcode = 0xae, .cdb_len = 12, LBA(2, 4), LEN(6, 4),
	 MOVES(BLOCKS, DATA_OUT), ACCESS(WRITE), .flags = SCSI_OP_MEDIUM | SCSI_OP_WRITES | SCSI_OP_MAX_XFER,
	 .usage = {0xae, 0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
	{"VERIFY (12)", sbc_verify,
	 .opcode = 0xaf, .cdb_len = 12, LBA(2, 4), LEN(6, 4),
	 MOVES_BY(sbc_verify_data_len, DATA_OUT), ACCESS(READ), .flags = SCSI_OP_MEDIUM | SCSI_OP_MAX_XFER,
	 .usage = {0xaf, 0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0x00}},
};
/* clang-format on */
const unsigned scsi_nops = ARRAY_SIZE(scsi_ops);

/* For each opcode, the index of its first row plus one; 0 means that the opcode has no row. */
static uint8_t first_row[256];

/* This runs before main(), so that a search needs neither a lock nor a check. */
__attribute__((constructor)) static void index_rows(void)
{
	for (unsigned i = scsi_nops; i > 0; i--)
		first_row[scsi_ops[i - 1].opcode] = (uint8_t)i;
}

bool scsi_op_available(const struct scsi_op *op, const struct scsi_lu *lu)
{
	if (op->flags & SCSI_OP_THIN)
		return backstore_has_unmap(lu->bs);
	if (op->flags & (SCSI_OP_ALUA | SCSI_OP_ALUA_SET))
		return scsi_alua_tpgs(lu) &
		       (op->flags & SCSI_OP_ALUA_SET ? SCSI_TPGS_EXPLICIT : SCSI_TPGS_ANY);
	return true;
}

const struct scsi_op *scsi_op_find(const struct scsi_lu *lu, uint8_t opcode, uint8_t service_action,
				   bool *opcode_known)
{
	unsigned row = first_row[opcode];

	*opcode_known = false;
	if (row == 0)
		return NULL;
	for (const struct scsi_op *op = &scsi_ops[row - 1]; op < scsi_ops + scsi_nops; op++) {
		if (op->opcode != opcode)
			break;
		if (lu && !scsi_op_available(op, lu))
			continue;
		*opcode_known = true;
		if (!(op->flags & SCSI_OP_SA) || op->service_action == service_action)
			return op;
	}
	return NULL;
}
