/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LOG SENSE (SPC-4 6.7). There is little to log: provisioning counts, temperatures and the like are the
 * storage's, and it does not tell them, so their pages are absent.
 */
#include "scsi/log.h"

#include "scsi/cmd.h"
#include "scsi/spc.h"
#include "util/bytes.h"

#define ALL_SUBPAGES 0xff

/* Informational Exceptions, SPC-4 7.3.8: none ever, as the mode page says (DEXCPT). */
static unsigned exceptions(uint8_t *page)
{
	page[6] = 0x03;  /* FORMAT AND LINKING: binary list */
	page[7] = 4;     /* PARAMETER LENGTH; ASC and ASCQ are zero */
	page[10] = 0xff; /* temperature: not known */
	return 8;
}

static unsigned supported_pages(uint8_t *page)
{
	unsigned len = 0;

	for (unsigned i = 0; i < scsi_nlog_pages; i++)
		if (scsi_log_pages[i].subpage == 0)
			page[4 + len++] = scsi_log_pages[i].code;
	return len;
}

static unsigned supported_subpages(uint8_t *page)
{
	for (unsigned i = 0; i < scsi_nlog_pages; i++) {
		page[4 + 2 * i] = scsi_log_pages[i].code;
		page[5 + 2 * i] = scsi_log_pages[i].subpage;
	}
	return 2 * scsi_nlog_pages;
}

const struct scsi_log_page scsi_log_pages[] = {
    {0x00, 0x00, "Supported Log Pages", supported_pages},
    {0x00, ALL_SUBPAGES, "Supported Log Pages and Subpages", supported_subpages},
    {0x2f, 0x00, "Informational Exceptions", exceptions},
};
const unsigned scsi_nlog_pages = ARRAY_SIZE(scsi_log_pages);

void spc_log_sense(struct scsi_cmd *cmd)
{
	uint8_t page[SCSI_LOG_MAX] = {0};
	uint8_t code = cmd->cdb[2] & 0x3f, subpage = cmd->cdb[3];
	bool code_known = false;

	for (unsigned i = 0; i < scsi_nlog_pages; i++) {
		code_known |= scsi_log_pages[i].code == code;
		if (scsi_log_pages[i].code != code || scsi_log_pages[i].subpage != subpage)
			continue;
		if (get_be16(&cmd->cdb[5])) { /* PARAMETER POINTER: no code is higher than 0 */
			scsi_fail_cdb(cmd, 5, -1);
			return;
		}
		page[0] = code | (subpage ? 0x40 : 0); /* SPF */
		page[1] = subpage;
		put_be16(&page[2], (uint16_t)scsi_log_pages[i].build(page));
		scsi_data_in_bytes(cmd, page, get_be16(&page[2]) + 4u);
		return;
	}
	scsi_fail_cdb(cmd, code_known ? 3 : 2, code_known ? -1 : 5);
}
