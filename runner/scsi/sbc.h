/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executes the SBC-4 commands. Each function is an exec function of the opcode table; opcodes.h has the rules
 * for such functions. When it is called, cmd->lba and cmd->nblocks are set and within the capacity; write
 * protection, reservations, readiness and MAXIMUM TRANSFER LENGTH have been checked; reserved bits are zero;
 * and all Data-Out (cmd->transfer_len bytes) has arrived. cmd->nblocks is 0 if the CDB says 0, except for
 * READ (6) and WRITE (6), where 0 in the CDB means 256. Each command decides what cmd->nblocks = 0 means.
 */
#ifndef SCSI_SBC_H
#define SCSI_SBC_H

#include "scsi/scsi.h"

/* --- sbc_rw.c: CDBs of 6, 10, 12 and 16 bytes --- */
void sbc_read(struct scsi_cmd *cmd);
void sbc_write(struct scsi_cmd *cmd);
void sbc_verify(struct scsi_cmd *cmd);
void sbc_write_and_verify(struct scsi_cmd *cmd);
void sbc_compare_and_write(struct scsi_cmd *cmd);
void sbc_orwrite(struct scsi_cmd *cmd);
/* Functions for the column data_len */
bool sbc_verify_data_len(struct scsi_cmd *cmd, uint64_t *len);
bool sbc_compare_data_len(struct scsi_cmd *cmd, uint64_t *len);

/* --- sbc_provision.c --- */
void sbc_unmap(struct scsi_cmd *cmd);
void sbc_write_same(struct scsi_cmd *cmd);
bool sbc_write_same_data_len(struct scsi_cmd *cmd, uint64_t *len);
void sbc_get_lba_status(struct scsi_cmd *cmd);
/* Returns whether the LU has log page 0Ch, which says how much storage is used. */
bool sbc_has_usage(const struct scsi_lu *lu);
/* Builds log page 0Ch from the result of BACKSTORE_USAGE in cmd->bio; see scsi/log_pages.h. */
unsigned sbc_log_provisioning(const struct scsi_cmd *cmd, uint8_t *page);

/* --- sbc_capacity.c --- */
void sbc_read_capacity10(struct scsi_cmd *cmd);
bool sbc_read_capacity10_data_len(struct scsi_cmd *cmd, uint64_t *len);
void sbc_read_capacity16(struct scsi_cmd *cmd);
/*
 * These functions fill a VPD page from byte 4 on and return the PAGE LENGTH. The page has SBC_VPD_MAX bytes
 * and is zeroed before.
 */
#define SBC_VPD_MAX 252
unsigned sbc_vpd_block_limits(const struct scsi_lu *lu, uint8_t *page);          /* B0h */
unsigned sbc_vpd_block_characteristics(const struct scsi_lu *lu, uint8_t *page); /* B1h */
unsigned sbc_vpd_provisioning(const struct scsi_lu *lu, uint8_t *page);          /* B2h */

/* --- sbc_medium.c --- */
void sbc_synchronize_cache(struct scsi_cmd *cmd); /* 10, 16 */
void sbc_prefetch(struct scsi_cmd *cmd);          /* 10, 16 */
void sbc_start_stop_unit(struct scsi_cmd *cmd);
bool sbc_start_stop_only_starts(const struct scsi_cmd *cmd);
void sbc_format_unit(struct scsi_cmd *cmd);
bool sbc_format_data_len(struct scsi_cmd *cmd, uint64_t *len);
/*
 * Main thread, in scsi_lu_free(). Stops a FORMAT UNIT that continues after its command (IMMED = 1), and waits
 * for its end.
 */
void sbc_format_stop(struct scsi_lu *lu);
#endif
