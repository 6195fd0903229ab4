/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares random block commands with a model of the medium: an array, and what each command must do to it. A
 * seed, which is printed, determines the order of commands. SBC_MODEL_SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "sbc_fixture.h"
#include "util/bytes.h"

#define BLOCKS 64
#define ROUNDS 4000
#define MOST   16 /* The largest number of blocks of a command. */

struct model {
	struct sbc_fixture e;
	uint8_t medium[BLOCKS * 4096];
	uint8_t data[2 * MOST * 4096];
	uint64_t random;
};

static uint32_t next_random(struct model *m, uint32_t below)
{
	m->random = m->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(m->random >> 33) % below;
}

/* Uses few different bytes, so that comparisons succeed and zeros occur. */
static void random_data(struct model *m, size_t len)
{
	for (size_t at = 0; at < len; at += 512)
		memset(m->data + at, (int)next_random(m, 3), 512);
}

static void model_read(struct model *m, uint64_t lba, uint32_t n)
{
	static const uint8_t ops[] = {0x08, 0x28, 0xa8, 0x88};
	static uint8_t got[MOST * 4096];
	size_t len = (size_t)n * m->e.block;

	m->e.c.cmd.may_lend = next_random(m, 2);
	assert_int_equal(sbc_fixture_run(&m->e, ops[next_random(m, 4)], 0, lba, n, NULL, 0), SCSI_GOOD);
	assert_int_equal(sbc_fixture_data(&m->e, got, sizeof(got)), len);
	assert_memory_equal(got, m->medium + lba * m->e.block, len);
}

static void model_write(struct model *m, uint64_t lba, uint32_t n)
{
	static const uint8_t ops[] = {0x0a, 0x2a, 0xaa, 0x8a, 0x2e, 0xae, 0x8e};
	size_t len = (size_t)n * m->e.block, sent = next_random(m, 4) ? len : next_random(m, (uint32_t)len);
	bool complete = sent == len;

	random_data(m, len);
	assert_int_equal(sbc_fixture_run(&m->e, ops[next_random(m, 7)], 0, lba, n, m->data, sent),
			 complete ? SCSI_GOOD : SCSI_CHECK_CONDITION);
	if (complete)
		memcpy(m->medium + lba * m->e.block, m->data, len);
}

static void model_orwrite(struct model *m, uint64_t lba, uint32_t n)
{
	size_t len = (size_t)n * m->e.block;

	random_data(m, len);
	assert_int_equal(sbc_fixture_run(&m->e, 0x8b, 0, lba, n, m->data, len), SCSI_GOOD);
	for (size_t i = 0; i < len; i++)
		m->medium[lba * m->e.block + i] |= m->data[i];
}

static void model_compare(struct model *m, uint64_t lba, uint32_t n)
{
	size_t len = (size_t)n * m->e.block;
	uint8_t *medium = m->medium + lba * m->e.block;
	bool equal;

	random_data(m, 2 * len);
	if (next_random(m, 2))
		memcpy(m->data, medium, len);
	equal = memcmp(m->data, medium, len) == 0;
	assert_int_equal(sbc_fixture_run(&m->e, 0x89, 0, lba, n, m->data, 2 * len),
			 equal ? SCSI_GOOD : SCSI_CHECK_CONDITION);
	if (equal) {
		memcpy(medium, m->data + len, len);
	} else {
		size_t at = fake_information(&m->e.c.cmd);

		assert_memory_equal(m->data, medium, at);
		assert_int_not_equal(m->data[at], medium[at]);
	}
}

static void model_verify(struct model *m, uint64_t lba, uint32_t n)
{
	size_t len = (size_t)n * m->e.block;
	bool equal;

	random_data(m, len);
	if (next_random(m, 2))
		memcpy(m->data, m->medium + lba * m->e.block, len);
	equal = memcmp(m->data, m->medium + lba * m->e.block, len) == 0;
	assert_int_equal(sbc_fixture_run(&m->e, 0x8f, 0x02, lba, n, m->data, len),
			 equal ? SCSI_GOOD : SCSI_CHECK_CONDITION);
}

static void model_write_same(struct model *m, uint64_t lba, uint32_t n)
{
	uint8_t flags = next_random(m, 2) ? 0x08 : 0, ndob = next_random(m, 2) ? 0x01 : 0;

	random_data(m, m->e.block);
	if (ndob)
		memset(m->data, 0, m->e.block);
	assert_int_equal(sbc_fixture_run(&m->e, 0x93, flags | ndob, lba, n, m->data, ndob ? 0 : m->e.block),
			 SCSI_GOOD);
	for (uint32_t i = 0; i < n; i++)
		memcpy(m->medium + (lba + i) * m->e.block, m->data, m->e.block);
}

static void model_unmap(struct model *m, uint64_t lba, uint32_t n)
{
	uint8_t list[8 + 3 * 16] = {0};

	put_be16(list, sizeof(list) - 2);
	put_be16(list + 2, sizeof(list) - 8);
	for (unsigned i = 0; i < 3; i++) {
		put_be64(list + 8 + i * 16, lba);
		put_be32(list + 16 + i * 16, n);
		memset(m->medium + lba * m->e.block, 0, (size_t)n * m->e.block);
		n = next_random(m, MOST);
		lba = next_random(m, BLOCKS - n);
	}
	assert_int_equal(sbc_fixture_run(&m->e, 0x42, 0, 0, sizeof(list), list, sizeof(list)), SCSI_GOOD);
}

static void model_run(struct model *m, uint32_t block_size)
{
	static void (*const commands[])(struct model * m, uint64_t lba, uint32_t n) = {
	    model_read,   model_write,      model_orwrite, model_compare,
	    model_verify, model_write_same, model_unmap,
	};

	sbc_fixture_open(&m->e, BLOCKS, block_size, NULL);
	m->e.bs->lend_piece = 32 << 10;
	memset(m->medium, 0, sizeof(m->medium));
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint32_t n = 1 + next_random(m, MOST);

		m->e.bs->defer = next_random(m, 2);
		m->e.bs->can_lend = next_random(m, 2);
		m->e.c.pieces = next_random(m, 8);
		commands[next_random(m, ARRAY_SIZE(commands))](m, next_random(m, BLOCKS - n + 1), n);
		assert_memory_equal(m->e.bs->data, m->medium, BLOCKS * block_size);
	}
	sbc_fixture_close(&m->e);
}

static void test_model(void **state)
{
	static struct model m;
	const char *seed = getenv("SBC_MODEL_SEED");

	(void)state;
	m.random = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	print_message("SBC_MODEL_SEED=%llu\n", (unsigned long long)m.random);
	model_run(&m, 512);
	model_run(&m, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};

	return cmocka_run_group_tests_name("sbc_model", tests, NULL, NULL);
}
