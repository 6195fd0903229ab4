/* SPDX-License-Identifier: Apache-2.0 */
/* The checks that every command must pass before it is executed. */
#include "spc_fixture.h"

#include <stdio.h>

#include "scsi/alua.h"
#include "scsi/nexus.h"
#include "util/lock.h"
#include "util/log.h"

#define TUR         0x00, 0, 0, 0, 0, 0
#define INQUIRY     0x12, 0, 0, 0, 36, 0
#define READ10(lba) 0x28, 0, 0, 0, (lba) >> 8, (lba)&0xff, 0, 0, 1, 0
#define WRITE10     0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0

static const uint8_t block[512];

/* SPC-4 4.2.5.1: the opcode's group code determines the length. */
static void test_table_is_sound(void **state)
{
	static const uint8_t group_len[8] = {6, 10, 10, 0, 16, 12, 0, 0};

	(void)state;
	for (unsigned i = 0; i < scsi_nops; i++) {
		const struct scsi_op *op = &scsi_ops[i];

		assert_int_equal(op->usage[0], op->opcode);
		assert_int_equal(op->cdb_len, group_len[op->opcode >> 5]);
		assert_true(op->lba_at + op->lba_len < op->cdb_len && op->len_at + op->len_len < op->cdb_len);
		assert_int_equal(op->usage[op->cdb_len - 1], 0);
		if (op->flags & SCSI_OP_SA)
			assert_int_equal(op->usage[1] & 0x1f, 0x1f);
		if (i > 0)
			assert_true(op[-1].opcode * 256 + op[-1].service_action <
				    op->opcode * 256 + op->service_action);
	}
}

static void test_reserved_bits(void **state)
{
	/* With ALUA, every row of the table is available. */
	static const struct scsi_alua alua = {.ngroups = 1, .groups = {{.tpgs = SCSI_TPGS_ANY}}};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	scsi_lu_set_alua(e.lu, &alua);
	scsi_ua_pop(&e.nexus[0]); /* ASYMMETRIC ACCESS STATE CHANGED */
	scsi_ua_pop(&e.nexus[0]); /* INQUIRY DATA HAS CHANGED */
	for (unsigned i = 0; i < scsi_nops; i++) {
		const struct scsi_op *op = &scsi_ops[i];

		for (unsigned bit = 8; bit < 8u * op->cdb_len; bit++) {
			uint8_t cdb[16] = {op->opcode, op->service_action};

			if (op->usage[bit / 8] & 1 << bit % 8)
				continue;
			cdb[bit / 8] |= (uint8_t)(1 << bit % 8);
			spc_fixture_run(&e, &e.nexus[0], cdb, op->cdb_len, NULL, 0);
			assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, bit / 8, (int)(bit % 8));
		}
	}
	spc_fixture_close(&e);
}

/* GROUP NUMBER has 6 bits (SBC-4 4.22). All of them are accepted and ignored. */
static void test_group_number(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	for (unsigned group = 0; group < 64; group++) {
		assert_int_equal(RUN(&e, 0, 0x28, 0, 0, 0, 0, 0, (uint8_t)group, 0, 1, 0), SCSI_GOOD);
		assert_int_equal(RUN(&e, 0, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, (uint8_t)group, 0),
				 SCSI_GOOD);
	}
	RUN(&e, 0, 0x28, 0, 0, 0, 0, 0, 64, 0, 1, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 6, 6);
	spc_fixture_close(&e);
}

static void test_unknown_command(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	RUN(&e, 0, 0xc1, 0, 0, 0, 0, 0);
	assert_sense(&e, SENSE_INVALID_OPCODE);
	RUN(&e, 0, 0x5e, 0, 0, 0, 0, 0, 0, 0, 8, 0); /* PERSISTENT RESERVE IN */
	assert_sense(&e, SENSE_INVALID_OPCODE);
	RUN(&e, 0, 0x9e, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 1, 4);
	RUN(&e, 0, 0x12);
	assert_sense(&e, SENSE_INVALID_OPCODE); /* too short for any command */
	spc_fixture_close(&e);
}

static void without_unmap(struct backstore *bs)
{
	bs->no_unmap = true;
	bs->info.thin = false;
}

