/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions follow the model: LUNs that are added, removed, changed or write-protected. */
#include "luns.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- nexuses ---------------------------------------------------------------------------------------- */

/* The first command for a LUN attaches its nexus. A command for a LUN that does not exist attaches none. */
static void test_nexus_is_attached_by_the_first_command(void **state)
{
	(void)state;
	begin(3);
	assert_int_equal(wire.attached, 0);
	send_test_unit_ready(1, 1);
	assert_good(1);
	assert_int_equal(wire.attached, 1);
	send_test_unit_ready(1, 2);
	assert_good(2);
	assert_int_equal(wire.attached, 1);
	send_test_unit_ready(7, 3);
	assert_no_such_lun(3);
	assert_int_equal(wire.attached, 1);
	wire_stop();
}

static void test_largest_lun(void **state)
{
	(void)state;
	begin(1);
	add_lun(MODEL_LUN_MAX, "user_0/last");
	send_test_unit_ready(MODEL_LUN_MAX, 1);
	assert_good(1);
	assert_non_null(iscsi_lun_find(&wire_conn()->session->luns, MODEL_LUN_MAX));
	remove_lun(MODEL_LUN_MAX);
	assert_int_equal(deleted, 1);
	send_test_unit_ready(MODEL_LUN_MAX, 2);
	assert_no_such_lun(2);
	wire_stop();
}

