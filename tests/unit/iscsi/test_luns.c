/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions follow the model: LUNs that are added, removed, changed or write-protected, and sessions that must
 * end.
 */
#include "wire_fixture.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model/lun.h"

#define FINAL_WRITE (ISCSI_FINAL | ISCSI_CMD_WRITE)
#define FINAL_READ  (ISCSI_FINAL | ISCSI_CMD_READ)
#define TUR         0x00
#define READ        0x28
#define WRITE       0x2a
#define NO_LUN      0x2500

static struct stream out, in;
static size_t at; /* The position in `in`. */
static uint8_t pattern[8192];

static int setup(void **state)
{
	(void)state;
	fill_pattern(pattern, sizeof(pattern), 5);
	wire.params = (struct iscsi_params){
	    .immediate_data = true,
	    .max_recv_data_segment = 8192,
	    .max_xmit_data_segment = 8192,
	    .max_burst = 8192,
	    .first_burst = 8192,
	    .max_outstanding_r2t = 1,
	};
	return 0;
}

static void begin(unsigned nluns)
{
	wire_start_luns(nluns);
	out.len = in.len = 0;
	stream_login(&out);
	wire_send_stream(&out);
	wire_receive(&in);
	stream_after_login(&in, &at);
}

static void send_pdu(const void *bhs, const void *data, uint32_t len)
{
	out.len = 0;
	stream_add(&out, bhs, data, len);
	wire_send_stream(&out);
	wire_receive(&in);
}

static void send_command(unsigned lun, struct iscsi_scsi_command cmd, uint32_t immediate)
{
	model_lun_encode(lun, cmd.lun);
	send_pdu(&cmd, pattern, immediate);
}

static void send_tmf(unsigned lun, uint32_t itt, uint8_t function, uint32_t ref)
{
	struct iscsi_tmf_request pdu = wire_tmf(itt, function, ref);

	model_lun_encode(lun, pdu.lun);
	send_pdu(&pdu, NULL, 0);
}

static struct reply next(uint8_t opcode)
{
	struct reply reply;

	assert_true(stream_next(&in, &at, &reply));
	assert_int_equal(reply.bhs[0], opcode);
	return reply;
}

static void nothing_more(void)
{
	struct reply reply;

	assert_false(stream_next(&in, &at, &reply));
}

static void good(uint32_t itt)
{
	struct reply reply = next(ISCSI_OP_SCSI_RESPONSE);

	assert_int_equal(get_be32(reply.bhs + 16), itt);
	assert_int_equal(reply.bhs[3], SCSI_GOOD);
}

static void no_such_lun(uint32_t itt)
{
	struct reply reply = next(ISCSI_OP_SCSI_RESPONSE);

	assert_int_equal(get_be32(reply.bhs + 16), itt);
	assert_int_equal(reply.bhs[3], SCSI_CHECK_CONDITION);
	assert_int_equal(reply.data[2 + 2], 0x05);
	assert_int_equal(get_be16(reply.data + 2 + 12), NO_LUN);
}

static void tmf_answer(uint8_t answer)
{
	assert_int_equal(next(ISCSI_OP_TASK_MGMT_RSP).bhs[2], answer);
}

static void test_unit_ready(unsigned lun, uint32_t itt)
{
	send_command(lun, wire_command(itt, ISCSI_FINAL, 0, TUR, 0, 0), 0);
}

static struct model_object *lun_object(unsigned lun)
{
	char name[16];

	snprintf(name, sizeof(name), "lun_%u", lun);
	return model_find(wire.tpg, MODEL_LUN, name);
}

static unsigned deleted;

static void on_deleted(void *arg, int err, const struct error *error)
{
	(void)arg, (void)error;
	assert_int_equal(err, 0);
	deleted++;
}

/* Begins to remove a LUN. deleted counts the removals that have ended. */
static void remove_lun(unsigned lun)
{
	deleted = 0;
	model_delete(lun_object(lun), false, on_deleted, NULL);
	wire_update();
	wire_receive(&in);
}

static void add_lun(unsigned lun, const char *disk)
{
	char name[16];

	snprintf(name, sizeof(name), "lun_%u", lun);
	fixture_create(wire.model, wire.tpg, MODEL_LUN, name, fixture_disk(wire.model, disk));
	wire_update();
}

/* --- nexuses ---------------------------------------------------------------------------------------- */

/* The first command for a LUN attaches its nexus. A command for a LUN that does not exist attaches none. */
static void test_nexus_is_attached_by_the_first_command(void **state)
{
	(void)state;
	begin(3);
	assert_int_equal(wire.attached, 0);
	test_unit_ready(1, 1);
	good(1);
	assert_int_equal(wire.attached, 1);
	test_unit_ready(1, 2);
	good(2);
	assert_int_equal(wire.attached, 1);
	test_unit_ready(7, 3);
	no_such_lun(3);
	assert_int_equal(wire.attached, 1);
	wire_stop();
}

static void test_largest_lun(void **state)
{
	(void)state;
	begin(1);
	add_lun(MODEL_LUN_MAX, "user_0/last");
	test_unit_ready(MODEL_LUN_MAX, 1);
	good(1);
	assert_non_null(iscsi_lun_find(&wire_conn()->session->luns, MODEL_LUN_MAX));
	remove_lun(MODEL_LUN_MAX);
	assert_int_equal(deleted, 1);
	test_unit_ready(MODEL_LUN_MAX, 2);
	no_such_lun(2);
	wire_stop();
}

