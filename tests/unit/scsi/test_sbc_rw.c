/* SPDX-License-Identifier: Apache-2.0 */
/* READ, WRITE, ORWRITE, COMPARE AND WRITE, VERIFY, WRITE AND VERIFY. */
#include "sbc_rw.h"

#include "scsi/nexus.h"
#include "util/bytes.h"

static const uint32_t block_sizes[] = {512, 4096};

static bool medium_is(struct sbc_fixture *e, uint64_t lba, uint32_t n, const uint8_t *data)
{
	return memcmp(sbc_fixture_block(e, lba), data, (size_t)n * e->block) == 0;
}

static void test_write_then_read(void **state)
{
	static const uint8_t writes[] = {WRITE6, WRITE10, WRITE12, WRITE16};
	static const uint8_t reads[] = {READ6, READ10, READ12, READ16};
	static uint8_t got[8 * 4096];
	struct sbc_fixture e;

	(void)state;
	for (unsigned b = 0; b < ARRAY_SIZE(block_sizes); b++) {
		sbc_fixture_open(&e, BLOCKS, block_sizes[b], NULL);
		for (unsigned i = 0; i < ARRAY_SIZE(writes); i++) {
			const uint8_t *data = pattern + i * e.block;
			size_t len = 8 * e.block;

			e.c.pieces = i + 1;
			assert_int_equal(sbc_fixture_run(&e, writes[i], 0, BLOCKS - 8, 8, data, len),
					 SCSI_GOOD);
			assert_true(medium_is(&e, BLOCKS - 8, 8, data));
			assert_int_equal(sbc_fixture_run(&e, reads[i], 0, BLOCKS - 8, 8, NULL, 0), SCSI_GOOD);
			assert_int_equal(sbc_fixture_data(&e, got, sizeof(got)), len);
			assert_memory_equal(got, data, len);
		}
		sbc_fixture_close(&e);
	}
}

/*
 * In READ (6) and WRITE (6), 0 means 256 blocks. In the other commands it means no block, and is not an
 * error.
 */
static void test_zero_length(void **state)
{
	static const uint8_t nothing[] = {
	    READ10,   READ12,   READ16,         WRITE10,        WRITE12,        WRITE16, VERIFY10,
	    VERIFY12, VERIFY16, WRITE_VERIFY10, WRITE_VERIFY12, WRITE_VERIFY16, ORWRITE, COMPARE_AND_WRITE};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(nothing); i++) {
		assert_int_equal(sbc_fixture_run(&e, nothing[i], 0, 0, 0, NULL, 0), SCSI_GOOD);
		assert_int_equal(e.bs->ncalls, 0);
		assert_int_equal(sbc_fixture_run(&e, nothing[i], 0, BLOCKS + 1, 0, NULL, 0),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_LBA_OUT_OF_RANGE);
	}
	assert_int_equal(sbc_fixture_run(&e, WRITE6, 0, 3, 0, pattern, 256 * 512), SCSI_GOOD);
	assert_int_equal(fake_last(e.bs)->len, 256 * 512);
	assert_int_equal(sbc_fixture_run(&e, READ6, 0, 3, 0, NULL, 0), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 256 * 512);
	sbc_fixture_close(&e);
}

