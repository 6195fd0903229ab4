/* SPDX-License-Identifier: Apache-2.0 */
/* WRITE SAME, UNMAP, GET LBA STATUS, READ CAPACITY (16), and the VPD pages about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sbc_fixture.h"
#include "scsi/sbc.h"
#include "scsi/sbc_limits.h"
#include "util/bytes.h"

#define BLOCKS    1024
#define UNMAP_BIT 0x08
#define NDOB      0x01

enum {
	WRITE_SAME10 = 0x41,
	WRITE_SAME16 = 0x93,
	UNMAP = 0x42,
	SERVICE_ACTION_IN = 0x9e,
	GET_LBA_STATUS = 0x12
};

static uint8_t zeros[2 * 4096], ones[2 * 4096];

static int fill(void **state)
{
	(void)state;
	memset(ones, 0x11, sizeof(ones));
	return 0;
}

static void thick(struct backstore *bs)
{
	bs->info.thin = false;
}

static void no_zeroes(struct backstore *bs)
{
	bs->info.unmap_zeroes = false;
}

static void granular(struct backstore *bs)
{
	bs->info.unmap_granularity = 4096;
	bs->info.unmap_alignment = 1024;
	bs->info.physical_block_size = 4096;
}

/* --- WRITE SAME -------------------------------------------------------------------- */

static void test_write_same(void **state)
{
	static const uint8_t ops[] = {WRITE_SAME10, WRITE_SAME16};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		/* The pattern is written, with and without the UNMAP bit. */
		for (unsigned unmap = 0; unmap <= UNMAP_BIT; unmap += UNMAP_BIT) {
			assert_int_equal(sbc_fixture_run(&e, ops[i], (uint8_t)unmap, 8, 16, ones, 512),
					 SCSI_GOOD);
			assert_int_equal(fake_last(e.bs)->op, BACKSTORE_WRITE_SAME);
			assert_memory_equal(sbc_fixture_block(&e, 8), ones, 16 * 512);
			assert_int_equal(*sbc_fixture_block(&e, 24), 0);
		}
		/* Zeros stay allocated without UNMAP, and are deallocated with it. */
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, 8, 16, zeros, 512), SCSI_GOOD);
		assert_int_equal(fake_last(e.bs)->op, BACKSTORE_WRITE_ZEROES);
		assert_int_equal(fake_last(e.bs)->flags, TCMUR_IO_NO_UNMAP);
		assert_int_equal(e.bs->extent[8], TCMUR_EXTENT_MAPPED);
		assert_int_equal(sbc_fixture_run(&e, ops[i], UNMAP_BIT, 8, 16, zeros, 512), SCSI_GOOD);
		assert_int_equal(fake_last(e.bs)->op, BACKSTORE_WRITE_ZEROES);
		assert_int_equal(fake_last(e.bs)->flags, 0);
		assert_int_equal(e.bs->extent[8], TCMUR_EXTENT_DEALLOCATED);
		/* zero blocks mean all blocks to the end */
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, BLOCKS - 3, 0, ones, 512), SCSI_GOOD);
		assert_int_equal(fake_last(e.bs)->len, 3 * 512);
		/* ANCHOR */
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x10, 8, 16, ones, 512), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x18, 8, 16, ones, 512), SCSI_CHECK_CONDITION);
		/* Data-Out must have one block, not less and not more. */
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, 8, 16, ones, 256), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, 8, 16, ones, 1024), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	}
	sbc_fixture_close(&e);
}

static void test_write_same_ndob(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 4096, NULL);
	memset(e.bs->data, 'a', 8 * 4096);
	assert_int_equal(sbc_fixture_run(&e, WRITE_SAME16, NDOB, 1, 2, NULL, 0), SCSI_GOOD);
	assert_int_equal(e.bs->extent[1], TCMUR_EXTENT_MAPPED);
	assert_memory_equal(sbc_fixture_block(&e, 1), zeros, 2 * 4096);
	assert_int_equal(*sbc_fixture_block(&e, 3), 'a');
	assert_int_equal(sbc_fixture_run(&e, WRITE_SAME16, NDOB | UNMAP_BIT, 3, 1, NULL, 0), SCSI_GOOD);
	assert_int_equal(e.bs->extent[3], TCMUR_EXTENT_DEALLOCATED);
	assert_int_equal(sbc_fixture_run(&e, WRITE_SAME10, NDOB, 1, 2, ones, 4096), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	sbc_fixture_close(&e);
}