static void test_thousand_luns(void **state)
{
	const unsigned n = 1000;
	static uint8_t list[1000][8];
	struct scsi_it_nexus *it;

	(void)state;
	begin(n);
	it = &wire_conn()->session->it;
	assert_int_equal(it->report_luns(it, NULL, 0), n);
	assert_int_equal(it->report_luns(it, list, n), n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(model_lun_decode(list[i]), i);
	assert_int_equal(wire.attached, 0);
	for (unsigned i = 0; i < n; i++) {
		test_unit_ready(i, i);
		good(i);
		at = in.len = 0;
	}
	assert_int_equal(wire.attached, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(iscsi_lun_find(&wire_conn()->session->luns, i)->number, i);
	for (unsigned i = 0; i < n; i += 2)
		model_delete(lun_object(i), false, on_deleted, NULL);
	wire_update();
	assert_int_equal(wire.attached, n / 2);
	assert_int_equal(it->report_luns(it, list, n), n / 2);
	assert_int_equal(model_lun_decode(list[7]), 15);
	wire_stop();
}

/* --- changes ---------------------------------------------------------------------------------------- */

/*
 * The other nexuses report the change until REPORT LUNS is sent, and so do nexuses that are attached later.
 */
static void test_inventory_changes(void **state)
{
	struct scsi_it_nexus *it;

	(void)state;
	begin(3);
	test_unit_ready(0, 1);
	good(1);
	test_unit_ready(1, 2);
	good(2);
	remove_lun(0);
	assert_int_equal(deleted, 1);
	assert_int_equal(wire.attached, 1);
	assert_int_equal(wire.luns_changed, 1);
	test_unit_ready(2, 3);
	good(3);
	assert_int_equal(wire.luns_changed, 2);
	it = &wire_conn()->session->it;
	it->report_luns(it, NULL, 0);
	assert_int_equal(wire.luns_reported, 2);
	add_lun(0, "user_0/again");
	assert_int_equal(wire.luns_changed, 4);
	it->report_luns(it, NULL, 0);
	test_unit_ready(0, 4);
	good(4);
	assert_int_equal(wire.luns_changed, 4);
	wire_stop();
}

/* Another unit serves the LUN: commands reach it at once, and the old nexus is detached. */
static void test_other_unit(void **state)
{
	const struct scsi_lu *before;

	(void)state;
	begin(2);
	test_unit_ready(0, 1);
	test_unit_ready(1, 2);
	good(1);
	good(2);
	before = iscsi_lun_find(&wire_conn()->session->luns, 0)->nexus.lu;
	fake_storage_swap(model_storage(model_to(lun_object(0))));
	wire_update();
	assert_int_equal(wire.attached, 1);
	assert_int_equal(wire.luns_changed, 1);
	test_unit_ready(0, 3);
	good(3);
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
	test_unit_ready(0, 1);
	good(1);
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
	test_unit_ready(0, 1);
	good(1);
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
	test_unit_ready(0, 2);
	no_such_lun(2);
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
	no_such_lun(1);
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
	no_such_lun(1);
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
	no_such_lun(1);
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
		tmf_answer(i < ARRAY_SIZE(functions) ? ISCSI_TMF_NO_LUN : ISCSI_TMF_NO_TASK);
		send_tmf(0, 10, functions[i % ARRAY_SIZE(functions)], 1);
		nothing_more();
		wire.hold = false;
		wire_complete();
		wire_tmf_done();
		wire_turn();
		wire_receive(&in);
		tmf_answer(ISCSI_TMF_COMPLETE); /* and there is no response of the command */
		nothing_more();
		wire_update();
		assert_true(list_empty(&wire_conn()->session->luns.leaving));
		send_tmf(0, 11, ISCSI_TMF_LU_RESET, 1);
		tmf_answer(i < ARRAY_SIZE(functions) ? ISCSI_TMF_NO_LUN : ISCSI_TMF_COMPLETE);
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
	tmf_answer(ISCSI_TMF_COMPLETE);
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
	tmf_answer(ISCSI_TMF_REJECTED); /* only one at a time is possible */
	remove_lun(3);
	wire_complete();
	wire_tmf_done();
	wire_update();
	wire_receive(&in);
	tmf_answer(ISCSI_TMF_COMPLETE);
	assert_int_equal(deleted, 1);
	assert_int_equal(wire.attached, 4);
	send_tmf(0, 4, ISCSI_TMF_WARM_RESET, ISCSI_TAG_NONE);
	tmf_answer(ISCSI_TMF_COMPLETE);
	assert_int_equal(wire.resets, 9);
	wire_stop();
}

/* --- sessions that end -------------------------------------------------------------------------------- */

static void test_disabled(void **state)
{
	struct reply reply;

	(void)state;
	begin(1);
	test_unit_ready(0, 1);
	good(1);
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
	test_unit_ready(1, 1);
	good(1);
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
	test_unit_ready(0, 1); /* the session may complete its commands */
	good(1);
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
	    cmocka_unit_test_setup(test_disabled, setup),
	    cmocka_unit_test_setup(test_disabled_during_the_login, setup),
	    cmocka_unit_test_setup(test_hanging_session, setup),
	    cmocka_unit_test_setup(test_kicked, setup),
	    cmocka_unit_test_setup(test_counters, setup),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
