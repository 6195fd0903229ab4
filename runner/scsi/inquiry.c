/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INQUIRY (SPC-4 6.6). It works without a logical unit, too. The vital product data pages are in vpd.c.
 */
#include "scsi/cmd.h"
#include "scsi/spc.h"
#include "scsi/vpd.h"
#include "util/bytes.h"

#define STANDARD_LEN 96
/* PERIPHERAL QUALIFIER 3, PERIPHERAL DEVICE TYPE 1Fh: the LUN cannot lead to a logical unit. */
#define NO_LU 0x7f

/* SPC-4 table 148 */
static const uint16_t versions[] = {
    0x00a0, /* SAM-5 */
    0x0460, /* SPC-4 */
    0x04c0, /* SBC-3, because initiators look for it */
    0x0600, /* SBC-4 */
    0x0960, /* iSCSI; it must be the last one, because the kernel front end leaves it out */
};

/*
 * Adds the names of vendor and product. Some initiators skip a LUN whose vendor is blank, so a LUN without a
 * logical unit has names, too.
 */
static void add_names(uint8_t *data, const struct scsi_lu *lu)
{
	memset(&data[8], ' ', 28);
	memcpy(&data[8], lu ? lu->vendor : SCSI_DEFAULT_VENDOR, lu ? 8 : strlen(SCSI_DEFAULT_VENDOR));
	memcpy(&data[16], lu ? lu->product : SCSI_DEFAULT_PRODUCT, lu ? 16 : strlen(SCSI_DEFAULT_PRODUCT));
	memcpy(&data[32], lu ? lu->revision : SCSI_DEFAULT_REVISION, lu ? 4 : strlen(SCSI_DEFAULT_REVISION));
}

static void standard(struct scsi_cmd *cmd)
{
	uint8_t data[STANDARD_LEN] = {0};
	unsigned nversions = ARRAY_SIZE(versions) - (cmd->it_nexus ? 0 : 1);

	data[0] = cmd->lu ? 0 : NO_LU;
	data[2] = 0x06;        /* VERSION: SPC-4 */
	data[3] = 0x10 | 0x02; /* HISUP, RESPONSE DATA FORMAT */
	data[4] = STANDARD_LEN - 5;
	data[5] = cmd->lu ? (uint8_t)(scsi_alua_tpgs(cmd->lu) << 4) : 0;
	data[7] = 0x02; /* CMDQUE */
	add_names(data, cmd->lu);
	for (unsigned i = 0; i < nversions; i++)
		put_be16(&data[58 + 2 * i], versions[i]);
	scsi_data_in_bytes(cmd, data, sizeof(data));
}

void spc_inquiry(struct scsi_cmd *cmd)
{
	bool evpd = cmd->cdb[1] & 0x01;
	uint8_t page[VPD_MAX] = {0};
	unsigned len;

	if (cmd->lu)
		scsi_alua_notify_reported(cmd->lu);
	if (!evpd && cmd->cdb[2]) {
		scsi_fail_cdb(cmd, 2, -1);
	} else if (!evpd) {
		standard(cmd);
	} else if (cmd->lu && (len = scsi_vpd_build(cmd, cmd->cdb[2], page))) {
		scsi_data_in_bytes(cmd, page, len);
	} else {
		scsi_fail_cdb(cmd, 2, -1);
	}
}
