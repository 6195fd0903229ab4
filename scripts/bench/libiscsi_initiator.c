/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initiator of iscsi_load that uses libiscsi. A libiscsi client costs 4 to 8 microseconds for each
 * command, and it copies the data, so its figures contain the work of a complete initiator.
 */
#include <stdlib.h>

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#include "iscsi_load.h"

struct connection {
	struct iscsi_context *iscsi;
	int lun;
};

static struct connection *log_in(const char *text, const char *name)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct iscsi_context *iscsi = iscsi_create_context(name);
	struct iscsi_url *url = iscsi ? iscsi_parse_full_url(iscsi, text) : NULL;

	if (!connection || !url)
		load_die("%s is not an iSCSI URL", text);
	connection->iscsi = iscsi;
	connection->lun = url->lun;
	iscsi_set_targetname(iscsi, url->target);
	iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
	iscsi_set_header_digest(iscsi, ISCSI_HEADER_DIGEST_NONE);
	if (iscsi_full_connect_sync(iscsi, url->portal, url->lun))
		load_die("%s: %s", text, iscsi_get_error(iscsi));
	iscsi_destroy_url(url);
	return connection;
}

static void read_capacity(struct connection *connection, uint32_t *block_size, uint64_t *blocks)
{
	struct scsi_task *task = iscsi_readcapacity16_sync(connection->iscsi, connection->lun);
	struct scsi_readcapacity16 *capacity = task ? scsi_datain_unmarshall(task) : NULL;

	if (!capacity)
		load_die("READ CAPACITY: %s", iscsi_get_error(connection->iscsi));
	*block_size = capacity->block_length;
	*blocks = capacity->returned_lba + 1;
	scsi_free_scsi_task(task);
}

static void command_done(struct iscsi_context *iscsi, int status, void *task, void *slot)
{
	if (status != SCSI_STATUS_GOOD)
		load_die("status %#x: %s", (unsigned)status, iscsi_get_error(iscsi));
	scsi_free_scsi_task(task);
	load_command_done(slot);
}

static void start(struct slot *slot, bool write, uint64_t lba, uint32_t blocks, uint32_t bytes)
{
	struct iscsi_context *iscsi = slot->connection->iscsi;
	int lun = slot->connection->lun, block_size = (int)(bytes / blocks);
	struct scsi_task *task;

	if (write)
		task = iscsi_write16_task(iscsi, lun, lba, slot->buffer, bytes, block_size, 0, 0, 0, 0, 0,
					  command_done, slot);
	else
		task =
		    iscsi_read16_task(iscsi, lun, lba, bytes, block_size, 0, 0, 0, 0, 0, command_done, slot);
	if (!task || (!write && scsi_task_add_data_in_buffer(task, (int)bytes, slot->buffer)))
		load_die("a command cannot be sent: %s", iscsi_get_error(iscsi));
}

static struct pollfd wait_for(struct connection *connection)
{
	return (struct pollfd){.fd = iscsi_get_fd(connection->iscsi),
			       .events = (short)iscsi_which_events(connection->iscsi)};
}

static void serve(struct connection *connection, short events)
{
	if (iscsi_service(connection->iscsi, events))
		load_die("%s", iscsi_get_error(connection->iscsi));
}

static void log_out(struct connection *connection)
{
	iscsi_logout_sync(connection->iscsi);
	iscsi_destroy_context(connection->iscsi);
	free(connection);
}

const struct initiator libiscsi_initiator = {.connect = log_in,
					     .read_capacity = read_capacity,
					     .start = start,
					     .wait_for = wait_for,
					     .serve = serve,
					     .disconnect = log_out};