/* Blocks that were to become zeros read as zeros, even if UNMAP would not ensure this. */
static void test_write_same_unmap_reads_zero(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, no_zeroes);
	memset(e.bs->data, 'a', 512);
	assert_int_equal(sbc_fixture_run(&e, WRITE_SAME16, UNMAP_BIT, 0, 1, zeros, 512), SCSI_GOOD);
	assert_int_equal(fake_last(e.bs)->op, BACKSTORE_WRITE_ZEROES);
	assert_int_equal(fake_last(e.bs)->flags, 0);
	sbc_fixture_close(&e);

	sbc_fixture_open(&e, BLOCKS, 512, thick);
	assert_int_equal(sbc_fixture_run(&e, WRITE_SAME16, UNMAP_BIT, 0, 8, zeros, 512),
			 SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	assert_int_equal(sbc_fixture_run(&e, WRITE_SAME16, 0, 0, 8, zeros, 512), SCSI_GOOD);
	sbc_fixture_close(&e);
}

/* Makes the next I/O end without being executed, because it would take too long for so many blocks. */
static void decline_next(struct sbc_fixture *e)
{
	e->bs->fail_at = e->bs->ncalls + 1;
	e->bs->fail_with = TCMUR_BUSY;
}

static void test_write_same_limit(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, SBC_MAX_WRITE_SAME_BLOCKS + 8, 512, NULL);
	decline_next(&e);
	assert_int_equal(sbc_fixture_run(&e, WRITE_SAME16, 0, 0, SBC_MAX_WRITE_SAME_BLOCKS, ones, 512),
			 SCSI_BUSY);
	e.bs->ncalls = 0;
	assert_int_equal(sbc_fixture_run(&e, WRITE_SAME16, 0, 0, SBC_MAX_WRITE_SAME_BLOCKS + 1, ones, 512),
			 SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	assert_int_equal(sbc_fixture_run(&e, WRITE_SAME16, 0, 0, 0, ones, 512), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	assert_int_equal(e.bs->ncalls, 0);
	decline_next(&e);
	assert_int_equal(sbc_fixture_run(&e, WRITE_SAME16, 0, 8, 0, ones, 512), SCSI_BUSY);
	assert_int_equal(fake_last(e.bs)->len, SBC_MAX_WRITE_SAME_BLOCKS * 512ull);
	sbc_fixture_close(&e);
}

/* --- UNMAP ------------------------------------------------------------------------- */

struct range {
	uint64_t lba;
	uint32_t n;
};

static uint8_t list[8 + 300 * 16];

/* Builds a parameter list of n descriptors in list. Returns its length. */
static size_t unmap_list(const struct range *ranges, unsigned n)
{
	memset(list, 0, sizeof(list));
	put_be16(list, (uint16_t)(6 + n * 16));
	put_be16(list + 2, (uint16_t)(n * 16));
	for (unsigned i = 0; i < n; i++) {
		put_be64(list + 8 + i * 16, ranges[i].lba);
		put_be32(list + 16 + i * 16, ranges[i].n);
	}
	return 8 + n * 16;
}

static enum scsi_status unmap(struct sbc_fixture *e, const struct range *ranges, unsigned n)
{
	size_t len = unmap_list(ranges, n);

	return sbc_fixture_run(e, UNMAP, 0, 0, (uint32_t)len, list, len);
}

static void test_unmap(void **state)
{
	static const struct range ranges[] = {{100, 10}, {5, 1},      {0, 0},
					      {95, 10},  {BLOCKS, 0}, {BLOCKS - 1, 1}};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	for (unsigned deferred = 0; deferred < 2; deferred++) {
		e.bs->defer = deferred;
		e.bs->ncalls = 0;
		e.c.pieces = 1 + deferred * 12;
		memset(e.bs->data, 'a', e.bs->size);
		memset(e.bs->extent, TCMUR_EXTENT_MAPPED, BLOCKS);
		assert_int_equal(unmap(&e, ranges, ARRAY_SIZE(ranges)), SCSI_GOOD);
		assert_int_equal(e.bs->ncalls, 4);
		for (uint64_t lba = 0; lba < BLOCKS; lba++) {
			bool unmapped = lba == 5 || (lba >= 95 && lba < 110) || lba == BLOCKS - 1;

			assert_int_equal(e.bs->extent[lba],
					 unmapped ? TCMUR_EXTENT_DEALLOCATED : TCMUR_EXTENT_MAPPED);
		}
	}
	sbc_fixture_close(&e);
}

/* If one descriptor is wrong, nothing is unmapped. */
static void test_unmap_checks_first(void **state)
{
	static const struct range past[] = {{0, 8}, {BLOCKS - 1, 2}};
	static const struct range wrap[] = {{0, 8}, {UINT64_MAX, 2}};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	assert_int_equal(unmap(&e, past, 2), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_LBA_OUT_OF_RANGE);
	assert_int_equal(unmap(&e, wrap, 2), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_LBA_OUT_OF_RANGE);
	assert_int_equal(e.bs->ncalls, 0);
	sbc_fixture_close(&e);
}

static void test_unmap_limits(void **state)
{
	static struct range many[SBC_MAX_UNMAP_DESCRIPTORS + 1];
	static const struct range half = {0, SBC_MAX_UNMAP_BLOCKS / 2};
	struct range halves[] = {half, half, {0, 1}};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, SBC_MAX_UNMAP_BLOCKS, 512, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct range){i, 1};
	assert_int_equal(unmap(&e, many, SBC_MAX_UNMAP_DESCRIPTORS), SCSI_GOOD);
	assert_int_equal(e.bs->ncalls, SBC_MAX_UNMAP_DESCRIPTORS);
	assert_int_equal(unmap(&e, many, SBC_MAX_UNMAP_DESCRIPTORS + 1), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_LIST);
	decline_next(&e);
	assert_int_equal(unmap(&e, halves, 2), SCSI_BUSY);
	assert_int_equal(unmap(&e, halves, 3), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_LIST);
	sbc_fixture_close(&e);
}

