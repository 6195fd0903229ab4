/* SPDX-License-Identifier: Apache-2.0 */
/* MODE SENSE and MODE SELECT. */
#include "spc_fixture.h"

#include <errno.h>
#include <pthread.h>

#include "scsi/nexus.h"

#define SENSE6(flags, page, subpage)  0x1a, (flags), (page), (subpage), 255, 0
#define SENSE10(flags, page, subpage) 0x5a, (flags), (page), (subpage), 0, 0, 0, 1, 0, 0
#define DBD                           0x08
#define LLBAA                         0x10
#define CHANGEABLE                    0x40
#define DEFAULT                       0x80
#define SAVED                         0xc0
#define PF                            0x10
#define CACHING                       0x08, 0x12
#define CONTROL                       0x0a, 0x0a

/* A header and one page without a block descriptor, in the 6-byte form, as MODE SELECT gets it. */
struct page6 {
	uint8_t header[4], page[20];
};

/* Reads a page's values into a list for MODE SELECT. Returns the list's length. */
static size_t read_page(struct spc_fixture *e, uint8_t code, struct page6 *list)
{
	*list = (struct page6){0};
	assert_int_equal(RUN(e, 1, SENSE6(DBD, code, 0)), SCSI_GOOD);
	memcpy(list->page, e->c.buffer + 4, e->c.cmd.data_in_len - 4);
	return e->c.cmd.data_in_len;
}

static enum scsi_status select_page(struct spc_fixture *e, const struct page6 *list, size_t len)
{
	return RUN_OUT(e, 0, list, len, 0x15, PF, 0, 0, (uint8_t)len, 0);
}

static void test_all_pages(void **state)
{
	static const uint8_t codes[] = {0x01, 0x02, 0x08, 0x0a, 0x1c};
	struct spc_fixture e;
	unsigned at, n = 0;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	for (unsigned subpage = 0; subpage < 256; subpage += 255) {
		assert_int_equal(RUN(&e, 0, SENSE6(0, 0x3f, (uint8_t)subpage)), SCSI_GOOD);
		assert_int_equal(e.c.buffer[0] + 1, e.c.cmd.data_in_len);
		assert_int_equal(e.c.buffer[1], 0);
		assert_int_equal(e.c.buffer[2], 0x10); /* DPOFUA is set and WP is not */
		assert_int_equal(e.c.buffer[3], 8);
		assert_int_equal(get_be32(&e.c.buffer[4]), SPC_BLOCKS);
		assert_int_equal(get_be24(&e.c.buffer[9]), 512);
		for (n = 0, at = 12; at < e.c.cmd.data_in_len; at += e.c.buffer[at + 1] + 2u)
			assert_int_equal(e.c.buffer[at], codes[n++]);
		assert_int_equal(at, e.c.cmd.data_in_len);
		assert_int_equal(n, ARRAY_SIZE(codes));
	}
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		assert_int_equal(RUN(&e, 0, SENSE10(DBD, codes[i], 0)), SCSI_GOOD);
		assert_int_equal(get_be16(e.c.buffer) + 2, e.c.cmd.data_in_len);
		assert_int_equal(e.c.buffer[8], codes[i]);
		assert_int_equal(e.c.buffer[9] + 10, e.c.cmd.data_in_len);
	}
	spc_fixture_close(&e);
}

static void test_block_descriptors(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	RUN(&e, 0, SENSE10(LLBAA, 0x08, 0));
	assert_int_equal(e.c.buffer[4], 1);
	assert_int_equal(get_be16(&e.c.buffer[6]), 16);
	assert_int_equal(get_be64(&e.c.buffer[8]), SPC_BLOCKS);
	assert_int_equal(get_be32(&e.c.buffer[20]), 512);
	assert_int_equal(e.c.buffer[24], 0x08);
	RUN(&e, 0, SENSE10(LLBAA | DBD, 0x08, 0));
	assert_int_equal(e.c.buffer[4], 0);
	assert_int_equal(get_be16(&e.c.buffer[6]), 0);
	e.bs->size = (UINT32_MAX + 5ull) * 512; /* nothing reads these blocks */
	RUN(&e, 0, SENSE10(0, 0x08, 0));
	assert_int_equal(get_be32(&e.c.buffer[8]), UINT32_MAX);
	spc_fixture_close(&e);
}

