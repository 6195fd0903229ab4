/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that report about the target: REPORT LUNS, opcodes, task management, LOG SENSE, REQUEST SENSE,
 * self-test.
 */
#include "spc_fixture.h"

#include "scsi/nexus.h"

#define REPORT_LUNS(select, len)    0xa0, 0, (select), 0, 0, 0, 0, 0, 0, (len), 0, 0
#define OPCODES(option, opcode, sa) 0xa3, 0x0c, (option), (opcode), 0, (sa), 0, 0, 0x10, 0, 0, 0
#define TMFS(repd, len)             0xa3, 0x0d, (repd), 0, 0, 0, 0, 0, 0, (len), 0, 0
#define LOG(page, subpage, len)     0x4d, 0, 0x40 | (page), (subpage), 0, 0, 0, 0, (len), 0

static void test_report_luns(void **state)
{
	static const uint8_t with_luns[] = {0x00, 0x02, 0x11}, without[] = {0x01, 0x10, 0x12};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(RUN(&e, 0, REPORT_LUNS(with_luns[i], 255)), SCSI_GOOD);
		assert_int_equal(e.c.cmd.data_in_len, 8 + 3 * 8);
		assert_int_equal(get_be32(e.c.buffer), 3 * 8);
		assert_int_equal(e.c.buffer[8 + 2 * 8 + 1], 4);
		assert_int_equal(RUN(&e, 0, REPORT_LUNS(without[i], 255)), SCSI_GOOD);
		assert_int_equal(e.c.cmd.data_in_len, 8);
		assert_int_equal(get_be32(e.c.buffer), 0);
	}
	/* the data is truncated, but its length field is not changed */
	assert_int_equal(RUN(&e, 0, REPORT_LUNS(0, 20)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 20);
	assert_int_equal(get_be32(e.c.buffer), 3 * 8);
	RUN(&e, 0, REPORT_LUNS(0, 15));
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 6, -1);
	RUN(&e, 0, REPORT_LUNS(3, 255));
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 2, -1);
	spc_fixture_close(&e);
}

/*
 * Returns the number of rows that the LU supports: all except SET TARGET PORT GROUPS, because the target
 * changes states itself.
 */
static unsigned ops(const struct spc_fixture *e)
{
	unsigned n = 0;

	for (unsigned i = 0; i < scsi_nops; i++)
		n += scsi_op_available(&scsi_ops[i], e->lu);
	assert_int_equal(n, scsi_nops - 1);
	return n;
}

/* Each opcode in the list of all commands is supported when it is asked for alone, and no other opcode is. */
static void test_opcodes_agree(void **state)
{
	static uint8_t named[256][32];
	unsigned count = 0, found = 0;
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, OPCODES(0, 0, 0)), SCSI_GOOD);
	assert_int_equal(get_be32(e.c.buffer) + 4, e.c.cmd.data_in_len);
	for (unsigned at = 4; at < e.c.cmd.data_in_len; at += 8, count++)
		named[e.c.buffer[at]][e.c.buffer[at + 3]] = 1 + (e.c.buffer[at + 5] & 1);
	assert_int_equal(count, ops(&e));
	for (unsigned opcode = 0; opcode < 256; opcode++) {
		for (unsigned sa = 0; sa < 32; sa++) {
			bool there = named[opcode][sa];

			assert_int_equal(RUN(&e, 0, OPCODES(3, (uint8_t)opcode, (uint8_t)sa)), SCSI_GOOD);
			assert_int_equal(e.c.buffer[1], there ? 3 : 1);
			if (!there)
				continue;
			found++;
			assert_int_equal(e.c.buffer[4], opcode);
			assert_int_equal(e.c.cmd.data_in_len, 4 + get_be16(&e.c.buffer[2]));
			if (named[opcode][sa] == 2)
				assert_int_equal(e.c.buffer[5] & 0x1f, sa);
		}
	}
	assert_int_equal(found, count);
	spc_fixture_close(&e);
}

