/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule of the ring, tested with the fake kernel. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_ring.h"
#include "ring/ring.h"

#define RING_SIZE 4096u
#define DATA_SIZE (1u << 20)
#define ALL_FLAGS (TCMU_FLAG_OOOC | TCMU_FLAG_READ_LEN | TCMU_FLAG_TMR)

static const uint8_t read10[10] = {0x28, [8] = 8};
static const struct tcmu_uiov one_page = {0, 4096};

static void attach(struct fake_ring *fake, struct tcmu_ring *ring)
{
	fake_ring_init(fake, RING_SIZE, DATA_SIZE, ALL_FLAGS);
	assert_int_equal(tcmu_ring_attach(ring, fake->map, fake->map_len, NULL), 0);
}

static void finish(struct tcmu_ring *ring, uint16_t id, uint8_t status)
{
	uint8_t sense[TCMU_SENSE_LEN] = {0x70, 0, 0x05};

	tcmu_ring_complete(ring, &(struct tcmu_response){.cmd_id = id,
							 .scsi_status = status,
							 .sense = sense,
							 .sense_len = status ? sizeof(sense) : 0});
}

static void test_attach_refuses(void **state)
{
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct error error;
	struct tcmu_mailbox *mb;

	(void)state;
	fake_ring_init(&fake, RING_SIZE, DATA_SIZE, 0);
	mb = (void *)fake.map;
	assert_int_equal(tcmu_ring_attach(&ring, fake.map, fake.map_len, &error), -EPROTONOSUPPORT);
	assert_non_null(strstr(error.text, "out of order"));
	mb->flags = ALL_FLAGS;
	mb->version = 3;
	assert_int_equal(tcmu_ring_attach(&ring, fake.map, fake.map_len, &error), -EPROTONOSUPPORT);
	mb->version = TCMU_UAPI_VERSION;
	assert_int_equal(tcmu_ring_attach(&ring, fake.map, 64, &error), -EINVAL);
	assert_int_equal(tcmu_ring_attach(&ring, fake.map, 2048, &error), -EINVAL);
	mb->cmd_tail = 12;
	assert_int_equal(tcmu_ring_attach(&ring, fake.map, fake.map_len, &error), -EINVAL);
	mb->cmd_tail = RING_SIZE;
	assert_int_equal(tcmu_ring_attach(&ring, fake.map, fake.map_len, &error), -EINVAL);
	fake_ring_free(&fake);
}

static void test_fetch_decodes(void **state)
{
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct tcmu_request req;
	struct tcmu_uiov iov[2] = {{4096, 8192}, {65536, 512}};
	struct iovec out[2];

	(void)state;
	attach(&fake, &ring);
	assert_int_equal(tcmu_ring_fetch(&ring, &req), 0);
	int id = fake_ring_put(&fake, read10, sizeof(read10), iov, 2);
	assert_true(tcmu_ring_pending(&ring));
	assert_int_equal(tcmu_ring_fetch(&ring, &req), 1);
	assert_false(tcmu_ring_pending(&ring));
	assert_int_equal(req.op, TCMU_OP_CMD);
	assert_false(req.malformed);
	assert_int_equal(req.cmd_id, id);
	assert_int_equal(req.cdb_len, 10);
	assert_memory_equal(req.cdb, read10, 10);
	assert_int_equal(req.data_len, 8704);
	assert_int_equal(tcmu_ring_iovecs(&ring, &req, out), 2);
	assert_ptr_equal(out[1].iov_base, fake.map + fake.data_off + 65536);
	assert_int_equal(out[1].iov_len, 512);
	finish(&ring, (uint16_t)id, 0);
	assert_true(tcmu_ring_publish(&ring));
	assert_false(tcmu_ring_publish(&ring));
	assert_int_equal(fake_ring_reap(&fake), 1);
	assert_int_equal(fake.status[id], 0);
	assert_true(fake_ring_idle(&fake));
	fake_ring_free(&fake);
}

