/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's target port groups, from a configfs tree to the answers that initiators get. The manager is
 * the real one, the kernel a fake.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "backstore/backstore.h"
#include "fake_alua.h"
#include "fake_kernel.h"
#include "scsi/alua.h"
#include "kernel/manager.h"
#include "util/bytes.h"

#define SIZE     (1u << 20)
#define DEVICE_1 "core/user_0/d1"
#define LUN_0    "loopback/naa.1/tpgt_1/lun/lun_0"
#define LUN_1    "loopback/naa.1/tpgt_2/lun/lun_0"

static const uint8_t TEST_UNIT_READY[6] = {0};

struct fixture {
	char root[64];
	struct loop_set set;
	struct storage_registry *registry;
	struct kernel_manager *manager;
};

static int set_up(void **state)
{
	const struct loop_options loops = {.nloops = 2, .npool = 2};
	struct fixture *w = calloc(1, sizeof(*w));

	*state = w;
	strcpy(w->root, "/tmp/kernel_alua.XXXXXX");
	assert_non_null(mkdtemp(w->root));
	fake_kernel_start(w->root);
	assert_true(backstore_load_handlers(HANDLERS, NULL) > 0);
	assert_int_equal(loop_set_start(&w->set, &loops, NULL), 0);
	char folder[80];
	snprintf(folder, sizeof(folder), "%s/state", w->root);
	w->registry = storage_registry_new(folder, NULL);
	const struct kernel_manager_options options = {
	    .state_dir = w->root, .run_dir = w->root, .registry = w->registry};
	w->manager = kernel_manager_open(&w->set, &options, NULL);
	assert_non_null(w->manager);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *w = *state;
	char command[128];

	assert_true(kernel_manager_close(w->manager, 120000));
	storage_registry_free(w->registry);
	loop_set_stop(&w->set);
	backstore_unload_handlers();
	fake_kernel_stop();
	snprintf(command, sizeof(command), "rm -r %s", w->root);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void add(unsigned n)
{
	struct tcmu_event event = {.type = TCMU_EVENT_ADDED};
	char config[32];

	snprintf(config, sizeof(config), "alloc/a%u", n);
	fake_device_make(n, config, SIZE);
	fake_event(n, &event);
	assert_int_equal(fake_answer(&event), 0);
}

/* Makes device 1, a LUN that leads to it, and device 2, which has no groups. */
static void make_devices(struct fixture *w)
{
	add(1);
	add(2);
	fake_alua_group(w->root, DEVICE_1, "default_tg_pt_gp", "0\n");
	fake_alua_members(w->root, DEVICE_1, "default_tg_pt_gp",
			  (const char *[]){"loopback/naa.1/tpgt_1/lun_0", NULL});
	fake_alua_lun(w->root, LUN_0, "1\n");
}

static void set(struct fixture *w, const char *file, const char *text)
{
	fake_alua_set(w->root, DEVICE_1, "default_tg_pt_gp", file, text);
}

/* --- commands; data() returns the last Data-In of a device */

static const uint8_t *data(unsigned n)
{
	return &fake_devices[n].ring.map[fake_devices[n].ring.data_off];
}

static const uint8_t *inquiry(unsigned n, uint8_t page)
{
	const uint8_t cdb[6] = {0x12, page != 0, page, 0, 252};

	assert_int_equal(fake_command(n, cdb, sizeof(cdb), 252), SCSI_GOOD);
	return data(n);
}

/* Repeats the command until it returns no unit attention. Returns NULL if the command is not supported. */
static const uint8_t *report(unsigned n)
{
	const uint8_t cdb[12] = {0xa3, 0x0a, [9] = 64};
	int status;

	for (int i = 0; i < 4; i++) {
		status = fake_command(n, cdb, sizeof(cdb), 64);
		if (status == SCSI_GOOD)
			return data(n);
		if (fake_devices[n].ring.sense_key[1] == 5)
			return NULL;
	}
	fail();
	return NULL;
}

/*
 * Waits until the byte at this offset of the report has the value. Changes that inotify does not report are
 * found by asking.
 */
static void wait_report(unsigned at, uint8_t value)
{
	const struct timespec ms = {.tv_nsec = 1000000};
	const uint8_t *bytes = NULL;

	for (int i = 0; i < 60000; i++) {
		bytes = report(1);
		if (bytes && bytes[at] == value)
			return;
		nanosleep(&ms, NULL);
	}
	assert_non_null(bytes);
	assert_int_equal(bytes[at], value);
}

/* Returns the number in a designator of the target port, or -1 if there is no such designator. */
static int designated(unsigned n, uint8_t type)
{
	const uint8_t *page = inquiry(n, 0x83), *end = page + 4 + get_be16(page + 2);

	for (const uint8_t *p = page + 4; p < end; p += 4 + p[3])
		if (p[1] == (0x10 | type))
			return (int)get_be32(&p[4]);
	return -1;
}

/* --- tests */

/* A LUN that is made after the device was enabled is in the answer to the first command. */
static void test_first_command(void **state)
{
	static const uint8_t expected[] = {0, 0, 0, 12, 0, 0xcf, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1};
	struct fixture *w = *state;

	make_devices(w);
	assert_int_equal(inquiry(1, 0)[5] >> 4, SCSI_TPGS_ANY);
	assert_int_equal(designated(1, 4), 1);
	assert_int_equal(designated(1, 5), 0);
	assert_memory_equal(report(1), expected, sizeof(expected));
	assert_int_equal(fake_command(1, TEST_UNIT_READY, 6, 0), SCSI_GOOD);
	assert_int_equal(inquiry(2, 0)[5] >> 4, SCSI_TPGS_NONE);
	assert_int_equal(designated(2, 5), -1);
	assert_null(report(2));
}

/* Returns the number of unit attentions that wait for device 1. */
static unsigned attentions(void)
{
	unsigned n = 0;

	while (fake_command(1, TEST_UNIT_READY, 6, 0) != SCSI_GOOD) {
		assert_int_equal(fake_devices[1].ring.sense_key[1], 6);
		n++;
	}
	return n;
}

/* The unit attention comes without a command that asks for the group. */
static void test_change_raises_a_unit_attention(void **state)
{
	const struct timespec ms = {.tv_nsec = 1000000};
	struct fixture *w = *state;
	unsigned n = 0;

	make_devices(w);
	assert_int_equal(attentions(), 0);
	set(w, "alua_access_state", "2\n");
	for (int i = 0; i < 60000 && !(n = attentions()); i++)
		nanosleep(&ms, NULL);
	assert_int_equal(n, 1);
	assert_int_equal(report(1)[4], SCSI_ALUA_STANDBY);
	set(w, "preferred", "1\n");
	wait_report(4, 0x80 | SCSI_ALUA_STANDBY);
	/* A value that is not allowed changes nothing. */
	set(w, "alua_access_state", "9\n");
	set(w, "alua_access_status", "Altered by Implicit ALUA\n");
	const struct timespec a_while = {.tv_nsec = 100000000};
	nanosleep(&a_while, NULL);
	assert_int_equal(report(1)[4], 0x80 | SCSI_ALUA_STANDBY);
	set(w, "alua_access_state", "1\n");
	wait_report(4, 0x80 | SCSI_ALUA_NON_OPTIMIZED);
	assert_int_equal(report(1)[4 + 5], SCSI_ALUA_BY_TARGET);
	set(w, "alua_access_type", "Implicit\n");
	for (int i = 0; i < 60000 && inquiry(1, 0)[5] >> 4 != SCSI_TPGS_IMPLICIT; i++)
		nanosleep(&ms, NULL);
	assert_int_equal(inquiry(1, 0)[5] >> 4, SCSI_TPGS_IMPLICIT);
}

/* A second LUN is in a group of its own. Then the first LUN's TPG is disabled. */
static void test_second_lun(void **state)
{
	struct fixture *w = *state;

	make_devices(w);
	fake_tree_set(w->root, "loopback/naa.1/tpgt_1/enable", "1\n");
	assert_int_equal(report(1)[3], 12);
	fake_alua_lun(w->root, LUN_1, "2\n");
	fake_alua_group(w->root, DEVICE_1, "b", "17\n");
	fake_alua_members(w->root, DEVICE_1, "b", (const char *[]){"loopback/naa.1/tpgt_2/lun_0", NULL});
	wait_report(3, 24);
	/* the name "b" sorts first */
	assert_int_equal(get_be16(report(1) + 4 + 2), 17);
	assert_int_equal(get_be16(report(1) + 4 + 8 + 2), 2);
	assert_int_equal(designated(1, 4), -1);
	assert_int_equal(designated(1, 5), -1);
	fake_tree_set(w->root, "loopback/naa.1/tpgt_1/enable", "0\n");
	const struct timespec ms = {.tv_nsec = 1000000};
	for (int i = 0; i < 60000 && designated(1, 4) < 0; i++)
		nanosleep(&ms, NULL);
	assert_int_equal(designated(1, 4), 2);
	assert_int_equal(designated(1, 5), 17);
	assert_true(attentions() > 0);
}

static void test_initiator_sets(void **state)
{
	const uint8_t cdb[12] = {0xa4, 0x0a, [9] = 8};
	struct fake_ring *ring = &fake_devices[1].ring;
	struct fixture *w = *state;
	char text[64];

	make_devices(w);
	report(1);
	memcpy(&ring->map[ring->data_off], (const uint8_t[]){0, 0, 0, 0, 1, 0, 0, 0}, 8);
	assert_int_equal(fake_command(1, cdb, sizeof(cdb), 8), SCSI_GOOD);
	fake_tree_get(w->root, DEVICE_1 "/alua/default_tg_pt_gp/alua_access_state", text);
	assert_int_equal(text[0], '1');
	fake_tree_get(w->root, DEVICE_1 "/alua/default_tg_pt_gp/alua_access_status", text);
	assert_int_equal(text[0], '1');
	assert_int_equal(report(1)[4], SCSI_ALUA_NON_OPTIMIZED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_first_command, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_change_raises_a_unit_attention, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_second_lun, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_initiator_sets, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