static void test_opcodes_options(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, OPCODES(1, 0x28, 0)), SCSI_GOOD);
	assert_int_equal(e.c.buffer[1], 3);
	assert_int_equal(get_be16(&e.c.buffer[2]), 10);
	RUN(&e, 0, OPCODES(1, 0x9e, 0)); /* this opcode has service actions */
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 2, 2);
	assert_int_equal(RUN(&e, 0, OPCODES(2, 0x9e, 0x10)), SCSI_GOOD);
	assert_int_equal(e.c.buffer[1], 3);
	assert_int_equal(RUN(&e, 0, OPCODES(2, 0x9e, 0x11)), SCSI_GOOD);
	assert_int_equal(e.c.buffer[1], 1);
	RUN(&e, 0, OPCODES(2, 0x28, 0)); /* this opcode has none */
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 2, 2);
	assert_int_equal(RUN(&e, 0, OPCODES(1, 0xc0, 0)), SCSI_GOOD);
	assert_int_equal(e.c.buffer[1], 1);
	assert_int_equal(e.c.cmd.data_in_len, 4);
	RUN(&e, 0, OPCODES(4, 0x28, 0));
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 2, 2);
	/* PERSISTENT RESERVE OUT, EXTENDED COPY, SET TARGET PORT GROUPS, SANITIZE */
	assert_int_equal(RUN(&e, 0, OPCODES(3, 0x5f, 0)), SCSI_GOOD);
	assert_int_equal(e.c.buffer[1], 1);
	RUN(&e, 0, OPCODES(3, 0x83, 0));
	assert_int_equal(e.c.buffer[1], 1);
	RUN(&e, 0, OPCODES(3, 0xa4, 0x0a));
	assert_int_equal(e.c.buffer[1], 1);
	RUN(&e, 0, OPCODES(3, 0x48, 1));
	assert_int_equal(e.c.buffer[1], 1);
	spc_fixture_close(&e);
}

static void test_opcodes_timeouts(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	RUN(&e, 0, OPCODES(0x80, 0, 0));
	assert_int_equal(e.c.cmd.data_in_len, 4 + ops(&e) * 20);
	assert_int_equal(e.c.buffer[4 + 5] & 2, 2);
	assert_int_equal(get_be16(&e.c.buffer[12]), 10);
	RUN(&e, 0, OPCODES(0x81, 0x28, 0));
	assert_int_equal(e.c.buffer[1], 0x83);
	assert_int_equal(e.c.cmd.data_in_len, 4 + 10 + 12);
	assert_int_equal(get_be16(&e.c.buffer[14]), 10);
	spc_fixture_close(&e);
}

static void test_supported_task_management_functions(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, TMFS(0, 255)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 4);
	assert_int_equal(e.c.buffer[0], 0xd8);
	assert_int_equal(RUN(&e, 0, TMFS(0x80, 255)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 16);
	assert_int_equal(e.c.buffer[3], 12);
	RUN(&e, 0, TMFS(0, 3));
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 6, -1);
	spc_fixture_close(&e);
}

static void test_log_sense(void **state)
{
	static const uint8_t all[] = {0x00, 0x00, 0x00, 2, 0x00, 0x2f};
	static const uint8_t all_subpages[] = {0x40, 0xff, 0x00, 6, 0x00, 0x00, 0x00, 0xff, 0x2f, 0x00};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, LOG(0, 0, 255)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, sizeof(all));
	assert_memory_equal(e.c.buffer, all, sizeof(all));
	assert_int_equal(RUN(&e, 0, LOG(0, 0xff, 255)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, sizeof(all_subpages));
	assert_memory_equal(e.c.buffer, all_subpages, sizeof(all_subpages));
	assert_int_equal(RUN(&e, 0, LOG(0x2f, 0, 255)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 12);
	assert_int_equal(get_be16(&e.c.buffer[2]), 8);
	assert_int_equal(e.c.buffer[8], 0);
	assert_int_equal(RUN(&e, 0, LOG(0x2f, 0, 3)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 3);
	RUN(&e, 0, LOG(0x0d, 0, 255));
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 2, 5);
	RUN(&e, 0, LOG(0x2f, 1, 255));
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 3, -1);
	RUN(&e, 0, 0x4d, 0, 0x6f, 0, 0, 0, 1, 0, 255, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 5, -1);
	spc_fixture_close(&e);
}

static void knows_usage(struct backstore *bs)
{
	bs->has_usage = true;
	bs->usage = (struct tcmur_usage){.used = 100 * 512 + 7, .available = 50 * 512};
}

