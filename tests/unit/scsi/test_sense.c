/* SPDX-License-Identifier: Apache-2.0 */
/* Sense data, byte by byte. */
#include "spc_fixture.h"

static void open_with_format(struct spc_fixture *e, bool descriptor)
{
	spc_fixture_open(e, 1, NULL);
	if (descriptor)
		scsi_lu_gate_change(e->lu, SCSI_GATE_D_SENSE, 0);
	fake_cmd_init(&e->c, e->lu, NULL, (uint8_t[6]){0}, 6);
	scsi_parse(&e->c.cmd);
}

static void assert_bytes(const struct scsi_cmd *cmd, const uint8_t *bytes, size_t len)
{
	assert_int_equal(cmd->status, SCSI_CHECK_CONDITION);
	assert_int_equal(cmd->sense_len, len);
	assert_memory_equal(cmd->sense, bytes, len);
}
#define assert_sense_bytes(cmd, ...) \
	assert_bytes((cmd), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void test_fixed(void **state)
{
	struct spc_fixture e;

	(void)state;
	open_with_format(&e, false);
	scsi_check(&e.c.cmd, SENSE_READ_ERROR);
	assert_sense_bytes(&e.c.cmd, 0x70, 0, 3, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0);
	scsi_check_info(&e.c.cmd, SENSE_MISCOMPARE_VERIFY, 0x12345678);
	assert_sense_bytes(&e.c.cmd, 0xf0, 0, 0xe, 0x12, 0x34, 0x56, 0x78, 10, 0, 0, 0, 0, 0x1d, 0, 0, 0, 0,
			   0);
	/* This value is too large for the INFORMATION field, so the field is not valid. */
	scsi_check_info(&e.c.cmd, SENSE_MISCOMPARE_VERIFY, 0x112345678);
	assert_sense_bytes(&e.c.cmd, 0x70, 0, 0xe, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x1d, 0, 0, 0, 0, 0);
	scsi_check_field(&e.c.cmd, SENSE_INVALID_FIELD_IN_CDB, 0x102, 3);
	assert_sense_bytes(&e.c.cmd, 0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0, 0xcb, 1, 2);
	scsi_check_field(&e.c.cmd, SENSE_INVALID_FIELD_IN_LIST, 4, -1);
	assert_sense_bytes(&e.c.cmd, 0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x26, 0, 0, 0x80, 0, 4);
	scsi_check_progress(&e.c.cmd, SENSE_FORMAT_IN_PROGRESS, 0xabcd);
	assert_sense_bytes(&e.c.cmd, 0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 4, 4, 0, 0x80, 0xab, 0xcd);
	spc_fixture_close(&e);
}

static void test_descriptor(void **state)
{
	struct spc_fixture e;

	(void)state;
	open_with_format(&e, true);
	scsi_check(&e.c.cmd, SENSE_READ_ERROR);
	assert_sense_bytes(&e.c.cmd, 0x72, 3, 0x11, 0, 0, 0, 0, 0);
	scsi_check_info(&e.c.cmd, SENSE_MISCOMPARE_VERIFY, 0x112345678);
	assert_sense_bytes(&e.c.cmd, 0x72, 0xe, 0x1d, 0, 0, 0, 0, 12, 0, 0x0a, 0x80, 0, 0, 0, 0, 1, 0x12,
			   0x34, 0x56, 0x78);
	scsi_check_field(&e.c.cmd, SENSE_INVALID_FIELD_IN_CDB, 2, 5);
	assert_sense_bytes(&e.c.cmd, 0x72, 5, 0x24, 0, 0, 0, 0, 8, 2, 6, 0, 0, 0xcd, 0, 2, 0);
	spc_fixture_close(&e);
}

static void test_handler_status(void **state)
{
	static const struct {
		enum tcmur_status from;
		enum scsi_status status;
		uint32_t sense;
	} cases[] = {
	    {TCMUR_OK, SCSI_GOOD, 0},
	    {TCMUR_READ_ERROR, SCSI_CHECK_CONDITION, 0x31100},
	    {TCMUR_WRITE_ERROR, SCSI_CHECK_CONDITION, 0x30c00},
	    {TCMUR_NO_SPACE, SCSI_CHECK_CONDITION, 0x72707},
	    {TCMUR_OUT_OF_RANGE, SCSI_CHECK_CONDITION, 0x52100},
	    {TCMUR_MISCOMPARE, SCSI_CHECK_CONDITION, 0xe1d00},
	    {TCMUR_NOT_SUPPORTED, SCSI_CHECK_CONDITION, 0x52000},
	    {TCMUR_INVALID_FIELD, SCSI_CHECK_CONDITION, 0x52400},
	    {TCMUR_WRITE_PROTECTED, SCSI_CHECK_CONDITION, 0x72700},
	    {TCMUR_NOT_READY, SCSI_CHECK_CONDITION, 0x20400},
	    {TCMUR_HARDWARE_ERROR, SCSI_CHECK_CONDITION, 0x44400},
	    {TCMUR_TIMEOUT, SCSI_CHECK_CONDITION, 0xb2e02},
	    {TCMUR_ABORTED, SCSI_CHECK_CONDITION, 0xb0000},
	    {TCMUR_BUSY, SCSI_BUSY, 0},
	    {TCMUR_NO_RESOURCE, SCSI_TASK_SET_FULL, 0},
	    {TCMUR_FENCED, SCSI_CHECK_CONDITION, 0x2040b},
	    {TCMUR_CONFLICT, SCSI_RESERVATION_CONFLICT, 0},
	    {(enum tcmur_status)99, SCSI_CHECK_CONDITION, 0x44400}, /* this is not a status */
	};
	struct spc_fixture e;

	(void)state;
	open_with_format(&e, false);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_cmd_init(&e.c, e.lu, NULL, (uint8_t[6]){0}, 6);
		e.c.cmd.bio.io.miscompare_offset = 77;
		scsi_set_status(&e.c.cmd, cases[i].from);
		assert_int_equal(e.c.cmd.status, cases[i].status);
		assert_int_equal(fake_sense(&e.c.cmd), cases[i].sense);
		assert_int_equal(fake_information(&e.c.cmd),
				 cases[i].from == TCMUR_MISCOMPARE ? 77 : UINT64_MAX);
	}
	spc_fixture_close(&e);
}

