/* SPDX-License-Identifier: Apache-2.0 */
/* Target port groups: how initiators read and change them. */
#include "spc_fixture.h"

#include <errno.h>

#include "scsi/alua.h"
#include "scsi/nexus.h"

#define ALLOCATION      0x10
#define REPORT(format)  0xa3, (format) << 5 | 0x0a, 0, 0, 0, 0, 0, 0, ALLOCATION, 0, 0, 0
#define SET(len)        0xa4, 0x0a, 0, 0, 0, 0, 0, 0, (len) >> 8, (len)&0xff, 0, 0
#define INQUIRY         0x12, 0, 0, 0, 255, 0
#define IDENTIFICATION  0x12, 1, 0x83, 4, 0, 0
#define TEST_UNIT_READY 0, 0, 0, 0, 0, 0
#define SUPPORTED       (SCSI_ALUA_AO_SUP | SCSI_ALUA_AN_SUP | SCSI_ALUA_S_SUP | SCSI_ALUA_T_SUP)

/* The front end of the LU. */
static struct front_end {
	unsigned reports;
	unsigned nset;
	struct {
		uint16_t group;
		enum scsi_alua_state state;
	} set[4];
	unsigned fail_at; /* The number of the call that fails, from 1; 0 means none. */
} front_end;

static void reported(void *arg)
{
	assert_ptr_equal(arg, &front_end);
	front_end.reports++;
}

static int set_state(void *arg, uint16_t group, enum scsi_alua_state state)
{
	assert_ptr_equal(arg, &front_end);
	assert_true(front_end.nset < 4);
	front_end.set[front_end.nset].group = group;
	front_end.set[front_end.nset].state = state;
	return ++front_end.nset == front_end.fail_at ? -EIO : 0;
}

static const struct scsi_alua_ops ops = {.reported = reported, .set_state = set_state};

/* Group 0 with port 1, and group 0x1234 with ports 2 and 0x102; the last port is disabled. */
static struct scsi_alua two_groups(void)
{
	return (struct scsi_alua){
	    .ngroups = 2,
	    .nports = 3,
	    .groups = {{.id = 0, .state = SCSI_ALUA_OPTIMIZED, .supported = SUPPORTED, .tpgs = SCSI_TPGS_ANY},
		       {.id = 0x1234,
			.state = SCSI_ALUA_STANDBY,
			.supported = SUPPORTED,
			.status = SCSI_ALUA_BY_TARGET,
			.tpgs = SCSI_TPGS_IMPLICIT,
			.preferred = 1,
			.transition_seconds = 60}},
	    .ports = {{.id = 1, .group = 0, .enabled = 1},
		      {.id = 2, .group = 1, .enabled = 1},
		      {.id = 0x102, .group = 1}},
	};
}

/* Commands do not say through which port they came, as in the kernel front end. */
static void open_env(struct spc_fixture *e, const struct scsi_alua *alua)
{
	front_end = (struct front_end){0};
	spc_fixture_open(e, 1, NULL);
	e->nexus[0].it_nexus = e->nexus[1].it_nexus = NULL;
	scsi_lu_set_alua_ops(e->lu, &ops, &front_end);
	/* this has the effect of setting the operations before the first nexus is attached */
	e->lu->alua = (struct scsi_alua){0};
	e->lu->tpgs = 0;
	if (alua)
		scsi_lu_set_alua(e->lu, alua);
}