static void assert_count(const uint8_t *parameter, unsigned code, uint32_t blocks, uint8_t scope)
{
	assert_int_equal(get_be16(parameter), code);
	assert_int_equal(parameter[2], 3);
	assert_int_equal(parameter[3], 8);
	assert_int_equal(get_be32(&parameter[4]), blocks);
	assert_int_equal(parameter[8], scope);
}

/*
 * Logical Block Provisioning: the values are in blocks, as VPD page B2h says, and never larger than the unit.
 */
static void test_log_usage(void **state)
{
	static const uint8_t all[] = {0x00, 0x00, 0x00, 3, 0x00, 0x0c, 0x2f};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, knows_usage);
	assert_int_equal(RUN(&e, 0, LOG(0, 0, 255)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, sizeof(all));
	assert_memory_equal(e.c.buffer, all, sizeof(all));
	assert_int_equal(RUN(&e, 0, LOG(0, 0xff, 255)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 4 + 2 * 4);
	assert_int_equal(RUN(&e, 0, LOG(0x0c, 0, 255)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 28);
	assert_int_equal(e.c.buffer[0], 0x8c); /* DS: the parameters are not saved */
	assert_int_equal(get_be16(&e.c.buffer[2]), 24);
	assert_count(&e.c.buffer[4], 1, 50, 2);
	assert_count(&e.c.buffer[16], 2, 100, 1);
	e.bs->usage = (struct tcmur_usage){.used = 1020 * 512, .available = UINT64_MAX};
	assert_int_equal(RUN(&e, 0, LOG(0x0c, 0, 255)), SCSI_GOOD);
	assert_count(&e.c.buffer[4], 1, 4, 2);
	assert_count(&e.c.buffer[16], 2, 1020, 1);
	e.bs->usage = (struct tcmur_usage){.used = 2048 * 512, .available = UINT64_MAX};
	assert_int_equal(RUN(&e, 0, LOG(0x0c, 0, 255)), SCSI_GOOD);
	assert_count(&e.c.buffer[4], 1, 0, 2);
	assert_count(&e.c.buffer[16], 2, 1024, 1);
	/* PARAMETER POINTER */
	assert_int_equal(RUN(&e, 0, 0x4d, 0, 0x4c, 0, 0, 0, 2, 0, 255, 0), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 16);
	assert_int_equal(get_be16(&e.c.buffer[2]), 12);
	assert_count(&e.c.buffer[4], 2, 1024, 1);
	RUN(&e, 0, 0x4d, 0, 0x4c, 0, 0, 0, 3, 0, 255, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 5, -1);
	e.bs->fail_at = e.bs->ncalls + 1;
	e.bs->fail_with = TCMUR_NOT_READY;
	RUN(&e, 0, LOG(0x0c, 0, 255));
	assert_sense(&e, SENSE_NOT_REPORTABLE);
	/*
	 * The unit has more blocks than the counts have bits for, so they count sets of two blocks, as VPD
	 * page B2h says.
	 */
	e.bs->size = 512ull << 32;
	e.bs->usage = (struct tcmur_usage){.used = 512 * 101, .available = UINT64_MAX};
	assert_int_equal(RUN(&e, 0, LOG(0x0c, 0, 255)), SCSI_GOOD);
	assert_count(&e.c.buffer[4], 1, (1u << 31) - 50, 2);
	assert_count(&e.c.buffer[16], 2, 50, 1);
	assert_int_equal(RUN(&e, 0, 0x12, 1, 0xb2, 0, 255, 0), SCSI_GOOD);
	assert_int_equal(e.c.buffer[4], 1);
	/* The unit becomes smaller while the page is being built. */
	e.bs->defer = true;
	fake_cmd_free(&e.c);
	fake_cmd_init(&e.c, e.lu, &e.nexus[0], (uint8_t[]){LOG(0x0c, 0, 255)}, 10);
	fake_cmd_submit(&e.c, NULL, 0);
	e.bs->size = 512ull << 40;
	fake_run();
	assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	assert_count(&e.c.buffer[16], 2, 0, 1);
	spc_fixture_close(&e);
}

static void test_request_sense(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, 0x03, 0, 0, 0, 255, 0), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 18);
	assert_int_equal(e.c.buffer[0], 0x70);
	assert_int_equal(e.c.buffer[2], 0);
	assert_int_equal(RUN(&e, 0, 0x03, 1, 0, 0, 255, 0), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 8);
	assert_int_equal(e.c.buffer[0], 0x72);
	/* A unit attention is returned as data, and is cleared. */
	scsi_ua_raise(&e.nexus[0], SCSI_UA_MODE_CHANGED);
	assert_int_equal(RUN(&e, 0, 0x03, 0, 0, 0, 14, 0), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 14);
	assert_int_equal(e.c.buffer[2], SENSE_UNIT_ATTENTION);
	assert_int_equal(get_be16(&e.c.buffer[12]), 0x2a01);
	assert_int_equal(RUN(&e, 0, 0, 0, 0, 0, 0, 0), SCSI_GOOD);
	scsi_lu_gate_change(e.lu, SCSI_GATE_CORRUPTED, 0);
	RUN(&e, 0, 0x03, 0, 0, 0, 18, 0);
	assert_int_equal(e.c.buffer[2], SENSE_MEDIUM_ERROR);
	assert_int_equal(get_be16(&e.c.buffer[12]), 0x3100);
	scsi_lu_gate_change(e.lu, SCSI_GATE_FORMATTING, SCSI_GATE_CORRUPTED);
	e.lu->format_progress = 0x4000;
	RUN(&e, 0, 0x03, 0, 0, 0, 18, 0);
	assert_int_equal(get_be16(&e.c.buffer[12]), 0x0404);
	assert_int_equal(e.c.buffer[15], 0x80);
	assert_int_equal(get_be16(&e.c.buffer[16]), 0x4000);
	scsi_lu_gate_change(e.lu, 0, SCSI_GATE_FORMATTING);
	spc_fixture_close(&e);
}