/* If B is completed before A, its completion uses A's place in the ring. Each ID must get its own status. */
static void test_out_of_order(void **state)
{
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct tcmu_request req;

	(void)state;
	attach(&fake, &ring);
	int a = fake_ring_put(&fake, read10, sizeof(read10), &one_page, 1);
	int b = fake_ring_put(&fake, read10, sizeof(read10), &one_page, 1);
	while (tcmu_ring_fetch(&ring, &req) == 1)
		;
	finish(&ring, (uint16_t)b, 2);
	assert_true(tcmu_ring_publish(&ring));
	assert_int_equal(fake_ring_reap(&fake), 1);
	assert_int_equal(fake.status[b], 2);
	assert_int_equal(fake.sense_key[b], 5);
	finish(&ring, (uint16_t)a, 0);
	assert_true(tcmu_ring_publish(&ring));
	assert_int_equal(fake_ring_reap(&fake), 1);
	assert_int_equal(fake.status[a], 0);
	assert_true(fake_ring_idle(&fake));
	fake_ring_free(&fake);
}

static void test_read_len(void **state)
{
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct tcmu_request req;

	(void)state;
	attach(&fake, &ring);
	int id = fake_ring_put(&fake, read10, sizeof(read10), &one_page, 1);
	assert_int_equal(tcmu_ring_fetch(&ring, &req), 1);
	tcmu_ring_complete(&ring, &(struct tcmu_response){.cmd_id = (uint16_t)id, .read_len = 36});
	assert_true(tcmu_ring_publish(&ring));
	fake_ring_reap(&fake);
	assert_int_equal(fake.read_len[id], 36);
	fake_ring_free(&fake);
}

/*
 * If nothing is outstanding, a notice must not leave the tail behind the head, because the kernel's ring
 * would fill up.
 */
static void test_tmr_alone_is_published(void **state)
{
	const uint16_t ids[3] = {7, 8, 9};
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct tcmu_request req;

	(void)state;
	attach(&fake, &ring);
	assert_true(fake_ring_put_tmr(&fake, 5, ids, 3));
	assert_int_equal(tcmu_ring_fetch(&ring, &req), 1);
	assert_int_equal(req.op, TCMU_OP_TMR);
	assert_int_equal(req.tmr_type, 5);
	assert_int_equal(req.tmr_count, 3);
	assert_int_equal(req.tmr_ids[2], 9);
	assert_int_equal(tcmu_ring_fetch(&ring, &req), 0);
	assert_true(tcmu_ring_publish(&ring));
	fake_ring_reap(&fake);
	assert_true(fake_ring_idle(&fake));
	fake_ring_free(&fake);
}

static void test_unknown_entry_is_stepped_over(void **state)
{
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct tcmu_request req;

	(void)state;
	attach(&fake, &ring);
	struct tcmu_hdr *hdr = fake_ring_put_raw(&fake, 64 | 5, 64);
	int id = fake_ring_put(&fake, read10, sizeof(read10), &one_page, 1);
	assert_int_equal(tcmu_ring_fetch(&ring, &req), 1);
	assert_int_equal(req.cmd_id, id);
	assert_true(hdr->uflags & TCMU_UFLAG_UNKNOWN_OP);
	finish(&ring, (uint16_t)id, 0);
	tcmu_ring_publish(&ring);
	assert_int_equal(fake_ring_reap(&fake), 1);
	fake_ring_free(&fake);
}

static void expect_broken(uint32_t len_op, uint32_t len)
{
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct tcmu_request req;

	attach(&fake, &ring);
	fake_ring_put_raw(&fake, len_op, len);
	assert_int_equal(tcmu_ring_fetch(&ring, &req), -EPROTO);
	assert_true(ring.broken);
	assert_int_equal(tcmu_ring_fetch(&ring, &req), -EPROTO);
	assert_false(tcmu_ring_publish(&ring));
	fake_ring_free(&fake);
}

static void test_unframed_entries_break(void **state)
{
	(void)state;
	expect_broken(0 | TCMU_OP_PAD, 128);    /* length 0: the daemon would never continue */
	expect_broken(256 | TCMU_OP_CMD, 128);  /* past the head */
	expect_broken(8192 | TCMU_OP_CMD, 128); /* past the end of the ring */
	expect_broken(64 | TCMU_OP_CMD, 64);    /* there is no room for the response */
	expect_broken(0xfffffff8 | TCMU_OP_CMD, 128);
}

