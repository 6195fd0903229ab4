/* SPDX-License-Identifier: Apache-2.0 */
/* Task management on several loops, with a backstore that ends I/O when the test says so. */
#include "spc_fixture.h"

#include "scsi/nexus.h"

#define NLOOPS 3
#define TUR    0x00, 0, 0, 0, 0, 0

static const uint8_t read10[10] = {0x28, [8] = 1};

struct tmf_test {
	struct spc_fixture e;
	struct fake_cmd cmds[6];
	struct scsi_tmf tmf[2];
};

/* The functions that were answered, in the order of their answers, and their number. */
static struct scsi_tmf *answers[4];
static unsigned answered;

static void tmf_done(struct scsi_tmf *tmf)
{
	assert_ptr_equal(loop_current(), tmf->loop);
	answers[answered++] = tmf;
}

static void open_test(struct tmf_test *t)
{
	*t = (struct tmf_test){0};
	answered = 0;
	spc_fixture_open(&t->e, NLOOPS, NULL);
	t->e.bs->defer = true;
}

static void close_test(struct tmf_test *t)
{
	for (unsigned i = 0; i < ARRAY_SIZE(t->cmds); i++)
		fake_cmd_free(&t->cmds[i]);
	spc_fixture_close(&t->e);
}

static void parse(struct tmf_test *t, unsigned i, unsigned nexus, unsigned loop)
{
	fake_cmd_init(&t->cmds[i], t->e.lu, &t->e.nexus[nexus], read10, sizeof(read10));
	t->cmds[i].cmd.loop = fake_loop(loop);
	scsi_parse(&t->cmds[i].cmd);
}

static void submit(struct tmf_test *t, unsigned i)
{
	fake_loop_enter(t->cmds[i].cmd.loop);
	scsi_submit(&t->cmds[i].cmd);
	fake_loop_enter(fake_loop(0));
}

/* Starts a READ that stays in flight. */
static void start(struct tmf_test *t, unsigned i, unsigned nexus, unsigned loop)
{
	parse(t, i, nexus, loop);
	submit(t, i);
	assert_int_equal(t->cmds[i].done, 0);
}

static struct scsi_tmf *manage(struct tmf_test *t, unsigned i, enum scsi_tmf_function function,
			       unsigned nexus, unsigned loop, struct scsi_cmd *task)
{
	t->tmf[i] = (struct scsi_tmf){
	    .function = function,
	    .lu = t->e.lu,
	    .nexus = &t->e.nexus[nexus],
	    .task = task,
	    .loop = fake_loop(loop),
	    .done = tmf_done,
	};
	fake_loop_enter(fake_loop(loop));
	scsi_tmf_submit(&t->tmf[i]);
	fake_loop_enter(fake_loop(0));
	return &t->tmf[i];
}

static void assert_over(struct tmf_test *t, unsigned i, bool aborted)
{
	assert_int_equal(t->cmds[i].done, 1);
	assert_int_equal(t->cmds[i].cmd.aborted, aborted);
}

static void test_abort_task(void **state)
{
	struct tmf_test t;

	(void)state;
	open_test(&t);
	start(&t, 0, 0, 0);
	start(&t, 1, 0, 0);
	manage(&t, 0, SCSI_ABORT_TASK, 0, 0, &t.cmds[1].cmd);
	assert_int_equal(answered, 0);
	fake_backstore_end(t.e.bs);
	assert_over(&t, 0, false);
	assert_int_equal(answered, 0);
	fake_backstore_end(t.e.bs);
	assert_over(&t, 1, true);
	assert_int_equal(answered, 1);
	close_test(&t);
}

static void test_abort_twice(void **state)
{
	struct tmf_test t;

	(void)state;
	open_test(&t);
	start(&t, 0, 0, 0);
	manage(&t, 0, SCSI_ABORT_TASK, 0, 0, &t.cmds[0].cmd);
	manage(&t, 1, SCSI_ABORT_TASK_SET, 0, 0, NULL);
	assert_int_equal(answered, 0);
	fake_backstore_end(t.e.bs);
	assert_int_equal(answered, 2);
	close_test(&t);
}

