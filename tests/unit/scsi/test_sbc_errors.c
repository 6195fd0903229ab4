/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of reads and writes: the sense data, the block that it names, and how the device server finds
 * that block.
 */
#include "sbc_rw.h"

#include "scsi/nexus.h"
#include "util/bytes.h"

static void test_handler_errors(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	for (unsigned deferred = 0; deferred < 2; deferred++) {
		e.bs->defer = deferred;
		e.bs->ncalls = 0;
		e.bs->fail_at = 1;
		e.bs->fail_with = TCMUR_READ_ERROR;
		assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 1, NULL, 0), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_READ_ERROR);
		assert_int_equal(e.c.cmd.data_in_len, 0);
		e.bs->ncalls = 0;
		e.bs->fail_with = TCMUR_NO_SPACE;
		assert_int_equal(sbc_fixture_run(&e, WRITE10, 0, 0, 1, pattern, 512), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_SPACE_ALLOCATION_FAILED);
		/* The second step of a command fails. */
		e.bs->ncalls = 0;
		e.bs->fail_at = 2;
		e.bs->fail_with = TCMUR_READ_ERROR;
		assert_int_equal(sbc_fixture_run(&e, WRITE_VERIFY10, 0, 0, 1, pattern, 512),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_READ_ERROR);
		e.bs->ncalls = 0;
		assert_int_equal(sbc_fixture_run(&e, READ10, FUA, 0, 1, NULL, 0), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_READ_ERROR);
	}
	sbc_fixture_close(&e);
}

/* If there is only one block, it is known to be the bad one (SBC-4 4.18.1). */
static void test_bad_block(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	for (uint32_t n = 1; n <= 2; n++) {
		e.bs->ncalls = 0;
		e.bs->fail_at = 1;
		e.bs->fail_with = TCMUR_READ_ERROR;
		assert_int_equal(sbc_fixture_run(&e, READ10, 0, 77, n, NULL, 0), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_information(&e.c.cmd), n == 1 ? 77 : UINT64_MAX);
		e.bs->ncalls = 0;
		e.bs->fail_with = TCMUR_WRITE_ERROR;
		assert_int_equal(sbc_fixture_run(&e, WRITE10, 0, 78, n, pattern, n * 512),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_information(&e.c.cmd), n == 1 ? 78 : UINT64_MAX);
		/* If the cache cannot be flushed, no block is reported. */
		e.bs->ncalls = 0;
		assert_int_equal(sbc_fixture_run(&e, READ10, FUA, 0, n, NULL, 0), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_information(&e.c.cmd), UINT64_MAX);
	}
	sbc_fixture_close(&e);
}

/* The first bad block is found at any position, and a READ delivers the blocks before it. */
static void test_read_error_is_located(void **state)
{
	enum { FIRST = 100, NBLOCKS = 37 };
	static uint8_t got[NBLOCKS * 512];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	for (unsigned i = 0; i < NBLOCKS; i++)
		memset(sbc_fixture_block(&e, FIRST + i), (int)i + 1, 512);
	for (unsigned bad = 0; bad < NBLOCKS; bad++) {
		e.bs->bad_from = FIRST + bad;
		/* one block is bad, or all blocks after it are */
		e.bs->bad_to = FIRST + bad + (bad % 3 ? 1 : NBLOCKS);
		assert_int_equal(sbc_fixture_run(&e, READ10, 0, FIRST, NBLOCKS, NULL, 0),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_READ_ERROR);
		assert_int_equal(fake_information(&e.c.cmd), FIRST + bad);
		assert_int_equal(sbc_fixture_data(&e, got, sizeof(got)), bad * 512);
		assert_memory_equal(got, sbc_fixture_block(&e, FIRST), bad * 512);
		assert_int_equal(sbc_fixture_run(&e, VERIFY10, 0, FIRST, NBLOCKS, NULL, 0),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_READ_ERROR);
		assert_int_equal(fake_information(&e.c.cmd), FIRST + bad);
	}
	sbc_fixture_close(&e);
}