static void test_head_out_of_range_breaks(void **state)
{
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct tcmu_request req;
	struct tcmu_mailbox *mb;

	(void)state;
	attach(&fake, &ring);
	mb = (void *)fake.map;
	mb->cmd_head = RING_SIZE + 8;
	assert_int_equal(tcmu_ring_fetch(&ring, &req), -EPROTO);
	fake_ring_free(&fake);
	attach(&fake, &ring);
	mb = (void *)fake.map;
	mb->cmd_head = 20;
	assert_int_equal(tcmu_ring_fetch(&ring, &req), -EPROTO);
	fake_ring_free(&fake);
}

/* The head goes around the ring and overtakes commands that are not completed. */
static void test_lap_breaks(void **state)
{
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct tcmu_request req;
	struct tcmu_mailbox *mb;

	(void)state;
	attach(&fake, &ring);
	mb = (void *)fake.map;
	for (uint32_t at = 0; at < RING_SIZE; at += RING_SIZE / 4)
		*(struct tcmu_hdr *)(void *)(fake.map + mb->cmdr_off + at) =
		    (struct tcmu_hdr){.len_op = RING_SIZE / 4 | TCMU_OP_CMD};
	mb->cmd_head = RING_SIZE / 4 * 3;
	for (int i = 0; i < 3; i++)
		assert_int_equal(tcmu_ring_fetch(&ring, &req), 1);
	mb->cmd_head = 0;
	assert_int_equal(tcmu_ring_fetch(&ring, &req), -EPROTO);
	for (int i = 0; i < 3; i++)
		finish(&ring, 0, 2);
	assert_true(tcmu_ring_publish(&ring));
	assert_int_equal(mb->cmd_tail, RING_SIZE / 4 * 3);
	fake_ring_free(&fake);
}

/*
 * Entries with a valid frame, whose contents lead outside of the ring, are answered. They are neither run nor
 * followed.
 */
static void expect_malformed(void (*spoil)(struct tcmu_cmd_request *cmd, struct fake_ring *fake))
{
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct tcmu_request req;

	attach(&fake, &ring);
	int id = fake_ring_put(&fake, read10, sizeof(read10), &one_page, 1);
	spoil((void *)(fake.map + 128), &fake);
	assert_int_equal(tcmu_ring_fetch(&ring, &req), 1);
	assert_true(req.malformed);
	assert_int_equal(req.cmd_id, id);
	assert_int_equal(req.iov_cnt, 0);
	finish(&ring, (uint16_t)id, 2);
	assert_true(tcmu_ring_publish(&ring));
	assert_int_equal(fake_ring_reap(&fake), 1);
	fake_ring_free(&fake);
}

static void spoil_iov_count(struct tcmu_cmd_request *cmd, struct fake_ring *fake)
{
	(void)fake;
	cmd->iov_cnt = 0x10000000;
}

static void spoil_iov_before(struct tcmu_cmd_request *cmd, struct fake_ring *fake)
{
	cmd->iov[0].base = fake->data_off - 8;
}

static void spoil_iov_end(struct tcmu_cmd_request *cmd, struct fake_ring *fake)
{
	cmd->iov[0].base = fake->map_len - 8;
}

static void spoil_iov_overflow(struct tcmu_cmd_request *cmd, struct fake_ring *fake)
{
	(void)fake;
	cmd->iov[0].len = UINT64_MAX;
}

static void spoil_cdb_outside(struct tcmu_cmd_request *cmd, struct fake_ring *fake)
{
	cmd->cdb_off = fake->map_len - 1;
}

static void spoil_cdb_short(struct tcmu_cmd_request *cmd, struct fake_ring *fake)
{
	(void)fake;
	cmd->cdb_off += 10;
	((uint8_t *)cmd)[cmd->cdb_off - 128] = 0x88;
}

static void spoil_cdb_variable(struct tcmu_cmd_request *cmd, struct fake_ring *fake)
{
	fake->map[cmd->cdb_off] = 0x7f;
	fake->map[cmd->cdb_off + 7] = 0xff;
}

