/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of portals as text. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "model/np.h"
#include "model/portal.h"

static void accepted(void **state)
{
	static const struct {
		const char *text, *normal;
		int family;
		bool wildcard;
	} cases[] = {
	    {"127.0.0.1", "127.0.0.1:3260", AF_INET, false},
	    {"127.0.0.1:1", "127.0.0.1:1", AF_INET, false},
	    {"127.0.0.1:0", "127.0.0.1:0", AF_INET, false},
	    {"10.1.2.3:65535", "10.1.2.3:65535", AF_INET, false},
	    {"0.0.0.0", "0.0.0.0:3260", AF_INET, true},
	    {"[::1]", "[::1]:3260", AF_INET6, false},
	    {"[::1]:3261", "[::1]:3261", AF_INET6, false},
	    {"[::]:3260", "[::]:3260", AF_INET6, true},
	    {"[2001:DB8:0:0:0:0:0:1]:3260", "[2001:db8::1]:3260", AF_INET6, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct model_np np;
		struct error error = {""};

		if (model_np_parse(&np, cases[i].text, &error) != 0)
			fail_msg("%s", error.text);
		assert_string_equal(np.text, cases[i].normal);
		assert_int_equal(np.addr.ss_family, cases[i].family);
		assert_int_equal(model_address_is_wildcard(&np.addr), cases[i].wildcard);
		assert_int_equal(np.addr_len, cases[i].family == AF_INET ? sizeof(struct sockaddr_in)
									 : sizeof(struct sockaddr_in6));
	}
}

static void refused(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
	    {"", "is not an IP address"},
	    {":3260", "is not an IP address"},
	    {"localhost:3260", "is not an IP address"},
	    {"127.0.0.256", "is not an IP address"},
	    {"127.1", "means 127.0.0.1:3260"},
	    {"010.0.0.1", "means 8.0.0.1:3260"},
	    {"127.0.0.1:", "port"},
	    {"127.0.0.1:65536", "port"},
	    {"127.0.0.1:99999999999", "port"},
	    {"44002", "is a number without an address; use for example 127.0.0.1:44002"},
	    {"127.0.0.1:-1", "port"},
	    {"127.0.0.1:iscsi", "port"},
	    {"127.0.0.1:3260 ", "port"},
	    {"::1", "brackets"},
	    {"::1:3260", "brackets"},
	    {"[::1", "missing"},
	    {"[::1]3260", "may follow"},
	    {"[::1]:", "port"},
	    {"[]:3260", "is not an IP address"},
	    {"[127.0.0.1]:3260", "is not an IP address"},
	    {"[::g]", "is not an IP address"},
	    {"1111111111111111111111111111111111111111111111111111111111111111111111", "too long"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct model_np np;
		struct error error = {""};

		assert_int_equal(model_np_parse(&np, cases[i].text, &error), -EINVAL);
		if (!strstr(error.text, cases[i].reason))
			fail_msg("'%s' gave '%s'", cases[i].text, error.text);
	}
}

/* "*" is a wildcard for IPv4 and IPv6 addresses. */
static void dual_stack(void **state)
{
	struct model_np np;
	struct error error;

	(void)state;
	assert_int_equal(model_np_parse(&np, "*:3261", &error), 0);
	assert_true(np.dual_stack);
	assert_string_equal(np.text, "*:3261");
	assert_int_equal(np.addr.ss_family, AF_INET6);
	assert_true(model_address_is_wildcard(&np.addr));
	assert_true(model_address_has_port(&np.addr));
	assert_int_equal(model_np_parse(&np, "[::]:3261", &error), 0);
	assert_false(np.dual_stack);
	assert_int_equal(model_np_parse(&np, "*:0", &error), 0);
	assert_false(model_address_has_port(&np.addr));
	assert_int_equal(model_np_parse(&np, "*:x", &error), -EINVAL);
	assert_int_equal(model_np_parse(&np, "*", &error), -EINVAL);
}

/* Port 0 is replaced by the port that the kernel has chosen. The name still says that IPv4 is served, too. */
static void dual_stack_bound(void **state)
{
	struct model_np np, bound;
	struct error error;

	(void)state;
	assert_int_equal(model_np_parse(&np, "*:0", &error), 0);
	assert_int_equal(model_np_parse(&bound, "[::]:3261", &error), 0);
	model_np_set_bound(&np, &bound.addr);
	assert_string_equal(np.text, "*:3261");
	assert_true(np.dual_stack);
}

static void names_in_lio(void **state)
{
	static const struct {
		const char *lio, *name;
	} cases[] = {
	    {"[::]:3260", "*:3260"},
	    {"[0:0::0]:3260", "*:3260"},
	    {"[::1]:3260", "[::1]:3260"},
	    {"0.0.0.0:3260", "0.0.0.0:3260"},
	};
	char text[MODEL_PORTAL_SIZE];
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(model_portal_from_lio(cases[i].lio, text, &error), 0);
		assert_string_equal(text, cases[i].name);
	}
	assert_int_equal(model_portal_from_lio("*:3260", text, &error), -EINVAL);
	assert_int_equal(model_portal_from_lio("nowhere", text, &error), -EINVAL);
	assert_string_equal(model_portal_to_lio("*:3260", text), "[::]:3260");
	assert_string_equal(model_portal_to_lio("[::1]:3260", text), "[::1]:3260");
}

static void public_address(void **state)
{
	static const char *const good[] = {"san.example.com:3260", "[2001:db8::1]:2", "192.0.2.1:65535"};
	static const char *const bad[] = {"", "host", "host:0", "host:65536", "a,b:1", ":1"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(model_public_address_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(model_public_address_valid(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(accepted),     cmocka_unit_test(refused),
	    cmocka_unit_test(dual_stack),   cmocka_unit_test(dual_stack_bound),
	    cmocka_unit_test(names_in_lio), cmocka_unit_test(public_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
