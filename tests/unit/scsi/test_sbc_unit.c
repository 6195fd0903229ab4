/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about the whole unit: SYNCHRONIZE CACHE, PRE-FETCH, START STOP UNIT, FORMAT UNIT. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sbc_fixture.h"
#include "scsi/nexus.h"
#include "scsi/sbc.h"
#include "scsi/sbc_limits.h"
#include "util/bytes.h"

#define BLOCKS 1024

enum {
	TEST_UNIT_READY = 0x00,
	REQUEST_SENSE = 0x03,
	FORMAT_UNIT = 0x04,
	START_STOP = 0x1b,
	READ10 = 0x28,
	PREFETCH10 = 0x34,
	PREFETCH16 = 0x90,
	SYNC10 = 0x35,
	SYNC16 = 0x91
};

static void test_synchronize_cache(void **state)
{
	static const uint8_t ops[] = {SYNC10, SYNC16};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		/* The backstore calls the whole unit 0, 0. */
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, 0, 0, NULL, 0), SCSI_GOOD);
		assert_int_equal(fake_last(e.bs)->op, BACKSTORE_FLUSH);
		assert_int_equal(fake_last(e.bs)->len, 0);
		/* The rest from an LBA on is flushed in the same way. */
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, BLOCKS - 2, 0, NULL, 0), SCSI_GOOD);
		assert_int_equal(fake_last(e.bs)->offset, 0);
		assert_int_equal(fake_last(e.bs)->len, 0);
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x02, 5, 3, NULL, 0), SCSI_GOOD);
		assert_int_equal(fake_last(e.bs)->len, 3 * 512);
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, BLOCKS - 1, 2, NULL, 0),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_LBA_OUT_OF_RANGE);
		e.bs->fail_at = e.bs->ncalls + 1;
		e.bs->fail_with = TCMUR_WRITE_ERROR;
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, 0, 0, NULL, 0), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_WRITE_ERROR);
	}
	sbc_fixture_close(&e);
}

/* The medium became smaller after the CDB was checked. */
static void test_sync_of_blocks_that_were_cut_off(void **state)
{
	uint8_t cdb[16];
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	sbc_fixture_cdb(cdb, SYNC16, 0, BLOCKS - 2, 0);
	fake_cmd_init(&e.c, e.lu, &e.nexus, cdb, 16);
	scsi_parse(&e.c.cmd);
	fake_backstore_resize(e.bs, 512);
	scsi_ua_pop(&e.nexus);
	scsi_submit(&e.c.cmd);
	assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	assert_true(fake_last(e.bs)->len <= BLOCKS * 512);
	sbc_fixture_close(&e);
}

static void test_prefetch(void **state)
{
	static const uint8_t ops[] = {PREFETCH10, PREFETCH16};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, 2 * SCSI_MAX_TRANSFER / 512, 512, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, 7, 9, NULL, 0), SCSI_GOOD);
		assert_int_equal(fake_last(e.bs)->op, BACKSTORE_PREFETCH);
		assert_int_equal(fake_last(e.bs)->len, 9 * 512);
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0x02, 1, 0, NULL, 0), SCSI_GOOD);
		assert_int_equal(fake_last(e.bs)->len, SCSI_MAX_TRANSFER);
		assert_int_equal(sbc_fixture_run(&e, ops[i], 0, UINT32_MAX, 1, NULL, 0),
				 SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_LBA_OUT_OF_RANGE);
	}
	sbc_fixture_close(&e);
}

/* --- START STOP UNIT --------------------------------------------------------------- */

static enum scsi_status start_stop(struct sbc_fixture *e, uint8_t flags)
{
	const uint8_t cdb[6] = {START_STOP, 0, 0, 0, flags, 0};

	return sbc_fixture_cdb_run(e, cdb, sizeof(cdb), NULL, 0);
}