static void test_unmap_list_lengths(void **state)
{
	static const struct range ranges[] = {{0, 1}, {1, 1}};
	struct sbc_fixture e;
	size_t len;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	/*
	 * A missing list is not an error; an incomplete header is one; an incomplete descriptor is ignored.
	 */
	assert_int_equal(sbc_fixture_run(&e, UNMAP, 0, 0, 0, NULL, 0), SCSI_GOOD);
	len = unmap_list(ranges, 2);
	assert_int_equal(sbc_fixture_run(&e, UNMAP, 0, 0, 7, list, 7), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_LIST_LENGTH_ERROR);
	assert_int_equal(e.bs->ncalls, 0);
	assert_int_equal(sbc_fixture_run(&e, UNMAP, 0, 0, (uint32_t)len - 1, list, len - 1), SCSI_GOOD);
	assert_int_equal(e.bs->ncalls, 1);
	/* The list announces more than it contains, or less. */
	put_be16(list + 2, 0xffff);
	assert_int_equal(sbc_fixture_run(&e, UNMAP, 0, 0, (uint32_t)len, list, len), SCSI_GOOD);
	assert_int_equal(e.bs->ncalls, 3);
	put_be16(list + 2, 31);
	assert_int_equal(sbc_fixture_run(&e, UNMAP, 0, 0, (uint32_t)len, list, len), SCSI_GOOD);
	assert_int_equal(e.bs->ncalls, 4);
	/* The initiator sends less than the CDB announces. */
	assert_int_equal(sbc_fixture_run(&e, UNMAP, 0, 0, (uint32_t)len, list, 4), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_LIST_LENGTH_ERROR);
	/* ANCHOR */
	assert_int_equal(sbc_fixture_run(&e, UNMAP, 0x01, 0, (uint32_t)len, list, len), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	sbc_fixture_close(&e);
}

static void test_unmap_stops_at_error(void **state)
{
	static const struct range ranges[] = {{0, 1}, {1, 1}, {2, 1}};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	e.bs->fail_at = 2;
	e.bs->fail_with = TCMUR_HARDWARE_ERROR;
	assert_int_equal(unmap(&e, ranges, 3), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INTERNAL_FAILURE);
	assert_int_equal(e.bs->ncalls, 2);
	sbc_fixture_close(&e);

	sbc_fixture_open(&e, BLOCKS, 512, thick);
	assert_int_equal(unmap(&e, ranges, 3), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_OPCODE);
	sbc_fixture_close(&e);
}

/* --- GET LBA STATUS ---------------------------------------------------------------- */

static size_t lba_status(struct sbc_fixture *e, uint64_t lba, uint32_t allocation, uint8_t *data, size_t max)
{
	assert_int_equal(sbc_fixture_run(e, SERVICE_ACTION_IN, GET_LBA_STATUS, lba, allocation, NULL, 0),
			 SCSI_GOOD);
	return sbc_fixture_data(e, data, max);
}

static void assert_descriptor(const uint8_t *data, unsigned i, uint64_t lba, uint32_t n, uint8_t state)
{
	assert_int_equal(get_be64(data + 8 + i * 16), lba);
	assert_int_equal(get_be32(data + 16 + i * 16), n);
	assert_int_equal(data[20 + i * 16], state);
}

static void test_lba_status(void **state)
{
	uint8_t data[4096];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	/* blocks 0-9 are not mapped, 10-29 are, and the rest is not; the fake reports runs of four blocks */
	sbc_fixture_run(&e, WRITE_SAME16, 0, 10, 20, ones, 512);
	assert_int_equal(lba_status(&e, 3, sizeof(data), data, sizeof(data)), 8 + 3 * 16);
	assert_int_equal(get_be32(data), 4 + 3 * 16);
	assert_descriptor(data, 0, 3, 7, TCMUR_EXTENT_DEALLOCATED);
	assert_descriptor(data, 1, 10, 20, TCMUR_EXTENT_MAPPED);
	assert_int_equal(get_be64(data + 8 + 2 * 16), 30);
	/* there is room for one descriptor, or for less */
	assert_int_equal(lba_status(&e, 29, 24, data, sizeof(data)), 24);
	assert_descriptor(data, 0, 29, 1, TCMUR_EXTENT_MAPPED);
	assert_int_equal(lba_status(&e, 29, 12, data, sizeof(data)), 12);
	assert_int_equal(lba_status(&e, 29, 0, data, sizeof(data)), 0);
	/* past the end */
	assert_int_equal(sbc_fixture_run(&e, SERVICE_ACTION_IN, GET_LBA_STATUS, BLOCKS, 24, NULL, 0),
			 SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_LBA_OUT_OF_RANGE);
	/* the handler fails */
	e.bs->ncalls = 0;
	e.bs->fail_at = 1;
	e.bs->fail_with = TCMUR_READ_ERROR;
	assert_int_equal(sbc_fixture_run(&e, SERVICE_ACTION_IN, GET_LBA_STATUS, 0, 24, NULL, 0),
			 SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_READ_ERROR);
	sbc_fixture_close(&e);
}

/* SBC-4 4.7.2: each block of a fully provisioned unit is mapped, whatever the storage does. */
static void test_lba_status_thick(void **state)
{
	static const struct tcmur_extent hole = {0, BLOCKS * 512, TCMUR_EXTENT_DEALLOCATED};
	uint8_t data[4096];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, thick);
	e.bs->extents = &hole;
	e.bs->nextents = 1;
	assert_int_equal(lba_status(&e, 2, sizeof(data), data, sizeof(data)), 24);
	assert_descriptor(data, 0, 2, BLOCKS - 2, TCMUR_EXTENT_MAPPED);
	sbc_fixture_close(&e);
}