static void test_unavailable_command(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, without_unmap);
	RUN(&e, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	assert_sense(&e, SENSE_INVALID_OPCODE);
	RUN(&e, 0, 0xa3, 0x0c, 1, 0x42, 0, 0, 0, 0, 1, 0, 0, 0);
	assert_int_equal(e.c.buffer[1], 1); /* not supported */
	spc_fixture_close(&e);
}

static void test_lba_and_length(void **state)
{
	static const struct {
		uint64_t lba;
		uint32_t n;
		uint32_t sense;
	} cases[] = {
	    {SPC_BLOCKS - 1, 1, 0},
	    {SPC_BLOCKS - 1, 0, 0},
	    {SPC_BLOCKS, 0, SENSE_LBA_OUT_OF_RANGE},
	    {SPC_BLOCKS - 1, 2, SENSE_LBA_OUT_OF_RANGE},
	    {0, SPC_BLOCKS + 1, SENSE_LBA_OUT_OF_RANGE},
	    {UINT64_MAX, 1, SENSE_LBA_OUT_OF_RANGE},
	    {UINT64_MAX, 2, SENSE_LBA_OUT_OF_RANGE},
	    {0, SCSI_MAX_TRANSFER / 512, SENSE_LBA_OUT_OF_RANGE},
	    {0, SCSI_MAX_TRANSFER / 512 + 1, SENSE_INVALID_FIELD_IN_CDB},
	    {0, UINT32_MAX, SENSE_INVALID_FIELD_IN_CDB},
	};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t cdb[16] = {0x88};

		put_be64(&cdb[2], cases[i].lba);
		put_be32(&cdb[10], cases[i].n);
		spc_fixture_run(&e, &e.nexus[0], cdb, 16, NULL, 0);
		if (!cases[i].sense)
			assert_int_equal(e.c.cmd.status, SCSI_GOOD);
		else if (cases[i].sense == SENSE_INVALID_FIELD_IN_CDB)
			assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 10, -1);
		else
			assert_sense(&e, cases[i].sense);
	}
	spc_fixture_close(&e);
}

/* How much Data-Out scsi_parse() asks for. */
static void test_transfer_len(void **state)
{
	static const struct {
		uint8_t cdb[16];
		uint8_t cdb_len;
		uint64_t len;
		enum scsi_direction direction;
	} cases[] = {
	    {{0x0a, 0, 0, 0, 0}, 6, 256 * 512, SCSI_DATA_OUT},
	    {{0x08, 0, 0, 0, 2}, 6, 2 * 512, SCSI_DATA_IN},
	    {{0x2a, 0, 0, 0, 0, 0, 0, 0, 3}, 10, 3 * 512, SCSI_DATA_OUT},
	    {{0x2a}, 10, 0, SCSI_NO_DATA},
	    {{0x89, [13] = 2}, 16, 4 * 512, SCSI_DATA_OUT},
	    {{0x41, [8] = 9}, 10, 512, SCSI_DATA_OUT},
	    {{0x93, 0x01, [13] = 9}, 16, 0, SCSI_NO_DATA},
	    {{0x2f, 0x00, [8] = 4}, 10, 0, SCSI_NO_DATA},
	    {{0x2f, 0x02, [8] = 4}, 10, 4 * 512, SCSI_DATA_OUT},
	    {{0x2f, 0x06, [8] = 4}, 10, 512, SCSI_DATA_OUT},
	    {{0x04, 0x10}, 6, 4, SCSI_DATA_OUT},
	    {{0x04, 0x30}, 6, 8, SCSI_DATA_OUT},
	    {{0x12, 0, 0, 1, 2}, 6, 258, SCSI_DATA_IN},
	    {{0x25}, 10, 8, SCSI_DATA_IN},
	    {{0x15, 0x10, 0, 0, 24}, 6, 24, SCSI_DATA_OUT},
	};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_cmd_free(&e.c);
		fake_cmd_init(&e.c, e.lu, &e.nexus[0], cases[i].cdb, cases[i].cdb_len);
		scsi_parse(&e.c.cmd); /* a front end may drop the command instead of submitting it */
		assert_non_null(e.c.cmd.op);
		assert_int_equal(e.c.cmd.transfer_len, cases[i].len);
		assert_int_equal(e.c.cmd.direction, cases[i].direction);
		assert_int_equal(e.nexus[0].unsubmitted, 1);
		scsi_drop(&e.c.cmd);
		scsi_drop(&e.c.cmd);
		assert_int_equal(e.nexus[0].unsubmitted, 0);
	}
	assert_int_equal(RUN(&e, 0, 0x2f, 0x04, 0, 0, 0, 0, 0, 0, 1, 0), SCSI_CHECK_CONDITION);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 1, 2); /* BYTCHK 10b */
	spc_fixture_close(&e);
}

