/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a nexus besides its unit attentions: write protection, and a changed list of LUNs. */
#include "spc_fixture.h"

#include <pthread.h>

#include "scsi/nexus.h"
#include "util/lock.h"

#define TUR                0x00, 0, 0, 0, 0, 0
#define READ10             0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0
#define WRITE10            0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0
#define UNMAP              0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0
#define MODE_SENSE6        0x1a, 0x08, 0x3f, 0, 255, 0
#define MODE_SENSE10       0x5a, 0x08, 0x3f, 0, 0, 0, 0, 0, 255, 0
#define REPORT_LUNS        0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0
#define SENSE_POWER_ON     SENSE_CODE(SENSE_UNIT_ATTENTION, 0x29, 0x00)
#define SENSE_LUNS_CHANGED SENSE_CODE(SENSE_UNIT_ATTENTION, 0x3f, 0x0e)
#define SENSE_MODE_CHANGED SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x01)
#define DEVICE_WP          0x80
#define ROUNDS             20000u

static const uint8_t block[512];

static bool mode_sense_says_protected(struct spc_fixture *e, unsigned nexus)
{
	bool six, ten;

	assert_int_equal(RUN(e, nexus, MODE_SENSE6), SCSI_GOOD);
	six = e->c.buffer[2] & DEVICE_WP;
	assert_int_equal(RUN(e, nexus, MODE_SENSE10), SCSI_GOOD);
	ten = e->c.buffer[3] & DEVICE_WP;
	assert_int_equal(six, ten);
	return six;
}

static void test_only_this_nexus(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	scsi_nexus_set_write_protected(&e.nexus[0], true);
	RUN(&e, 0, TUR);
	assert_sense(&e, SENSE_MODE_CHANGED);
	RUN_OUT(&e, 0, block, sizeof(block), WRITE10);
	assert_sense(&e, SENSE_WRITE_PROTECTED);
	RUN_OUT(&e, 0, block, 24, UNMAP);
	assert_int_equal(e.c.cmd.status, SCSI_CHECK_CONDITION);
	assert_int_equal(e.bs->ncalls, 0);
	assert_int_equal(RUN(&e, 0, READ10), SCSI_GOOD);
	assert_true(mode_sense_says_protected(&e, 0));

	assert_int_equal(RUN(&e, 1, TUR), SCSI_GOOD);
	assert_int_equal(RUN_OUT(&e, 1, block, sizeof(block), WRITE10), SCSI_GOOD);
	assert_false(mode_sense_says_protected(&e, 1));
	spc_fixture_close(&e);
}

static void test_a_change_is_reported_once(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	scsi_nexus_set_write_protected(&e.nexus[0], false); /* no change */
	assert_int_equal(RUN(&e, 0, TUR), SCSI_GOOD);
	for (unsigned i = 0; i < 3; i++) {
		scsi_nexus_set_write_protected(&e.nexus[0], i % 2 == 0);
		scsi_nexus_set_write_protected(&e.nexus[0], i % 2 == 0);
		RUN(&e, 0, TUR);
		assert_sense(&e, SENSE_MODE_CHANGED);
		assert_int_equal(RUN(&e, 0, TUR), SCSI_GOOD);
	}
	scsi_nexus_set_write_protected(&e.nexus[0], false);
	RUN(&e, 0, TUR);
	assert_int_equal(RUN_OUT(&e, 0, block, sizeof(block), WRITE10), SCSI_GOOD);
	spc_fixture_close(&e);
}

/* Protection that exists from the beginning is not a change. It remains when unit attentions are cleared. */
static void test_protection_from_the_beginning_is_no_change(void **state)
{
	struct scsi_nexus fresh;
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	scsi_nexus_attach(&fresh, &e.it_nexus, e.lu, fake_loop(0));
	scsi_nexus_set_write_protected(&fresh, true);
	spc_fixture_run(&e, &fresh, (const uint8_t[]){TUR}, 6, NULL, 0);
	assert_sense(&e, SENSE_POWER_ON);
	assert_int_equal(spc_fixture_run(&e, &fresh, (const uint8_t[]){TUR}, 6, NULL, 0), SCSI_GOOD);
	spc_fixture_run(&e, &fresh, (const uint8_t[]){WRITE10}, 10, block, sizeof(block));
	assert_sense(&e, SENSE_WRITE_PROTECTED);
	scsi_nexus_detach(&fresh);
	spc_fixture_close(&e);
}