static void test_abort_task_set(void **state)
{
	struct tmf_test t;

	(void)state;
	open_test(&t);
	start(&t, 0, 0, 0);
	start(&t, 1, 1, 0);
	start(&t, 2, 0, 0);
	manage(&t, 0, SCSI_ABORT_TASK_SET, 0, 0, NULL);
	start(&t, 3, 0, 0); /* this one comes later, so it is not affected and not waited for */
	fake_backstore_end(t.e.bs);
	fake_backstore_end(t.e.bs);
	assert_int_equal(answered, 0);
	fake_backstore_end(t.e.bs);
	assert_int_equal(answered, 1);
	assert_over(&t, 0, true);
	assert_over(&t, 1, false);
	assert_over(&t, 2, true);
	assert_int_equal(t.cmds[3].done, 0);
	fake_run();
	assert_over(&t, 3, false);
	assert_int_equal(scsi_ua_peek(&t.e.nexus[1]), SENSE_NONE);
	/* If no command is in flight, the answer comes at once. */
	manage(&t, 1, SCSI_NEXUS_LOSS, 0, 0, NULL);
	assert_int_equal(answered, 2);
	close_test(&t);
}

/*
 * I/O that has not started does not start, on whatever loop, and neither does the next step of the commands.
 */
static void test_io_is_cancelled(void **state)
{
	static const uint8_t write_and_verify[10] = {0x2e, [8] = 1};
	static uint8_t block[512];
	struct tmf_test t;

	(void)state;
	open_test(&t);
	t.e.bs->queue = true;
	start(&t, 0, 0, 0);
	start(&t, 1, 0, 0);
	start(&t, 2, 1, 1);
	manage(&t, 0, SCSI_ABORT_TASK, 0, 0, &t.cmds[1].cmd);
	assert_int_equal(t.cmds[0].cmd.bio.status, TCMUR_OK);
	assert_int_equal(t.cmds[1].cmd.bio.status, TCMUR_TIMEOUT);
	assert_int_equal(answered, 0);
	manage(&t, 1, SCSI_LU_RESET, 0, 0, NULL);
	fake_run_posted();
	assert_int_equal(t.cmds[0].cmd.bio.status, TCMUR_TIMEOUT);
	assert_int_equal(t.cmds[2].cmd.bio.status, TCMUR_TIMEOUT);
	fake_run();
	assert_int_equal(answered, 2);

	scsi_ua_pop(&t.e.nexus[0]);
	t.e.bs->queue = false;
	fake_cmd_init(&t.cmds[3], t.e.lu, &t.e.nexus[0], write_and_verify, sizeof(write_and_verify));
	fake_cmd_submit(&t.cmds[3], block, sizeof(block));
	t.e.bs->ncalls = 0;
	manage(&t, 0, SCSI_ABORT_TASK, 0, 0, &t.cmds[3].cmd);
	fake_run();
	assert_over(&t, 3, true);
	assert_int_equal(t.e.bs->ncalls, 0);
	close_test(&t);
}

/*
 * A command that has expired ends with an error after which the initiator repeats it, unless it is complete.
 */
static void test_expired(void **state)
{
	static const uint8_t write_and_verify[10] = {0x2e, [8] = 1};
	static uint8_t block[512];
	struct tmf_test t;

	(void)state;
	open_test(&t);
	t.e.bs->queue = true;
	start(&t, 0, 0, 0);
	scsi_expire(&t.cmds[0].cmd);
	assert_int_equal(t.cmds[0].done, 0);
	assert_int_equal(t.e.bs->holds, 1);
	fake_run();
	assert_over(&t, 0, false);
	assert_int_equal(fake_sense(&t.cmds[0].cmd), SENSE_COMMAND_TIMEOUT);
	/* The command ends the write that has started, and does not verify it. */
	t.e.bs->queue = false;
	fake_cmd_init(&t.cmds[1], t.e.lu, &t.e.nexus[0], write_and_verify, sizeof(write_and_verify));
	fake_cmd_submit(&t.cmds[1], block, sizeof(block));
	scsi_expire(&t.cmds[1].cmd);
	fake_run();
	assert_over(&t, 1, false);
	assert_int_equal(fake_sense(&t.cmds[1].cmd), SENSE_COMMAND_TIMEOUT);
	start(&t, 2, 0, 0);
	scsi_expire(&t.cmds[2].cmd);
	fake_run();
	assert_over(&t, 2, false);
	assert_int_equal(t.cmds[2].cmd.status, SCSI_GOOD);
	close_test(&t);
}