static void run_without_lu(struct spc_fixture *e, const uint8_t *cdb, size_t cdb_len)
{
	fake_cmd_free(&e->c);
	fake_cmd_init(&e->c, NULL, NULL, cdb, cdb_len);
	e->c.cmd.it_nexus = &e->it_nexus;
	fake_cmd_exec(&e->c, NULL, 0);
}
#define RUN_WITHOUT_LU(e, ...) \
	run_without_lu((e), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void test_no_such_lun(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	RUN_WITHOUT_LU(&e, TUR);
	assert_sense(&e, SENSE_NO_SUCH_LUN);
	RUN_WITHOUT_LU(&e, READ10(0));
	assert_sense(&e, SENSE_NO_SUCH_LUN);
	RUN_WITHOUT_LU(&e, 0xc1, 0, 0, 0, 0, 0);
	assert_sense(&e, SENSE_NO_SUCH_LUN);
	RUN_WITHOUT_LU(&e, INQUIRY);
	assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	assert_int_equal(e.c.buffer[0], 0x7f);
	/* Old versions of Linux ignore a LUN whose vendor is blank. */
	assert_memory_equal(&e.c.buffer[8], "LIO-ORG TCMU device     0002", 28);
	RUN_WITHOUT_LU(&e, 0x12, 1, 0x83, 0, 255, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 2, -1);
	RUN_WITHOUT_LU(&e, 0x03, 0, 0, 0, 18, 0);
	assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	assert_int_equal(e.c.buffer[2], SENSE_ILLEGAL_REQUEST);
	assert_int_equal(e.c.buffer[12], 0x25);
	RUN_WITHOUT_LU(&e, 0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0);
	assert_int_equal(e.c.cmd.data_in_len, 32);
	spc_fixture_close(&e);
}

static void raise_others(struct scsi_lu *lu, const struct scsi_nexus *except, enum scsi_ua ua)
{
	lock_take(&lu->lock);
	scsi_ua_raise_others_locked(lu, except, ua);
	lock_drop(&lu->lock);
}

static void test_unit_attentions(void **state)
{
	struct scsi_nexus fresh;
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	/* The first unit attention of a nexus is power on, but INQUIRY and REPORT LUNS do not report it. */
	scsi_nexus_attach(&fresh, &e.it_nexus, e.lu, fake_loop(0));
	spc_fixture_run(&e, &fresh, (const uint8_t[]){INQUIRY}, 6, NULL, 0);
	assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	spc_fixture_run(&e, &fresh, (const uint8_t[]){0xa0, [9] = 16, [11] = 0}, 12, NULL, 0);
	assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	spc_fixture_run(&e, &fresh, (const uint8_t[]){TUR}, 6, NULL, 0);
	assert_sense(&e, SENSE_CODE(SENSE_UNIT_ATTENTION, 0x29, 0x00));
	spc_fixture_run(&e, &fresh, (const uint8_t[]){TUR}, 6, NULL, 0);
	assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	scsi_nexus_detach(&fresh);

	/*
	 * Unit attentions are reported in the order of their priority, one with each command, before any
	 * other error, and for each nexus separately.
	 */
	raise_others(e.lu, &e.nexus[1], SCSI_UA_MODE_CHANGED);
	raise_others(e.lu, &e.nexus[1], SCSI_UA_CAPACITY_CHANGED);
	raise_others(e.lu, &e.nexus[1], SCSI_UA_LU_RESET);
	raise_others(e.lu, &e.nexus[1], SCSI_UA_LU_RESET);
	assert_int_equal(RUN(&e, 1, TUR), SCSI_GOOD);
	RUN(&e, 0, READ10(0));
	assert_sense(&e, SENSE_CODE(SENSE_UNIT_ATTENTION, 0x29, 0x03));
	RUN(&e, 0, 0xc1, 0, 0, 0, 0, 0);
	assert_sense(&e, SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x09));
	RUN(&e, 0, READ10(SPC_BLOCKS));
	assert_sense(&e, SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x01));
	assert_int_equal(RUN(&e, 0, TUR), SCSI_GOOD);
	/* A wrong INQUIRY is refused and reports no unit attention. */
	scsi_ua_raise(&e.nexus[0], SCSI_UA_CLEARED);
	RUN(&e, 0, 0x12, 0, 0x83, 0, 0, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 2, -1);
	RUN(&e, 0, 0x12, 0x04, 0, 0, 0, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 1, 2);
	assert_int_equal(scsi_ua_peek(&e.nexus[0]), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2f, 0x00));
	spc_fixture_close(&e);
}

