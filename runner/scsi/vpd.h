/* SPDX-License-Identifier: Apache-2.0 */
/* Vital product data (SPC-4 7.8). */
#ifndef SCSI_VPD_H
#define SCSI_VPD_H

#include "scsi/scsi.h"

#define VPD_MAX 2048 /* bytes of the longest page, with room */

/* Builds a page for cmd->lu as seen through cmd->it; returns its length with header, 0: there is no such
 * page. page is zeroed and has VPD_MAX bytes. */
unsigned scsi_vpd_build(const struct scsi_cmd *cmd, uint8_t code, uint8_t *page);
#endif
