/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logical block provisioning (SBC-4 4.7): UNMAP (5.33), WRITE SAME (5.50, 5.51), GET LBA STATUS
 * (5.6) and the Logical Block Provisioning log page (6.4.6). VPD page B2h is in sbc_capacity.c.
 */
#include <stdlib.h>

#include "scsi/sbc.h"
#include "scsi/sbc_limits.h"
#include "scsi/scsi_io.h"
#include "util/bytes.h"
#include "util/iov.h"

/* --- UNMAP: the descriptors stay in the Data-Out and are read there one after the other --- */

#define UNMAP_HEADER     8
#define UNMAP_DESCRIPTOR 16

struct unmap_range {
	uint64_t lba;
	uint32_t nblocks;
};

/*
 * Returns the number of complete descriptors in the list. The standard says that a truncated descriptor is
 * ignored.
 */
static uint32_t unmap_count(const struct scsi_cmd *cmd)
{
	uint8_t len[2];

	if (cmd->transfer_len < UNMAP_HEADER)
		return 0;
	iov_copy_from(cmd->iov, cmd->iovcnt, 2, len, sizeof(len));
	return (uint32_t)(MIN(get_be16(len), cmd->transfer_len - UNMAP_HEADER) / UNMAP_DESCRIPTOR);
}

static struct unmap_range unmap_range(const struct scsi_cmd *cmd, uint32_t i)
{
	uint8_t d[UNMAP_DESCRIPTOR];

	iov_copy_from(cmd->iov, cmd->iovcnt, UNMAP_HEADER + (size_t)i * UNMAP_DESCRIPTOR, d, sizeof(d));
	return (struct unmap_range){get_be64(d), get_be32(d + 8)};
}

static bool unmap_in_range(const struct scsi_cmd *cmd, const struct unmap_range *r)
{
	uint64_t capacity = scsi_lu_blocks(cmd->lu);

	return r->lba <= capacity && r->nblocks <= capacity - r->lba;
}

static scsi_io_done unmap_done;

/* Unmaps the next range that is not empty. cmd->state is the index of its descriptor. */
static void unmap_next(struct scsi_cmd *cmd)
{
	uintptr_t i = (uintptr_t)cmd->state, n = unmap_count(cmd);
	struct unmap_range r = {0};

	while (i < n && r.nblocks == 0)
		r = unmap_range(cmd, (uint32_t)i++);
	cmd->state = (void *)i;
	if (r.nblocks == 0)
		scsi_complete(cmd);
	else
		scsi_io(cmd, BACKSTORE_UNMAP, r.lba, r.nblocks, scsi_io_write_through(cmd), unmap_done);
}

static void unmap_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = scsi_io_cmd(bio);

	if (status == TCMUR_OK && !cmd->aborted)
		unmap_next(cmd);
	else
		scsi_io_complete(bio, status);
}

/* Checks all descriptors before anything is unmapped. */
static bool unmap_check(struct scsi_cmd *cmd)
{
	uint32_t n = unmap_count(cmd);
	uint64_t nblocks = 0;

	if (n > SBC_MAX_UNMAP_DESCRIPTORS) {
		scsi_fail_list(cmd, 2, -1);
		return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct unmap_range r = unmap_range(cmd, i);

		if (!unmap_in_range(cmd, &r)) {
			scsi_check_range(cmd, r.lba);
			scsi_complete(cmd);
			return false;
		}
		nblocks += r.nblocks;
		if (nblocks > SBC_MAX_UNMAP_BLOCKS) {
			scsi_fail_list(cmd, UNMAP_HEADER + i * UNMAP_DESCRIPTOR + 8, -1);
			return false;
		}
	}
	return true;
}

/* The opcode table refuses ANCHOR: VPD page B2h reports ANC_SUP = 0. */
void sbc_unmap(struct scsi_cmd *cmd)
{
	if (!sbc_is_thin(cmd->lu))
		scsi_fail(cmd, SENSE_INVALID_OPCODE);
	else if (cmd->transfer_len && cmd->transfer_len < UNMAP_HEADER)
		scsi_fail(cmd, SENSE_LIST_LENGTH_ERROR);
	else if (unmap_check(cmd))
		unmap_next(cmd);
}

/* --- WRITE SAME ------------------------------------------------------------------------------ */

#define WRITE_SAME_UNMAP 0x08 /* byte 1; the opcode table refuses ANCHOR */
#define WRITE_SAME_NDOB  0x01 /* byte 1; the opcode table refuses it for WRITE SAME (10) */

bool sbc_write_same_data_len(struct scsi_cmd *cmd, uint64_t *len)
{
	*len = cmd->cdb[1] & WRITE_SAME_NDOB ? 0 : cmd->lu->block_size;
	return true;
}

static bool is_zero(const struct iovec *iov, uint32_t iovcnt)
{
	for (uint32_t i = 0; i < iovcnt; i++) {
		const uint8_t *p = iov[i].iov_base;
		size_t len = iov[i].iov_len;

		if (len && (p[0] || memcmp(p, p + 1, len - 1) != 0))
			return false;
	}
	return true;
}

void sbc_write_same(struct scsi_cmd *cmd)
{
	/* WSNZ = 0: zero blocks mean all blocks up to the end of the medium. */
	uint64_t nblocks = cmd->nblocks ? cmd->nblocks : scsi_lu_blocks(cmd->lu) - cmd->lba;
	bool unmap = cmd->cdb[1] & WRITE_SAME_UNMAP;
	uint32_t flags = scsi_io_write_through(cmd);

	/*
	 * With NDOB there is no Data-Out, which means zeros. A block may be unmapped only if it then reads as
	 * the Data-Out (SBC-4 4.7.3.4.4).
	 */
	if (unmap && !sbc_is_thin(cmd->lu))
		scsi_fail_cdb(cmd, 1, 3);
	else if (nblocks > SBC_MAX_WRITE_SAME_BLOCKS)
		scsi_fail_cdb(cmd, cmd->op->len_at, -1);
	else if (cmd->transfer_len && !is_zero(cmd->iov, cmd->iovcnt))
		scsi_io_data(cmd, BACKSTORE_WRITE_SAME, cmd->lba, nblocks, flags, scsi_io_written);
	else
		scsi_io(cmd, BACKSTORE_WRITE_ZEROES, cmd->lba, nblocks,
			flags | (unmap ? 0 : TCMUR_IO_NO_UNMAP), scsi_io_written);
}

