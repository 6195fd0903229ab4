/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LOG SENSE (SPC-4 6.7). There is little to log: temperatures and the like are the storage's, and it does not
 * tell them, so their pages are absent.
 */
#include "scsi/log.h"

#include "scsi/sbc.h"
#include "scsi/sbc_io.h"
#include "scsi/spc.h"
#include "util/bytes.h"

#define ALL_SUBPAGES 0xff

static bool is_there(const struct scsi_log_page *page, const struct scsi_lu *lu)
{
	return !page->usage || sbc_tells_usage(lu);
}

/* Informational Exceptions, SPC-4 7.3.8: none ever, as the mode page says (DEXCPT). */
static unsigned exceptions(const struct scsi_cmd *cmd, uint8_t *page)
{
	(void)cmd;
	page[6] = 0x03;  /* FORMAT AND LINKING: binary list */
	page[7] = 4;     /* PARAMETER LENGTH; ASC and ASCQ are zero */
	page[10] = 0xff; /* temperature: not known */
	return 8;
}

static unsigned supported_pages(const struct scsi_cmd *cmd, uint8_t *page)
{
	unsigned len = 0;

	for (unsigned i = 0; i < scsi_nlog_pages; i++)
		if (scsi_log_pages[i].subpage == 0 && is_there(&scsi_log_pages[i], cmd->lu))
			page[4 + len++] = scsi_log_pages[i].code;
	return len;
}

static unsigned supported_subpages(const struct scsi_cmd *cmd, uint8_t *page)
{
	unsigned len = 0;

	for (unsigned i = 0; i < scsi_nlog_pages; i++) {
		if (!is_there(&scsi_log_pages[i], cmd->lu))
			continue;
		page[4 + len++] = scsi_log_pages[i].code;
		page[4 + len++] = scsi_log_pages[i].subpage;
	}
	return len;
}

const struct scsi_log_page scsi_log_pages[] = {
    {0x00, 0x00, 0, false, "Supported Log Pages", supported_pages},
    {0x00, ALL_SUBPAGES, 0, false, "Supported Log Pages and Subpages", supported_subpages},
    {0x0c, 0x00, 2, true, "Logical Block Provisioning", sbc_log_provisioning},
    {0x2f, 0x00, 0, false, "Informational Exceptions", exceptions},
};
const unsigned scsi_nlog_pages = ARRAY_SIZE(scsi_log_pages);

/* The page that the CDB asks for, or NULL. *code_known: it has other subpages. */
static const struct scsi_log_page *find(const struct scsi_cmd *cmd, bool *code_known)
{
	*code_known = false;
	for (unsigned i = 0; i < scsi_nlog_pages; i++) {
		const struct scsi_log_page *page = &scsi_log_pages[i];

		if (page->code != (cmd->cdb[2] & 0x3f) || !is_there(page, cmd->lu))
			continue;
		*code_known = true;
		if (page->subpage == cmd->cdb[3])
			return page;
	}
	return NULL;
}

/* Leaves out the parameters before first; returns how long the rest is. */
static unsigned skip_parameters(uint8_t *parameters, unsigned len, uint16_t first)
{
	while (len && get_be16(parameters) < first) {
		unsigned size = 4u + parameters[3];

		len -= size;
		memmove(parameters, parameters + size, len);
	}
	return len;
}

static void answer(struct scsi_cmd *cmd, const struct scsi_log_page *page)
{
	uint8_t data[SCSI_LOG_MAX] = {0};
	unsigned len = page->build(cmd, data);

	if (get_be16(&cmd->cdb[5])) /* PARAMETER POINTER */
		len = skip_parameters(&data[4], len, get_be16(&cmd->cdb[5]));
	data[0] = page->code | (page->subpage ? 0x40 : 0); /* SPF */
	data[1] = page->subpage;
	put_be16(&data[2], (uint16_t)len);
	scsi_data_in_bytes(cmd, data, len + 4);
}

static void usage_told(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = sbc_io_cmd(bio);
	bool code_known;

	if (status == TCMUR_OK)
		answer(cmd, find(cmd, &code_known));
	else
		sbc_io_complete(bio, status);
}

void spc_log_sense(struct scsi_cmd *cmd)
{
	bool code_known;
	const struct scsi_log_page *page = find(cmd, &code_known);

	if (!page)
		scsi_fail_cdb(cmd, code_known ? 3 : 2, code_known ? -1 : 5);
	else if (get_be16(&cmd->cdb[5]) > page->last)
		scsi_fail_cdb(cmd, 5, -1);
	else if (page->usage)
		sbc_io(cmd, BACKSTORE_USAGE, 0, 0, 0, usage_told);
	else
		answer(cmd, page);
}
