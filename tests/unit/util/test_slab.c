/* SPDX-License-Identifier: Apache-2.0 */
/* Slabs hand out aligned objects and take them back. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/slab.h"

#define MANY 5000

static void objects_do_not_overlap(void **state)
{
	static uint32_t *objects[MANY];
	struct slab slab;

	(void)state;
	slab_init(&slab, 100);
	assert_int_equal(slab.size, 128);
	for (uint32_t i = 0; i < MANY; i++) {
		objects[i] = slab_get(&slab);
		assert_non_null(objects[i]);
		assert_int_equal((uintptr_t)objects[i] % 64, 0);
		for (int word = 0; word < 32; word++)
			objects[i][word] = i;
	}
	assert_int_equal(slab.in_use, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		for (int word = 0; word < 32; word++)
			assert_int_equal(objects[i][word], i);
		slab_put(&slab, objects[i]);
	}
	assert_int_equal(slab.in_use, 0);
	slab_destroy(&slab);
}

static void reuses_before_it_grows(void **state)
{
	struct slab slab;
	size_t total;
	void *object;

	(void)state;
	slab_init(&slab, 64);
	object = slab_get(&slab);
	total = slab.total;
	for (int i = 0; i < MANY; i++) {
		slab_put(&slab, object);
		object = slab_get(&slab);
	}
	assert_int_equal(slab.total, total);
	slab_put(&slab, object);
	slab_destroy(&slab);
}

/* The slab returns its memory in whatever order the objects come back. */
static void gives_memory_back(void **state)
{
	static void *objects[MANY];
	struct slab slab;
	size_t most;

	(void)state;
	slab_init(&slab, 1232);
	for (int i = 0; i < MANY; i++)
		objects[i] = slab_get(&slab);
	most = slab.total;
	for (int stride = 0; stride < 7; stride++)
		for (int i = stride; i < MANY; i += 7)
			slab_put(&slab, objects[i]);
	assert_int_equal(slab.in_use, 0);
	assert_true(slab.total > 0);
	assert_true(slab.total < most / 8);
	slab_destroy(&slab);
	assert_int_equal(slab.total, 0);
}

static void an_object_may_be_larger_than_a_chunk(void **state)
{
	struct slab slab;
	void *object;

	(void)state;
	slab_init(&slab, 1u << 20);
	object = slab_get(&slab);
	assert_non_null(object);
	memset(object, 1, 1u << 20);
	slab_put(&slab, object);
	slab_destroy(&slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(objects_do_not_overlap),
	    cmocka_unit_test(reuses_before_it_grows),
	    cmocka_unit_test(gives_memory_back),
	    cmocka_unit_test(an_object_may_be_larger_than_a_chunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