static void test_page_controls(void **state)
{
	struct spc_fixture e;
	struct page6 list;
	size_t len;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	RUN(&e, 0, SENSE6(DBD, CHANGEABLE | 0x08, 0));
	assert_int_equal(e.c.buffer[6], 0x04);
	RUN(&e, 0, SENSE6(DBD, CHANGEABLE | 0x0a, 0));
	assert_int_equal(e.c.buffer[6], 0x04);
	assert_int_equal(e.c.buffer[8], 0x08);
	len = read_page(&e, 0x08, &list);
	assert_int_equal(list.page[2], 0x04);
	list.page[2] = 0;
	assert_int_equal(select_page(&e, &list, len), SCSI_GOOD);
	RUN(&e, 0, SENSE6(DBD, 0x08, 0));
	assert_int_equal(e.c.buffer[6], 0);
	RUN(&e, 0, SENSE6(DBD, DEFAULT | 0x08, 0));
	assert_int_equal(e.c.buffer[6], 0x04);
	RUN(&e, 0, SENSE6(DBD, SAVED | 0x08, 0));
	assert_sense(&e, SENSE_SAVING_NOT_SUPPORTED);
	RUN(&e, 0, SENSE10(0, SAVED | 0x3f, 0));
	assert_sense(&e, SENSE_SAVING_NOT_SUPPORTED);
	spc_fixture_close(&e);
}

static void test_sense_wrong_fields(void **state)
{
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	RUN(&e, 0, SENSE6(0, 0x0b, 0));
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 2, 5);
	RUN(&e, 0, SENSE6(0, 0x0a, 1));
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 3, -1);
	RUN(&e, 0, SENSE6(0, 0x3f, 1));
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 3, -1);
	RUN(&e, 0, SENSE6(LLBAA, 0x08, 0)); /* the 6-byte CDB does not have this bit */
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 1, 4);
	for (uint8_t len = 0; len < 12; len++) {
		assert_int_equal(RUN(&e, 0, 0x1a, 0, 0x3f, 0, len, 0), SCSI_GOOD);
		assert_int_equal(e.c.cmd.data_in_len, len);
		if (len)
			assert_int_equal(e.c.buffer[0], 4 + 8 + 12 + 16 + 20 + 12 + 12 - 1);
	}
	spc_fixture_close(&e);
}

/*
 * WCE has an effect: without it, each write goes to the medium, and data that was cached before is flushed
 * first.
 */
static void test_write_cache(void **state)
{
	struct spc_fixture e;
	struct page6 list;
	size_t len;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	len = read_page(&e, 0x08, &list);
	list.page[2] = 0;
	assert_int_equal(select_page(&e, &list, len), SCSI_GOOD);
	assert_int_equal(e.bs->ncalls, 1);
	assert_int_equal(fake_last(e.bs)->op, BACKSTORE_FLUSH);
	assert_true(scsi_lu_gate(e.lu) & SCSI_GATE_WRITE_THROUGH);
	RUN_OUT(&e, 0, (uint8_t[512]){0}, 512, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	assert_true(fake_last(e.bs)->flags & TCMUR_IO_FUA);
	/* The other nexus gets a unit attention, and this one does not. */
	RUN(&e, 1, 0, 0, 0, 0, 0, 0);
	assert_sense(&e, SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x01));
	assert_int_equal(RUN(&e, 0, 0, 0, 0, 0, 0, 0), SCSI_GOOD);
	/* The same values again change nothing. */
	assert_int_equal(select_page(&e, &list, len), SCSI_GOOD);
	assert_int_equal(e.bs->ncalls, 2);
	assert_int_equal(scsi_ua_peek(&e.nexus[1]), SENSE_NONE);
	list.page[2] = 0x04;
	assert_int_equal(select_page(&e, &list, len), SCSI_GOOD);
	assert_false(scsi_lu_gate(e.lu) & SCSI_GATE_WRITE_THROUGH);
	spc_fixture_close(&e);
}

static void test_failed_flush(void **state)
{
	struct spc_fixture e;
	struct page6 list;
	size_t len;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	e.bs->fail_at = 1;
	e.bs->fail_with = TCMUR_WRITE_ERROR;
	len = read_page(&e, 0x08, &list);
	list.page[2] = 0;
	select_page(&e, &list, len);
	assert_sense(&e, SENSE_WRITE_ERROR);
	spc_fixture_close(&e);
}

