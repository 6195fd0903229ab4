/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LOG SENSE (SPC-4 6.7) and its pages. Handlers do not report temperatures and similar values, so the pages
 * for them do not exist. The Logical Block Provisioning page is built in sbc_provision.c.
 */
#include "scsi/log_pages.h"

#include "scsi/sbc.h"
#include "scsi/scsi_io.h"
#include "scsi/spc.h"
#include "util/bytes.h"

#define ALL_SUBPAGES 0xff

static bool page_exists(const struct scsi_log_page *page, const struct scsi_lu *lu)
{
	return !page->usage || sbc_has_usage(lu);
}

/*
 * Builds the page Informational Exceptions (SPC-4 7.3.8). There are no exceptions, as the mode page says
 * (DEXCPT).
 */
static unsigned exceptions(const struct scsi_cmd *cmd, uint8_t *page)
{
	(void)cmd;
	page[6] = 0x03;  /* FORMAT AND LINKING: binary list */
	page[7] = 4;     /* PARAMETER LENGTH; ASC and ASCQ are zero */
	page[10] = 0xff; /* the temperature is unknown */
	return 8;
}

static unsigned supported_pages(const struct scsi_cmd *cmd, uint8_t *page)
{
	unsigned len = 0;

	for (unsigned i = 0; i < scsi_nlog_pages; i++)
		if (scsi_log_pages[i].subpage == 0 && page_exists(&scsi_log_pages[i], cmd->lu))
			page[4 + len++] = scsi_log_pages[i].code;
	return len;
}

static unsigned supported_subpages(const struct scsi_cmd *cmd, uint8_t *page)
{
	unsigned len = 0;

	for (unsigned i = 0; i < scsi_nlog_pages; i++) {
		if (!page_exists(&scsi_log_pages[i], cmd->lu))
			continue;
		page[4 + len++] = scsi_log_pages[i].code;
		page[4 + len++] = scsi_log_pages[i].subpage;
	}
	return len;
}

const struct scsi_log_page scsi_log_pages[] = {
    {0x00, 0x00, 0, false, false, "Supported Log Pages", supported_pages},
    {0x00, ALL_SUBPAGES, 0, false, false, "Supported Log Pages and Subpages", supported_subpages},
    {0x0c, 0x00, 2, true, true, "Logical Block Provisioning", sbc_log_provisioning},
    {0x2f, 0x00, 0, false, true, "Informational Exceptions", exceptions},
};
const unsigned scsi_nlog_pages = ARRAY_SIZE(scsi_log_pages);

/*
 * Returns the page that the CDB asks for, or NULL. Sets *code_known to whether the page code exists with
 * other subpages.
 */
static const struct scsi_log_page *find_page(const struct scsi_cmd *cmd, bool *code_known)
{
	*code_known = false;
	for (unsigned i = 0; i < scsi_nlog_pages; i++) {
		const struct scsi_log_page *page = &scsi_log_pages[i];

		if (page->code != (cmd->cdb[2] & 0x3f) || !page_exists(page, cmd->lu))
			continue;
		*code_known = true;
		if (page->subpage == cmd->cdb[3])
			return page;
	}
	return NULL;
}

/* Removes the parameters before first, and returns the length of the rest. */
static unsigned skip_parameters(uint8_t *parameters, unsigned len, uint16_t first)
{
	while (len && get_be16(parameters) < first) {
		unsigned size = 4u + parameters[3];

		len -= size;
		memmove(parameters, parameters + size, len);
	}
	return len;
}

static void send_page(struct scsi_cmd *cmd, const struct scsi_log_page *page)
{
	uint8_t data[SCSI_LOG_MAX] = {0};
	unsigned len = page->build(cmd, data);

	if (get_be16(&cmd->cdb[5])) /* PARAMETER POINTER */
		len = skip_parameters(&data[4], len, get_be16(&cmd->cdb[5]));
	data[0] = page->code | (page->subpage ? 0x40 : 0) | (page->ds ? 0x80 : 0); /* SPF, DS */
	data[1] = page->subpage;
	put_be16(&data[2], (uint16_t)len);
	scsi_data_in_bytes(cmd, data, len + 4);
}

/*
 * Completes the command when the usage is known. The page is not looked up again, because after a resize
 * other pages may exist.
 */
static void on_usage(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = scsi_io_cmd(bio);
	const struct scsi_log_page *page = cmd->state;

	cmd->state = NULL;
	if (status == TCMUR_OK)
		send_page(cmd, page);
	else
		scsi_io_complete(bio, status);
}

static void ask_usage(struct scsi_cmd *cmd, const struct scsi_log_page *page)
{
	cmd->state = (void *)page;
	scsi_io(cmd, BACKSTORE_USAGE, 0, 0, 0, on_usage);
}

void spc_log_sense(struct scsi_cmd *cmd)
{
	bool code_known;
	const struct scsi_log_page *page = find_page(cmd, &code_known);

	if (!page)
		scsi_fail_cdb(cmd, code_known ? 3 : 2, code_known ? -1 : 5);
	else if (get_be16(&cmd->cdb[5]) > page->last)
		scsi_fail_cdb(cmd, 5, -1);
	else if (page->usage)
		ask_usage(cmd, page);
	else
		send_page(cmd, page);
}