static void expire(struct tmf_test *t, unsigned i)
{
	fake_loop_enter(t->cmds[i].cmd.loop);
	scsi_expire(&t->cmds[i].cmd);
	fake_loop_enter(fake_loop(0));
	assert_int_equal(t->cmds[i].done, 0);
}

/* The storage hangs: functions that wait for a command end when it expires, and later ones do not wait. */
static void test_functions_do_not_wait_for_the_expired(void **state)
{
	struct tmf_test t;

	(void)state;
	open_test(&t);
	start(&t, 0, 0, 0);
	start(&t, 1, 0, 0);
	manage(&t, 0, SCSI_ABORT_TASK, 0, 0, &t.cmds[0].cmd);
	manage(&t, 1, SCSI_ABORT_TASK_SET, 0, 0, NULL);
	assert_int_equal(answered, 0);
	expire(&t, 0);
	assert_int_equal(answered, 1);
	assert_ptr_equal(answers[0], &t.tmf[0]);
	expire(&t, 1);
	assert_int_equal(answered, 2);
	assert_int_equal(t.e.bs->holds, 2);
	manage(&t, 0, SCSI_ABORT_TASK_SET, 0, 0, NULL);
	assert_int_equal(answered, 3);
	fake_run();
	assert_over(&t, 0, true);
	assert_over(&t, 1, true);
	assert_int_equal(answered, 3);
	close_test(&t);
}

static void test_resets_do_not_wait_for_the_expired(void **state)
{
	struct tmf_test t;

	(void)state;
	open_test(&t);
	start(&t, 0, 0, 0);
	start(&t, 1, 1, 1);
	manage(&t, 0, SCSI_LU_RESET, 0, 2, NULL);
	fake_run_posted();
	expire(&t, 0);
	fake_run_posted();
	assert_int_equal(answered, 0);
	expire(&t, 1);
	fake_run_posted();
	assert_int_equal(answered, 1);
	/*
	 * The initiator has received an answer to its expired command, so CLEAR TASK SET takes no command
	 * from it.
	 */
	scsi_ua_clear(&t.e.nexus[1], SCSI_UA_LU_RESET);
	start(&t, 2, 1, 1);
	expire(&t, 2);
	manage(&t, 1, SCSI_CLEAR_TASK_SET, 0, 0, NULL);
	fake_run_posted();
	assert_int_equal(answered, 2);
	assert_int_equal(scsi_ua_peek(&t.e.nexus[1]), SENSE_NONE);
	fake_run();
	for (unsigned i = 0; i < 3; i++)
		assert_over(&t, i, true);
	close_test(&t);
}

static void test_clear_task_set_on_all_loops(void **state)
{
	struct tmf_test t;

	(void)state;
	open_test(&t);
	start(&t, 0, 0, 0);
	start(&t, 1, 1, 1);
	manage(&t, 0, SCSI_CLEAR_TASK_SET, 0, 2, NULL);
	start(&t, 2, 0, 1); /* this was parsed after the function, so it belongs to another epoch */
	fake_run_posted();
	assert_int_equal(answered, 0);
	fake_backstore_end(t.e.bs);
	fake_run_posted();
	assert_over(&t, 0, true);
	assert_int_equal(answered, 0);
	fake_backstore_end(t.e.bs);
	assert_over(&t, 1, true);
	fake_run_posted();
	assert_int_equal(answered, 1);
	assert_int_equal(t.cmds[2].done, 0);
	fake_run();
	assert_over(&t, 2, false);
	assert_int_equal(t.cmds[2].cmd.status, SCSI_GOOD);
	assert_int_equal(scsi_ua_peek(&t.e.nexus[0]), SENSE_NONE);
	assert_int_equal(scsi_ua_peek(&t.e.nexus[1]), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2f, 0x00));
	close_test(&t);
}

/* Commands whose data was being received when the reset came. */
static void test_parsed_before_reset(void **state)
{
	struct tmf_test t;

	(void)state;
	open_test(&t);
	parse(&t, 0, 1, 1);
	manage(&t, 0, SCSI_LU_RESET, 0, 0, NULL);
	fake_run_posted();
	assert_int_equal(answered, 1);
	submit(&t, 0);
	assert_over(&t, 0, true);
	assert_int_equal(t.e.bs->ncalls, 0);
	close_test(&t);
}

/*
 * Only a nexus that loses a command gets the unit attention, also for a command that was not submitted yet.
 */