/* --- GET LBA STATUS -------------------------------------------------------------------------- */

#define LBA_STATUS_HEADER     8
#define LBA_STATUS_DESCRIPTOR 16

/* The parameter data that is being built, and the extents that the handler has reported. */
struct lba_status {
	/* The first LBA that is not described yet */
	uint64_t next;
	/*
	 * The number of descriptors that fit into the parameter data, and the number of those that are in it
	 */
	uint32_t room, n;
	uint8_t data[LBA_STATUS_HEADER + SBC_MAX_LBA_STATUS * LBA_STATUS_DESCRIPTOR];
	struct tcmur_extent extents[SBC_MAX_LBA_STATUS];
};

/* Returns the last descriptor if it has this state and its 32-bit length can grow, otherwise NULL. */
static uint8_t *lba_status_last(struct lba_status *s, uint8_t state)
{
	uint8_t *d = s->n ? s->data + LBA_STATUS_HEADER + (s->n - 1) * LBA_STATUS_DESCRIPTOR : NULL;

	return d && d[12] == state && get_be32(d + 8) < UINT32_MAX ? d : NULL;
}

/* Adds an empty descriptor for s->next. Returns NULL if there is no room. */
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

/* Adds the description of the blocks from s->next to end, as far as there is room. */
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

/*
 * Adds an extent, which is counted in bytes. A block that is partly mapped is mapped, so extents of another
 * state are reduced to whole blocks. A fully provisioned unit has only mapped blocks (SBC-4 4.7.2).
 */
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
	struct scsi_cmd *cmd = scsi_io_cmd(bio);
	struct lba_status *s = cmd->state;

	if (status != TCMUR_OK) {
		free(s);
		cmd->state = NULL;
		scsi_io_complete(bio, status);
		return;
	}
	for (uint32_t i = 0; i < bio->io.nextents; i++)
		lba_status_extent(s, cmd->lu, &s->extents[i]);
	/* There must be at least one descriptor, even if the handler has reported nothing. */
	if (s->n == 0)
		lba_status_add(s, scsi_lu_blocks(cmd->lu), TCMUR_EXTENT_MAPPED);
	lba_status_end(cmd);
}

void sbc_get_lba_status(struct scsi_cmd *cmd)
{
	uint64_t blocks = scsi_lu_blocks(cmd->lu);
	struct lba_status *s;

	if (cmd->lba >= blocks) { /* The LU has shrunk since scsi_parse(). */
		scsi_check_range(cmd, cmd->lba);
		scsi_complete(cmd);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		scsi_fail_memory(cmd);
		return;
	}
	s->next = cmd->lba;
	/*
	 * There must be room for at least one descriptor; scsi_data_in_bytes() truncates the data to the
	 * allocation length.
	 */
	s->room = cmd->transfer_len < LBA_STATUS_HEADER + LBA_STATUS_DESCRIPTOR
		      ? 1
		      : (uint32_t)MIN((cmd->transfer_len - LBA_STATUS_HEADER) / LBA_STATUS_DESCRIPTOR,
				      SBC_MAX_LBA_STATUS);
	cmd->state = s;
	scsi_io_prepare(cmd, BACKSTORE_EXTENTS, cmd->lba, blocks - cmd->lba, 0, lba_status_done);
	cmd->bio.io.extents = s->extents;
	cmd->bio.io.max_extents = s->room;
	backstore_submit(&cmd->bio);
}

/* --- Logical Block Provisioning log page ----------------------------------------------------- */

enum resource { AVAILABLE = 0x0001, USED = 0x0002 };
enum scope { OF_THIS_LU = 1, MAY_BE_SHARED = 2 };

bool sbc_has_usage(const struct scsi_lu *lu)
{
	return sbc_is_thin(lu) && backstore_has_usage(lu->bs);
}

/* Adds a parameter and returns the address after it. */
static uint8_t *add_resource(uint8_t *p, enum resource code, uint64_t sets, enum scope scope)
{
	put_be16(p, (uint16_t)code);
	p[2] = 0x03; /* FORMAT AND LINKING: binary list */
	p[3] = 8;
	put_be32(p + 4, (uint32_t)sets);
	p[8] = (uint8_t)scope;
	return p + 12;
}

/* The page counts threshold sets of 2^exponent blocks, with the exponent that VPD page B2h reports. */
unsigned sbc_log_provisioning(const struct scsi_cmd *cmd, uint8_t *page)
{
	const struct tcmur_usage *usage = &cmd->bio.usage;
	unsigned exponent = sbc_threshold_exponent(cmd->lu);
	uint32_t shift = cmd->lu->block_shift + exponent;
	uint64_t capacity = scsi_lu_blocks(cmd->lu) >> exponent;
	/* The number that the storage reports may include its own metadata. */
	uint64_t used = MIN(usage->used >> shift, capacity);
	uint8_t *p = page + 4;

	p = add_resource(p, AVAILABLE, MIN(usage->available >> shift, capacity - used), MAY_BE_SHARED);
	p = add_resource(p, USED, used, OF_THIS_LU);
	return (unsigned)(p - page) - 4;
}
