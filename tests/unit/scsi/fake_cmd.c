/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front end of fakes.h. It counts completions, and its memory has exactly the requested size, so that a
 * sanitizer notices an access beyond it.
 */
#include "fakes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

/* Allocates memory of exactly len bytes in c->pieces pieces. */
static void allocate_pieces(struct fake_cmd *c, uint64_t len)
{
	uint64_t n = MIN(MAX(c->pieces, 1u), len), at = 0;

	assert(!c->buffer && n <= ARRAY_SIZE(c->iov));
	c->buffer = malloc(len);
	assert(c->buffer);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t piece = i + 1 < n ? len / n : len - at;

		c->iov[i] = (struct iovec){c->buffer + at, piece};
		at += piece;
	}
	c->cmd.iov = c->iov;
	c->cmd.iovcnt = (uint32_t)n;
}

static bool data_in(struct scsi_cmd *cmd, uint64_t len)
{
	struct fake_cmd *c = container_of(cmd, struct fake_cmd, cmd);

	if (c->no_memory)
		return false;
	allocate_pieces(c, len);
	memset(c->buffer, 0xdd, len);
	return true;
}

static void done(struct scsi_cmd *cmd)
{
	struct fake_cmd *c = container_of(cmd, struct fake_cmd, cmd);

	c->done++;
}

static const struct scsi_cmd_ops ops = {.data_in = data_in, .done = done};

void fake_cmd_init(struct fake_cmd *c, struct scsi_lu *lu, struct scsi_nexus *nexus, const void *cdb,
		   size_t cdb_len)
{
	memset(c, 0, sizeof(*c));
	assert(cdb_len <= sizeof(c->cdb));
	memcpy(c->cdb, cdb, cdb_len);
	scsi_cmd_init(&c->cmd, &ops, lu, nexus, nexus ? nexus->it_nexus : NULL, fake_loop(0), c->cdb,
		      cdb_len);
}

void fake_cmd_submit(struct fake_cmd *c, const void *data, size_t len)
{
	if (len)
		scsi_cmd_announce(&c->cmd, SCSI_DATA_OUT, len);
	scsi_parse(&c->cmd);
	if (c->cmd.direction == SCSI_DATA_OUT) {
		len = MIN(len, c->cmd.gather_len);
		if (len) {
			allocate_pieces(c, len);
			memcpy(c->buffer, data, len);
		}
		c->cmd.data_out_len = len;
	}
	fake_loop_enter(c->cmd.loop);
	scsi_submit(&c->cmd);
	fake_loop_enter(fake_loop(0));
}

enum scsi_status fake_cmd_exec(struct fake_cmd *c, const void *data, size_t len)
{
	fake_cmd_submit(c, data, len);
	fake_run();
	assert(c->done == 1);
	return c->cmd.status;
}

void fake_cmd_free(struct fake_cmd *c)
{
	free(c->buffer);
	c->buffer = NULL;
}

uint32_t fake_sense(const struct scsi_cmd *cmd)
{
	const uint8_t *s = cmd->sense;

	if (cmd->sense_len == 0)
		return 0;
	if ((s[0] & 0x7f) == 0x72)
		return (uint32_t)s[1] << 16 | s[2] << 8 | s[3];
	return (uint32_t)(s[2] & 0x0f) << 16 | s[12] << 8 | s[13];
}

uint64_t fake_information(const struct scsi_cmd *cmd)
{
	const uint8_t *s = cmd->sense;

	if (cmd->sense_len == 0)
		return UINT64_MAX;
	if ((s[0] & 0x7f) == 0x72)
		return s[7] >= 12 && s[8] == 0 && s[10] & 0x80 ? get_be64(s + 12) : UINT64_MAX;
	return s[0] & 0x80 ? get_be32(s + 3) : UINT64_MAX;
}