static void test_start_stop(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	/* STOP flushes unless NO_FLUSH is set, and the unit stays usable for everybody. */
	for (unsigned no_flush = 0; no_flush < 2; no_flush++) {
		e.bs->ncalls = 0;
		assert_int_equal(start_stop(&e, no_flush ? 0x04 : 0), SCSI_GOOD);
		assert_int_equal(e.bs->ncalls, !no_flush);
		if (!no_flush)
			assert_int_equal(fake_last(e.bs)->op, BACKSTORE_FLUSH);
		assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 1, NULL, 0), SCSI_GOOD);
		assert_int_equal(start_stop(&e, 0x01), SCSI_GOOD);
	}
	/* LOEJ and every power condition are refused */
	assert_int_equal(start_stop(&e, 0x02), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	assert_int_equal(start_stop(&e, 0x03), SCSI_CHECK_CONDITION);
	for (uint8_t condition = 1; condition < 16; condition++) {
		assert_int_equal(start_stop(&e, (uint8_t)(condition << 4)), SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_INVALID_FIELD_IN_CDB);
	}
	e.bs->fail_at = e.bs->ncalls + 1;
	e.bs->fail_with = TCMUR_WRITE_ERROR;
	assert_int_equal(start_stop(&e, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_WRITE_ERROR);
	assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 1, NULL, 0), SCSI_GOOD);
	sbc_fixture_close(&e);
}

/* --- FORMAT UNIT ------------------------------------------------------------------- */

#define FMTDATA  0x10
#define LONGLIST 0x20

#define FORMAT_BLOCKS (5 * SBC_FORMAT_STEP / 2 / 4096) /* Two and a half steps. */

static const uint8_t format_cdb[6] = {FORMAT_UNIT};
static const uint8_t format_list_cdb[6] = {FORMAT_UNIT, FMTDATA};

static bool medium_is_zero(struct sbc_fixture *e)
{
	return e->bs->data[0] == 0 && memcmp(e->bs->data, e->bs->data + 1, e->bs->size - 1) == 0;
}

static void test_format(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, FORMAT_BLOCKS, 4096, NULL);
	memset(e.bs->data, 'a', e.bs->size);
	assert_int_equal(sbc_fixture_cdb_run(&e, format_cdb, 6, NULL, 0), SCSI_GOOD);
	assert_true(medium_is_zero(&e));
	assert_int_equal(e.bs->ncalls, 3);
	assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 1, NULL, 0), SCSI_GOOD);
	sbc_fixture_close(&e);
}

/* Commands that arrive in the meantime get the progress, and so does REQUEST SENSE. */
static void test_format_progress(void **state)
{
	static const uint8_t immed[4] = {0, 0x02};
	uint8_t ready[6] = {TEST_UNIT_READY}, sense[18];
	uint16_t progress, last = 0;
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, FORMAT_BLOCKS, 4096, NULL);
	memset(e.bs->data, 'a', e.bs->size);
	e.bs->defer = true;
	fake_cmd_init(&e.c, e.lu, &e.nexus, format_list_cdb, 6);
	fake_cmd_submit(&e.c, immed, sizeof(immed));
	assert_int_equal(e.c.done, 1); /* IMMED */
	assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	for (unsigned step = 0; step < 3; step++) {
		fake_run_posted();
		fake_cmd_free(&e.c);
		fake_cmd_init(&e.c, e.lu, &e.nexus, ready, 6);
		fake_cmd_submit(&e.c, NULL, 0);
		assert_int_equal(fake_sense(&e.c.cmd), SENSE_FORMAT_IN_PROGRESS);
		assert_int_equal(e.c.cmd.sense[15], 0x80);
		progress = get_be16(e.c.cmd.sense + 16);
		assert_int_equal(progress, step * 65536 * 2 / 5);
		assert_true(step == 0 || progress > last);
		last = progress;
		fake_cmd_init(&e.c, e.lu, &e.nexus, (uint8_t[]){REQUEST_SENSE, 0, 0, 0, sizeof(sense), 0}, 6);
		fake_cmd_submit(&e.c, NULL, 0);
		assert_int_equal(sbc_fixture_data(&e, sense, sizeof(sense)), sizeof(sense));
		assert_int_equal(sense[2], SENSE_NOT_READY);
		assert_int_equal(get_be16(sense + 12), 0x0404);
		assert_int_equal(get_be16(sense + 16), progress);
		assert_true(fake_backstore_end(e.bs));
	}
	fake_run();
	assert_true(medium_is_zero(&e));
	assert_int_equal(sbc_fixture_cdb_run(&e, ready, 6, NULL, 0), SCSI_GOOD);
	sbc_fixture_close(&e);
}