static void test_malformed_contents(void **state)
{
	(void)state;
	expect_malformed(spoil_iov_count);
	expect_malformed(spoil_iov_before);
	expect_malformed(spoil_iov_end);
	expect_malformed(spoil_iov_overflow);
	expect_malformed(spoil_cdb_outside);
	expect_malformed(spoil_cdb_short);
	expect_malformed(spoil_cdb_variable);
}

/* After a clean stop, the next daemon continues at cmd_tail, and finds the commands that have waited. */
static void test_continue_at_tail(void **state)
{
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct tcmu_request req;

	(void)state;
	attach(&fake, &ring);
	int a = fake_ring_put(&fake, read10, sizeof(read10), &one_page, 1);
	assert_int_equal(tcmu_ring_fetch(&ring, &req), 1);
	finish(&ring, (uint16_t)a, 0);
	tcmu_ring_publish(&ring);
	int b = fake_ring_put(&fake, read10, sizeof(read10), &one_page, 1);
	assert_int_equal(tcmu_ring_attach(&ring, fake.map, fake.map_len, NULL), 0);
	assert_int_equal(tcmu_ring_fetch(&ring, &req), 1);
	assert_int_equal(req.cmd_id, b);
	finish(&ring, (uint16_t)b, 0);
	tcmu_ring_publish(&ring);
	assert_int_equal(fake_ring_reap(&fake), 2);
	fake_ring_free(&fake);
}

/*
 * Thousands of commands of many sizes go through a small ring and are completed in random order, with notices
 * between them.
 */
static void test_random_traffic(void **state)
{
	struct fake_ring fake;
	struct tcmu_ring ring;
	struct tcmu_request req;
	uint16_t held[FAKE_IDS];
	unsigned nheld = 0, put = 0;

	(void)state;
	srand(1);
	attach(&fake, &ring);
	for (int round = 0; round < 20000; round++) {
		struct tcmu_uiov iov[8] = {0};
		uint32_t cnt = (uint32_t)rand() % 8;
		uint16_t tmr_id = 1;

		for (uint32_t i = 0; i < cnt; i++)
			iov[i] = (struct tcmu_uiov){i * 4096, 4096};
		if (rand() % 8 == 0)
			fake_ring_put_tmr(&fake, 1, &tmr_id, 1);
		else if (fake_ring_put(&fake, read10, sizeof(read10), iov, cnt) >= 0)
			put++;
		while (rand() % 2 && tcmu_ring_fetch(&ring, &req) == 1)
			if (req.op == TCMU_OP_CMD)
				held[nheld++] = req.cmd_id;
		while (nheld && rand() % 3) {
			unsigned pick = (unsigned)rand() % nheld;

			finish(&ring, held[pick], 0);
			held[pick] = held[--nheld];
		}
		if (rand() % 2 && tcmu_ring_publish(&ring))
			fake_ring_reap(&fake);
	}
	while (tcmu_ring_fetch(&ring, &req) == 1)
		if (req.op == TCMU_OP_CMD)
			held[nheld++] = req.cmd_id;
	while (nheld)
		finish(&ring, held[--nheld], 0);
	tcmu_ring_publish(&ring);
	fake_ring_reap(&fake);
	assert_int_equal(fake.completions, put);
	assert_true(put > 5000);
	assert_true(fake_ring_idle(&fake));
	fake_ring_free(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_attach_refuses),
	    cmocka_unit_test(test_fetch_decodes),
	    cmocka_unit_test(test_out_of_order),
	    cmocka_unit_test(test_read_len),
	    cmocka_unit_test(test_tmr_alone_is_published),
	    cmocka_unit_test(test_unknown_entry_is_stepped_over),
	    cmocka_unit_test(test_unframed_entries_break),
	    cmocka_unit_test(test_head_out_of_range_breaks),
	    cmocka_unit_test(test_lap_breaks),
	    cmocka_unit_test(test_malformed_contents),
	    cmocka_unit_test(test_continue_at_tail),
	    cmocka_unit_test(test_random_traffic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