static void test_resize(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	fake_backstore_resize(e.bs, SPC_BLOCKS * 256);
	for (unsigned i = 0; i < 2; i++) {
		RUN(&e, i, TUR);
		assert_sense(&e, SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x09));
	}
	RUN(&e, 0, READ10(SPC_BLOCKS - 1));
	assert_sense(&e, SENSE_LBA_OUT_OF_RANGE);
	spc_fixture_close(&e);
}

static void read_only(struct backstore *bs)
{
	bs->info.read_only = true;
}

static void test_write_protected(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, read_only);
	RUN_OUT(&e, 0, block, sizeof(block), WRITE10);
	assert_sense(&e, SENSE_WRITE_PROTECTED);
	assert_int_equal(e.bs->ncalls, 0);
	assert_int_equal(RUN(&e, 0, READ10(0)), SCSI_GOOD);
	spc_fixture_close(&e);
}

static void test_not_ready(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	scsi_lu_gate_change(e.lu, SCSI_GATE_CORRUPTED, 0);
	RUN(&e, 0, TUR);
	assert_sense(&e, SENSE_FORMAT_CORRUPTED);
	RUN(&e, 0, READ10(0));
	assert_sense(&e, SENSE_FORMAT_CORRUPTED);
	assert_int_equal(RUN(&e, 0, INQUIRY), SCSI_GOOD);
	assert_int_equal(RUN(&e, 0, 0x1a, 0, 0x3f, 0, 255, 0), SCSI_GOOD);
	scsi_lu_gate_change(e.lu, SCSI_GATE_FORMATTING, SCSI_GATE_CORRUPTED);
	e.lu->format_progress = 0x8000;
	RUN(&e, 0, TUR);
	assert_sense(&e, SENSE_FORMAT_IN_PROGRESS);
	assert_int_equal(e.c.cmd.sense[15], 0x80);
	assert_int_equal(get_be16(&e.c.cmd.sense[16]), 0x8000);
	scsi_lu_gate_change(e.lu, 0, SCSI_GATE_FORMATTING);
	assert_int_equal(RUN(&e, 0, TUR), SCSI_GOOD);
	spc_fixture_close(&e);
}

static void test_no_memory(void **state)
{
	static const uint8_t cdb[] = {INQUIRY};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	fake_cmd_init(&e.c, e.lu, &e.nexus[0], cdb, sizeof(cdb));
	e.c.no_memory = true;
	assert_int_equal(fake_cmd_exec(&e.c, NULL, 0), SCSI_TASK_SET_FULL);
	spc_fixture_close(&e);
}

/* --- a handler that executes commands itself --- */

static bool handler_scsi(struct backstore_scsi *bss)
{
	static const uint8_t answer[] = {1, 2, 3};

	switch (bss->cmd.cdb[0]) {
	case 0xc1: /* Data-In of an opcode that no table contains */
		assert_int_equal(bss->cmd.data_in_max, 8);
		memcpy(bss->cmd.iov[0].iov_base, answer, sizeof(answer));
		bss->cmd.data_in_len = sizeof(answer);
		bss->done(bss, SCSI_GOOD);
		return true;
	case 0x00:
		bss->cmd.sense_len = 18;
		bss->cmd.sense[0] = 0x70;
		bss->cmd.sense[2] = SENSE_NOT_READY;
		bss->cmd.sense[12] = 0x3a;
		bss->done(bss, SCSI_CHECK_CONDITION);
		return true;
	default:
		return false;
	}
}

