/* SPDX-License-Identifier: Apache-2.0 */
/* Debug builds count the locks of a thread. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util/cleanup.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;

static unsigned depth_inside(void)
{
	SCOPE_LOCK(&outer);
	{
		unsigned depth;

		lock_take(&inner);
		depth = lock_depth();
		lock_drop(&inner);
		return depth;
	}
}

static void test_debug_builds_count_locks(void **state)
{
	unsigned long taken = lock_taken();

	(void)state;
	assert_int_equal(lock_depth(), 0);
#ifdef TCMUR_DEBUG
	assert_int_equal(depth_inside(), 2);
	assert_int_equal(lock_taken() - taken, 2);
#else
	assert_int_equal(depth_inside(), 0);
	assert_int_equal(lock_taken(), taken);
#endif
	assert_int_equal(lock_depth(), 0);
	assert_int_equal(pthread_mutex_trylock(&outer), 0); /* the end of the scope has unlocked outer */
	pthread_mutex_unlock(&outer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_debug_builds_count_locks)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