/* READs of a write protected nexus take no lock. */
static void test_protected_read_takes_no_lock(void **state)
{
	unsigned long locks;
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	scsi_nexus_set_write_protected(&e.nexus[0], true);
	RUN(&e, 0, TUR);
	locks = lock_taken();
	assert_int_equal(RUN(&e, 0, READ10), SCSI_GOOD);
	assert_int_equal(lock_taken() - locks, 0);
	spc_fixture_close(&e);
}

static bool handler_scsi(struct backstore_scsi *bss)
{
	bss->done(bss, SCSI_GOOD); /* the command may be of any kind, and it may write */
	return true;
}

static void with_scsi(struct backstore *bs)
{
	bs->scsi = handler_scsi;
}

static void test_handler_gets_only_what_reads(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, with_scsi);
	assert_int_equal(RUN(&e, 0, 0xc1, 0, 0, 0, 0, 0), SCSI_GOOD);
	scsi_nexus_set_write_protected(&e.nexus[0], true);
	RUN(&e, 0, TUR);
	RUN_OUT(&e, 0, block, sizeof(block), WRITE10);
	assert_sense(&e, SENSE_WRITE_PROTECTED);
	RUN(&e, 0, 0xc1, 0, 0, 0, 0, 0);
	assert_sense(&e, SENSE_INVALID_OPCODE);
	assert_int_equal(RUN(&e, 0, TUR), SCSI_GOOD);
	spc_fixture_close(&e);
}

static void test_luns_changed(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	scsi_nexus_luns_changed(&e.nexus[0]);
	assert_int_equal(RUN(&e, 0, REPORT_LUNS), SCSI_GOOD);
	assert_int_equal(RUN(&e, 0, TUR), SCSI_GOOD);
	scsi_nexus_luns_changed(&e.nexus[0]);
	RUN(&e, 0, TUR);
	assert_sense(&e, SENSE_LUNS_CHANGED);
	scsi_nexus_luns_changed(&e.nexus[0]);
	scsi_nexus_luns_reported(&e.nexus[0]);
	assert_int_equal(RUN(&e, 0, TUR), SCSI_GOOD);
	spc_fixture_close(&e);
}

/* There are two threads: one protects the nexus again and again, and the other one raises unit attentions. */
static void *protect(void *arg)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		scsi_nexus_set_write_protected(arg, i % 2 == 0);
	scsi_nexus_set_write_protected(arg, true);
	return NULL;
}

static void test_threads(void **state)
{
	struct scsi_nexus *nexus;
	pthread_t thread;
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	nexus = &e.nexus[0];
	assert_int_equal(pthread_create(&thread, NULL, protect, nexus), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		scsi_ua_raise(nexus, SCSI_UA_CAPACITY_CHANGED);
		while (scsi_ua_pop(nexus) != SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x09))
			;
	}
	pthread_join(thread, NULL);
	while (scsi_ua_pop(nexus) != SENSE_NONE)
		;
	RUN_OUT(&e, 0, block, sizeof(block), WRITE10);
	assert_sense(&e, SENSE_WRITE_PROTECTED);
	spc_fixture_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_only_this_nexus),
	    cmocka_unit_test(test_a_change_is_reported_once),
	    cmocka_unit_test(test_protection_from_the_beginning_is_no_change),
	    cmocka_unit_test(test_protected_read_takes_no_lock),
	    cmocka_unit_test(test_handler_gets_only_what_reads),
	    cmocka_unit_test(test_luns_changed),
	    cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("nexus", tests, NULL, NULL);
}