static void test_range_and_limits(void **state)
{
	static const uint8_t ops[] = {READ10,   READ16,         WRITE10, WRITE16,
				      VERIFY16, WRITE_VERIFY16, ORWRITE, COMPARE_AND_WRITE};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 4096, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, BLOCKS - 1, 2, pattern, 4 * 4096),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_LBA_OUT_OF_RANGE);
	}
	assert_int_equal(sbc_fixture_run(&e, READ16, 0, UINT64_MAX, 2, NULL, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_LBA_OUT_OF_RANGE);
	/* MAXIMUM TRANSFER LENGTH is checked before any memory is allocated. */
	assert_int_equal(sbc_fixture_run(&e, READ16, 0, 0, UINT32_MAX, NULL, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	assert_null(e.c.buffer);
	/* RDPROTECT, WRPROTECT */
	assert_int_equal(sbc_fixture_run(&e, READ10, 0x20, 0, 1, NULL, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	assert_int_equal(sbc_fixture_run(&e, WRITE16, 0xe0, 0, 1, pattern, 4096), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	assert_int_equal(e.bs->ncalls, 0);
	sbc_fixture_close(&e);
}

static void test_fua(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	sbc_fixture_run(&e, WRITE10, 0x10, 0, 1, pattern, 512); /* DPO */
	assert_int_equal(fake_last(e.bs)->flags, 0);
	sbc_fixture_run(&e, WRITE10, FUA, 0, 1, pattern, 512);
	assert_int_equal(fake_last(e.bs)->flags, TCMUR_IO_FUA);
	sbc_fixture_run(&e, ORWRITE, FUA, 0, 1, pattern, 512);
	assert_int_equal(fake_last(e.bs)->flags, TCMUR_IO_FUA);
	/* A READ with FUA reads the contents of the medium. */
	e.bs->ncalls = 0;
	assert_int_equal(sbc_fixture_run(&e, READ16, FUA, 5, 2, NULL, 0), SCSI_GOOD);
	assert_int_equal(e.bs->ncalls, 2);
	assert_int_equal(e.bs->calls[0].op, BACKSTORE_FLUSH);
	assert_int_equal(e.bs->calls[0].offset, 5 * 512);
	assert_int_equal(e.bs->calls[0].len, 2 * 512);
	assert_int_equal(e.bs->calls[1].op, BACKSTORE_READ);
	sbc_fixture_close(&e);
}

/* In READ (6) and WRITE (6) this bit belongs to the LBA, even if the transport pads CDBs to 16 bytes. */
static void test_no_fua_in_6(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, 0x080000 + 1, 512, NULL);
	for (unsigned len = 6; len <= 16; len += 10) {
		assert_int_equal(
		    sbc_fixture_cdb_run(&e, (uint8_t[16]){WRITE6, 0x08, 0, 0, 1}, len, pattern, 512),
		    SCSI_GOOD);
		assert_int_equal(fake_last(e.bs)->flags, 0);
		e.bs->ncalls = 0;
		assert_int_equal(sbc_fixture_cdb_run(&e, (uint8_t[16]){READ6, 0x08, 0, 0, 1}, len, NULL, 0),
				 SCSI_GOOD);
		assert_int_equal(e.bs->ncalls, 1);
		assert_int_equal(e.bs->calls[0].op, BACKSTORE_READ);
	}
	sbc_fixture_close(&e);
}

static void no_write_cache(struct backstore *bs)
{
	bs->info.write_cache = false;
}

/* A READ causes no flush if there is no cache. */
static void test_fua_without_cache(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, no_write_cache);
	assert_int_equal(sbc_fixture_run(&e, READ16, FUA, 5, 2, NULL, 0), SCSI_GOOD);
	assert_int_equal(e.bs->ncalls, 1);
	sbc_fixture_close(&e);
}

static void write_cache_off(struct backstore *bs)
{
	bs->info.write_cache_off = true;
}

static void test_write_through(void **state)
{
	static const uint8_t ops[] = {WRITE6, WRITE10, WRITE16, ORWRITE, COMPARE_AND_WRITE};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, write_cache_off);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		memset(sbc_fixture_block(&e, 0), 0, 512);
		memset(pattern, 0, 512);
		sbc_fixture_run(&e, ops[i], 0, 0, 1, pattern, ops[i] == COMPARE_AND_WRITE ? 1024 : 512);
		make_pattern(NULL);
		assert_int_equal(fake_last(e.bs)->flags, TCMUR_IO_FUA);
	}
	sbc_fixture_close(&e);
}

/* The flush of a command that switches the cache off, or write protection on, may miss a WRITE in flight. */
static void test_write_through_begins_during_a_write(void **state)
{
	static const uint32_t changes[] = {SCSI_GATE_WRITE_THROUGH, SCSI_GATE_READ_ONLY};
	static const uint8_t ops[] = {WRITE10, ORWRITE, COMPARE_AND_WRITE, WRITE_SAME16};
	uint8_t cdb[16];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	e.bs->defer = true;
	for (unsigned i = 0; i < ARRAY_SIZE(changes) * ARRAY_SIZE(ops); i++) {
		uint8_t op = ops[i / ARRAY_SIZE(changes)];
		size_t cdb_len = sbc_fixture_cdb(cdb, op, 0, i, 1);

		if (op == COMPARE_AND_WRITE)
			memcpy(sbc_fixture_block(&e, i), pattern, 512);
		fake_cmd_free(&e.c);
		fake_cmd_init(&e.c, e.lu, &e.nexus, cdb, cdb_len);
		fake_cmd_submit(&e.c, pattern, op == COMPARE_AND_WRITE ? 1024 : 512);
		scsi_lu_gate_change(e.lu, changes[i % 2], 0);
		assert_true(fake_backstore_end(e.bs));
		assert_int_equal(e.c.done, 0);
		assert_int_equal(fake_last(e.bs)->op, BACKSTORE_FLUSH);
		fake_run();
		assert_int_equal(e.c.done, 1);
		assert_int_equal(e.c.cmd.status, SCSI_GOOD);
		scsi_lu_gate_change(e.lu, 0, changes[i % 2]);
	}
	sbc_fixture_close(&e);
}

static void test_short_data_out(void **state)
{
	static const uint8_t ops[] = {WRITE10,        WRITE12,        WRITE16,       ORWRITE,
				      WRITE_VERIFY10, WRITE_VERIFY12, WRITE_VERIFY16};
	static const size_t shorts[] = {0, 1, 200, 512, 3 * 512, 4 * 512 - 1};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		uint8_t *medium = sbc_fixture_block(&e, 0);

		memset(medium, 'a', 4 * 512);
		for (unsigned k = 0; k < ARRAY_SIZE(shorts); k++) {
			assert_int_equal(sbc_fixture_run(&e, ops[i], 0, 0, 4, pattern, shorts[k]),
					 SCSI_CHECK_CONDITION);
			assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_IU);
			/* the length was announced, or not */
			assert_int_equal(e.c.cmd.gather_len, shorts[k] ? 0 : 4 * 512);
			assert_int_equal(e.c.cmd.transfer_len, 4 * 512); /* needed for the residual */
			assert_int_equal(medium[0], 'a');
		}
		/* Data that exceeds the CDB's length is not written. */
		memset(medium + 2 * 512, 0, 512);
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, 2, 1, pattern, 2 * 512), SCSI_GOOD);
		assert_true(medium_is(&e, 2, 1, pattern));
		assert_int_equal(medium[3 * 512], 'a');
	}
	sbc_fixture_close(&e);
}

