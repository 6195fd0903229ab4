/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Execution of the SBC-4 commands; each is an exec function of the opcode table (see opcodes.h for the
 * rules). cmd->lba and cmd->nblocks are set and lie within the capacity; write protection, reservations,
 * readiness and MAXIMUM TRANSFER LENGTH are checked; reserved bits are zero. For Data-Out, cmd->data_out_len
 * may be less than cmd->transfer_len. cmd->nblocks is 0 where the CDB says so (READ (6): 256), whatever that
 * means for the command.
 */
#ifndef SCSI_SBC_H
#define SCSI_SBC_H

#include "scsi/scsi.h"

void sbc_read(struct scsi_cmd *cmd);              /* 6, 10, 12, 16 */
void sbc_write(struct scsi_cmd *cmd);             /* 6, 10, 12, 16 */
void sbc_verify(struct scsi_cmd *cmd);            /* 10, 12, 16 */
void sbc_write_and_verify(struct scsi_cmd *cmd);  /* 10, 12, 16 */
void sbc_synchronize_cache(struct scsi_cmd *cmd); /* 10, 16 */
void sbc_prefetch(struct scsi_cmd *cmd);          /* 10, 16 */
void sbc_write_same(struct scsi_cmd *cmd);        /* 10, 16 */
void sbc_unmap(struct scsi_cmd *cmd);
void sbc_compare_and_write(struct scsi_cmd *cmd);
void sbc_orwrite(struct scsi_cmd *cmd);
void sbc_get_lba_status(struct scsi_cmd *cmd);
void sbc_read_capacity10(struct scsi_cmd *cmd);
void sbc_read_capacity16(struct scsi_cmd *cmd);
void sbc_format_unit(struct scsi_cmd *cmd);
/* Main thread, in scsi_lu_free(): ends a FORMAT UNIT that goes on after its command (IMMED = 1), and waits
 * for it. */
void sbc_format_stop(struct scsi_lu *lu);
void sbc_start_stop_unit(struct scsi_cmd *cmd); /* sets or clears SCSI_GATE_STOPPED */

/* Log page 0C, from what USAGE told in cmd->bio; see scsi/log.h. */
bool sbc_tells_usage(const struct scsi_lu *lu);
unsigned sbc_log_provisioning(const struct scsi_cmd *cmd, uint8_t *page);

/* VPD pages: fill page from byte 4 on (page is zeroed, SBC_VPD_MAX bytes) and return the PAGE LENGTH. */
#define SBC_VPD_MAX 252
unsigned sbc_vpd_block_limits(const struct scsi_lu *lu, uint8_t *page);          /* B0 */
unsigned sbc_vpd_block_characteristics(const struct scsi_lu *lu, uint8_t *page); /* B1 */
unsigned sbc_vpd_provisioning(const struct scsi_lu *lu, uint8_t *page);          /* B2 */
#endif
