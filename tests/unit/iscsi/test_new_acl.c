/* SPDX-License-Identifier: Apache-2.0 */
/* The initiator of a session without an ACL gets an ACL: the session sees what the ACL gives, or ends. */
#include "luns.h"

#include <unistd.h>

static struct model_object *create_acl(void)
{
	return fixture_create(wire.model, wire.tpg, MODEL_ACL, INITIATOR, NULL);
}

static void map_lun(struct model_object *acl, const char *name, unsigned lun)
{
	fixture_create(wire.model, acl, MODEL_MAPPED_LUN, name, lun_object(lun));
}

static void test_session_sees_its_new_acl(void **state)
{
	(void)state;
	begin(3);
	send_test_unit_ready(0, 1);
	assert_good(1);
	struct model_object *acl = create_acl();
	wire_update();
	assert_int_equal(wire.attached, 0);
	assert_int_equal(wire_conn()->session->it_nexus.report_luns(&wire_conn()->session->it_nexus, NULL, 0),
			 0);
	send_test_unit_ready(0, 2);
	assert_no_such_lun(2);

	map_lun(acl, "lun_7", 1);
	wire_update();
	send_test_unit_ready(7, 3);
	assert_good(3);
	assert_int_equal(wire.luns_changed, 1);
	/* The LUNs that the session had from the TPG were write-protected. */
	assert_false(wire.write_protected);
	send_test_unit_ready(1, 4);
	assert_no_such_lun(4);
	wire_stop();
}

/* The ACL comes with its LUNs, as in a reload. Commands for the same disk go on. */
static void test_disk_stays_in_use(void **state)
{
	struct iscsi_data_out data;
	struct reply r2t;

	(void)state;
	begin(2);
	send_test_unit_ready(1, 1);
	assert_good(1);
	assert_int_equal(fixture_set(wire.model, wire.tpg, "attrib", "demo_mode_write_protect", "0"), 0);
	wire_update();
	send_command(0, wire_command(2, FINAL_WRITE, 1024, WRITE, 0, 2), 512);
	r2t = next(ISCSI_OP_R2T);

	struct model_object *acl = create_acl();
	map_lun(acl, "lun_0", 0);
	map_lun(acl, "lun_2", 1);
	wire_update();
	assert_int_equal(wire.attached, 1);
	assert_int_equal(wire.luns_changed, 1);
	data = wire_data(2, get_be32(r2t.bhs + 20), 0, 512, true);
	send_pdu(&data, pattern + 512, 512);
	assert_good(2);
	assert_memory_equal(wire.disk, pattern, 1024);
	send_test_unit_ready(1, 3);
	assert_no_such_lun(3);

	/* The mapped LUN cannot be deleted while its commands run. */
	wire.hold = true;
	send_command(0, wire_command(4, FINAL_READ, 512, READ, 0, 1), 0);
	deleted = 0;
	model_delete(model_find(acl, MODEL_MAPPED_LUN, "lun_0"), false, on_deleted, NULL);
	wire_update();
	assert_int_equal(deleted, 0);
	wire_complete();
	wire_update();
	assert_int_equal(deleted, 1);
	wire_stop();
}

/* The session ends like a session that has had the ACL since its login. */
static void test_acl_is_deleted(void **state)
{
	struct model_object *acl;

	(void)state;
	begin(1);
	acl = create_acl();
	wire_update();
	deleted = 0;
	model_delete(acl, true, on_deleted, NULL);
	wire_update();
	wire_receive(&in);
	assert_int_equal(next(ISCSI_OP_ASYNC).bhs[36], ISCSI_ASYNC_LOGOUT);
	assert_int_equal(deleted, 0);
	assert_true(wire_expire());
	wire_turn();
	assert_null(wire_conn());
	fixture_settle(wire.model);
	assert_int_equal(deleted, 1);
	wire_stop();
}

static void test_acl_is_deleted_at_once(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(fixture_delete(wire.model, create_acl(), false), 0);
	wire_update();
	assert_null(wire_conn());
	wire_stop();
}

/* The initiator has not proved its identity, so its session must not see the LUNs of the ACL. */
static void test_acl_demands_authentication(void **state)
{
	struct model_object *acl;

	(void)state;
	begin(1);
	acl = create_acl();
	assert_int_equal(fixture_set(wire.model, acl, "attrib", "authentication", "1"), 0);
	map_lun(acl, "lun_0", 0);
	wire_update();
	assert_null(wire_conn());
	wire_stop();
}

static void test_acl_demands_authentication_later(void **state)
{
	struct model_object *acl;

	(void)state;
	begin(1);
	acl = create_acl();
	map_lun(acl, "lun_0", 0);
	wire_update();
	send_test_unit_ready(0, 1);
	assert_good(1);
	assert_int_equal(fixture_set(wire.model, wire.tpg, "attrib", "authentication", "1"), 0);
	wire_update();
	assert_null(wire_conn());
	wire_stop();
}

/* The ACL does not ask for the authentication that the TPG asks for. */
static void test_acl_demands_no_authentication(void **state)
{
	struct model_object *acl;

	(void)state;
	begin(1);
	assert_int_equal(fixture_set(wire.model, wire.tpg, "attrib", "authentication", "1"), 0);
	acl = create_acl();
	assert_int_equal(fixture_set(wire.model, acl, "attrib", "authentication", "0"), 0);
	map_lun(acl, "lun_0", 0);
	wire_update();
	send_test_unit_ready(0, 1);
	assert_good(1);
	wire_stop();
}

/* The login has admitted the initiator without an ACL, but when the session begins, the ACL exists. */
static void test_acl_is_created_during_the_login(void **state)
{
	struct reply reply;

	(void)state;
	wire_start_luns(1);
	out.len = in.len = at = 0;
	assert_non_null(iscsi_login_result(wire_conn()->login)->target);
	create_acl();
	wire_update();
	log_in();
	reply = next(ISCSI_OP_LOGIN_RSP);
	assert_int_equal(get_be16(reply.bhs + 36), ISCSI_LOGIN_UNAVAILABLE);
	wire_stop();
}

/* The sessions of other initiators stay as they are. */
static void test_acl_of_another_initiator(void **state)
{
	(void)state;
	begin(1);
	fixture_create(wire.model, wire.tpg, MODEL_ACL, INITIATOR "2", NULL);
	assert_int_equal(fixture_set(wire.model, wire.tpg, "attrib", "authentication", "1"), 0);
	wire_update();
	send_test_unit_ready(0, 1);
	assert_good(1);
	assert_int_equal(wire.luns_changed, 0);
	wire_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_session_sees_its_new_acl, setup),
	    cmocka_unit_test_setup(test_disk_stays_in_use, setup),
	    cmocka_unit_test_setup(test_acl_is_deleted, setup),
	    cmocka_unit_test_setup(test_acl_is_deleted_at_once, setup),
	    cmocka_unit_test_setup(test_acl_demands_authentication, setup),
	    cmocka_unit_test_setup(test_acl_demands_authentication_later, setup),
	    cmocka_unit_test_setup(test_acl_demands_no_authentication, setup),
	    cmocka_unit_test_setup(test_acl_is_created_during_the_login, setup),
	    cmocka_unit_test_setup(test_acl_of_another_initiator, setup),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
