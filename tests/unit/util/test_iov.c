/* SPDX-License-Identifier: Apache-2.0 */
/* Copying to and from arrays of struct iovec. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/iov.h"

/* "abc" "" "defgh" "ij": pieces of uneven length, one of them empty. */
struct fixture {
	char a[3], b[5], c[2];
	struct iovec iov[4];
};

static void fixture_init(struct fixture *f)
{
	memcpy(f->a, "abc", 3);
	memcpy(f->b, "defgh", 5);
	memcpy(f->c, "ij", 2);
	f->iov[0] = (struct iovec){f->a, 3};
	f->iov[1] = (struct iovec){NULL, 0};
	f->iov[2] = (struct iovec){f->b, 5};
	f->iov[3] = (struct iovec){f->c, 2};
}

static void copies_every_range(void **state)
{
	struct fixture f;
	char out[16];

	(void)state;
	fixture_init(&f);
	assert_int_equal(iov_total(f.iov, 4), 10);
	for (size_t offset = 0; offset <= 12; offset++) {
		for (size_t len = 0; len <= 12; len++) {
			size_t left = offset < 10 ? 10 - offset : 0;
			size_t want = len < left ? len : left;

			assert_int_equal(iov_copy_from(f.iov, 4, offset, out, len), want);
			assert_memory_equal(out, &"abcdefghij"[offset < 10 ? offset : 0], want);
		}
	}
}

static void writes_only_what_is_named(void **state)
{
	struct fixture f;
	char out[10];

	(void)state;
	fixture_init(&f);
	assert_int_equal(iov_copy_to(f.iov, 4, 2, "12345678", 7), 7);
	iov_copy_from(f.iov, 4, 0, out, 10);
	assert_memory_equal(out, "ab1234567j", 10);
	assert_int_equal(iov_fill(f.iov, 4, 7, '-', 100), 3);
	iov_copy_from(f.iov, 4, 0, out, 10);
	assert_memory_equal(out, "ab12345---", 10);
}

static void slices(void **state)
{
	struct fixture f;
	struct iovec out[4];
	char text[10];

	(void)state;
	fixture_init(&f);
	assert_int_equal(iov_slice(f.iov, 4, 1, 8, out, 4), 3);
	assert_int_equal(iov_total(out, 3), 8);
	assert_int_equal(iov_copy_from(out, 3, 0, text, 10), 8);
	assert_memory_equal(text, "bcdefghi", 8);
	/* there is no room for more, so only the front is returned */
	assert_int_equal(iov_slice(f.iov, 4, 1, 8, out, 2), 2);
	assert_int_equal(iov_total(out, 2), 7);
	assert_int_equal(iov_slice(f.iov, 4, 10, 1, out, 4), 0);
	assert_int_equal(iov_slice(f.iov, 4, 0, 0, out, 4), 0);
}

static void compares(void **state)
{
	struct fixture f;
	char same[] = "xabcdefghij";
	struct iovec whole = {same, 11};

	(void)state;
	fixture_init(&f);
	assert_int_equal(iov_compare(f.iov, 4, 0, &whole, 1, 1, 10), 10);
	for (size_t i = 0; i < 10; i++) {
		same[i + 1] ^= 1;
		assert_int_equal(iov_compare(f.iov, 4, 0, &whole, 1, 1, 10), i);
		same[i + 1] ^= 1;
	}
	assert_int_equal(iov_compare(f.iov, 4, 4, &whole, 1, 5, 100), 6); /* both end after 6 bytes */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(copies_every_range),
	    cmocka_unit_test(writes_only_what_is_named),
	    cmocka_unit_test(slices),
	    cmocka_unit_test(compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