/* If the handler reports the first bad block, only the good blocks are read again. */
static void test_known_bad_block_is_not_searched(void **state)
{
	enum { FIRST = 100, NBLOCKS = 8 };
	static uint8_t got[NBLOCKS * 512];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	memset(sbc_fixture_block(&e, FIRST), 5, NBLOCKS * 512);
	e.bs->names_bad_byte = true;
	for (unsigned bad = 0; bad < NBLOCKS; bad++) {
		e.bs->bad_from = FIRST + bad;
		e.bs->bad_to = FIRST + bad + 1;
		e.bs->ncalls = 0;
		assert_int_equal(sbc_fixture_run(&e, READ10, 0, FIRST, NBLOCKS, NULL, 0),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_READ_ERROR);
		assert_int_equal(fake_information(&e.c.cmd), FIRST + bad);
		assert_int_equal(sbc_fixture_data(&e, got, sizeof(got)), bad * 512);
		assert_memory_equal(got, sbc_fixture_block(&e, FIRST), bad * 512);
		assert_int_equal(e.bs->ncalls, bad ? 2 : 1);
	}
	sbc_fixture_close(&e);
}

/*
 * An error that does not occur again when the range is read a second time, or that changes, reports no block.
 */
static void test_read_error_is_not_located(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	e.bs->fail_at = 1;
	e.bs->fail_with = TCMUR_READ_ERROR;
	assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 8, NULL, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_READ_ERROR);
	assert_int_equal(fake_information(&e.c.cmd), UINT64_MAX);
	assert_int_equal(e.c.cmd.data_in_len, 0);
	e.bs->bad_from = 3;
	e.bs->bad_to = 4;
	e.bs->fail_at = e.bs->ncalls + 3;
	e.bs->fail_with = TCMUR_TIMEOUT;
	assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 8, NULL, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_READ_ERROR);
	assert_int_equal(fake_information(&e.c.cmd), UINT64_MAX);
	/*
	 * After a WRITE, the blocks are not searched, because reading them does not tell which were written.
	 */
	e.bs->fail_at = e.bs->ncalls + 1;
	e.bs->fail_with = TCMUR_WRITE_ERROR;
	e.bs->ncalls = e.bs->fail_at - 1;
	assert_int_equal(sbc_fixture_run(&e, WRITE10, 0, 0, 8, pattern, 8 * 512), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_information(&e.c.cmd), UINT64_MAX);
	assert_int_equal(e.bs->ncalls, e.bs->fail_at);
	sbc_fixture_close(&e);
}

/* INFORMATION is the first LBA that is out of range (SBC-4 4.18.1). */
static void test_first_lba_out_of_range(void **state)
{
	static const struct {
		uint64_t lba, information;
		uint32_t n;
	} cases[] = {{BLOCKS - 4, BLOCKS, 5}, {BLOCKS, BLOCKS, 1}, {BLOCKS + 7, BLOCKS + 7, 1}};
	uint8_t cdb[16];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(sbc_fixture_run(&e, READ10, 0, cases[i].lba, cases[i].n, NULL, 0),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_LBA_OUT_OF_RANGE);
		assert_int_equal(fake_information(&e.c.cmd), cases[i].information);
	}
	/* The unit becomes smaller between the check and the I/O. */
	fake_cmd_free(&e.c);
	fake_cmd_init(&e.c, e.lu, &e.nexus, cdb, sbc_fixture_cdb(cdb, READ10, 0, BLOCKS - 8, 8));
	memcpy(e.c.cdb, cdb, 10);
	scsi_parse(&e.c.cmd);
	fake_backstore_resize(e.bs, (BLOCKS - 4) * 512);
	scsi_ua_pop(&e.nexus);
	scsi_submit(&e.c.cmd);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_LBA_OUT_OF_RANGE);
	assert_int_equal(fake_information(&e.c.cmd), BLOCKS - 4);
	sbc_fixture_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read_error_is_located),
	    cmocka_unit_test(test_known_bad_block_is_not_searched),
	    cmocka_unit_test(test_read_error_is_not_located),
	    cmocka_unit_test(test_first_lba_out_of_range),
	    cmocka_unit_test(test_handler_errors),
	    cmocka_unit_test(test_bad_block),
	};

	return cmocka_run_group_tests_name("sbc_errors", tests, make_pattern, NULL);
}