static void with_scsi(struct backstore *bs)
{
	bs->scsi = handler_scsi;
}

static void test_handler_goes_first(void **state)
{
	static const uint8_t cdb[] = {0xc1, 0, 0, 0, 0, 0};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, with_scsi);
	fake_cmd_init(&e.c, e.lu, &e.nexus[0], cdb, sizeof(cdb));
	scsi_cmd_announce(&e.c.cmd, SCSI_DATA_IN, 8);
	assert_int_equal(fake_cmd_exec(&e.c, NULL, 0), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 3);
	assert_int_equal(e.c.buffer[2], 3);
	RUN(&e, 0, TUR);
	assert_sense(&e, SENSE_CODE(SENSE_NOT_READY, 0x3a, 0x00));
	/* The commands that the handler leaves are executed or refused as usual. */
	assert_int_equal(RUN(&e, 0, INQUIRY), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 36);
	assert_int_equal(RUN(&e, 0, READ10(3)), SCSI_GOOD);
	assert_int_equal(e.c.cmd.data_in_len, 512);
	RUN(&e, 0, 0xc2, 0, 0, 0, 0, 0);
	assert_sense(&e, SENSE_INVALID_OPCODE);
	/* A unit attention is reported before the handler gets the command. */
	scsi_ua_raise(&e.nexus[0], SCSI_UA_LU_RESET);
	RUN(&e, 0, TUR);
	assert_sense(&e, SENSE_CODE(SENSE_UNIT_ATTENTION, 0x29, 0x03));
	spc_fixture_close(&e);
}

static void absent(struct backstore *bs)
{
	bs->absent = true;
}

/* A stand-in for missing storage has an identity and is not ready. */
static void test_absent_storage(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, absent);
	RUN(&e, 0, 0x00, 0, 0, 0, 0, 0);
	assert_sense(&e, SENSE_NOT_REPORTABLE);
	RUN(&e, 0, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	assert_sense(&e, SENSE_NOT_REPORTABLE);
	assert_int_equal(e.bs->ncalls, 0);
	assert_int_equal(RUN(&e, 0, 0x12, 0, 0, 0, 36, 0), SCSI_GOOD);
	assert_int_equal(RUN(&e, 0, 0x03, 0, 0, 0, 18, 0), SCSI_GOOD);
	assert_int_equal(e.c.buffer[2], SENSE_NOT_READY);
	spc_fixture_close(&e);
}

static char traced[4][256];
static unsigned ntraced;

static void take_line(enum log_level level, const char *line)
{
	assert_int_equal(level, LOG_LEVEL_CDB);
	assert_true(ntraced < ARRAY_SIZE(traced));
	snprintf(traced[ntraced++], sizeof(traced[0]), "%s", line);
}

static void test_changes_are_announced(void **state)
{
	struct scsi_nexus later;
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	/* The LUN of nexus 0 got another logical unit: only this nexus reports it, with its first command. */
	scsi_nexus_luns_changed(&e.nexus[0]);
	RUN(&e, 0, READ10(0));
	assert_sense(&e, SENSE_CODE(SENSE_UNIT_ATTENTION, 0x3f, 0x0e));
	assert_int_equal(RUN(&e, 0, READ10(0)), SCSI_GOOD);
	assert_int_equal(RUN(&e, 1, READ10(0)), SCSI_GOOD);
	/* REPORT LUNS shows the new list of LUNs, so the unit attention is obsolete (SPC-4 6.33). */
	scsi_nexus_luns_changed(&e.nexus[0]);
	assert_int_equal(RUN(&e, 0, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0), SCSI_GOOD);
	assert_int_equal(RUN(&e, 0, READ10(0)), SCSI_GOOD);
	/* The contents of the medium were lost: all nexuses report it, and also those of later sessions. */
	scsi_lu_set_medium_changed(e.lu);
	scsi_nexus_attach(&later, &e.it_nexus, e.lu, fake_loop(0));
	assert_int_equal(scsi_ua_pop(&later), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x29, 0x00));
	assert_int_equal(scsi_ua_pop(&later), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x28, 0x00));
	scsi_nexus_detach(&later);
	for (unsigned nexus = 0; nexus < 2; nexus++) {
		RUN(&e, nexus, READ10(0));
		assert_sense(&e, SENSE_CODE(SENSE_UNIT_ATTENTION, 0x28, 0x00));
		assert_int_equal(RUN(&e, nexus, READ10(0)), SCSI_GOOD);
	}
	spc_fixture_close(&e);
}