static void without_cache(struct backstore *bs)
{
	bs->info.write_cache = false;
}

static void cache_off(struct backstore *bs)
{
	bs->info.write_cache_off = true;
}

static void test_without_write_cache(void **state)
{
	struct spc_fixture e;
	struct page6 list;
	size_t len;

	(void)state;
	spc_fixture_open(&e, 1, without_cache);
	assert_false(scsi_lu_gate(e.lu) & SCSI_GATE_WRITE_THROUGH);
	len = read_page(&e, 0x08, &list);
	assert_int_equal(list.page[2], 0);
	list.page[2] = 0x04;
	select_page(&e, &list, len);
	assert_field(&e, SENSE_INVALID_FIELD_IN_LIST, 6, 2);
	spc_fixture_close(&e);

	spc_fixture_open(&e, 1, cache_off);
	assert_true(scsi_lu_gate(e.lu) & SCSI_GATE_WRITE_THROUGH);
	/* It stays off: a reset would switch it off again, and then nothing would be flushed. */
	len = read_page(&e, 0x08, &list);
	list.page[2] = 0x04;
	select_page(&e, &list, len);
	assert_field(&e, SENSE_INVALID_FIELD_IN_LIST, 6, 2);
	RUN(&e, 0, SENSE6(DBD, CHANGEABLE | 0x08, 0));
	assert_int_equal(e.c.buffer[6], 0);
	spc_fixture_close(&e);
}

static void test_control_page(void **state)
{
	struct spc_fixture e;
	struct page6 list;
	size_t len;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	len = read_page(&e, 0x0a, &list);
	list.page[2] |= 0x04; /* D_SENSE */
	list.page[4] |= 0x08; /* SWP */
	e.bs->ncalls = 0;
	assert_int_equal(select_page(&e, &list, len), SCSI_GOOD);
	assert_int_equal(e.bs->ncalls, 1); /* cached blocks are on the medium before it is protected */
	assert_int_equal(fake_last(e.bs)->op, BACKSTORE_FLUSH);
	RUN_OUT(&e, 0, (uint8_t[512]){0}, 512, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	assert_sense(&e, SENSE_WRITE_PROTECTED);
	assert_int_equal(e.c.cmd.sense[0], 0x72);
	RUN(&e, 0, SENSE6(0, 0x3f, 0));
	assert_int_equal(e.c.buffer[2], 0x90); /* WP */
	spc_fixture_close(&e);
}

static void test_task_aborted_status(void **state)
{
	struct spc_fixture e;
	struct page6 list;
	size_t len;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	len = read_page(&e, 0x0a, &list);
	assert_int_equal(list.page[5], 0x40); /* TAS */
	RUN(&e, 1, SENSE6(DBD, CHANGEABLE | 0x0a, 0));
	assert_int_equal(e.c.buffer[4 + 5], 0x40);
	RUN(&e, 1, SENSE6(DBD, DEFAULT | 0x0a, 0));
	assert_int_equal(e.c.buffer[4 + 5], 0x40);
	list.page[5] = 0;
	assert_int_equal(select_page(&e, &list, len), SCSI_GOOD);
	assert_int_equal(scsi_ua_pop(&e.nexus[1]), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x01));
	read_page(&e, 0x0a, &list);
	assert_int_equal(list.page[5], 0);
	spc_fixture_close(&e);
}

static void test_select_wrong_cdb(void **state)
{
	static const struct page6 list = {.page = {CACHING, 0x04}};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	RUN_OUT(&e, 0, &list, 24, 0x15, PF | 1, 0, 0, 24, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 1, 0);
	RUN_OUT(&e, 0, &list, 24, 0x15, 0, 0, 0, 24, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_CDB, 1, 4);
	assert_int_equal(RUN(&e, 0, 0x15, 0, 0, 0, 0, 0), SCSI_GOOD);
	assert_int_equal(RUN(&e, 0, 0x55, PF, 0, 0, 0, 0, 0, 0, 0, 0), SCSI_GOOD);
	spc_fixture_close(&e);
}

