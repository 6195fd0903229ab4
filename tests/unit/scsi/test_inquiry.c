/* SPDX-License-Identifier: Apache-2.0 */
/* INQUIRY: standard data and the VPD pages of SPC-4. */
#include "spc_fixture.h"

#define VPD(page) 0x12, 1, (page), 4, 0, 0

static void test_standard(void **state)
{
	struct spc_fixture e;
	const uint8_t *d;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, 0x12, 0, 0, 0, 255, 0), SCSI_GOOD);
	d = e.c.buffer;
	assert_int_equal(e.c.cmd.data_in_len, 96);
	assert_int_equal(d[4], 96 - 5);
	assert_int_equal(d[0], 0);
	assert_int_equal(d[1], 0);
	assert_int_equal(d[2], 6);
	assert_int_equal(d[3], 0x12);
	assert_int_equal(d[5], 0x10); /* TPGS is "implicit", with the port group of the nexus */
	assert_int_equal(d[7], 2);
	assert_memory_equal(&d[8], "LIO-ORG TCMU device     0002", 28);
	assert_int_equal(get_be16(&d[58]), 0x00a0);
	assert_int_equal(get_be16(&d[60]), 0x0460);
	assert_int_equal(get_be16(&d[62]), 0x04c0);
	assert_int_equal(get_be16(&d[64]), 0x0600);
	assert_int_equal(get_be16(&d[66]), 0x0960);
	spc_fixture_close(&e);
}

/* The allocation length limits the data, but ADDITIONAL LENGTH does not change (SPC-4 4.2.5.6). */
static void test_allocation_length(void **state)
{
	static const unsigned lens[] = {0, 1, 4, 5, 36, 95, 96, 97, 0xffff};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(lens); i++) {
		assert_int_equal(RUN(&e, 0, 0x12, 0, 0, (uint8_t)(lens[i] >> 8), (uint8_t)lens[i], 0),
				 SCSI_GOOD);
		assert_int_equal(e.c.cmd.data_in_len, MIN(lens[i], 96));
		if (lens[i] >= 5)
			assert_int_equal(e.c.buffer[4], 91);
	}
	spc_fixture_close(&e);
}

static void test_wrong_fields(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	RUN(&e, 0, 0x12, 0, 0x80, 0, 255, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 2, -1);
	RUN(&e, 0, 0x12, 1, 0x81, 0, 255, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 2, -1);
	RUN(&e, 0, 0x12, 2, 0, 0, 255, 0); /* CMDDT is obsolete */
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 1, 1);
	RUN(&e, 0, 0x12, 0, 0, 0, 255, 0x04); /* NACA */
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 5, 2);
	spc_fixture_close(&e);
}

/* Linux writes the LUN into the CDB, as in SCSI-2, as long as no LUN of the target has answered. */
static void test_lun_in_cdb(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, 0x12, 5 << 5, 0, 0, 36, 0), SCSI_GOOD);
	assert_int_equal(RUN(&e, 0, 0x12, 5 << 5 | 1, 0x80, 0, 255, 0), SCSI_GOOD);
	spc_fixture_close(&e);
}

/* Each page in the list of page 00h exists, contains its own number, and has the length that it reports. */
static void test_supported_pages(void **state)
{
	static const uint8_t expected[] = {0x00, 0x80, 0x83, 0x86, 0xb0, 0xb1, 0xb2};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(RUN(&e, 0, VPD(0x00)), SCSI_GOOD);
	assert_int_equal(get_be16(&e.c.buffer[2]), sizeof(expected));
	assert_memory_equal(&e.c.buffer[4], expected, sizeof(expected));
	for (unsigned page = 0; page < 256; page++) {
		bool exists = memchr(expected, (int)page, sizeof(expected));

		RUN(&e, 0, VPD((uint8_t)page));
		assert_int_equal(e.c.cmd.status, exists ? SCSI_GOOD : SCSI_CHECK_CONDITION);
		if (!exists)
			continue;
		assert_int_equal(e.c.buffer[0], 0);
		assert_int_equal(e.c.buffer[1], page);
		assert_int_equal(get_be16(&e.c.buffer[2]) + 4, e.c.cmd.data_in_len);
	}
	spc_fixture_close(&e);
}

static void test_serial(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	RUN(&e, 0, VPD(0x80));
	assert_int_equal(e.c.cmd.data_in_len, 4 + 21);
	assert_memory_equal(&e.c.buffer[4], "c0ffee-0123-4567-89ab", 21);
	spc_fixture_close(&e);
}

/* Returns the designation descriptor that begins with these two bytes; NULL if there is none. */
static const uint8_t *designator(const struct spc_fixture *e, uint8_t first, uint8_t second)
{
	const uint8_t *p = e->c.buffer + 4, *end = e->c.buffer + e->c.cmd.data_in_len;

	for (; p < end; p += 4 + p[3])
		if (p[0] == first && p[1] == second)
			return p;
	assert_ptr_equal(p, end);
	return NULL;
}