static void lends(struct backstore *bs)
{
	bs->can_lend = true;
	bs->lend_piece = 32 << 10;
}

static void test_lent_memory(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, lends);
	assert_int_equal(sbc_fixture_run(&e, WRITE10, 0, 0, 600, pattern, 600 * 512), SCSI_GOOD);
	e.c.cmd.may_lend = true;
	assert_int_equal(sbc_fixture_run(&e, READ10, 0, 1, 129, NULL, 0), SCSI_GOOD);
	assert_null(e.c.buffer);
	assert_int_equal(e.c.cmd.iovcnt, 3);
	assert_ptr_equal(e.c.cmd.iov[0].iov_base, sbc_fixture_block(&e, 1));
	assert_int_equal(e.c.cmd.data_in_len, 129 * 512);
	/* There are too many pieces, so the data is read into the front end's memory. */
	assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 600, NULL, 0), SCSI_GOOD);
	assert_non_null(e.c.buffer);
	assert_memory_equal(e.c.buffer, pattern, 600 * 512);
	/* Short data must not change before it is sent. */
	assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 127, NULL, 0), SCSI_GOOD);
	assert_non_null(e.c.buffer);
	/* the front end does not accept lent memory */
	e.c.cmd.may_lend = false;
	assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 128, NULL, 0), SCSI_GOOD);
	assert_non_null(e.c.buffer);
	sbc_fixture_close(&e);
}

