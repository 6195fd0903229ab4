/* SPDX-License-Identifier: Apache-2.0 */
/* NAA designators that are made from serial numbers. */
#include "folder.h"

#include <stdio.h>
#include <string.h>

#include "storage/designator.h"

static const char *designator(const char *serial)
{
	static char text[4][33];
	static unsigned turn;
	uint8_t naa[16];
	char *hex = text[turn++ % 4];

	storage_designator(serial, naa);
	for (unsigned i = 0; i < 16; i++)
		snprintf(&hex[2 * i], 3, "%02x", naa[i]);
	return hex;
}

/* LIO shows the same designator for this wwn/vpd_unit_serial. */
static void test_uuid_of_lio_keeps_lio_encoding(void **state)
{
	(void)state;
	assert_string_equal(designator("4d4c8f6e-2a3b-4c5d-9e8f-001122334455"),
			    "60014054d4c8f6e2a3b4c5d9e8f00112");
	assert_string_equal(designator("4D4C8F6E-2A3B-4C5D-9E8F-001122334455"),
			    "60014054d4c8f6e2a3b4c5d9e8f00112");
}

static void test_different_serials_differ(void **state)
{
	static const char *const serials[] = {
	    "lun1", "vol1", "host-0", "zzz", "prod-1", "dr-1", "a", "A", "disk", "disk ", "0",
	    /* these have another version or length than LIO's, and differ in their last digits only */
	    "4d4c8f6e-2a3b-5c5d-9e8f-001122334455", "4d4c8f6e-2a3b-5c5d-9e8f-001122334456",
	    "4d4c8f6e2a3b4c5d9e8f001122334455", "4d4c8f6e2a3b4c5d9e8f001122334456",
	    "60014051234567890123456789012345", "60014051234567890123456789012346",
	    "600140512345678901234567890123456", "4d4c8f6e-2a3b-4c5d-7e8f-001122334455"};
	enum { N = sizeof(serials) / sizeof(serials[0]) };

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		assert_memory_equal(designator(serials[i]), "6", 1);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(designator(serials[i]), designator(serials[j]));
	}
}

static void test_designator_as_serial_is_kept(void **state)
{
	(void)state;
	assert_string_equal(designator("600a098038303053453F463045727A4b"),
			    "600a098038303053453f463045727a4b");
	assert_string_equal(designator("naa.600a098038303053453f463045727a4b"),
			    "600a098038303053453f463045727a4b");
	assert_string_not_equal(designator("500a098038303053453f463045727a4b"),
				"500a098038303053453f463045727a4b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_uuid_of_lio_keeps_lio_encoding),
	    cmocka_unit_test(test_different_serials_differ),
	    cmocka_unit_test(test_designator_as_serial_is_kept),
	};

	return cmocka_run_group_tests_name("designator", tests, NULL, NULL);
}