static void test_format_fails(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, FORMAT_BLOCKS, 4096, NULL);
	e.bs->fail_at = 2;
	e.bs->fail_with = TCMUR_WRITE_ERROR;
	assert_int_equal(sbc_fixture_cdb_run(&e, format_cdb, 6, NULL, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e.c.cmd), SENSE_FORMAT_FAILED);
	assert_int_equal(e.bs->ncalls, 2);
	sbc_fixture_close(&e);
}

static void assert_corrupted(struct sbc_fixture *e)
{
	static const uint8_t sense_cdb[6] = {REQUEST_SENSE, [4] = 18}, ready[6] = {TEST_UNIT_READY};
	uint8_t sense[18];

	assert_int_equal(sbc_fixture_cdb_run(e, ready, 6, NULL, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e->c.cmd), SENSE_FORMAT_CORRUPTED);
	assert_int_equal(sbc_fixture_run(e, READ10, 0, 0, 1, NULL, 0), SCSI_CHECK_CONDITION);
	assert_int_equal(fake_sense(&e->c.cmd), SENSE_FORMAT_CORRUPTED);
	assert_int_equal(sbc_fixture_cdb_run(e, sense_cdb, 6, NULL, 0), SCSI_GOOD);
	sbc_fixture_data(e, sense, sizeof(sense));
	assert_int_equal(sense[2], SENSE_MEDIUM_ERROR);
	assert_int_equal(get_be16(sense + 12), 0x3100);
}

/*
 * With IMMED = 1, no command waits for the end. A later command that asks whether the unit is ready must not
 * end with the failure.
 */
static void test_format_fails_after_its_command(void **state)
{
	static const uint8_t immed[4] = {0, 0x02};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, FORMAT_BLOCKS, 4096, NULL);
	memset(e.bs->data, 'a', e.bs->size);
	e.bs->fail_at = 2;
	e.bs->fail_with = TCMUR_WRITE_ERROR;
	assert_int_equal(sbc_fixture_cdb_run(&e, format_list_cdb, 6, immed, sizeof(immed)), SCSI_GOOD);
	assert_corrupted(&e);
	/* A new FORMAT UNIT makes the unit usable again. */
	assert_int_equal(sbc_fixture_cdb_run(&e, format_cdb, 6, NULL, 0), SCSI_GOOD);
	assert_true(medium_is_zero(&e));
	assert_int_equal(sbc_fixture_run(&e, READ10, 0, 0, 1, NULL, 0), SCSI_GOOD);
	sbc_fixture_close(&e);
}

static void write_cache_off(struct backstore *bs)
{
	bs->info.write_cache_off = true;
}

static void test_format_writes_through(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, FORMAT_BLOCKS, 4096, write_cache_off);
	assert_int_equal(sbc_fixture_cdb_run(&e, format_cdb, 6, NULL, 0), SCSI_GOOD);
	for (unsigned i = 0; i < e.bs->ncalls; i++)
		assert_int_equal(e.bs->calls[i].flags, TCMUR_IO_FUA);
	sbc_fixture_close(&e);
}

/* An aborted FORMAT UNIT stops at its next step. */
static void test_format_abort(void **state)
{
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, FORMAT_BLOCKS, 4096, NULL);
	e.bs->defer = true;
	fake_cmd_init(&e.c, e.lu, &e.nexus, format_cdb, 6);
	fake_cmd_submit(&e.c, NULL, 0);
	fake_run_posted();
	e.c.cmd.aborted = true;
	fake_run();
	assert_int_equal(e.c.done, 1);
	assert_int_equal(e.bs->ncalls, 1);
	assert_corrupted(&e);
	sbc_fixture_close(&e);
}