/* The R and W flags of the transport contradict the CDB, so no data is transferred. */
static void test_wrong_direction(void **state)
{
	static const struct {
		uint8_t cdb[10];
		enum scsi_direction announced;
		uint32_t sense;
	} cases[] = {
	    {{0x2a, [8] = 1}, SCSI_DATA_IN, SENSE_INVALID_FIELD_IN_CDB},
	    {{0x2f, 0x02, [8] = 1}, SCSI_DATA_IN, SENSE_INVALID_FIELD_IN_CDB},
	    {{0x41, [8] = 1}, SCSI_DATA_IN, SENSE_INVALID_FIELD_IN_CDB},
	    {{0x28, [8] = 1}, SCSI_DATA_OUT, 0}, /* no data is transferred, and the residual shows this */
	    {{0x2a, [8] = 1}, SCSI_NO_DATA, SENSE_INVALID_FIELD_IN_IU},
	    {{0x28, [8] = 1}, SCSI_NO_DATA, 0}, /* the initiator accepts no data */
	    {{0x2a, [8] = 0}, SCSI_DATA_IN, 0}, /* the CDB transfers no data */
	};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		e.bs->ncalls = 0;
		fake_cmd_free(&e.c);
		fake_cmd_init(&e.c, e.lu, &e.nexus[0], cases[i].cdb, 10);
		scsi_cmd_announce(&e.c.cmd, cases[i].announced, 512);
		fake_cmd_exec(&e.c, NULL, 0);
		assert_int_equal(fake_sense(&e.c.cmd), cases[i].sense);
		if (cases[i].sense)
			assert_int_equal(e.bs->ncalls, 0);
	}
	spc_fixture_close(&e);
}

/* At log_level 5, each command is logged with its result. */
static void test_every_command_is_logged(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	log_set_sink(take_line);
	RUN(&e, 0, TUR);
	assert_int_equal(ntraced, 0);
	log_set_level(LOG_LEVEL_CDB);
	RUN(&e, 0, READ10(2));
	RUN(&e, 0, READ10(SPC_BLOCKS));
	RUN(&e, 0, 0xff, 0, 0, 0, 0, 0);
	log_set_level(LOG_LEVEL_INFO);
	log_set_sink(NULL);
	assert_int_equal(ntraced, 3);
	assert_non_null(strstr(traced[0], ": READ (10): 28 00 00 00 00 02 00 00 01 00: GOOD"));
	assert_non_null(
	    strstr(traced[1], ": refused: 28 00 00 00 04 00 00 00 01 00: CHECK CONDITION 5/21/00"));
	assert_non_null(strstr(traced[2], ": refused: ff 00 00 00 00 00: CHECK CONDITION 5/20/00"));
	spc_fixture_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table_is_sound),      cmocka_unit_test(test_reserved_bits),
	    cmocka_unit_test(test_group_number),        cmocka_unit_test(test_unknown_command),
	    cmocka_unit_test(test_unavailable_command), cmocka_unit_test(test_lba_and_length),
	    cmocka_unit_test(test_transfer_len),        cmocka_unit_test(test_no_such_lun),
	    cmocka_unit_test(test_unit_attentions),     cmocka_unit_test(test_resize),
	    cmocka_unit_test(test_write_protected),     cmocka_unit_test(test_not_ready),
	    cmocka_unit_test(test_no_memory),           cmocka_unit_test(test_handler_goes_first),
	    cmocka_unit_test(test_absent_storage),      cmocka_unit_test(test_changes_are_announced),
	    cmocka_unit_test(test_wrong_direction),     cmocka_unit_test(test_every_command_is_logged),
	};

	return cmocka_run_group_tests_name("scsi_admission", tests, NULL, NULL);
}