/* Extents are in bytes. They need not consist of blocks, be in order, or lie inside the medium. */
static void test_lba_status_odd_extents(void **state)
{
	static const struct tcmur_extent odd[] = {
	    {512, 3 * 512 + 1,
	     TCMUR_EXTENT_DEALLOCATED}, /* begins before the LBA; its last block belongs to the range */
	    {4 * 512 + 1, 511 + 512, TCMUR_EXTENT_MAPPED},
	    {6 * 512, 512, TCMUR_EXTENT_MAPPED},   /* continues the last one */
	    {8 * 512, 512, TCMUR_EXTENT_ANCHORED}, /* follows a gap, which counts as mapped */
	    {512, 512, TCMUR_EXTENT_MAPPED},
	    {9 * 512, UINT64_MAX - 10000, TCMUR_EXTENT_DEALLOCATED},
	};
	uint8_t data[4096];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	e.bs->extents = odd;
	e.bs->nextents = ARRAY_SIZE(odd);
	assert_int_equal(lba_status(&e, 2, sizeof(data), data, sizeof(data)), 8 + 4 * 16);
	assert_descriptor(data, 0, 2, 2, TCMUR_EXTENT_DEALLOCATED);
	assert_descriptor(data, 1, 4, 4, TCMUR_EXTENT_MAPPED);
	assert_descriptor(data, 2, 8, 1, TCMUR_EXTENT_ANCHORED);
	assert_descriptor(data, 3, 9, BLOCKS - 9, TCMUR_EXTENT_DEALLOCATED);
	/* the handler knows nothing, so the block is mapped */
	e.bs->nextents = 0;
	assert_int_equal(lba_status(&e, 2, sizeof(data), data, sizeof(data)), 24);
	assert_descriptor(data, 0, 2, BLOCKS - 2, TCMUR_EXTENT_MAPPED);
	sbc_fixture_close(&e);
}

