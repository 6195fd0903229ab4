/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mode pages: their values, and which bits MODE SELECT may change. To add a page, add a row to
 * scsi_mode_pages.
 */
#include <string.h>

#include "scsi/mode.h"
#include "util/bytes.h"

/* Caching page, SBC-4 6.5.5 */
#define CACHING_WCE 0x04 /* byte 2 */

static void caching(const struct scsi_lu *lu, const struct scsi_mode *mode, uint8_t *page)
{
	(void)lu;
	page[2] = mode->wce ? CACHING_WCE : 0;
}

/* WCE can be set only if it is 1 by default. Otherwise a reset would clear it without a flush. */
static void caching_changeable(const struct scsi_lu *lu, uint8_t *page)
{
	page[2] = scsi_mode_default(lu).wce ? CACHING_WCE : 0;
}

static void caching_select(const uint8_t *page, struct scsi_mode *mode)
{
	mode->wce = page[2] & CACHING_WCE;
}

/* Control page, SPC-4 7.5.8 */
#define CONTROL_D_SENSE 0x04 /* byte 2 */
#define CONTROL_GLTSD   0x02 /* byte 2: log parameters are not saved */
#define CONTROL_REORDER 0x10 /* byte 3: QUEUE ALGORITHM MODIFIER 1, unrestricted reordering */
#define CONTROL_SWP     0x08 /* byte 4 */
#define CONTROL_TAS     0x40 /* byte 5: TASK ABORTED status for commands that another nexus aborts */

static void control(const struct scsi_lu *lu, const struct scsi_mode *mode, uint8_t *page)
{
	(void)lu;
	page[2] = CONTROL_GLTSD | (mode->d_sense ? CONTROL_D_SENSE : 0);
	page[3] = CONTROL_REORDER;
	page[4] = mode->swp ? CONTROL_SWP : 0;
	page[5] = mode->tas ? CONTROL_TAS : 0;
	put_be16(&page[8], 0xffff); /* BUSY TIMEOUT PERIOD: unlimited */
}

static void control_changeable(const struct scsi_lu *lu, uint8_t *page)
{
	(void)lu;
	page[2] = CONTROL_D_SENSE;
	page[4] = CONTROL_SWP;
	page[5] = CONTROL_TAS;
}

static void control_select(const uint8_t *page, struct scsi_mode *mode)
{
	mode->d_sense = page[2] & CONTROL_D_SENSE;
	mode->swp = page[4] & CONTROL_SWP;
	mode->tas = page[5] & CONTROL_TAS;
}

/* Informational Exceptions Control page, SBC-4 6.5.8 */
#define EXCEPTIONS_DEXCPT 0x08 /* byte 2: disabled, because there are no failure predictions to report */

static void exceptions(const struct scsi_lu *lu, const struct scsi_mode *mode, uint8_t *page)
{
	(void)lu;
	(void)mode;
	page[2] = EXCEPTIONS_DEXCPT;
}

const struct scsi_mode_page scsi_mode_pages[] = {
    /* The LU does not repeat failed operations: an error ends the command. */
    {0x01, "Read-Write Error Recovery", 12, NULL, NULL, NULL},
    /* There are no limits. */
    {0x02, "Disconnect-Reconnect", 16, NULL, NULL, NULL},
    {0x08, "Caching", 20, caching, caching_changeable, caching_select},
    {0x0a, "Control", 12, control, control_changeable, control_select},
    {0x1c, "Informational Exceptions Control", 12, exceptions, NULL, NULL},
};
const unsigned scsi_nmode_pages = ARRAY_SIZE(scsi_mode_pages);

const struct scsi_mode_page *scsi_mode_page_find(uint8_t code)
{
	for (unsigned i = 0; i < scsi_nmode_pages; i++)
		if (scsi_mode_pages[i].code == code)
			return &scsi_mode_pages[i];
	return NULL;
}

struct scsi_mode scsi_mode_default(const struct scsi_lu *lu)
{
	return (struct scsi_mode){.wce = atomic_load_explicit(&lu->wce_default, memory_order_relaxed),
				  .tas = true};
}

unsigned scsi_mode_page_write(const struct scsi_mode_page *page, const struct scsi_lu *lu,
			      enum scsi_mode_control pc, const struct scsi_mode *mode, uint8_t *out)
{
	struct scsi_mode defaults = scsi_mode_default(lu);

	memset(out, 0, page->len);
	out[0] = page->code;
	out[1] = (uint8_t)(page->len - 2);
	if (pc == MODE_CHANGEABLE) {
		if (page->changeable)
			page->changeable(lu, out);
	} else if (page->values) {
		page->values(lu, pc == MODE_DEFAULT ? &defaults : mode, out);
	}
	return page->len;
}