static void test_clear_task_set_notifies(void **state)
{
	struct tmf_test t;

	(void)state;
	open_test(&t);
	manage(&t, 0, SCSI_CLEAR_TASK_SET, 0, 0, NULL);
	fake_run();
	assert_int_equal(scsi_ua_peek(&t.e.nexus[1]), SENSE_NONE);
	parse(&t, 0, 1, 1);
	parse(&t, 1, 0, 0);
	manage(&t, 1, SCSI_CLEAR_TASK_SET, 0, 0, NULL);
	fake_run();
	assert_int_equal(answered, 2);
	submit(&t, 0);
	submit(&t, 1);
	assert_over(&t, 0, true);
	assert_over(&t, 1, true);
	assert_int_equal(scsi_ua_peek(&t.e.nexus[0]), SENSE_NONE);
	assert_int_equal(scsi_ua_peek(&t.e.nexus[1]), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2f, 0x00));
	close_test(&t);
}

static void set_tas(struct tmf_test *t, bool tas)
{
	t->e.lu->mode.tas = tas;
}

/*
 * SAM-5 5.3.1: with TAS = 1, which is the default, a command that another nexus aborts gets TASK
 * ABORTED.
 */
static void test_task_aborted_status(void **state)
{
	static const enum scsi_tmf_function functions[] = {SCSI_CLEAR_TASK_SET, SCSI_LU_RESET};

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(functions); i++) {
		bool tas = i % 2;
		struct tmf_test t;

		open_test(&t);
		assert_true(t.e.lu->mode.tas);
		set_tas(&t, tas);
		start(&t, 0, 0, 0);
		start(&t, 1, 1, 1);
		parse(&t, 2, 1, 1);
		manage(&t, 0, functions[i / 2], 0, 0, NULL);
		fake_run();
		assert_int_equal(answered, 1);
		submit(&t, 2);
		assert_over(&t, 0, true);
		assert_true(t.cmds[0].cmd.no_response); /* the nexus of the function */
		for (unsigned other = 1; other < 3; other++) {
			assert_over(&t, other, true);
			assert_int_equal(t.cmds[other].cmd.no_response, !tas);
			assert_int_equal(t.cmds[other].cmd.status, SCSI_TASK_ABORTED);
			assert_int_equal(t.cmds[other].cmd.sense_len, 0);
			assert_int_equal(t.cmds[other].cmd.data_in_len, 0);
		}
		close_test(&t);
	}
}

/*
 * Another nexus aborts a command, and then its own nexus does. The answer to ABORT TASK SET means that no
 * status follows.
 */
static void test_no_status_after_own_abort(void **state)
{
	struct tmf_test t;

	(void)state;
	open_test(&t);
	start(&t, 0, 0, 0);
	manage(&t, 0, SCSI_LU_RESET, 1, 1, NULL);
	fake_run_posted();
	assert_false(t.cmds[0].cmd.no_response);
	manage(&t, 1, SCSI_ABORT_TASK_SET, 0, 0, NULL);
	fake_run();
	assert_over(&t, 0, true);
	assert_true(t.cmds[0].cmd.no_response);
	assert_int_equal(answered, 2);
	close_test(&t);
}

/* The unit attention does not wait until the data of the WRITE has come, and is reported once. */
static void test_clear_notifies_while_gathering(void **state)
{
	static const uint8_t write10[10] = {0x2a, [8] = 1};
	static uint8_t block[512];
	struct iovec iov = {block, sizeof(block)};
	struct tmf_test t;

	(void)state;
	open_test(&t);
	t.e.nexus[1].loop = fake_loop(1);
	fake_cmd_init(&t.cmds[0], t.e.lu, &t.e.nexus[1], write10, sizeof(write10));
	t.cmds[0].cmd.loop = fake_loop(1);
	scsi_parse(&t.cmds[0].cmd);
	manage(&t, 0, SCSI_CLEAR_TASK_SET, 0, 0, NULL);
	fake_run();
	assert_int_equal(answered, 1);
	assert_int_equal(scsi_ua_pop(&t.e.nexus[1]), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2f, 0x00));
	t.cmds[0].cmd.iov = &iov;
	t.cmds[0].cmd.iovcnt = 1;
	t.cmds[0].cmd.data_out_len = sizeof(block);
	submit(&t, 0);
	assert_over(&t, 0, true);
	assert_int_equal(scsi_ua_peek(&t.e.nexus[1]), SENSE_NONE);
	assert_int_equal(scsi_ua_peek(&t.e.nexus[0]), SENSE_NONE);
	close_test(&t);
}

