/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that the model ends: by disabling a TPG, by a kick, and while commands hang. */
#include "luns.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_disabled(void **state)
{
	struct reply reply;

	(void)state;
	begin(1);
	send_test_unit_ready(0, 1);
	assert_good(1);
	model_login_free(wire.login); /* the test's own reference to the view */
	wire.login = NULL;
	deleted = 0;
	model_enable(wire.tpg, false, on_deleted, NULL);
	wire_update();
	wire_receive(&in);
	reply = next(ISCSI_OP_ASYNC);
	assert_int_equal(reply.bhs[36], ISCSI_ASYNC_LOGOUT);
	assert_non_null(wire_conn());
	assert_int_equal(deleted, 0);
	wire_update(); /* the target asks once */
	wire_receive(&in);
	nothing_more();
	assert_true(wire_expire());
	wire_turn();
	assert_null(wire_conn());
	fixture_settle(wire.model);
	assert_int_equal(deleted, 1);
	wire_stop();
}

/* A login that is in progress when its TPG is disabled ends at once, and the model waits for it. */
static void test_disabled_during_the_login(void **state)
{
	(void)state;
	wire_start();
	assert_int_equal(wire_conn()->state, ISCSI_CONN_LOGIN);
	assert_non_null(
	    iscsi_login_result(wire_conn()->login)->target); /* the fake login already knows the target */
	wire_update();
	assert_non_null(wire_conn());
	deleted = 0;
	model_enable(wire.tpg, false, on_deleted, NULL);
	wire_update();
	assert_null(wire_conn());
	model_login_free(wire.login); /* a real login would release this */
	wire.login = NULL;
	fixture_settle(wire.model);
	assert_int_equal(deleted, 1);
	wire_stop();
}

/* When a session ends, a command of one LUN that hangs does not keep the other LUNs in use. */
static void test_hanging_session(void **state)
{
	(void)state;
	begin(2);
	send_test_unit_ready(1, 1);
	assert_good(1);
	wire.hold = true;
	send_command(0, wire_command(2, FINAL_READ, 512, READ, 0, 1), 0);
	close(wire.fd);
	wire.fd = -1;
	wire_turn();
	assert_int_equal(wire.attached, 1);
	deleted = 0;
	model_delete(lun_object(1), false, on_deleted, NULL);
	wire_update();
	assert_int_equal(deleted, 1);
	model_delete(lun_object(0), false, on_deleted, NULL);
	wire_update();
	assert_int_equal(deleted, 1);
	wire_complete();
	wire_tmf_done();
	wire_update();
	assert_int_equal(deleted, 2);
	wire_stop();
}

static void test_kicked(void **state)
{
	(void)state;
	begin(1);
	pthread_mutex_lock(&wire.server.lock);
	iscsi_session_kick(wire_conn()->session);
	iscsi_session_kick(wire_conn()->session);
	pthread_mutex_unlock(&wire.server.lock);
	wire_turn();
	wire_receive(&in);
	assert_int_equal(next(ISCSI_OP_ASYNC).bhs[36], ISCSI_ASYNC_LOGOUT);
	send_test_unit_ready(0, 1); /* the session may complete its commands */
	assert_good(1);
	nothing_more();
	assert_true(wire_expire());
	wire_turn();
	assert_null(wire_conn());
	wire_stop();
}

static void test_counters(void **state)
{
	const struct iscsi_session *session;

	(void)state;
	begin(1);
	send_command(0, wire_command(1, FINAL_WRITE, 512, WRITE, 0, 1), 512);
	send_command(0, wire_command(2, FINAL_READ, 1024, READ, 0, 2), 0);
	session = wire_conn()->session;
	assert_int_equal(session->commands, 2);
	assert_int_equal(session->write_bytes, 512);
	assert_int_equal(session->read_bytes, 1024);
	wire_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_disabled, setup),
	    cmocka_unit_test_setup(test_disabled_during_the_login, setup),
	    cmocka_unit_test_setup(test_hanging_session, setup),
	    cmocka_unit_test_setup(test_kicked, setup),
	    cmocka_unit_test_setup(test_counters, setup),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