static void test_device_identification(void **state)
{
	static const uint8_t naa[16] = {0x60, 0x01, 0x40, 0x5c, 0x0f, 0xfe, 0xe0,
					0x12, 0x34, 0x56, 0x78, 0x9a, 0xb0};
	struct spc_fixture e;
	const uint8_t *d;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	RUN(&e, 0, VPD(0x83));
	d = designator(&e, 0x02, 0x01);
	assert_non_null(d);
	assert_memory_equal(&d[4], "LIO-ORG TCMU device:c0ffee-0123-4567-89ab", d[3]);
	d = designator(&e, 0x01, 0x03);
	assert_non_null(d);
	assert_int_equal(d[3], 16);
	assert_memory_equal(&d[4], naa, 16);
	d = designator(&e, 0x03, 0x08);
	assert_non_null(d);
	assert_int_equal(d[3] % 4, 0);
	assert_string_equal((const char *)&d[4], "naa.6001405c0ffee0123456789ab0000000");
	d = designator(&e, 0x51, 0x94);
	assert_non_null(d);
	assert_int_equal(get_be32(&d[4]), 3);
	d = designator(&e, 0x51, 0x95);
	assert_non_null(d);
	assert_int_equal(get_be32(&d[4]), 5);
	d = designator(&e, 0x53, 0x98);
	assert_non_null(d);
	assert_int_equal(d[3] % 4, 0);
	assert_string_equal((const char *)&d[4], "iqn.2026-11.test:disk,t,0x0001");
	d = designator(&e, 0x53, 0xa8);
	assert_non_null(d);
	assert_string_equal((const char *)&d[4], "iqn.2026-11.test:disk");
	spc_fixture_close(&e);
}

static void test_extended(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	RUN(&e, 0, VPD(0x86));
	assert_int_equal(e.c.cmd.data_in_len, 64);
	assert_int_equal(e.c.buffer[5], 0x01);
	assert_int_equal(e.c.buffer[6], 0x01);
	spc_fixture_close(&e);
}

static void test_identity(void **state)
{
	static char serial[SCSI_SERIAL_MAX + 2];
	struct scsi_identity identity = {
	    .vendor = "a vendor too long", .product = "p", .revision = "99", .serial = serial};
	struct spc_fixture e;
	struct error error;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	memset(serial, 'x', sizeof(serial) - 1);
	assert_null(scsi_lu_new(fake_loops(1), e.bs, &identity, &error));
	assert_non_null(strstr(error.text, "serial"));
	serial[0] = 0;
	assert_null(scsi_lu_new(fake_loops(1), e.bs, &identity, &error));

	/* The longest names fit into every page. */
	memset(serial, 'f', SCSI_SERIAL_MAX);
	serial[SCSI_SERIAL_MAX] = 0;
	scsi_nexus_detach(&e.nexus[0]);
	scsi_nexus_detach(&e.nexus[1]);
	scsi_lu_free(e.lu);
	e.lu = scsi_lu_new(fake_loops(1), e.bs, &identity, &error);
	scsi_nexus_attach(&e.nexus[0], &e.it_nexus, e.lu, fake_loop(0));
	scsi_nexus_attach(&e.nexus[1], &e.it_nexus, e.lu, fake_loop(0));
	RUN(&e, 0, 0x12, 0, 0, 0, 36, 0);
	assert_memory_equal(&e.c.buffer[8], "a vendorp               99  ", 28);
	RUN(&e, 0, VPD(0x83));
	assert_int_equal(designator(&e, 0x02, 0x01)[3], 8 + 1 + 1 + SCSI_SERIAL_MAX);
	spc_fixture_close(&e);
}

static void test_front_end_sets_serial_and_limit(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	scsi_lu_set_serial(e.lu, "fedcba98-7654-3210", NULL);
	RUN(&e, 0, 0x12, 1, 0x80, 0, 255, 0);
	assert_int_equal(e.c.cmd.data_in_len, 4 + 18);
	assert_memory_equal(e.c.buffer + 4, "fedcba98-7654-3210", 18);
	RUN(&e, 0, 0x12, 1, 0xb0, 0, 255, 0);
	assert_int_equal(get_be32(e.c.buffer + 8), SCSI_MAX_TRANSFER / 512);
	scsi_lu_limit_transfer(e.lu, 64 << 10);
	RUN(&e, 0, 0x12, 1, 0xb0, 0, 255, 0);
	assert_int_equal(get_be32(e.c.buffer + 8), 128);
	assert_int_equal(e.c.buffer[5], 128); /* MAXIMUM COMPARE AND WRITE LENGTH is not above the limit */
	scsi_lu_limit_transfer(e.lu, UINT64_MAX);
	RUN(&e, 0, 0x12, 1, 0xb0, 0, 255, 0);
	assert_int_equal(get_be32(e.c.buffer + 8), SCSI_MAX_TRANSFER / 512);
	scsi_lu_limit_transfer(e.lu, 0);
	RUN(&e, 0, 0x12, 1, 0xb0, 0, 255, 0);
	assert_int_equal(get_be32(e.c.buffer + 8), 1);
	spc_fixture_close(&e);
}

/* The device's own optimum is reported unchanged, or not at all. */
static void test_optimal_transfer(void **state)
{
	static const struct {
		uint32_t optimal, reported;
	} cases[] = {{1 << 20, 2048}, {33553920, 0}, {SCSI_MAX_TRANSFER, SCSI_MAX_TRANSFER / 512},
		     {4096 + 512, 0}, {0, 0},        {3 * 4096, 24}};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	e.bs->info.physical_block_size = 4096;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		e.bs->info.optimal_io = cases[i].optimal;
		RUN(&e, 0, 0x12, 1, 0xb0, 0, 255, 0);
		assert_int_equal(get_be32(e.c.buffer + 12), cases[i].reported);
	}
	spc_fixture_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_standard),
	    cmocka_unit_test(test_allocation_length),
	    cmocka_unit_test(test_wrong_fields),
	    cmocka_unit_test(test_optimal_transfer),
	    cmocka_unit_test(test_lun_in_cdb),
	    cmocka_unit_test(test_supported_pages),
	    cmocka_unit_test(test_serial),
	    cmocka_unit_test(test_device_identification),
	    cmocka_unit_test(test_extended),
	    cmocka_unit_test(test_identity),
	    cmocka_unit_test(test_front_end_sets_serial_and_limit),
	};

	return cmocka_run_group_tests_name("scsi_inquiry", tests, NULL, NULL);
}