static void test_reset_clears_state(void **state)
{
	static const uint8_t caching_off[24] = {[4] = 0x08, 0x12};
	struct tmf_test t;

	(void)state;
	open_test(&t);
	t.e.bs->defer = false;
	assert_int_equal(RUN(&t.e, 1, 0x16, 0, 0, 0, 0, 0), SCSI_GOOD);
	assert_int_equal(RUN_OUT(&t.e, 1, caching_off, 24, 0x15, 0x10, 0, 0, 24, 0), SCSI_GOOD);
	assert_int_equal(RUN(&t.e, 1, 0x1b, 0, 0, 0, 0, 0), SCSI_GOOD);
	scsi_ua_pop(&t.e.nexus[0]);
	manage(&t, 0, SCSI_LU_RESET, 0, 0, NULL);
	fake_run();
	assert_int_equal(answered, 1);
	assert_int_equal(scsi_lu_gate(t.e.lu) & ~SCSI_GATE_EPOCH, 0);
	/*
	 * The nexus that made the reset also gets the unit attention, because the reset has cleared its
	 * settings as well.
	 */
	for (unsigned nexus = 0; nexus < 2; nexus++) {
		RUN(&t.e, nexus, TUR);
		assert_sense(&t.e, SENSE_CODE(SENSE_UNIT_ATTENTION, 0x29, 0x03));
		assert_int_equal(RUN(&t.e, nexus, TUR), SCSI_GOOD);
	}
	close_test(&t);
}

/*
 * Two functions at once from two loops: the second one waits until the first one has ended, and both wait for
 * their commands.
 */
static void test_two_resets(void **state)
{
	struct tmf_test t;

	(void)state;
	open_test(&t);
	start(&t, 0, 0, 0);
	manage(&t, 0, SCSI_LU_RESET, 0, 1, NULL);
	scsi_ua_pop(&t.e.nexus[1]);
	start(&t, 1, 1, 1);
	manage(&t, 1, SCSI_CLEAR_TASK_SET, 1, 2, NULL);
	start(&t, 2, 1, 2);
	fake_run_posted();
	assert_int_equal(answered, 0);
	fake_backstore_end(t.e.bs);
	fake_run_posted();
	assert_over(&t, 0, true);
	assert_int_equal(answered, 1);
	assert_ptr_equal(answers[0], &t.tmf[0]);
	fake_backstore_end(t.e.bs);
	fake_run_posted();
	assert_over(&t, 1, true);
	assert_int_equal(answered, 2);
	fake_run();
	assert_over(&t, 2, false);
	close_test(&t);
}

static void test_epoch_wraps(void **state)
{
	struct tmf_test t;

	(void)state;
	open_test(&t);
	t.e.lu->gate |= SCSI_GATE_EPOCH; /* the last possible epoch */
	start(&t, 0, 0, 0);
	manage(&t, 0, SCSI_LU_RESET, 0, 0, NULL);
	assert_int_equal(scsi_lu_gate(t.e.lu), 0);
	scsi_ua_pop(&t.e.nexus[0]);
	start(&t, 1, 0, 0);
	fake_run();
	assert_int_equal(answered, 1);
	assert_over(&t, 0, true);
	assert_over(&t, 1, false);
	close_test(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_abort_task),
	    cmocka_unit_test(test_abort_twice),
	    cmocka_unit_test(test_abort_task_set),
	    cmocka_unit_test(test_clear_task_set_on_all_loops),
	    cmocka_unit_test(test_parsed_before_reset),
	    cmocka_unit_test(test_clear_task_set_notifies),
	    cmocka_unit_test(test_task_aborted_status),
	    cmocka_unit_test(test_no_status_after_own_abort),
	    cmocka_unit_test(test_clear_notifies_while_gathering),
	    cmocka_unit_test(test_reset_clears_state),
	    cmocka_unit_test(test_two_resets),
	    cmocka_unit_test(test_epoch_wraps),
	    cmocka_unit_test(test_io_is_cancelled),
	    cmocka_unit_test(test_expired),
	    cmocka_unit_test(test_functions_do_not_wait_for_the_expired),
	    cmocka_unit_test(test_resets_do_not_wait_for_the_expired),
	};

	return cmocka_run_group_tests_name("scsi_tmf", tests, NULL, NULL);
}