static void test_no_memory(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	e.c.no_memory = true;
	assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 1, NULL, 0), SCSI_TASK_SET_FULL);
	assert_int_equal(e.bs->ncalls, 0);
	sbc_fixture_close(&e);
}

static void read_only(struct backstore *bs)
{
	bs->info.read_only = true;
}

static void test_write_protected(void **state)
{
	static const uint8_t ops[] = {WRITE6,         WRITE10, WRITE12,          WRITE16,
				      WRITE_VERIFY10, ORWRITE, COMPARE_AND_WRITE};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, read_only);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, 0, 1, pattern, 512), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_WRITE_PROTECTED);
	}
	assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 1, NULL, 0), SCSI_GOOD);
	sbc_fixture_close(&e);
}

static void test_verify(void **state)
{
	static const uint8_t ops[] = {VERIFY10, VERIFY12, VERIFY16};
	static uint8_t changed[4 * 512];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	sbc_fixture_run(&e, WRITE10, 0, 10, 4, pattern, sizeof(changed));
	memcpy(changed, pattern, sizeof(changed));
	changed[2 * 512 + 17] ^= 1;
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		/* BYTCHK 00b: there is no Data-Out */
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, 10, 4, NULL, 0), SCSI_GOOD);
		assert_int_equal(e.c.cmd.direction, SCSI_NO_DATA);
		/* BYTCHK 01b */
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x02, 10, 4, pattern, sizeof(changed)),
				 SCSI_GOOD);
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x02, 10, 4, changed, sizeof(changed)),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_MISCOMPARE_VERIFY);
		assert_int_equal(fake_information(&e.c.cmd), 12);
		/* 10b is reserved */
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x04, 10, 4, pattern, 512),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
		/* BYTCHK 11b: one block is compared with all */
		memset(changed, 'x', sizeof(changed));
		memset(sbc_fixture_block(&e, 20), 'x', 5 * 512);
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x06, 20, 5, changed, 512), SCSI_GOOD);
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x06, 20, 6, changed, 512),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_information(&e.c.cmd), 25);
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x06, 20, 5, changed, 511),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_IU);
		/* Without Data-Out nothing is compared, so the status is not GOOD. */
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x02, 10, 4, NULL, 0), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_IU);
		memcpy(changed, pattern, sizeof(changed));
		changed[2 * 512 + 17] ^= 1;
	}
	sbc_fixture_close(&e);
}

static void test_write_and_verify(void **state)
{
	static const uint8_t ops[] = {WRITE_VERIFY10, WRITE_VERIFY12, WRITE_VERIFY16};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		for (uint8_t bytchk = 0; bytchk < 2; bytchk++) {
			e.bs->ncalls = 0;
			assert_int_equal(
			    sbc_fixture_run(&e, ops[i], (uint8_t)(bytchk << 1), 7 + i, 2, pattern, 1024),
			    SCSI_GOOD);
			assert_int_equal(e.bs->ncalls, 2);
			assert_int_equal(e.bs->calls[0].op, BACKSTORE_WRITE);
			assert_int_equal(e.bs->calls[0].flags, TCMUR_IO_FUA);
			assert_int_equal(e.bs->calls[1].op, BACKSTORE_VERIFY);
			assert_true(medium_is(&e, 7 + i, 2, pattern));
		}
		e.bs->ncalls = 0;
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x06, 7, 2, pattern, 1024),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
		assert_int_equal(e.bs->ncalls, 0);
	}
	sbc_fixture_close(&e);
}

