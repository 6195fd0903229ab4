/* SPDX-License-Identifier: Apache-2.0 */
/* The text format, RFC 7143 6.1. */
#include "initiator.h"

#include "iscsi_login/pairs.h"

/* Returns the number of pairs, or -1. The text lies in memory of exactly its size. */
static int count(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	struct iscsi_pair pair;
	size_t at = 0;
	int n = 0, more;

	memcpy(copy, text, len);
	while ((more = iscsi_pair_next(copy, len, &at, &pair)) > 0)
		n++;
	free(copy);
	return more < 0 ? -1 : n;
}

static void well_formed(void **state)
{
	static const char text[] = "MaxBurstLength=512\0X-b=c=d\0e=";
	struct iscsi_pair pair;
	size_t at = 0;

	(void)state;
	assert_int_equal(count("", 0), 0);
	assert_int_equal(count(text, sizeof(text)), 3);
	assert_int_equal(iscsi_pair_next(text, sizeof(text), &at, &pair), 1);
	assert_int_equal(pair.key, ISCSI_KEY_MAX_BURST_LENGTH);
	assert_string_equal(pair.value, "512");
	assert_int_equal(iscsi_pair_next(text, sizeof(text), &at, &pair), 1);
	assert_int_equal(pair.key, ISCSI_KEY_UNKNOWN);
	assert_int_equal(pair.name_len, 3);
	assert_memory_equal(pair.name, "X-b", 3);
	assert_string_equal(pair.value, "c=d");
}

static void malformed(void **state)
{
	(void)state;
	assert_int_equal(count("a=b", 3), -1);      /* the NUL is missing */
	assert_int_equal(count("a=b\0c=d", 7), -1); /* the NUL at the end is missing */
	assert_int_equal(count("a", 2), -1);        /* the '=' is missing */
	assert_int_equal(count("a\0b=c", 6), -1);   /* the '=' belongs to the next pair */
	assert_int_equal(count("=b", 3), -1);
	assert_int_equal(count("", 1), -1);
	assert_int_equal(count("a=b\0", 5), -1);
}

/* Counts one pair with a key and a value of these lengths. */
static int lengths(const char *key, size_t key_len, size_t value_len)
{
	char text[4096];

	memset(text, 'k', key_len);
	if (key)
		memcpy(text, key, key_len);
	text[key_len] = '=';
	memset(text + key_len + 1, 'v', value_len);
	text[key_len + 1 + value_len] = '\0';
	return count(text, key_len + value_len + 2);
}

static void limits(void **state)
{
	(void)state;
	assert_int_equal(lengths(NULL, 63, 255), 1);
	assert_int_equal(lengths(NULL, 64, 1), -1);
	assert_int_equal(lengths(NULL, 1, 256), -1);
	assert_int_equal(lengths("InitiatorAlias", 14, 255), 1);
	assert_int_equal(lengths("InitiatorAlias", 14, 256), -1);
	assert_int_equal(lengths("CHAP_C", 6, 2050), 1); /* 1024 bytes as hex */
	assert_int_equal(lengths("CHAP_C", 6, 2051), -1);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		bool valid;
		uint32_t number;
	} cases[] = {
	    {"0", true, 0},
	    {"4294967295", true, UINT32_MAX},
	    {"0xffffffff", true, UINT32_MAX},
	    {"0x0", true, 0},
	    {"0x00000000000001", true, 1},
	    {"4294967296", false, 0},
	    {"0x100000000", false, 0},
	    {"00", false, 0},
	    {"01", false, 0},
	    {"", false, 0},
	    {"x", false, 0},
	    {"0x", false, 0},
	    {"1a", false, 0},
	    {"-1", false, 0},
	    {"1.0", false, 0},
	    {"99999999999999999999999999", false, 0},
	};
	uint32_t n;

	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		if (iscsi_value_number(cases[c].text, &n) != cases[c].valid)
			fail_msg("'%s'", cases[c].text);
		if (cases[c].valid)
			assert_int_equal(n, cases[c].number);
	}
}

static void overflow(void **state)
{
	char buffer[10];
	struct iscsi_text_out out = {.text = buffer, .size = sizeof(buffer)};

	(void)state;
	iscsi_text_add(&out, "abc", 3, "12345"); /* fits exactly */
	assert_false(out.overflow);
	assert_int_equal(out.len, 10);
	assert_memory_equal(buffer, "abc=12345", 10);
	iscsi_text_add(&out, "a", 1, "");
	assert_true(out.overflow);
	assert_int_equal(out.len, 10);
}

static void lists(void **state)
{
	const char *list = "a,,bc", *item;

	(void)state;
	assert_int_equal(iscsi_list_next(&list, &item), 1);
	assert_memory_equal(item, "a", 1);
	assert_int_equal(iscsi_list_next(&list, &item), 0);
	assert_int_equal(iscsi_list_next(&list, &item), 2);
	assert_memory_equal(item, "bc", 2);
	assert_int_equal(iscsi_list_next(&list, &item), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(well_formed), cmocka_unit_test(malformed), cmocka_unit_test(limits),
	    cmocka_unit_test(numbers),     cmocka_unit_test(overflow),  cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
