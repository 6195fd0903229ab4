/* SPDX-License-Identifier: Apache-2.0 */
/* Time limits that a TPG and an ACL set for a connection: login, NOP-In, and the answer to it. */
#include "dialogue.h"

#include "util/clock.h"

static struct model_object *acl;

static int setup(void **state)
{
	(void)state;
	wire.params = (struct iscsi_params){
	    .max_recv_data_segment = 8192,
	    .max_xmit_data_segment = 8192,
	    .max_burst = 8192,
	    .first_burst = 8192,
	    .max_outstanding_r2t = 1,
	};
	wire_start();
	acl = fixture_create(wire.model, wire.tpg, MODEL_ACL, INITIATOR, NULL);
	out.len = in.len = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wire_stop();
	return 0;
}

static void set(struct model_object *object, const char *name, const char *text)
{
	assert_int_equal(fixture_set(wire.model, object, "attrib", name, text), 0);
}

/* Lets the timer expire. Returns the number of bytes that the initiator receives then. */
static size_t pass(void)
{
	wire.now_ns += wire.timer_ns;
	in.len = 0;
	assert_true(wire_expire());
	wire_turn();
	wire_receive(&in);
	return in.len;
}

/* In wire_fixture.c, each time limit of the daemon's options is one second. */
static void the_options_count_without_an_acl(void **state)
{
	(void)state;
	log_in();
	assert_int_equal(wire.timer_ns, NS_PER_S);
}

static void the_acl_says_when_to_ping(void **state)
{
	(void)state;
	set(acl, "nopin_timeout", "7");
	set(acl, "nopin_response_timeout", "5");
	log_in();
	assert_int_equal(wire.timer_ns, 7 * NS_PER_S);
	assert_int_equal(pass(), ISCSI_BHS_LEN);
	assert_int_equal(in.bytes[0], ISCSI_OP_NOP_IN);
	assert_int_equal(wire.timer_ns, 5 * NS_PER_S);
	assert_non_null(wire_conn());
	pass();
	assert_null(wire_conn());
}

/* A silent initiator may stay for ever, but its connection is still checked periodically. */
static void the_acl_forbids_pings(void **state)
{
	(void)state;
	set(acl, "nopin_timeout", "0");
	set(acl, "nopin_response_timeout", "4");
	log_in();
	for (unsigned i = 0; i < 5; i++) {
		assert_true(wire.timer_ns > 0 && wire.timer_ns <= 4 * NS_PER_S);
		assert_int_equal(pass(), 0);
		assert_non_null(wire_conn());
	}
}

/* As soon as the target is known, the TPG's time limit applies, measured from the start of the login. */
static void the_tpg_limits_the_login(void **state)
{
	(void)state;
	set(wire.tpg, "login_timeout", "6");
	assert_int_equal(wire.timer_ns, NS_PER_S);
	wire.now_ns += NS_PER_S / 2;
	wire.login_goes_on = true;
	log_in();
	assert_true(wire.timer_ns >= 5 * NS_PER_S && wire.timer_ns <= 11 * NS_PER_S / 2);
	wire.now_ns += NS_PER_S;
	log_in();
	/* A second request gains no time. */
	assert_true(wire.timer_ns >= 5 * NS_PER_S && wire.timer_ns <= 11 * NS_PER_S / 2);
	pass();
	assert_null(wire_conn());
}

static void the_option_limits_the_login(void **state)
{
	(void)state;
	wire.login_goes_on = true;
	log_in();
	assert_int_equal(wire.timer_ns, NS_PER_S);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_options_count_without_an_acl),
	    TEST(the_acl_says_when_to_ping),
	    TEST(the_acl_forbids_pings),
	    TEST(the_tpg_limits_the_login),
	    TEST(the_option_limits_the_login),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