static void test_compare_and_write(void **state)
{
	uint8_t data[4 * 512];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	memcpy(sbc_fixture_block(&e, 30), pattern, 1024);
	memcpy(data, pattern, 1024);
	memset(data + 1024, 'n', 1024);
	assert_int_equal(sbc_fixture_run(&e, COMPARE_AND_WRITE, 0, 30, 2, data, sizeof(data)), SCSI_GOOD);
	assert_true(medium_is(&e, 30, 2, data + 1024));
	/* Again: now the medium differs from the first byte on. */
	data[0] = 'n';
	assert_int_equal(sbc_fixture_run(&e, COMPARE_AND_WRITE, 0, 30, 2, data, sizeof(data)),
			 SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_MISCOMPARE_VERIFY);
	assert_int_equal(fake_information(&e.c.cmd), 1);
	/* Data-Out that is too short, and an announced length that is larger than the CDB's. */
	assert_int_equal(sbc_fixture_run(&e, COMPARE_AND_WRITE, 0, 30, 3, data, sizeof(data)),
			 SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	assert_int_equal(sbc_fixture_run(&e, COMPARE_AND_WRITE, 0, 30, 1, data, sizeof(data)),
			 SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	/* the largest number that VPD page B0h allows */
	memset(e.bs->data, 0, 255 * 512);
	memset(pattern, 0, 255 * 512);
	assert_int_equal(sbc_fixture_run(&e, COMPARE_AND_WRITE, 0, 0, 255, pattern, 2 * 255 * 512),
			 SCSI_GOOD);
	make_pattern(NULL);
	sbc_fixture_close(&e);
}

static void test_orwrite(void **state)
{
	uint8_t data[1024];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	memset(sbc_fixture_block(&e, 4), 0x50, sizeof(data));
	memset(data, 0x0a, sizeof(data));
	e.c.pieces = 3;
	assert_int_equal(sbc_fixture_run(&e, ORWRITE, 0, 4, 2, data, sizeof(data)), SCSI_GOOD);
	memset(data, 0x5a, sizeof(data));
	assert_true(medium_is(&e, 4, 2, data));
	sbc_fixture_close(&e);
}

/* A command that is aborted between its steps does not start the next step. */
static void test_abort_between_steps(void **state)
{
	struct sbc_fixture e;
	struct fake_cmd c;
	uint8_t cdb[16];

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	e.bs->defer = true;
	fake_cmd_init(&c, e.lu, &e.nexus, cdb, sbc_fixture_cdb(cdb, WRITE_VERIFY10, 0, 0, 1));
	fake_cmd_submit(&c, pattern, 512);
	assert_int_equal(c.done, 0);
	c.cmd.aborted = true;
	fake_run();
	assert_int_equal(c.done, 1);
	assert_int_equal(e.bs->ncalls, 1);
	fake_cmd_free(&c);
	sbc_fixture_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_write_then_read),
	    cmocka_unit_test(test_zero_length),
	    cmocka_unit_test(test_range_and_limits),
	    cmocka_unit_test(test_fua),
	    cmocka_unit_test(test_no_fua_in_6),
	    cmocka_unit_test(test_fua_without_cache),
	    cmocka_unit_test(test_write_through),
	    cmocka_unit_test(test_write_through_begins_during_a_write),
	    cmocka_unit_test(test_short_data_out),
	    cmocka_unit_test(test_lent_memory),
	    cmocka_unit_test(test_no_memory),
	    cmocka_unit_test(test_write_protected),
	    cmocka_unit_test(test_verify),
	    cmocka_unit_test(test_write_and_verify),
	    cmocka_unit_test(test_compare_and_write),
	    cmocka_unit_test(test_orwrite),
	    cmocka_unit_test(test_abort_between_steps),
	};

	return cmocka_run_group_tests_name("sbc_rw", tests, make_pattern, NULL);
}
