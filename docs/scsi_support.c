/* SPDX-License-Identifier: Apache-2.0 */
/* Prints docs/scsi-support.md from the tables that the device server itself uses. */
#include <stdio.h>

#include "scsi/log_pages.h"
#include "scsi/mode.h"
#include "scsi/opcodes.h"
#include "scsi/vpd.h"

static const char *const access_names[] = {
    [SCSI_ACCESS_ANY] = "runs",
    [SCSI_ACCESS_READ] = "conflicts",
    [SCSI_ACCESS_WRITE] = "conflicts",
    [SCSI_ACCESS_CONTROL] = "conflicts",
};

static const char *const direction_names[] = {
    [SCSI_NO_DATA] = "",
    [SCSI_DATA_IN] = "in",
    [SCSI_DATA_OUT] = "out",
};

static const char *needs(const struct scsi_op *op)
{
	if (op->flags & SCSI_OP_THIN)
		return "a ready, writable and thin unit";
	if (op->flags & SCSI_OP_WRITES)
		return "a ready and writable unit";
	if (op->flags & SCSI_OP_ALUA)
		return "known target port groups";
	if (op->flags & SCSI_OP_ALUA_SET)
		return "target port groups that initiators may change";
	if (op->flags & SCSI_OP_MEDIUM)
		return "a ready unit";
	return op->flags & SCSI_OP_ALWAYS ? "nothing, not even a unit" : "a unit";
}

static void print_command(const struct scsi_op *op)
{
	char service_action[8] = "";

	if (op->flags & SCSI_OP_SA)
		snprintf(service_action, sizeof(service_action), "/%02X", op->service_action);
	printf("| %s | %02X%s | %u | %s | %s | %s |\n", op->name, op->opcode, service_action, op->cdb_len,
	       direction_names[op->direction],
	       op->allowed_by_reservation ? "conflicts, unless it starts or unlocks the unit"
					  : access_names[op->access],
	       needs(op));
}

static void print_commands(void)
{
	printf("## Commands\n\n"
	       "| Command | Opcode | CDB bytes | Data | Under another nexus's RESERVE | Needs |\n"
	       "| --- | --- | --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < scsi_nops; i++)
		print_command(&scsi_ops[i]);
}

int main(void)
{
	printf(
	    "# What the device server supports\n\n"
	    "`docs/scsi_support.c` prints this page from the device server's own tables, and a test checks "
	    "that it is up to\n"
	    "date. The device server reports everything else as unsupported.\n\n");
	print_commands();
	printf("\n## Vital product data\n\n| Page | |\n| --- | --- |\n");
	for (unsigned i = 0; i < scsi_nvpd_pages; i++)
		printf("| %02X | %s |\n", scsi_vpd_pages[i].code, scsi_vpd_pages[i].name);
	printf("\n## Mode pages\n\n| Page | | Changeable |\n| --- | --- | --- |\n");
	for (unsigned i = 0; i < scsi_nmode_pages; i++)
		printf("| %02X | %s | %s |\n", scsi_mode_pages[i].code, scsi_mode_pages[i].name,
		       scsi_mode_pages[i].select ? "in part" : "no");
	printf("\n## Log pages\n\n| Page | Subpage | |\n| --- | --- | --- |\n");
	for (unsigned i = 0; i < scsi_nlog_pages; i++)
		printf("| %02X | %02X | %s |\n", scsi_log_pages[i].code, scsi_log_pages[i].subpage,
		       scsi_log_pages[i].name);
	return 0;
}
