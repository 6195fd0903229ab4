/* SPDX-License-Identifier: Apache-2.0 */
/* Mode parameters (SPC-4 7.5, SBC-4 6.5) */
#ifndef SCSI_MODE_H
#define SCSI_MODE_H

#include "scsi/lu.h"

/* Any thread; lu->lock must be held. Sets the default values, as after power on. */
void scsi_mode_reset_locked(struct scsi_lu *lu);

/* --- pages (mode_pages.c) -------------------------------------------------------------------- */

enum scsi_mode_control { MODE_CURRENT, MODE_CHANGEABLE, MODE_DEFAULT, MODE_SAVED }; /* PC, SPC-4 6.11.1.2 */

#define MODE_PAGE_MAX     20
#define MODE_ALL_PAGES    0x3f
#define MODE_ALL_SUBPAGES 0xff

struct scsi_mode_page {
	uint8_t code;
	const char *name;
	/* The length with the two bytes of the header */
	uint8_t len;
	/* Fills the bytes after the header, which are zero before. NULL means that they stay zero. */
	void (*values)(const struct scsi_lu *lu, const struct scsi_mode *mode, uint8_t *page);
	/* Sets the bits that MODE SELECT may change. NULL means that there are none. */
	void (*changeable)(const struct scsi_lu *lu, uint8_t *page);
	/* Copies the changeable bits of the page to mode. */
	void (*select)(const uint8_t *page, struct scsi_mode *mode);
};

extern const struct scsi_mode_page scsi_mode_pages[];
extern const unsigned scsi_nmode_pages;

const struct scsi_mode_page *scsi_mode_page_find(uint8_t code);
struct scsi_mode scsi_mode_default(const struct scsi_lu *lu);
/* Writes the page with its header and returns its length. mode has the current values. */
unsigned scsi_mode_page_write(const struct scsi_mode_page *page, const struct scsi_lu *lu,
			      enum scsi_mode_control pc, const struct scsi_mode *mode, uint8_t *out);
#endif
