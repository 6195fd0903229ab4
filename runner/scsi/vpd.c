/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vital product data pages that are common to all device types, and the list of all pages.
 * Pages of block devices are built in sbc_capacity.c. To add a page, add a row to scsi_vpd_pages.
 */
#include "scsi/vpd.h"

#include <stdio.h>

#include "scsi/lu.h"
#include "scsi/sbc.h"
#include "util/bytes.h"

_Static_assert(SBC_VPD_MAX <= VPD_MAX, "SBC pages fit");

/* --- Device Identification, SPC-4 7.8.6 ------------------------------------------------------ */

enum code_set { CODE_BINARY = 1, CODE_ASCII = 2, CODE_UTF8 = 3 };
enum association { OF_LU = 0, OF_PORT = 1, OF_DEVICE = 2 };
enum designator { BY_T10_VENDOR = 1, BY_NAA = 3, BY_RELATIVE_PORT = 4, BY_PORT_GROUP = 5, BY_SCSI_NAME = 8 };

#define PROTOCOL_ISCSI 0x5

/* Appends a designation descriptor and returns the address after it. */
static uint8_t *add(uint8_t *p, enum code_set code, enum association of, enum designator type,
		    const void *value, size_t len)
{
	p[0] = (uint8_t)code;
	p[1] = (uint8_t)(of << 4 | type);
	p[3] = (uint8_t)len;
	memcpy(&p[4], value, len);
	return p + 4 + len;
}

/*
 * Adds a T10 vendor ID designator: the 8 characters of the vendor, then the product and the serial number, in
 * the same form as LIO.
 */
static uint8_t *add_t10_vendor(uint8_t *p, const struct scsi_lu *lu)
{
	char text[8 + 16 + 1 + SCSI_SERIAL_MAX + 1];
	int product_len = 16;

	while (product_len > 0 && lu->product[product_len - 1] == ' ')
		product_len--;
	snprintf(text, sizeof(text), "%s%.*s:%s", lu->vendor, product_len, lu->product, lu->serial);
	return add(p, CODE_ASCII, OF_LU, BY_T10_VENDOR, text, strlen(text));
}

/* SCSI name strings end with a NUL, and are padded with NULs to a multiple of four bytes (SPC-4 7.8.6.11). */
static uint8_t *add_name(uint8_t *p, enum association of, const char *name, size_t len)
{
	char text[252] = {0};

	len = MIN(len, sizeof(text) - 1);
	memcpy(text, name, len);
	return add(p, CODE_UTF8, of, BY_SCSI_NAME, text, len / 4 * 4 + 4);
}

static uint8_t *add_lu_name(uint8_t *p, const struct scsi_lu *lu)
{
	char name[4 + 32 + 1] = "naa.";

	for (unsigned i = 0; i < 16; i++)
		snprintf(&name[4 + 2 * i], 3, "%02x", lu->naa[i]);
	return add_name(p, OF_LU, name, strlen(name));
}

static uint8_t *add_port_number(uint8_t *p, enum designator type, uint16_t number)
{
	uint8_t value[4] = {0};

	put_be16(&value[2], number);
	return add(p, CODE_BINARY, OF_PORT, type, value, sizeof(value));
}

static uint8_t *add_iscsi_port(uint8_t *p, const struct scsi_it_nexus *it_nexus)
{
	const char *port = strstr(it_nexus->target_port, ",t,");
	uint8_t *first = p;

	p = add_port_number(p, BY_RELATIVE_PORT, it_nexus->relative_port);
	p = add_port_number(p, BY_PORT_GROUP, it_nexus->port_group);
	p = add_name(p, OF_PORT, it_nexus->target_port, strlen(it_nexus->target_port));
	p = add_name(p, OF_DEVICE, it_nexus->target_port,
		     port ? (size_t)(port - it_nexus->target_port) : strlen(it_nexus->target_port));
	for (; first < p; first += 4 + first[3]) {
		first[0] |= PROTOCOL_ISCSI << 4;
		first[1] |= 0x80; /* PIV */
	}
	return p;
}

/*
 * Adds the port if there is only one. In the kernel front end, a command does not say through which port and
 * by which protocol it arrived.
 */
static uint8_t *add_only_port(uint8_t *p, struct scsi_lu *lu)
{
	struct scsi_alua_here here = scsi_alua_here(lu);

	if (here.one_port)
		p = add_port_number(p, BY_RELATIVE_PORT, here.port);
	if (here.one_group)
		p = add_port_number(p, BY_PORT_GROUP, here.group);
	return p;
}

static unsigned device_identification(const struct scsi_cmd *cmd, uint8_t *page)
{
	struct scsi_lu *lu = cmd->lu;
	uint8_t *p = page + 4;

	p = add_t10_vendor(p, lu);
	p = add(p, CODE_BINARY, OF_LU, BY_NAA, lu->naa, sizeof(lu->naa));
	p = add_lu_name(p, lu);
	p = cmd->it_nexus ? add_iscsi_port(p, cmd->it_nexus) : add_only_port(p, lu);
	return (unsigned)(p - page) - 4;
}

/* --- the other pages ------------------------------------------------------------------------- */

static unsigned unit_serial_number(const struct scsi_cmd *cmd, uint8_t *page)
{
	size_t len = strlen(cmd->lu->serial);

	memcpy(page + 4, cmd->lu->serial, len);
	return (unsigned)len;
}

/* SPC-4 7.8.7 */
static unsigned extended_inquiry(const struct scsi_cmd *cmd, uint8_t *page)
{
	page[5] = 0x01; /* SIMPSUP: ordered and head of queue tasks are treated as simple tasks */
	page[6] = cmd->lu->info->write_cache ? 0x01 : 0; /* V_SUP */
	return 60;
}

static unsigned block_limits(const struct scsi_cmd *cmd, uint8_t *page)
{
	return sbc_vpd_block_limits(cmd->lu, page);
}

static unsigned block_characteristics(const struct scsi_cmd *cmd, uint8_t *page)
{
	return sbc_vpd_block_characteristics(cmd->lu, page);
}

static unsigned provisioning(const struct scsi_cmd *cmd, uint8_t *page)
{
	return sbc_vpd_provisioning(cmd->lu, page);
}

static unsigned supported_pages(const struct scsi_cmd *cmd, uint8_t *page)
{
	(void)cmd;
	for (unsigned i = 0; i < scsi_nvpd_pages; i++)
		page[4 + i] = scsi_vpd_pages[i].code;
	return scsi_nvpd_pages;
}

const struct scsi_vpd_page scsi_vpd_pages[] = {
    {0x00, "Supported VPD Pages", supported_pages},
    {0x80, "Unit Serial Number", unit_serial_number},
    {0x83, "Device Identification", device_identification},
    {0x86, "Extended INQUIRY Data", extended_inquiry},
    {0xb0, "Block Limits", block_limits},
    {0xb1, "Block Device Characteristics", block_characteristics},
    {0xb2, "Logical Block Provisioning", provisioning},
};
const unsigned scsi_nvpd_pages = ARRAY_SIZE(scsi_vpd_pages);

unsigned scsi_vpd_build(const struct scsi_cmd *cmd, uint8_t code, uint8_t *page)
{
	for (unsigned i = 0; i < scsi_nvpd_pages; i++) {
		if (scsi_vpd_pages[i].code == code) {
			unsigned len = scsi_vpd_pages[i].build(cmd, page);

			page[1] = code;
			put_be16(&page[2], (uint16_t)len);
			return len + 4;
		}
	}
	return 0;
}