static void test_self_test(void **state)
{
	static const uint8_t good[] = {0x04, 0xa0, 0xc0}, refused[] = {0x20, 0x40, 0x80, 0xe0, 0xa4};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, 0x1d, 0, 0, 0, 0, 0), SCSI_GOOD);
	assert_int_equal(e.bs->ncalls, 0);
	for (unsigned i = 0; i < sizeof(good); i++) {
		assert_int_equal(RUN(&e, 0, 0x1d, good[i], 0, 0, 0, 0), SCSI_GOOD);
		assert_int_equal(e.bs->ncalls, i + 1);
		assert_int_equal(fake_last(e.bs)->op, BACKSTORE_READ);
	}
	for (unsigned i = 0; i < sizeof(refused); i++) {
		RUN(&e, 0, 0x1d, refused[i], 0, 0, 0, 0);
		assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 1, 7);
	}
	RUN(&e, 0, 0x1d, 0x10, 0, 0, 4, 0); /* there are no diagnostic pages */
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 4, 2);
	e.bs->fail_at = e.bs->ncalls + 1;
	e.bs->fail_with = TCMUR_READ_ERROR;
	RUN(&e, 0, 0x1d, 0x04, 0, 0, 0, 0);
	assert_sense(&e, SENSE_SELF_TEST_FAILED);
	spc_fixture_close(&e);
}

static void test_prevent_allow(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, 0x1e, 0, 0, 0, 1, 0), SCSI_GOOD);
	assert_int_equal(RUN(&e, 0, 0x1e, 0, 0, 0, 0, 0), SCSI_GOOD);
	RUN(&e, 0, 0x1e, 0, 0, 0, 2, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 4, 1);
	spc_fixture_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_report_luns),
	    cmocka_unit_test(test_opcodes_agree),
	    cmocka_unit_test(test_opcodes_options),
	    cmocka_unit_test(test_opcodes_timeouts),
	    cmocka_unit_test(test_supported_task_management_functions),
	    cmocka_unit_test(test_log_sense),
	    cmocka_unit_test(test_log_usage),
	    cmocka_unit_test(test_request_sense),
	    cmocka_unit_test(test_self_test),
	    cmocka_unit_test(test_prevent_allow),
	};

	return cmocka_run_group_tests_name("scsi_report", tests, NULL, NULL);
}
