/* SPDX-License-Identifier: Apache-2.0 */
/* GET LBA STATUS (16): SBC-4 5.6. */
#include <stdlib.h>

#include "scsi/sbc.h"
#include "scsi/sbc_io.h"
#include "scsi/sbc_limits.h"
#include "util/bytes.h"

#define LBA_STATUS_HEADER     8
#define LBA_STATUS_DESCRIPTOR 16

/* The parameter data while it grows, and what the handler tells of. */
struct lba_status {
	uint64_t next; /* first LBA not described yet */
	uint32_t room; /* descriptors that fit */
	uint32_t n;    /* descriptors in data */
	uint8_t data[LBA_STATUS_HEADER + SBC_MAX_LBA_STATUS * LBA_STATUS_DESCRIPTOR];
	struct tcmur_extent extents[SBC_MAX_LBA_STATUS];
};

/* The last descriptor, if it is in this state and its 32-bit length can grow; else NULL. */
static uint8_t *lba_status_last(struct lba_status *s, uint8_t state)
{
	uint8_t *d = s->n ? s->data + LBA_STATUS_HEADER + (s->n - 1) * LBA_STATUS_DESCRIPTOR : NULL;

	return d && d[12] == state && get_be32(d + 8) < UINT32_MAX ? d : NULL;
}

/* An empty descriptor for s->next; NULL when there is no room. */
static uint8_t *lba_status_new(struct lba_status *s, uint8_t state)
{
	uint8_t *d;

	if (s->n == s->room)
		return NULL;
	d = s->data + LBA_STATUS_HEADER + s->n++ * LBA_STATUS_DESCRIPTOR;
	put_be64(d, s->next);
	d[12] = state;
	return d;
}

/* Describes [s->next, end), as far as there is room. */
static void lba_status_add(struct lba_status *s, uint64_t end, uint8_t state)
{
	while (s->next < end) {
		uint8_t *d = lba_status_last(s, state);
		uint32_t have, more;

		if (!d)
			d = lba_status_new(s, state);
		if (!d)
			return;
		have = get_be32(d + 8);
		more = (uint32_t)MIN(end - s->next, UINT32_MAX - have);
		put_be32(d + 8, have + more);
		s->next += more;
	}
}

/* Extents are bytes. A block that is partly mapped is mapped, so other extents shrink to whole blocks. Fully
 * provisioned units have no others (SBC-4 4.7.2). */
static void lba_status_extent(struct lba_status *s, const struct scsi_lu *lu, const struct tcmur_extent *e)
{
	uint64_t mask = lu->block_size - 1, start = e->offset, end = e->offset + e->len;
	uint64_t capacity = scsi_lu_blocks(lu);
	uint8_t state = sbc_is_thin(lu) ? (uint8_t)e->state : TCMUR_EXTENT_MAPPED;

	if (state == TCMUR_EXTENT_MAPPED)
		end += mask;
	else
		start += mask;
	start >>= lu->block_shift;
	end = MIN(end >> lu->block_shift, capacity);
	lba_status_add(s, MIN(start, end), TCMUR_EXTENT_MAPPED);
	lba_status_add(s, end, state);
}

static void lba_status_end(struct scsi_cmd *cmd)
{
	struct lba_status *s = cmd->state;
	size_t len = LBA_STATUS_HEADER + (size_t)s->n * LBA_STATUS_DESCRIPTOR;

	put_be32(s->data, (uint32_t)len - 4);
	cmd->state = NULL;
	scsi_data_in_bytes(cmd, s->data, len);
	free(s);
}

static void lba_status_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = sbc_io_cmd(bio);
	struct lba_status *s = cmd->state;

	if (status != TCMUR_OK) {
		free(s);
		cmd->state = NULL;
		sbc_io_complete(bio, status);
		return;
	}
	for (uint32_t i = 0; i < bio->io.nextents; i++)
		lba_status_extent(s, cmd->lu, &s->extents[i]);
	/* At least one descriptor, also where the handler knows nothing. */
	if (s->n == 0)
		lba_status_add(s, scsi_lu_blocks(cmd->lu), TCMUR_EXTENT_MAPPED);
	lba_status_end(cmd);
}

void sbc_get_lba_status(struct scsi_cmd *cmd)
{
	uint64_t nblocks = scsi_lu_blocks(cmd->lu) - cmd->lba;
	struct lba_status *s;

	if (nblocks == 0) {
		scsi_fail(cmd, SENSE_LBA_OUT_OF_RANGE);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		scsi_set_status(cmd, TCMUR_NO_RESOURCE);
		scsi_complete(cmd);
		return;
	}
	s->next = cmd->lba;
	/* One descriptor at least; scsi_data_in_bytes() cuts what the allocation length has no room for. */
	s->room = cmd->transfer_len < LBA_STATUS_HEADER + LBA_STATUS_DESCRIPTOR
		      ? 1
		      : (uint32_t)MIN((cmd->transfer_len - LBA_STATUS_HEADER) / LBA_STATUS_DESCRIPTOR,
				      SBC_MAX_LBA_STATUS);
	cmd->state = s;
	sbc_io_prepare(cmd, BACKSTORE_EXTENTS, cmd->lba, nblocks, 0, lba_status_done);
	cmd->bio.io.extents = s->extents;
	cmd->bio.io.max_extents = s->room;
	backstore_submit(&cmd->bio);
}