static void test_thousand_luns(void **state)
{
	const unsigned n = 1000;
	static uint8_t list[1000][8];
	struct scsi_it_nexus *it_nexus;

	(void)state;
	begin(n);
	it_nexus = &wire_conn()->session->it_nexus;
	assert_int_equal(it_nexus->report_luns(it_nexus, NULL, 0), n);
	assert_int_equal(it_nexus->report_luns(it_nexus, list, n), n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(model_lun_decode(list[i]), i);
	assert_int_equal(wire.attached, 0);
	for (unsigned i = 0; i < n; i++) {
		send_test_unit_ready(i, i);
		assert_good(i);
		at = in.len = 0;
	}
	assert_int_equal(wire.attached, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(iscsi_lun_find(&wire_conn()->session->luns, i)->number, i);
	for (unsigned i = 0; i < n; i += 2)
		model_delete(lun_object(i), false, on_deleted, NULL);
	wire_update();
	assert_int_equal(wire.attached, n / 2);
	assert_int_equal(it_nexus->report_luns(it_nexus, list, n), n / 2);
	assert_int_equal(model_lun_decode(list[7]), 15);
	wire_stop();
}

/* --- changes ---------------------------------------------------------------------------------------- */

/*
 * The other nexuses report the change until REPORT LUNS is sent, and so do nexuses that are attached later.
 */
static void test_inventory_changes(void **state)
{
	struct scsi_it_nexus *it_nexus;

	(void)state;
	begin(3);
	send_test_unit_ready(0, 1);
	assert_good(1);
	send_test_unit_ready(1, 2);
	assert_good(2);
	remove_lun(0);
	assert_int_equal(deleted, 1);
	assert_int_equal(wire.attached, 1);
	assert_int_equal(wire.luns_changed, 1);
	send_test_unit_ready(2, 3);
	assert_good(3);
	assert_int_equal(wire.luns_changed, 2);
	it_nexus = &wire_conn()->session->it_nexus;
	it_nexus->report_luns(it_nexus, NULL, 0);
	assert_int_equal(wire.luns_reported, 2);
	add_lun(0, "user_0/again");
	assert_int_equal(wire.luns_changed, 4);
	it_nexus->report_luns(it_nexus, NULL, 0);
	send_test_unit_ready(0, 4);
	assert_good(4);
	assert_int_equal(wire.luns_changed, 4);
	wire_stop();
}

/* Another unit serves the LUN: commands reach it at once, and the old nexus is detached. */
static void test_other_unit(void **state)
{
	const struct scsi_lu *before;

	(void)state;
	begin(2);
	send_test_unit_ready(0, 1);
	send_test_unit_ready(1, 2);
	assert_good(1);
	assert_good(2);
	before = iscsi_lun_find(&wire_conn()->session->luns, 0)->nexus.lu;
	fake_storage_swap(model_storage(model_to(lun_object(0))));
	wire_update();
	assert_int_equal(wire.attached, 1);
	assert_int_equal(wire.luns_changed, 1);
	send_test_unit_ready(0, 3);
	assert_good(3);
	assert_int_equal(wire.attached, 2);
	assert_int_equal(wire.luns_changed, 2);
	assert_ptr_not_equal(iscsi_lun_find(&wire_conn()->session->luns, 0)->nexus.lu, before);
	wire_stop();
}

/* The nexus stays, and the list of LUNs is the same. */
static void test_write_protection(void **state)
{
	(void)state;
	begin(1);
	send_test_unit_ready(0, 1);
	assert_good(1);
	assert_true(wire.write_protected); /* demo_mode_write_protect is set by default */
	assert_int_equal(fixture_set(wire.model, wire.tpg, "attrib", "demo_mode_write_protect", "0"), 0);
	wire_update();
	assert_false(wire.write_protected);
	assert_int_equal(wire.attached, 1);
	assert_int_equal(wire.luns_changed, 0);
	wire_stop();
}

/* A change of another target changes nothing here. */
static void test_change_elsewhere_changes_nothing(void **state)
{
	(void)state;
	begin(2);
	send_test_unit_ready(0, 1);
	assert_good(1);
	wire_update();
	fixture_tpg(wire.model, IQN ".other");
	wire_update();
	assert_int_equal(wire.attached, 1);
	assert_int_equal(wire.luns_changed, 0);
	wire_stop();
}

/* --- commands of a LUN that is removed -------------------------------------------------------------- */

static void test_removed_while_running(void **state)
{
	(void)state;
	begin(2);
	wire.hold = true;
	send_command(0, wire_command(1, FINAL_READ, 512, READ, 0, 1), 0);
	remove_lun(0);
	assert_int_equal(wire.attached, 1);
	assert_int_equal(deleted, 0);
	wire.hold = false;
	send_test_unit_ready(0, 2);
	assert_no_such_lun(2);
	wire_complete();
	wire_update();
	wire_receive(&in);
	assert_int_equal(get_be32(next(ISCSI_OP_DATA_IN).bhs + 16), 1);
	assert_int_equal(wire.attached, 0);
	assert_int_equal(deleted, 1);
	wire_stop();
}

/* The R2T was sent, so the command is answered when the data has been received, and writes nothing. */
static void test_removed_while_gathering(void **state)
{
	struct iscsi_data_out data;
	struct reply r2t;

	(void)state;
	begin(1);
	send_command(0, wire_command(1, FINAL_WRITE, 1024, WRITE, 0, 2), 512);
	r2t = next(ISCSI_OP_R2T);
	remove_lun(0);
	assert_int_equal(deleted, 1); /* the command does not delay the removal */
	assert_int_equal(wire.attached, 0);
	nothing_more();
	data = wire_data(1, get_be32(r2t.bhs + 20), 0, 512, true);
	send_pdu(&data, pattern + 512, 512);
	assert_no_such_lun(1);
	assert_int_equal(wire.disk[0], 0);
	assert_int_equal(wire.buffers, 0);
	wire_stop();
}

/* The initiator sends nothing more, so the answer does not wait. */
static void test_removed_before_the_r2t(void **state)
{
	int size = 4096;

	(void)state;
	wire.params.max_outstanding_r2t = 1;
	begin(1);
	setsockopt(wire.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* The socket is full, so the R2T cannot be sent. */
	wire_conn()->tx.blocked = true;
	out.len = 0;
	struct iscsi_scsi_command cmd = wire_command(1, FINAL_WRITE, 1024, WRITE, 0, 2);
	stream_add(&out, &cmd, pattern, 512);
	assert_int_equal(write(wire.fd, out.bytes, out.len), (ssize_t)out.len);
	wire_conn()->watch.fn(&wire_conn()->watch, EPOLLIN);
	assert_int_equal(wire_conn()->session->ntasks, 1);
	remove_lun(0);
	wire_receive(&in);
	assert_no_such_lun(1);
	nothing_more();
	wire_stop();
}

/* The PDU of the command is being received. Its data goes to its buffer, and then the command is answered. */
static void test_removed_inside_the_pdu(void **state)
{
	struct iscsi_scsi_command cmd;

	(void)state;
	begin(1);
	cmd = wire_command(1, FINAL_WRITE, 4096, WRITE, 0, 8);
	out.len = 0;
	stream_add(&out, &cmd, pattern, 4096);
	wire_send(out.bytes, 1000);
	remove_lun(0);
	assert_int_equal(deleted, 1);
	nothing_more();
	wire_send(out.bytes + 1000, out.len - 1000);
	wire_receive(&in);
	assert_no_such_lun(1);
	assert_int_equal(wire.disk[0], 0);
	wire_stop();
}

/* A response that is sent from memory of the handler keeps the storage open until it has been sent. */
static void test_removed_while_sending(void **state)
{
	uint8_t bytes[512];
	int size = 4096;

	(void)state;
	begin(1);
	wire.lend = true;
	setsockopt(wire_conn()->watch.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	struct iscsi_scsi_command cmd = wire_command(1, FINAL_READ, DISK_SIZE, READ, 0, DISK_SIZE / 512);
	wire_send(&cmd, sizeof(cmd));
	assert_true(wire_conn()->tx.blocked);
	deleted = 0;
	model_delete(lun_object(0), false, on_deleted, NULL);
	wire_update();
	assert_int_equal(deleted, 0);
	assert_int_equal(wire.attached, 1);
	for (size_t left = DISK_SIZE; left; left -= sizeof(bytes))
		while (recv(wire.fd, bytes, sizeof(bytes), 0) < 0)
			wire_turn();
	wire_turn();
	wire_update();
	assert_int_equal(deleted, 1);
	wire_stop();
}

/* --- task management --------------------------------------------------------------------------------- */

/* The initiator refers to a running command by the number of its LUN, whatever this LUN leads to now. */
static void test_functions_on_a_removed_lun(void **state)
{
	static const uint8_t functions[] = {ISCSI_TMF_ABORT_TASK, ISCSI_TMF_LU_RESET, ISCSI_TMF_WARM_RESET};

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(functions); i++) {
		begin(2);
		wire.hold = true;
		send_command(0, wire_command(1, FINAL_READ, 512, READ, 0, 1), 0);
		if (i < ARRAY_SIZE(functions)) {
			remove_lun(0);
		} else {
			fake_storage_swap(model_storage(model_to(lun_object(0))));
			wire_update();
		}
		send_tmf(0, 9, ISCSI_TMF_ABORT_TASK, 77);
		assert_tmf_answer(i < ARRAY_SIZE(functions) ? ISCSI_TMF_NO_LUN : ISCSI_TMF_NO_TASK);
		send_tmf(0, 10, functions[i % ARRAY_SIZE(functions)], 1);
		nothing_more();
		wire.hold = false;
		wire_complete();
		wire_tmf_done();
		wire_turn();
		wire_receive(&in);
		assert_tmf_answer(ISCSI_TMF_COMPLETE); /* and there is no response of the command */
		nothing_more();
		wire_update();
		assert_true(list_empty(&wire_conn()->session->luns.leaving));
		send_tmf(0, 11, ISCSI_TMF_LU_RESET, 1);
		assert_tmf_answer(i < ARRAY_SIZE(functions) ? ISCSI_TMF_NO_LUN : ISCSI_TMF_COMPLETE);
		wire_stop();
	}
}

static void test_removed_while_resetting(void **state)
{
	(void)state;
	begin(2);
	wire.hold = true;
	send_command(0, wire_command(1, FINAL_READ, 512, READ, 0, 1), 0);
	send_tmf(0, 2, ISCSI_TMF_LU_RESET, ISCSI_TAG_NONE);
	remove_lun(0);
	wire_complete();
	wire_update();
	assert_int_equal(deleted, 0); /* the function uses the nexus */
	assert_int_equal(wire.attached, 1);
	wire_tmf_done();
	wire_update();
	wire_receive(&in);
	assert_tmf_answer(ISCSI_TMF_COMPLETE);
	assert_int_equal(deleted, 1);
	wire_stop();
}

/* A warm reset affects all LUNs at once, including those that the session has not used. */
static void test_warm_reset(void **state)
{
	(void)state;
	begin(5);
	wire.hold = true;
	send_command(2, wire_command(1, FINAL_READ, 512, READ, 0, 1), 0);
	send_tmf(0, 2, ISCSI_TMF_WARM_RESET, ISCSI_TAG_NONE);
	assert_int_equal(wire.resets, 5);
	send_tmf(0, 3, ISCSI_TMF_WARM_RESET, ISCSI_TAG_NONE);
	assert_tmf_answer(ISCSI_TMF_REJECTED); /* only one at a time is possible */
	remove_lun(3);
	wire_complete();
	wire_tmf_done();
	wire_update();
	wire_receive(&in);
	assert_tmf_answer(ISCSI_TMF_COMPLETE);
	assert_int_equal(deleted, 1);
	assert_int_equal(wire.attached, 4);
	send_tmf(0, 4, ISCSI_TMF_WARM_RESET, ISCSI_TAG_NONE);
	assert_tmf_answer(ISCSI_TMF_COMPLETE);
	assert_int_equal(wire.resets, 9);
	wire_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_nexus_is_attached_by_the_first_command, setup),
	    cmocka_unit_test_setup(test_largest_lun, setup),
	    cmocka_unit_test_setup(test_thousand_luns, setup),
	    cmocka_unit_test_setup(test_inventory_changes, setup),
	    cmocka_unit_test_setup(test_other_unit, setup),
	    cmocka_unit_test_setup(test_write_protection, setup),
	    cmocka_unit_test_setup(test_change_elsewhere_changes_nothing, setup),
	    cmocka_unit_test_setup(test_removed_while_running, setup),
	    cmocka_unit_test_setup(test_removed_while_gathering, setup),
	    cmocka_unit_test_setup(test_removed_before_the_r2t, setup),
	    cmocka_unit_test_setup(test_removed_inside_the_pdu, setup),
	    cmocka_unit_test_setup(test_removed_while_sending, setup),
	    cmocka_unit_test_setup(test_functions_on_a_removed_lun, setup),
	    cmocka_unit_test_setup(test_removed_while_resetting, setup),
	    cmocka_unit_test_setup(test_warm_reset, setup),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