static void test_report(void **state)
{
	static const uint8_t expected[] = {0,
					   0,
					   0,
					   28,
					   /* group 0 */ 0x00,
					   0x87,
					   0,
					   0,
					   0,
					   0,
					   0,
					   1,
					   0,
					   0,
					   0,
					   1,
					   /* group 0x1234 */ 0x82,
					   0x87,
					   0x12,
					   0x34,
					   0,
					   2,
					   0,
					   2,
					   0,
					   0,
					   0,
					   2,
					   0,
					   0,
					   1,
					   2};
	struct scsi_alua alua = two_groups();
	struct spc_fixture e;

	(void)state;
	open_env(&e, &alua);
	assert_int_equal(RUN(&e, 0, REPORT(0)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, sizeof(expected));
	assert_memory_equal(e.c.buffer, expected, sizeof(expected));
	assert_int_equal(front_end.reports, 1);
	/* The extended header has four more bytes, with the longest transition time. */
	assert_int_equal(RUN(&e, 0, REPORT(1)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, sizeof(expected) + 4);
	assert_int_equal(get_be32(e.c.buffer), 32);
	assert_int_equal(e.c.buffer[4], 0x10);
	assert_int_equal(e.c.buffer[5], 60);
	assert_memory_equal(&e.c.buffer[8], &expected[4], sizeof(expected) - 4);
	/* The data is truncated, but its length field is not changed. */
	assert_int_equal(RUN(&e, 0, 0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 6);
	assert_int_equal(get_be32(e.c.buffer), 28);
	assert_int_equal(RUN(&e, 0, 0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 0);
	RUN(&e, 0, REPORT(2));
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 1, 6);
	RUN(&e, 0, 0xa3, 0x0a, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 2, 0);
	spc_fixture_close(&e);
}

/* The largest possible report. */
static void test_report_of_all(void **state)
{
	struct scsi_alua alua = {.ngroups = SCSI_ALUA_GROUPS_MAX, .nports = SCSI_ALUA_PORTS_MAX};
	const uint8_t *last;
	struct spc_fixture e;

	(void)state;
	for (unsigned i = 0; i < SCSI_ALUA_GROUPS_MAX; i++)
		alua.groups[i] = (struct scsi_alua_group){.id = (uint16_t)i, .tpgs = SCSI_TPGS_IMPLICIT};
	for (unsigned i = 0; i < SCSI_ALUA_PORTS_MAX; i++)
		alua.ports[i] =
		    (struct scsi_alua_port){.id = (uint16_t)(i + 1), .group = SCSI_ALUA_GROUPS_MAX - 1};
	open_env(&e, &alua);
	assert_int_equal(RUN(&e, 0, REPORT(1)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 8 + SCSI_ALUA_GROUPS_MAX * 8 + SCSI_ALUA_PORTS_MAX * 4);
	assert_int_equal(get_be32(e.c.buffer) + 4, e.c.cmd.data_in_len);
	last = &e.c.buffer[8 + (SCSI_ALUA_GROUPS_MAX - 1) * 8];
	assert_int_equal(get_be16(&last[2]), SCSI_ALUA_GROUPS_MAX - 1);
	assert_int_equal(last[7], SCSI_ALUA_PORTS_MAX);
	assert_int_equal(get_be16(&last[8 + (SCSI_ALUA_PORTS_MAX - 1) * 4 + 2]), SCSI_ALUA_PORTS_MAX);
	spc_fixture_close(&e);
}

static uint8_t tpgs_in_inquiry(struct spc_fixture *e)
{
	assert_int_equal(RUN(e, 0, INQUIRY), SCSI_GOOD);
	return e->c.buffer[5] >> 4 & 3;
}

/* Returns what REPORT SUPPORTED OPERATION CODES reports for an opcode with service action 0Ah. */
static bool supported(struct spc_fixture *e, uint8_t opcode)
{
	assert_int_equal(RUN(e, 0, 0xa3, 0x0c, 3, opcode, 0, 0x0a, 0, 0, 1, 0, 0, 0), SCSI_GOOD);
	return e->c.buffer[1] == 3;
}

/* This front end does not manage groups: each nexus says which port and group it uses. */
static void test_groups_of_nexuses(void **state)
{
	static const uint8_t one[] = {0, 0, 0, 12, 0, 1, 0, 5, 0, 0, 0, 1, 0, 0, 0, 3};
	static const uint8_t two[] = {0, 0, 0, 28, 0, 1, 0, 5, 0, 0, 0, 2, 0, 0, 0, 3,
				      0, 0, 0, 4,  0, 1, 0, 6, 0, 0, 0, 1, 0, 0, 0, 4};
	struct scsi_it_nexus other, third;
	struct scsi_nexus nexuses[2];
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(tpgs_in_inquiry(&e), SCSI_TPGS_IMPLICIT);
	assert_true(supported(&e, 0xa3));
	assert_false(supported(&e, 0xa4));
	assert_int_equal(RUN(&e, 0, REPORT(0)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, sizeof(one));
	assert_memory_equal(e.c.buffer, one, sizeof(one));
	other = third = e.it_nexus;
	other.relative_port = third.relative_port = 4;
	third.port_group = 6;
	scsi_nexus_attach(&nexuses[0], &other, e.lu, fake_loop(0));
	scsi_nexus_attach(&nexuses[1], &third, e.lu, fake_loop(0));
	assert_int_equal(RUN(&e, 0, REPORT(0)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, sizeof(two));
	assert_memory_equal(e.c.buffer, two, sizeof(two));
	scsi_nexus_detach(&nexuses[0]);
	scsi_nexus_detach(&nexuses[1]);
	spc_fixture_close(&e);
}

static void test_groups_are_reported_only_if_known(void **state)
{
	struct scsi_alua alua = two_groups();
	struct spc_fixture e;

	(void)state;
	open_env(&e, NULL);
	scsi_lu_set_alua(e.lu, &(struct scsi_alua){0});
	RUN(&e, 0, TEST_UNIT_READY); /* the unit attentions: the groups of the nexuses have disappeared */
	RUN(&e, 0, TEST_UNIT_READY);
	assert_int_equal(tpgs_in_inquiry(&e), SCSI_TPGS_NONE);
	assert_false(supported(&e, 0xa3) || supported(&e, 0xa4));
	/* MAINTENANCE IN exists with other service actions, and MAINTENANCE OUT does not. */
	RUN(&e, 0, REPORT(0));
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 1, 4);
	RUN(&e, 0, SET(0));
	assert_sense(&e, SENSE_INVALID_OPCODE);

	scsi_lu_set_alua(e.lu, &alua);
	RUN(&e, 0, TEST_UNIT_READY);
	RUN(&e, 0, TEST_UNIT_READY);
	assert_int_equal(tpgs_in_inquiry(&e), SCSI_TPGS_ANY);
	assert_true(supported(&e, 0xa3) && supported(&e, 0xa4));

	alua.groups[0].tpgs = SCSI_TPGS_IMPLICIT;
	scsi_lu_set_alua(e.lu, &alua);
	RUN(&e, 0, TEST_UNIT_READY);
	RUN(&e, 0, TEST_UNIT_READY);
	assert_int_equal(tpgs_in_inquiry(&e), SCSI_TPGS_IMPLICIT);
	assert_true(supported(&e, 0xa3) && !supported(&e, 0xa4));
	RUN(&e, 0, SET(0));
	assert_sense(&e, SENSE_INVALID_OPCODE);
	assert_true(front_end.reports > 0);
	spc_fixture_close(&e);
}

/*
 * Returns the number in a designator of the target port, as VPD page 83h contains it without a protocol; -1
 * if there is none.
 */
static int designated(struct spc_fixture *e, uint8_t type)
{
	const uint8_t *p, *end;

	assert_int_equal(RUN(e, 0, IDENTIFICATION), SCSI_GOOD);
	end = e->c.buffer + e->c.cmd.data_in_len;
	for (p = e->c.buffer + 4; p < end; p += 4 + p[3])
		if (p[0] == 0x01 && p[1] == (0x10 | type))
			return (int)get_be32(&p[4]);
	assert_ptr_equal(p, end);
	return -1;
}

/* A port or a group is only reported if no other one is possible. */
static void test_designators(void **state)
{
	struct scsi_alua alua = two_groups();
	struct spc_fixture e;

	(void)state;
	open_env(&e, &alua);
	assert_int_equal(designated(&e, 4), -1);
	assert_int_equal(designated(&e, 5), -1);
	alua.ports[0].enabled = 0;
	scsi_lu_set_alua(e.lu, &alua);
	assert_int_equal(designated(&e, 4), 2);
	assert_int_equal(designated(&e, 5), 0x1234);
	alua.ports[2].enabled = 1;
	scsi_lu_set_alua(e.lu, &alua);
	assert_int_equal(designated(&e, 4), -1);
	assert_int_equal(designated(&e, 5), 0x1234);
	alua.ports[1].enabled = alua.ports[2].enabled = 0;
	scsi_lu_set_alua(e.lu, &alua);
	assert_int_equal(designated(&e, 4), -1);
	assert_int_equal(designated(&e, 5), -1);
	alua.ports[0] = (struct scsi_alua_port){.enabled = 1}; /* the port has no number */
	scsi_lu_set_alua(e.lu, &alua);
	assert_int_equal(designated(&e, 4), -1);
	assert_int_equal(designated(&e, 5), 0);
	/* If the nexus says through which port a command came, only that port is reported. */
	e.nexus[0].it_nexus = &e.it_nexus;
	assert_int_equal(designated(&e, 4), -1);
	spc_fixture_close(&e);
}

static void assert_attention(struct spc_fixture *e, unsigned nexus, uint32_t asc)
{
	assert_int_equal(RUN(e, nexus, TEST_UNIT_READY), SCSI_CHECK_CONDITION);
	assert_sense(e, SENSE_CODE(SENSE_UNIT_ATTENTION, asc >> 8, asc & 0xff));
}

static void test_attentions(void **state)
{
	struct scsi_alua alua = two_groups();
	struct spc_fixture e;

	(void)state;
	open_env(&e, &alua); /* this is not a change */
	assert_int_equal(RUN(&e, 0, TEST_UNIT_READY), SCSI_GOOD);
	scsi_lu_set_alua(e.lu, &alua);
	assert_int_equal(RUN(&e, 0, TEST_UNIT_READY), SCSI_GOOD);
	alua.groups[1].state = SCSI_ALUA_NON_OPTIMIZED;
	scsi_lu_set_alua(e.lu, &alua);
	for (unsigned i = 0; i < 2; i++) {
		assert_attention(&e, i, 0x2a06);
		assert_int_equal(RUN(&e, i, TEST_UNIT_READY), SCSI_GOOD);
	}
	alua.ports[0].enabled = 0; /* from now on VPD page 83h reports a port */
	scsi_lu_set_alua(e.lu, &alua);
	assert_attention(&e, 0, 0x2a06);
	assert_attention(&e, 0, 0x3f03);
	assert_int_equal(RUN(&e, 0, TEST_UNIT_READY), SCSI_GOOD);
	alua.groups[0].tpgs = SCSI_TPGS_IMPLICIT;
	scsi_lu_set_alua(e.lu, &alua);
	assert_attention(&e, 0, 0x2a06);
	assert_attention(&e, 0, 0x3f03);
	spc_fixture_close(&e);
}

static void test_set(void **state)
{
	static const uint8_t list[] = {0, 0, 0, 0, 0x01, 0, 0, 0, 0x00, 0, 0x12, 0x34};
	struct scsi_alua alua = two_groups();
	struct spc_fixture e;

	(void)state;
	alua.groups[1].tpgs = SCSI_TPGS_ANY;
	open_env(&e, &alua);
	assert_int_equal(RUN_OUT(&e, 0, list, sizeof(list), SET(sizeof(list))), SCSI_GOOD);
	assert_int_equal(front_end.nset, 2);
	assert_int_equal(front_end.set[0].group, 0);
	assert_int_equal(front_end.set[0].state, SCSI_ALUA_NON_OPTIMIZED);
	assert_int_equal(front_end.set[1].group, 0x1234);
	assert_int_equal(front_end.set[1].state, SCSI_ALUA_OPTIMIZED);
	/* The report contains it at once. */
	assert_int_equal(RUN(&e, 0, REPORT(0)), SCSI_GOOD);
	assert_int_equal(e.c.buffer[4] & 0xf, SCSI_ALUA_NON_OPTIMIZED);
	assert_int_equal(e.c.buffer[4 + 5], SCSI_ALUA_BY_COMMAND);
	assert_int_equal(e.c.buffer[4 + 12] & 0xf, SCSI_ALUA_OPTIMIZED);
	/* A missing list and a list without descriptors change nothing. */
	assert_int_equal(RUN(&e, 0, SET(0)), SCSI_GOOD);
	assert_int_equal(RUN_OUT(&e, 0, list, 4, SET(4)), SCSI_GOOD);
	assert_int_equal(front_end.nset, 2);
	spc_fixture_close(&e);
}

static void assert_refused(struct spc_fixture *e, uint8_t requested, uint16_t group, unsigned byte, int bit)
{
	const uint8_t list[] = {
	    0, 0, 0, 0, 0x00, 0, 0, 0, requested, 0, (uint8_t)(group >> 8), (uint8_t)group};

	assert_int_equal(RUN_OUT(e, 0, list, sizeof(list), SET(sizeof(list))), SCSI_CHECK_CONDITION);
	assert_field(e, SENSE_INVALID_FIELD_IN_LIST, byte, bit);
	assert_int_equal(front_end.nset, 0);
}

/* Nothing is changed unless all changes are allowed. */
static void test_set_refused(void **state)
{
	static const uint8_t list[SCSI_ALUA_GROUPS_MAX * 4 + 8];
	struct scsi_alua alua = two_groups();
	struct spc_fixture e;

	(void)state;
	open_env(&e, &alua);
	assert_refused(&e, SCSI_ALUA_OPTIMIZED, 0x1234, 10, -1); /* the group allows only implicit changes */
	assert_refused(&e, SCSI_ALUA_OPTIMIZED, 0x1235, 10, -1);
	assert_refused(&e, SCSI_ALUA_UNAVAILABLE, 0, 8, 3); /* the group does not support this state */
	assert_refused(&e, SCSI_ALUA_LBA_DEPENDENT, 0, 8, 3);
	assert_refused(&e, SCSI_ALUA_OFFLINE, 0, 8, 3);
	assert_refused(&e, SCSI_ALUA_TRANSITIONING, 0, 8, 3);
	RUN_OUT(&e, 0, list, 3, SET(3));
	assert_sense(&e, SENSE_LIST_LENGTH_ERROR);
	RUN_OUT(&e, 0, list, 10, SET(10));
	assert_sense(&e, SENSE_LIST_LENGTH_ERROR);
	RUN_OUT(&e, 0, list, 8, SET(12)); /* less data comes than is announced */
	assert_sense(&e, SENSE_LIST_LENGTH_ERROR);
	RUN_OUT(&e, 0, list, sizeof(list), SET(sizeof(list)));
	assert_sense(&e, SENSE_LIST_LENGTH_ERROR);
	assert_int_equal(front_end.nset, 0);
	spc_fixture_close(&e);
}

static void test_set_fails(void **state)
{
	static const uint8_t list[] = {0, 0, 0, 0, 0x01, 0, 0, 0, 0x02, 0, 0, 0};
	struct scsi_alua alua = two_groups();
	struct spc_fixture e;

	(void)state;
	open_env(&e, &alua);
	front_end.fail_at = 2;
	RUN_OUT(&e, 0, list, sizeof(list), SET(sizeof(list)));
	assert_sense(&e, SENSE_SET_PORT_GROUPS_FAILED);
	assert_int_equal(front_end.nset, 2);
	assert_int_equal(RUN(&e, 0, REPORT(0)), SCSI_GOOD); /* the first change was made */
	assert_int_equal(e.c.buffer[4] & 0xf, SCSI_ALUA_NON_OPTIMIZED);
	spc_fixture_close(&e);
}

static void tmf_done(struct scsi_tmf *tmf)
{
	tmf->epoch = UINT32_MAX;
}

static void test_set_aborted(void **state)
{
	static const uint8_t list[] = {0, 0, 0, 0, 0x01, 0, 0, 0}, cdb[] = {SET(sizeof(list))};
	struct scsi_alua alua = two_groups();
	struct scsi_tmf tmf = {.function = SCSI_ABORT_TASK, .done = tmf_done};
	struct spc_fixture e;

	(void)state;
	open_env(&e, &alua);
	fake_cmd_init(&e.c, e.lu, &e.nexus[0], cdb, sizeof(cdb));
	fake_cmd_submit(&e.c, list, sizeof(list));
	assert_int_equal(e.c.done, 0);
	tmf.lu = e.lu;
	tmf.nexus = &e.nexus[0];
	tmf.task = &e.c.cmd;
	tmf.loop = fake_loop(0);
	scsi_tmf_submit(&tmf);
	assert_int_equal(e.c.done, 0); /* the change is in progress */
	front_end.fail_at = 1;
	fake_run();
	assert_int_equal(e.c.done, 1);
	assert_true(e.c.cmd.aborted);
	assert_int_equal(tmf.epoch, UINT32_MAX);
	spc_fixture_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_report),
	    cmocka_unit_test(test_report_of_all),
	    cmocka_unit_test(test_groups_of_nexuses),
	    cmocka_unit_test(test_groups_are_reported_only_if_known),
	    cmocka_unit_test(test_designators),
	    cmocka_unit_test(test_attentions),
	    cmocka_unit_test(test_set),
	    cmocka_unit_test(test_set_refused),
	    cmocka_unit_test(test_set_fails),
	    cmocka_unit_test(test_set_aborted),
	};

	return cmocka_run_group_tests_name("scsi_alua", tests, NULL, NULL);
}