/* A descriptor's length has 32 bits. */
static void test_lba_status_long_extent(void **state)
{
	static const struct tcmur_extent half = {0, (UINT32_MAX / 2 + 1ull) * 512, TCMUR_EXTENT_MAPPED};
	struct tcmur_extent halves[] = {half, half, half, half};
	uint8_t data[4096];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	e.bs->size = 2 * (1ull << 32) * 512;
	for (unsigned i = 0; i < ARRAY_SIZE(halves); i++)
		halves[i].offset = i * half.len;
	e.bs->extents = halves;
	e.bs->nextents = ARRAY_SIZE(halves);
	assert_int_equal(lba_status(&e, 0, sizeof(data), data, sizeof(data)), 8 + 3 * 16);
	assert_descriptor(data, 0, 0, UINT32_MAX, TCMUR_EXTENT_MAPPED);
	assert_descriptor(data, 1, UINT32_MAX, UINT32_MAX, TCMUR_EXTENT_MAPPED);
	assert_descriptor(data, 2, 2ull * UINT32_MAX, 2, TCMUR_EXTENT_MAPPED);
	assert_int_equal(lba_status(&e, 1ull << 32, 24, data, sizeof(data)), 24);
	assert_descriptor(data, 0, 1ull << 32, UINT32_MAX, TCMUR_EXTENT_MAPPED);
	sbc_fixture_close(&e);
}

/* --- what capacity and pages report --- */

static void test_vpd(void **state)
{
	uint8_t page[SBC_VPD_MAX] = {0};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, granular);
	assert_int_equal(sbc_vpd_block_limits(e.lu, page), 0x3c);
	assert_int_equal(page[4] & 1, 0);
	assert_int_equal(page[5], 255);
	assert_int_equal(get_be16(page + 6), 8);
	assert_int_equal(get_be32(page + 8), SCSI_MAX_TRANSFER / 512);
	assert_int_equal(get_be32(page + 20), SBC_MAX_UNMAP_BLOCKS);
	assert_int_equal(get_be32(page + 24), SBC_MAX_UNMAP_DESCRIPTORS);
	assert_int_equal(get_be32(page + 28), 8);
	assert_int_equal(get_be32(page + 32), 0x80000002);
	assert_int_equal(get_be64(page + 36), SBC_MAX_WRITE_SAME_BLOCKS);
	memset(page, 0, sizeof(page));
	assert_int_equal(sbc_vpd_provisioning(e.lu, page), 4);
	assert_int_equal(page[5], 0xe4);
	assert_int_equal(page[6], 2);
	memset(page, 0, sizeof(page));
	assert_int_equal(sbc_vpd_block_characteristics(e.lu, page), 0x3c);
	assert_int_equal(get_be16(page + 4), 1);
	assert_int_equal(page[8], 1);
	sbc_fixture_close(&e);

	sbc_fixture_open(&e, BLOCKS, 512, thick);
	memset(page, 0, sizeof(page));
	sbc_vpd_block_limits(e.lu, page);
	assert_int_equal(get_be32(page + 20), 0);
	assert_int_equal(get_be32(page + 24), 0);
	memset(page, 0, sizeof(page));
	sbc_vpd_provisioning(e.lu, page);
	assert_int_equal(page[5], 0);
	assert_int_equal(page[6], 0);
	sbc_fixture_close(&e);
}

