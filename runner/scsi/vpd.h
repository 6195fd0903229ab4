/* SPDX-License-Identifier: Apache-2.0 */
/* Vital product data (SPC-4 7.8) */
#ifndef SCSI_VPD_H
#define SCSI_VPD_H

#include "scsi/scsi.h"

/* A page has at most this many bytes. */
#define VPD_MAX 2048

struct scsi_vpd_page {
	uint8_t code;
	const char *name;
	/*
	 * Fills the page from byte 4 on and returns the PAGE LENGTH. The page has VPD_MAX bytes and is zeroed
	 * before.
	 */
	unsigned (*build)(const struct scsi_cmd *cmd, uint8_t *page);
};

extern const struct scsi_vpd_page scsi_vpd_pages[]; /* ascending */
extern const unsigned scsi_nvpd_pages;

/*
 * Builds a page for cmd->lu and the port of cmd->it_nexus, and returns its length with the header, or 0 if
 * there is no such page. page has VPD_MAX bytes and is zeroed before.
 */
unsigned scsi_vpd_build(const struct scsi_cmd *cmd, uint8_t code, uint8_t *page);
#endif
