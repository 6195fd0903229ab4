/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of access rules: their forms, forms without effect in SCST, and the subtraction of one set of
 * addresses from another. The test compares each address of the result with a simple model.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "import/address.h"
#include "util/bytes.h"

#define ROUNDS 300
/* The sets lie in 10.0.0.0/24 and 2001:db8::/120. */
#define HOSTS 256

static void test_parse(void **state)
{
	static const struct {
		const char *entry;
		enum address_kind kind;
		const char *text;
	} rows[] = {
	    {"ALL", ADDRESS_ALL, NULL},
	    {" ALL ", ADDRESS_ALL, NULL},
	    {"all", ADDRESS_BAD, NULL},
	    {"", ADDRESS_BAD, NULL},
	    {"192.168.3.8", ADDRESS_GOOD, "192.168.3.8"},
	    {"\t192.168.3.8 ", ADDRESS_GOOD, "192.168.3.8"},
	    {"192.168.0.0/16", ADDRESS_GOOD, "192.168.0.0/16"},
	    {"192.168.3.8/32", ADDRESS_NEVER_MATCHES, "192.168.3.8"},
	    {"192.168.3.8/16", ADDRESS_NEVER_MATCHES, "192.168.0.0/16"},
	    {"0.0.0.0/0", ADDRESS_NEVER_MATCHES, "0.0.0.0/0"},
	    {"192.168.0.0/33", ADDRESS_BAD, NULL},
	    {"192.168.0.0/", ADDRESS_BAD, NULL},
	    {"192.168.0.0/08", ADDRESS_BAD, NULL},
	    {"192.168.0.0/-1", ADDRESS_BAD, NULL},
	    {"192.168.1", ADDRESS_BAD, NULL},
	    {"host.example.com", ADDRESS_BAD, NULL},
	    {"[2001:DB8::1]", ADDRESS_GOOD, "2001:db8::1"},
	    {"2001:db8::1", ADDRESS_GOOD, "2001:db8::1"},
	    {"[2001:db8::1]/64", ADDRESS_GOOD, "2001:db8::/64"},
	    {"[2001:db8::1]/128", ADDRESS_NEVER_MATCHES, "2001:db8::1"},
	    {"::/0", ADDRESS_GOOD, "::/0"},
	    {"[2001:db8::1", ADDRESS_BAD, NULL},
	    {"[", ADDRESS_BAD, NULL},
	    {"[192.168.1.1]", ADDRESS_BAD, NULL},
	    {"::ffff:192.0.2.1", ADDRESS_GOOD, "192.0.2.1"},
	    {"::ffff:192.0.2.0/120", ADDRESS_GOOD, "192.0.2.0/24"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct address address;
		g_autofree char *text = NULL;

		assert_int_equal(address_parse(rows[i].entry, &address), rows[i].kind);
		if (!rows[i].text)
			continue;
		text = address_print(&address);
		assert_string_equal(text, rows[i].text);
	}
}

static void add(GArray *set, const char *text)
{
	struct address address;

	assert_int_not_equal(address_parse(text, &address), ADDRESS_BAD);
	address_set_add(set, &address);
}

static void assert_set(const GArray *set, const char *expected)
{
	g_autoptr(GPtrArray) list = address_set_print(set);
	g_autofree char *text = NULL;

	assert_non_null(list);
	g_ptr_array_add(list, NULL);
	text = g_strjoinv(",", (char **)list->pdata);
	assert_string_equal(text, expected);
}

static void test_subtract(void **state)
{
	g_autoptr(GArray) from = address_set_new(), removed = address_set_new();
	GArray *rest;

	(void)state;
	add(from, "10.0.0.0/30");
	add(removed, "10.0.0.1");
	add(removed, "2001:db8::/32");
	rest = address_set_subtract(from, removed);
	assert_set(rest, "10.0.0.2/31,10.0.0.0");
	g_array_unref(rest);
	add(removed, "10.0.0.0/8");
	assert_set(removed, "2001:db8::/32,10.0.0.0/8");
	rest = address_set_subtract(from, removed);
	assert_int_equal(rest->len, 0);
	g_array_unref(rest);
}

static void test_all(void **state)
{
	g_autoptr(GArray) set = address_set_new();

	(void)state;
	add(set, "10.0.0.0/8");
	assert_false(address_set_is_all(set));
	add(set, "0.0.0.0/0");
	assert_false(address_set_is_all(set));
	address_set_add_all(set);
	assert_true(address_set_is_all(set));
	assert_set(set, "0.0.0.0/0,::/0");
}

/* A list that is too long for the daemon is not used. */
static void test_too_many(void **state)
{
	g_autoptr(GArray) from = address_set_new(), removed = address_set_new();

	(void)state;
	address_set_add_all(from);
	for (unsigned i = 0; i < 400; i++) {
		g_autofree char *text = g_strdup_printf("10.1%u.2%u.1", i / 20, i % 20);

		add(removed, text);
	}
	assert_null(address_set_print(removed));
	assert_null(address_set_subtract(from, removed));
}

/* --- the comparison --- */

static struct address random_network(GRand *random)
{
	unsigned length = (unsigned)g_rand_int_range(random, 0, 9);
	uint8_t host = (uint8_t)(g_rand_int_range(random, 0, HOSTS) & ~(0xff >> length));
	struct address address = {.family = AF_INET, .bytes = {10, 0, 0, host}, .length = 24 + length};

	if (g_rand_boolean(random))
		address = (struct address){
		    .family = AF_INET6,
		    .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = host},
		    .length = 120 + length,
		};
	return address;
}

static bool has_host(const GArray *set, int family, unsigned host)
{
	for (guint i = 0; i < set->len; i++) {
		const struct address *address = &g_array_index(set, struct address, i);
		unsigned base = address->family == AF_INET ? 24 : 120;

		if (address->family == family && address->length >= base &&
		    !((address->bytes[base / 8] ^ host) & ~(0xffu >> (address->length - base)) & 0xff))
			return true;
	}
	return false;
}

static void fill(GRand *random, GArray *set)
{
	for (int i = g_rand_int_range(random, 0, 12); i > 0; i--) {
		struct address address = random_network(random);

		address_set_add(set, &address);
	}
}

static void compare(GRand *random)
{
	g_autoptr(GArray) from = address_set_new(), removed = address_set_new(), rest = NULL;

	fill(random, from);
	fill(random, removed);
	rest = address_set_subtract(from, removed);
	assert_non_null(rest);
	for (unsigned host = 0; host < HOSTS; host++) {
		assert_int_equal(has_host(rest, AF_INET, host),
				 has_host(from, AF_INET, host) && !has_host(removed, AF_INET, host));
		assert_int_equal(has_host(rest, AF_INET6, host),
				 has_host(from, AF_INET6, host) && !has_host(removed, AF_INET6, host));
	}
}

static void test_random_sets(void **state)
{
	GRand *random = g_rand_new_with_seed(1);

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++)
		compare(random);
	g_rand_free(random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),    cmocka_unit_test(test_subtract),    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_too_many), cmocka_unit_test(test_random_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