static void test_read_capacity(void **state)
{
	uint8_t data[32];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, granular);
	assert_int_equal(sbc_fixture_run(&e, 0x25, 0, 0, 0, NULL, 0), SCSI_GOOD);
	assert_int_equal(sbc_fixture_data(&e, data, sizeof(data)), 8);
	assert_int_equal(get_be32(data), BLOCKS - 1);
	assert_int_equal(get_be32(data + 4), 512);
	assert_int_equal(sbc_fixture_run(&e, SERVICE_ACTION_IN, 0x10, 0, sizeof(data), NULL, 0), SCSI_GOOD);
	assert_int_equal(sbc_fixture_data(&e, data, sizeof(data)), 32);
	assert_int_equal(get_be64(data), BLOCKS - 1);
	assert_int_equal(get_be32(data + 8), 512);
	assert_int_equal(data[12], 0);
	assert_int_equal(data[13], 3);
	assert_int_equal(get_be16(data + 14), 0xc000);
	assert_int_equal(sbc_fixture_run(&e, SERVICE_ACTION_IN, 0x10, 0, 13, NULL, 0), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 13);
	/* a capacity that READ CAPACITY (10) cannot report */
	e.bs->size = (1ull << 32) * 512;
	assert_int_equal(sbc_fixture_run(&e, 0x25, 0, 0, 0, NULL, 0), SCSI_GOOD);
	sbc_fixture_data(&e, data, sizeof(data));
	assert_int_equal(get_be32(data), UINT32_MAX);
	e.bs->size += 512;
	assert_int_equal(sbc_fixture_run(&e, 0x25, 0, 0, 0, NULL, 0), SCSI_GOOD);
	sbc_fixture_data(&e, data, sizeof(data));
	assert_int_equal(get_be32(data), UINT32_MAX);
	/* PMI allows an LBA */
	assert_int_equal(sbc_fixture_run(&e, 0x25, 0, 5, 0, NULL, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	assert_int_equal(sbc_fixture_run(&e, 0x25, 0, 5, 1, NULL, 0), SCSI_GOOD);
	sbc_fixture_close(&e);

	sbc_fixture_open(&e, BLOCKS, 4096, thick);
	assert_int_equal(sbc_fixture_run(&e, SERVICE_ACTION_IN, 0x10, 0, sizeof(data), NULL, 0), SCSI_GOOD);
	sbc_fixture_data(&e, data, sizeof(data));
	assert_int_equal(get_be32(data + 8), 4096);
	assert_int_equal(get_be16(data + 14), 0);
	sbc_fixture_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_write_same),
	    cmocka_unit_test(test_write_same_ndob),
	    cmocka_unit_test(test_write_same_unmap_reads_zero),
	    cmocka_unit_test(test_write_same_limit),
	    cmocka_unit_test(test_unmap),
	    cmocka_unit_test(test_unmap_checks_first),
	    cmocka_unit_test(test_unmap_limits),
	    cmocka_unit_test(test_unmap_list_lengths),
	    cmocka_unit_test(test_unmap_stops_at_error),
	    cmocka_unit_test(test_lba_status),
	    cmocka_unit_test(test_lba_status_thick),
	    cmocka_unit_test(test_lba_status_odd_extents),
	    cmocka_unit_test(test_lba_status_long_extent),
	    cmocka_unit_test(test_vpd),
	    cmocka_unit_test(test_read_capacity),
	};

	return cmocka_run_group_tests_name("sbc_provision", tests, fill, NULL);
}