static void test_format_parameters(void **state)
{
	static const struct {
		uint8_t flags; /* byte 1 of the CDB */
		uint8_t list[8];
		uint8_t len;
		uint32_t sense;
	} cases[] = {
	    {FMTDATA, {0}, 4, 0},
	    {FMTDATA | LONGLIST, {0}, 8, 0},
	    {FMTDATA, {0, 0xf0}, 4, 0}, /* FOV with DPRY, DCRT, STPF */
	    {0x08, {0}, 0, SENSE_INVALID_FIELD_IN_CDB},
	    {LONGLIST, {0}, 0, SENSE_INVALID_FIELD_IN_CDB},
	    {0x80 | FMTDATA, {0}, 4, SENSE_INVALID_FIELD_IN_CDB}, /* FMTPINFO */
	    {FMTDATA, {0}, 3, SENSE_INVALID_FIELD_IN_IU},
	    {FMTDATA | LONGLIST, {0}, 4, SENSE_INVALID_FIELD_IN_IU},
	    {FMTDATA, {1}, 4, SENSE_INVALID_FIELD_IN_LIST},
	    {FMTDATA, {0, 0x20}, 4, SENSE_INVALID_FIELD_IN_LIST},    /* DCRT without FOV */
	    {FMTDATA, {0, 0x88}, 4, SENSE_INVALID_FIELD_IN_LIST},    /* IP */
	    {FMTDATA, {0, 0, 0, 8}, 4, SENSE_INVALID_FIELD_IN_LIST}, /* a defect list */
	    {FMTDATA | LONGLIST, {0, 0, 0, 1}, 8, SENSE_INVALID_FIELD_IN_LIST},
	    {FMTDATA | LONGLIST, {0, 0, 0, 0, 0, 0, 0, 8}, 8, SENSE_INVALID_FIELD_IN_LIST},
	};
	struct sbc_fixture e;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const uint8_t cdb[6] = {FORMAT_UNIT, cases[i].flags};

		e.bs->ncalls = 0;
		sbc_fixture_cdb_run(&e, cdb, 6, cases[i].list, cases[i].len);
		assert_int_equal(fake_sense(&e.c.cmd), cases[i].sense);
		assert_int_equal(e.bs->ncalls, cases[i].sense == 0);
	}
	sbc_fixture_close(&e);
}

static struct scsi_lu *going;
static bool gone; /* Atomic. */

static void *free_lu(void *unused)
{
	(void)unused;
	scsi_lu_free(going);
	__atomic_store_n(&gone, true, __ATOMIC_RELEASE);
	return NULL;
}

static void endless(struct backstore *bs)
{
	bs->inert = true;
	bs->size = 1ull << 60;
	bs->defer = true;
}

/*
 * The LU is freed while a FORMAT UNIT continues after its command. Here the FORMAT UNIT would never end by
 * itself.
 */
static void test_format_stop(void **state)
{
	static const uint8_t immed[4] = {0, 0x02};
	struct sbc_fixture e;
	pthread_t main_thread;

	(void)state;
	sbc_fixture_open(&e, BLOCKS, 512, endless);
	fake_cmd_init(&e.c, e.lu, &e.nexus, format_list_cdb, 6);
	fake_cmd_submit(&e.c, immed, sizeof(immed));
	assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	fake_run_posted();
	assert_int_equal(e.bs->ncalls, 1);
	scsi_nexus_detach(&e.nexus);
	going = e.lu;
	assert_int_equal(pthread_create(&main_thread, NULL, free_lu, NULL), 0);
	while (!__atomic_load_n(&gone, __ATOMIC_ACQUIRE)) {
		fake_backstore_end(e.bs);
		fake_run_posted();
	}
	assert_int_equal(pthread_join(main_thread, NULL), 0);
	fake_cmd_free(&e.c);
	fake_backstore_free(e.bs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_synchronize_cache),
	    cmocka_unit_test(test_prefetch),
	    cmocka_unit_test(test_start_stop),
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_format_progress),
	    cmocka_unit_test(test_format_fails),
	    cmocka_unit_test(test_format_fails_after_its_command),
	    cmocka_unit_test(test_format_writes_through),
	    cmocka_unit_test(test_sync_of_blocks_that_were_cut_off),
	    cmocka_unit_test(test_format_abort),
	    cmocka_unit_test(test_format_parameters),
	    cmocka_unit_test(test_format_stop),
	};

	return cmocka_run_group_tests_name("sbc_unit", tests, NULL, NULL);
}
