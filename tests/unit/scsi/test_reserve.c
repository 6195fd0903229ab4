/* SPDX-License-Identifier: Apache-2.0 */
/* RESERVE and RELEASE, and what they do to the other nexus. */
#include "spc_fixture.h"

#include "scsi/nexus.h"

#define RESERVE6  0x16, 0, 0, 0, 0, 0
#define RELEASE6  0x17, 0, 0, 0, 0, 0
#define RESERVE10 0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define RELEASE10 0x57, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define TUR       0x00, 0, 0, 0, 0, 0

static void test_matrix(void **state)
{
	/* SPC-2 table 10 and SBC-2 table 3, for the commands that exist here */
	static const struct {
		uint8_t cdb[16], len;
		bool conflict;
	} cases[] = {
	    {{TUR}, 6, true},
	    {{0x03, [4] = 18}, 6, false},
	    {{0x12, [4] = 36}, 6, false},
	    {{0xa0, [9] = 16}, 12, false},
	    {{0x1a, 0, 0x3f, 0, 255}, 6, true},
	    {{0x15}, 6, true},
	    {{0x4d, 0, 0, 0, 0, 0, 0, 0, 255}, 10, false},
	    {{0x1d}, 6, true},
	    {{0x25}, 10, false},
	    {{0x9e, 0x10, [13] = 32}, 16, false},
	    {{0x08, [4] = 1}, 6, true},
	    {{0x28, [8] = 1}, 10, true},
	    {{0x2a}, 10, true},
	    {{0x2f}, 10, true},
	    {{0x35}, 10, true},
	    {{0x42}, 10, true},
	    {{0x1e, [4] = 0}, 6, false},
	    {{0x1e, [4] = 1}, 6, true},
	    {{0x1b, [4] = 1}, 6, false},
	    {{0x1b, [4] = 0}, 6, true},
	    {{0xa3, 0x0c, [9] = 255}, 12, false},
	    {{RESERVE6}, 6, true},
	    {{RESERVE10}, 10, true},
	    {{RELEASE6}, 6, false},
	    {{RELEASE10}, 10, false},
	};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, RESERVE6), SCSI_GOOD);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		spc_fixture_run(&e, &e.nexus[1], cases[i].cdb, cases[i].len, NULL, 0);
		assert_int_equal(e.c.cmd.status, cases[i].conflict ? SCSI_RESERVATION_CONFLICT : SCSI_GOOD);
		assert_int_equal(e.c.cmd.sense_len, 0);
		spc_fixture_run(&e, &e.nexus[0], (const uint8_t[]){RESERVE6}, 6, NULL, 0);
		assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	}
	spc_fixture_close(&e);
}

static void test_release(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, RESERVE10), SCSI_GOOD);
	assert_int_equal(RUN(&e, 0, RESERVE6), SCSI_GOOD);
	assert_int_equal(RUN(&e, 0, TUR), SCSI_GOOD);
	/* this nexus does not hold the reservation, so nothing happens */
	assert_int_equal(RUN(&e, 1, RELEASE6), SCSI_GOOD);
	assert_int_equal(RUN(&e, 1, TUR), SCSI_RESERVATION_CONFLICT);
	assert_int_equal(RUN(&e, 0, RELEASE6), SCSI_GOOD);
	assert_int_equal(RUN(&e, 1, TUR), SCSI_GOOD);
	assert_int_equal(scsi_lu_gate(e.lu) & SCSI_GATE_SLOW, 0);
	assert_int_equal(RUN(&e, 1, RESERVE6), SCSI_GOOD);
	assert_int_equal(RUN(&e, 0, TUR), SCSI_RESERVATION_CONFLICT);
	spc_fixture_close(&e);
}

static void test_nexus_loss_releases(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, RESERVE6), SCSI_GOOD);
	scsi_nexus_detach(&e.nexus[0]);
	assert_int_equal(RUN(&e, 1, TUR), SCSI_GOOD);
	scsi_nexus_attach(&e.nexus[0], &e.it_nexus, e.lu, fake_loop(0));
	spc_fixture_close(&e);
}

static void test_unit_attention_first(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, RESERVE6), SCSI_GOOD);
	scsi_ua_raise(&e.nexus[1], SCSI_UA_MODE_CHANGED);
	RUN(&e, 1, TUR);
	assert_sense(&e, SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x01));
	assert_int_equal(RUN(&e, 1, TUR), SCSI_RESERVATION_CONFLICT);
	spc_fixture_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_matrix),
	    cmocka_unit_test(test_release),
	    cmocka_unit_test(test_nexus_loss_releases),
	    cmocka_unit_test(test_unit_attention_first),
	};

	return cmocka_run_group_tests_name("scsi_reserve", tests, NULL, NULL);
}