static void test_select_lengths(void **state)
{
	static const struct page6 list = {.page = {CACHING, 0x04}};
	static const uint8_t big[300];
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	for (uint8_t len = 1; len < 24; len++) {
		RUN_OUT(&e, 0, &list, len, 0x15, PF, 0, 0, len, 0);
		if (len == 4) /* a list with only a header is complete */
			assert_int_equal(e.c.cmd.status, SCSI_GOOD);
		else
			assert_sense(&e, SENSE_LIST_LENGTH_ERROR);
	}
	RUN_OUT(&e, 0, &list, 20, 0x15, PF, 0, 0, 24, 0); /* less data arrives than is announced */
	assert_sense(&e, SENSE_LIST_LENGTH_ERROR);
	RUN_OUT(&e, 0, big, sizeof(big), 0x55, PF, 0, 0, 0, 0, 0, 1, 44, 0);
	assert_sense(&e, SENSE_LIST_LENGTH_ERROR);
	spc_fixture_close(&e);
}

static void test_select_wrong_lists(void **state)
{
	static const struct {
		struct page6 list;
		uint8_t byte;
		int8_t bit;
	} cases[] = {
	    {{.header = {0, 1, 0, 0}, .page = {CACHING, 0x04}}, 1, -1}, /* MEDIUM TYPE */
	    {{.header = {0, 0, 0, 7}, .page = {CACHING, 0x04}}, 3, -1}, /* BLOCK DESCRIPTOR LENGTH */
	    {{.page = {0x09, 0x12}}, 4, 5},                             /* there is no such page */
	    {{.page = {0x48, 0x01}}, 4, 6},                             /* SPF */
	    {{.page = {0x08, 0x0a}}, 5, -1},                            /* PAGE LENGTH */
	    {{.page = {CACHING, 0x05}}, 6, 0},                          /* RCD */
	    {{.page = {CACHING, 0x04, [12] = 0x20}}, 16, 5},            /* DRA */
	};
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		select_page(&e, &cases[i].list, sizeof(cases[i].list));
		assert_field(&e, SENSE_INVALID_FIELD_IN_LIST, cases[i].byte, cases[i].bit);
	}
	assert_int_equal(scsi_ua_peek(&e.nexus[1]), SENSE_NONE);
	spc_fixture_close(&e);
}

/* The result of MODE SENSE (10) may be sent back, including the block descriptors. */
static void test_select_round_trip(void **state)
{
	static const uint8_t flags[] = {0, DBD, LLBAA};
	uint8_t list[256];
	struct spc_fixture e;
	size_t len;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
		RUN(&e, 0, SENSE10(flags[i], 0x3f, 0));
		len = e.c.cmd.data_in_len;
		memcpy(list, e.c.buffer, len);
		RUN_OUT(&e, 0, list, len, 0x55, PF, 0, 0, 0, 0, 0, 0, (uint8_t)len, 0);
		assert_int_equal(e.c.cmd.status, SCSI_GOOD);
	}
	/* Another capacity or block length is refused. */
	list[8 + 7]--;
	RUN_OUT(&e, 0, list, len, 0x55, PF, 0, 0, 0, 0, 0, 0, (uint8_t)len, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_LIST, 8, -1);
	list[8 + 7]++;
	list[8 + 14] = 16;
	RUN_OUT(&e, 0, list, len, 0x55, PF, 0, 0, 0, 0, 0, 0, (uint8_t)len, 0);
	assert_field(&e, SENSE_INVALID_FIELD_IN_LIST, 20, -1);
	spc_fixture_close(&e);
}

/* --- two nexuses at the same time, each with a page of its own --- */

struct switcher {
	struct spc_fixture *e;
	unsigned i;
	uint8_t list[4 + 20]; /* The list with the page as it is when the bit is off. */
	uint8_t len, at, bit; /* The length, and the byte and bit that are switched. */
	unsigned lost;        /* The number of changes that the other nexus has undone. */
};

static bool is_on(const struct switcher *s)
{
	struct scsi_lu *lu = s->e->lu;
	bool on;

	pthread_mutex_lock(&lu->lock);
	on = s->i ? lu->mode.d_sense : lu->mode.wce;
	pthread_mutex_unlock(&lu->lock);
	return on;
}

static enum scsi_status select_once(struct switcher *s)
{
	const uint8_t cdb[6] = {0x15, PF, 0, 0, s->len, 0};
	struct fake_cmd c;

