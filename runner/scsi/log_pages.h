/* SPDX-License-Identifier: Apache-2.0 */
/* Log pages (SPC-4 7.3) */
#ifndef SCSI_LOG_PAGES_H
#define SCSI_LOG_PAGES_H

#include "scsi/scsi.h"

struct scsi_log_page {
	uint8_t code, subpage;
	/* The highest PARAMETER CODE */
	uint8_t last;
	/* The page exists only if sbc_has_usage() is true. build() then finds the usage in cmd->bio. */
	bool usage;
	/* DS: the page has parameters, and they are not saved */
	bool ds;
	const char *name;
	/*
	 * Fills the page from byte 4 on and returns the PAGE LENGTH. The page has SCSI_LOG_MAX bytes and is
	 * zeroed before.
	 */
	unsigned (*build)(const struct scsi_cmd *cmd, uint8_t *page);
};

#define SCSI_LOG_MAX 32

extern const struct scsi_log_page scsi_log_pages[]; /* ascending */
extern const unsigned scsi_nlog_pages;
#endif
