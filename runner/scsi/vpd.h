/* SPDX-License-Identifier: Apache-2.0 */
/* Vital product data (SPC-4 7.8) */
#ifndef SCSI_VPD_H
#define SCSI_VPD_H

#include "scsi/scsi.h"

/* At least the bytes of the longest page */
#define VPD_MAX 2048

struct scsi_vpd_page {
	uint8_t code;
	const char *name;
	/* Fills the page, zeroed and of VPD_MAX bytes, from byte 4 on; returns the PAGE LENGTH. */
	unsigned (*build)(const struct scsi_cmd *cmd, uint8_t *page);
};

extern const struct scsi_vpd_page scsi_vpd_pages[]; /* ascending */
extern const unsigned scsi_nvpd_pages;

/*
 * Builds a page for cmd->lu and the port of cmd->it, and returns its length with the header; 0:
 * there is no such page. page is zeroed and has VPD_MAX bytes.
 */
unsigned scsi_vpd_build(const struct scsi_cmd *cmd, uint8_t code, uint8_t *page);
#endif
