/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of devices whose handler is not loaded. If the kernel waits for a reply, it gets one, from another
 * daemon or from this one.
 */
#include "manager_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kept_log.h"

static int set_up_log(void **state)
{
	log_keep();
	return set_up(state);
}

/* A saved configuration of another daemon is restored, and that daemon does not run. */
static void test_unknown_handler_is_refused_at_once(void **state)
{
	struct fixture *w = *state;

	fake_device_make(1, "qcow//srv/a.img", SIZE);
	/* The name of a loaded handler is only the beginning of this one. */
	fake_device_make(2, "filement/x", SIZE);
	fake_device_make(3, "", SIZE);
	open_manager(w);
	assert_int_equal(send_added(1), -ENOENT);
	assert_true(is_logged("user_0/d1: refused: no handler 'qcow' is loaded (loaded: alloc, "));
	assert_int_equal(send_added(2), -ENOENT);
	assert_true(is_logged("no handler 'filement'"));
	assert_int_equal(send_added(3), -ENOENT);
	assert_true(is_logged("does not begin with HANDLER/"));
	assert_int_equal(send_reconfigured(1, (struct tcmu_event){.has_size = true, .size = SIZE}), -ENOENT);
	assert_int_equal(send_removed(1), 0);
	assert_int_equal(observe_device(w, 1).n, 0);
}

static void test_other_daemon_gets_time_to_answer(void **state)
{
	struct tcmu_event event = {.type = TCMU_EVENT_ADDED};
	struct fixture *w = *state;

	w->other_daemon_ns = 300000000;
	fake_other_listener(true);
	open_manager(w);
	fake_device_make(1, "qcow//srv/a.img", SIZE);
	uint64_t begin = clock_now_ns();
	fake_event(1, &event);
	assert_int_equal(fake_answers(), 0);
	assert_int_equal(fake_answer(&event), -ENOENT);
	assert_true(clock_now_ns() - begin >= w->other_daemon_ns);
	for (int i = 0; i < 1000 && !is_logged("did not reply in time"); i++)
		pause_briefly();
	assert_true(is_logged("no handler 'qcow' is loaded"));
}

/*
 * The other daemon has answered first: the kernel takes no second reply, and the device does not count as
 * refused.
 */
static void test_other_daemon_has_answered(void **state)
{
	struct tcmu_event event = {.type = TCMU_EVENT_ADDED};
	struct fixture *w = *state;

	w->other_daemon_ns = 100000000;
	fake_other_listener(true);
	open_manager(w);
	fake_kernel_waits(false);
	fake_device_make(1, "qcow//srv/a.img", SIZE);
	fake_event(1, &event);
	fake_answer(&event);
	close_manager(w);
	assert_false(is_logged("refused"));
}

/*
 * A reply contains only the device number, so a late reply to the first event could be taken for the reply to
 * the second.
 */
static void test_next_event_of_the_device(void **state)
{
	struct tcmu_event added = {.type = TCMU_EVENT_ADDED, .device_id = 77};
	struct tcmu_event removed = {.type = TCMU_EVENT_REMOVED, .device_id = 77};
	struct fixture *w = *state;

	w->other_daemon_ns = 200000000;
	fake_other_listener(true);
	open_manager(w);
	fake_device_make(1, "qcow//srv/a.img", SIZE);
	fake_event(1, &added);
	fake_event(1, &removed);
	assert_int_equal(fake_answer(&removed), 0); /* this fails if there is a second answer */
	close_manager(w);
	assert_int_equal(fake_answers(), 1);
}

/* A daemon that stops answers all events that wait. */
static void test_stop_while_waiting(void **state)
{
	struct tcmu_event event = {.type = TCMU_EVENT_ADDED};
	struct fixture *w = *state;

	w->other_daemon_ns = 3600ull * 1000000000;
	fake_other_listener(true);
	open_manager(w);
	fake_device_make(1, "qcow//srv/a.img", SIZE);
	fake_event(1, &event);
	close_manager(w);
	assert_int_equal(fake_answer(&event), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_unknown_handler_is_refused_at_once, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_other_daemon_gets_time_to_answer, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_other_daemon_has_answered, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_next_event_of_the_device, set_up_log, tear_down),
	    cmocka_unit_test_setup_teardown(test_stop_while_waiting, set_up_log, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