/* The INFORMATION field is only valid if it names the bad block (SPC-4 4.5.2.2, SBC-4 4.18.1). */
static void test_sense_of_the_handler(void **state)
{
	static const struct {
		uint32_t given, sense;
		uint64_t information;
	} cases[] = {
	    {0x30c03, 0x30c03, 5},
	    {0x40800, 0x40800, 5},
	    {0x63f01, 0x63f01, UINT64_MAX},
	    {0xb4700, 0xb4700, UINT64_MAX},
	    {0x00000, 0x44400, UINT64_MAX},
	    {0x11700, 0x44400, UINT64_MAX},
	    {0x1030c00, 0x44400, UINT64_MAX},
	};
	struct spc_fixture e;

	(void)state;
	open_with_format(&e, false);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_cmd_init(&e.c, e.lu, NULL, (uint8_t[6]){0}, 6);
		e.c.cmd.bio.io = (struct tcmur_io){.offset = 4 * e.lu->block_size,
						   .len = 4 * e.lu->block_size,
						   .miscompare_offset = e.lu->block_size,
						   .sense = cases[i].given};
		scsi_set_status(&e.c.cmd, TCMUR_SENSE);
		assert_int_equal(e.c.cmd.status, SCSI_CHECK_CONDITION);
		assert_int_equal(fake_sense(&e.c.cmd), cases[i].sense);
		assert_int_equal(fake_information(&e.c.cmd), cases[i].information);
	}
	spc_fixture_close(&e);
}

static bool end_with_own_sense(struct backstore_scsi *bss)
{
	static const uint8_t sense[] = {0x72, SENSE_HARDWARE_ERROR, 0x40, 0x80};

	if (bss->cmd.cdb[0] != 0)
		return false;
	memcpy(bss->cmd.sense, sense, sizeof(sense));
	bss->cmd.sense_len = sizeof(sense);
	bss->done(bss, SCSI_CHECK_CONDITION);
	return true;
}

static void set_own_scsi(struct backstore *bs)
{
	bs->scsi = end_with_own_sense;
}

/* Each command is counted once, with the sense data with which it ended. */
static void test_counts(void **state)
{
	struct spc_fixture e;
	struct scsi_errors before, after;

	(void)state;
	spc_fixture_open(&e, 2, set_own_scsi);
	scsi_lu_errors(e.lu, &before); /* the unit attentions of the fixture */
	assert_int_equal(before.last_time, 0);
	RUN(&e, 0, 0x12, 1, 0xee, 0, 255, 0); /* INQUIRY: no such VPD page */
	assert_sense(&e, SENSE_INVALID_FIELD_IN_CDB);
	scsi_lu_errors(e.lu, &after);
	assert_int_equal(after.sense_keys[SENSE_ILLEGAL_REQUEST],
			 before.sense_keys[SENSE_ILLEGAL_REQUEST] + 1);
	assert_int_equal(after.last_time, 0);
	RUN(&e, 0, 0x00, 0, 0, 0, 0, 0); /* TEST UNIT READY, executed by the handler */
	scsi_lu_errors(e.lu, &after);
	assert_int_equal(after.sense_keys[SENSE_HARDWARE_ERROR], 1);
	assert_int_equal(after.last_sense, SENSE_CODE(SENSE_HARDWARE_ERROR, 0x40, 0x80));
	assert_true(after.last_time > 0);
	assert_string_equal(scsi_sense_key_name(SENSE_HARDWARE_ERROR), "HARDWARE ERROR");
	assert_string_equal(scsi_sense_key_name(SENSE_MISCOMPARE), "MISCOMPARE");
	RUN(&e, 0, 0x12, 0, 0, 0, 36, 0); /* INQUIRY */
	scsi_lu_errors(e.lu, &before);
	assert_memory_equal(&before, &after, sizeof(before));
	spc_fixture_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fixed),          cmocka_unit_test(test_descriptor),
	    cmocka_unit_test(test_handler_status), cmocka_unit_test(test_sense_of_the_handler),
	    cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests_name("scsi_sense", tests, NULL, NULL);
}