	scsi_ua_pop(&s->e->nexus[s->i]); /* MODE PARAMETERS CHANGED, because of the other nexus */
	fake_cmd_init(&c, s->e->lu, &s->e->nexus[s->i], cdb, sizeof(cdb));
	c.cmd.loop = fake_loop(s->i);
	scsi_parse(&c.cmd);
	c.iov[0] = (struct iovec){s->list, s->len};
	c.cmd.iov = c.iov;
	c.cmd.iovcnt = 1;
	c.cmd.data_out_len = s->len;
	scsi_submit(&c.cmd);
	return c.cmd.status;
}

static void *switch_often(void *arg)
{
	struct switcher *s = arg;

	for (unsigned n = 0; n < 20000; n++) {
		s->list[s->at] ^= s->bit;
		while (select_once(s) != SCSI_GOOD)
			;
		s->lost += is_on(s) != !!(s->list[s->at] & s->bit);
	}
	return NULL;
}

static void no_flush(struct backstore *bs)
{
	bs->no_flush = true;
}

static void test_selects_at_a_time(void **state)
{
	struct spc_fixture e;
	struct switcher switchers[2] = {
	    {.e = &e, .i = 0, .list = {[4] = 0x08, 18}, .len = 24, .at = 6, .bit = 0x04},
	    {.e = &e,
	     .i = 1,
	     .list = {[4] = 0x0a, 10, 0x02, 0x10, [12] = 0xff, 0xff},
	     .len = 16,
	     .at = 6,
	     .bit = 0x04},
	};
	pthread_t thread;

	(void)state;
	spc_fixture_open(&e, 2, no_flush);
	assert_int_equal(pthread_create(&thread, NULL, switch_often, &switchers[1]), 0);
	switch_often(&switchers[0]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(switchers[0].lost, 0);
	assert_int_equal(switchers[1].lost, 0);
	spc_fixture_close(&e);
}

/* The value that an administrator sets is the new default, which a reset restores. */
static void test_administrator_switches_write_cache(void **state)
{
	struct page6 list;
	struct spc_fixture e;

	(void)state;
	spc_fixture_open(&e, 1, NULL);
	assert_int_equal(scsi_lu_set_write_cache(e.lu, true), 0); /* no change, and no unit attention */
	assert_int_equal(RUN(&e, 0, SENSE6(DBD, 0x08, 0)), SCSI_GOOD);
	assert_int_equal(scsi_lu_set_write_cache(e.lu, false), 0);
	for (unsigned nexus = 0; nexus < 2; nexus++)
		assert_int_equal(scsi_ua_pop(&e.nexus[nexus]), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x01));
	read_page(&e, 0x08, &list);
	assert_int_equal(list.page[2], 0);
	assert_true(scsi_lu_gate(e.lu) & SCSI_GATE_WRITE_THROUGH);
	RUN(&e, 0, SENSE6(DBD, DEFAULT | 0x08, 0));
	assert_int_equal(e.c.buffer[6], 0);
	spc_fixture_close(&e);

	spc_fixture_open(&e, 1, without_cache);
	assert_int_equal(scsi_lu_set_write_cache(e.lu, false), 0);
	assert_int_equal(scsi_lu_set_write_cache(e.lu, true), -EOPNOTSUPP);
	assert_false(scsi_lu_has_write_cache(e.lu));
	spc_fixture_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_pages),
	    cmocka_unit_test(test_block_descriptors),
	    cmocka_unit_test(test_page_controls),
	    cmocka_unit_test(test_sense_wrong_fields),
	    cmocka_unit_test(test_write_cache),
	    cmocka_unit_test(test_failed_flush),
	    cmocka_unit_test(test_without_write_cache),
	    cmocka_unit_test(test_control_page),
	    cmocka_unit_test(test_task_aborted_status),
	    cmocka_unit_test(test_select_wrong_cdb),
	    cmocka_unit_test(test_select_lengths),
	    cmocka_unit_test(test_select_wrong_lists),
	    cmocka_unit_test(test_select_round_trip),
	    cmocka_unit_test(test_selects_at_a_time),
	    cmocka_unit_test(test_administrator_switches_write_cache),
	};

	return cmocka_run_group_tests_name("scsi_mode", tests, NULL, NULL);
}
