/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model changes while initiators use it: real loops, the real server with TCP, and logical units whose
 * I/O takes some time. The test lets ThreadSanitizer and AddressSanitizer find errors, and checks this: a LUN
 * that was deleted has no I/O in flight, data never reaches another disk, and each request of an initiator is
 * answered or its connection ends.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live_initiator.h"
#include "live_server.h"
#include "live_storage.h"
#include "model/attribute.h"
#include "model/private.h"
#include "util/bytes.h"
#include "util/contract.h"
#include "util/log.h"

#define INITIATORS 4
#define ROUNDS     2000

/* --- initiators, each on a thread --- */

struct initiator_thread {
	pthread_t thread;
	struct live_initiator initiator;
	unsigned random;
};

static atomic_bool over;
/* How many steps the threads have made. */
static atomic_uint steps;

static unsigned random_below(struct initiator_thread *p, unsigned n)
{
	p->random = p->random * 1103515245u + 12345u;
	return (p->random >> 16) % n;
}

static bool abort_something(struct initiator_thread *p, unsigned lun)
{
	static const uint8_t functions[] = {ISCSI_TMF_ABORT_TASK_SET, ISCSI_TMF_CLEAR_TASK_SET,
					    ISCSI_TMF_LU_RESET, ISCSI_TMF_WARM_RESET};
	struct live_initiator *i = &p->initiator;
	unsigned slot = random_below(p, LIVE_WINDOW), which = random_below(p, 40);

	if (i->function_itt)
		return live_receive(i, true, true);
	if (i->slots[slot].lun >= 0 && which < 20)
		return live_function(i, i->slots[slot].lun, ISCSI_TMF_ABORT_TASK, i->slots[slot].itt);
	if (which == 39)
		return live_function(i, -1, ISCSI_TMF_WARM_RESET, ISCSI_TAG_NONE);
	return live_function(i, (int)lun, functions[which % 3], ISCSI_TAG_NONE);
}

static bool do_step(struct initiator_thread *p)
{
	struct live_initiator *i = &p->initiator;
	unsigned lun = random_below(p, NLUNS + 1), block = random_below(p, LIVE_BLOCKS - 8),
		 n = 1 + random_below(p, 8);
	unsigned what = random_below(p, 100);

	if (i->asked_to_leave)
		return live_logout(i) && live_receive(i, true, true) && false;
	if (i->outstanding == LIVE_WINDOW)
		return live_receive(i, true, true);
	if (what < 20)
		return live_test_unit_ready(i, lun);
	if (what < 55)
		return live_read(i, lun, block, n);
	if (what < 85)
		return live_write(i, lun, block, n);
	if (what < 90)
		return abort_something(p, lun);
	if (what < 91)
		return false; /* the connection ends */
	return live_receive(i, false, true);
}

static void *run_initiator(void *arg)
{
	struct initiator_thread *p = arg;
	int status;

	while (!atomic_load(&over)) {
		if (!live_login(&p->initiator, &portal, TARGET, &status)) {
			contract(status == -1 || status == 0x0202 || status == 0x0203 || status == 0x0301);
			usleep(1000); /* the TPG is disabled now */
			continue;
		}
		while (!atomic_load(&over) && do_step(p))
			atomic_fetch_add(&steps, 1);
		live_close(&p->initiator);
	}
	return NULL;
}

/* The port of the portal that is added and removed, in network byte order; 0 if it is not known yet. */
static atomic_uint second_port;

/* Connects to a portal that is added and removed. */
static void *connect_repeatedly(void *arg)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	struct initiator_thread *p = arg;
	int status;

	inet_pton(AF_INET, "127.0.0.2", &addr.sin_addr);
	while (!atomic_load(&over)) {
		addr.sin_port = (in_port_t)atomic_load(&second_port);
		if (addr.sin_port && live_login(&p->initiator, &addr, TARGET, &status)) {
			if (live_test_unit_ready(&p->initiator, random_below(p, NLUNS)))
				live_receive(&p->initiator, random_below(p, 2), true);
			live_close(&p->initiator);
		} else {
			usleep(1000);
		}
	}
	return NULL;
}

static void start_initiators(struct initiator_thread *threads)
{
	atomic_store(&over, false);
	for (unsigned n = 0; n <= INITIATORS; n++) {
		threads[n] = (struct initiator_thread){.initiator = {.fd = -1, .number = n}, .random = n + 1};
		contract(!pthread_create(&threads[n].thread, NULL,
					 n < INITIATORS ? run_initiator : connect_repeatedly, &threads[n]));
	}
}

static void end_initiators(struct initiator_thread *threads)
{
	atomic_store(&over, true);
	for (unsigned n = 0; n <= INITIATORS; n++)
		pthread_join(threads[n].thread, NULL);
}

/* --- tests --- */

static void find_session(void *arg, const struct model_session *session)
{
	uint16_t *tsih = arg;

	contract(!strcmp(session->target, TARGET) && session->tag == 1 && *session->parameters);
	*tsih = session->tsih;
}

static void kick_first_session(void)
{
	const struct model_front_end *front_end = model_front_end(model);
	uint16_t tsih = 0;
	int err;

	front_end->sessions(front_end->arg, find_session, &tsih);
	err = front_end->kick(front_end->arg, tsih);
	contract(!err || err == -ENOENT);
}

/* Adds or removes a second portal. Its address is free at once. */
static void toggle_portal(void)
{
	static char text[64];
	struct model_object *object = *text ? model_find(tpg, MODEL_PORTAL, text) : NULL;

	if (object) {
		pending++;
		model_delete(object, false, on_done, "portal");
		return;
	}
	object = create(tpg, MODEL_PORTAL, *text ? text : "127.0.0.2:0", NULL);
	if (*text)
		return;
	snprintf(text, sizeof(text), "%s", model_portal_text(object));
	atomic_store(&second_port, ((const struct sockaddr_in *)&object->np->addr)->sin_port);
	pending++;
	model_delete(object, false, on_done, "portal");
}

/* Gives the initiators time for some steps between two changes. */
static void wait_for_steps(unsigned n)
{
	unsigned begin = atomic_load(&steps);

	while (atomic_load(&steps) - begin < n)
		if (!main_queue_wait(main_queue, 0))
			usleep(200);
}

/* An initiator gets an ACL while it uses the disks without one, and loses it again. */
static void give_acl(unsigned number)
{
	char name[64];

	settle(); /* a LUN that is being deleted cannot be mapped */
	snprintf(name, sizeof(name), "iqn.2026-11.test:i%u", number);
	struct model_object *acl = create(tpg, MODEL_ACL, name, NULL);
	for (unsigned lun = number; lun < NLUNS; lun++) {
		snprintf(name, sizeof(name), "lun_%u", lun);
		if (find_lun(lun))
			create(acl, MODEL_MAPPED_LUN, name, find_lun(lun));
	}
	wait_for_steps(20);
	pending++;
	model_delete(acl, true, on_done, "ACL");
	settle();
}

static void change_something(unsigned round)
{
	unsigned lun = round % NLUNS;

	switch (round * 7 % 16) {
	case 0:
		fake_storage_swap(model_storage(disks[lun]));
		break;
	case 1:
	case 2:
		set_attribute(tpg, "attrib", "demo_mode_write_protect", round % 2 ? "1" : "0");
		break;
	case 3:
		toggle_portal();
		break;
	case 4:
		if (round % 64 == 4)
			kick_first_session();
		else
			give_acl(round % INITIATORS);
		break;
	default:
		if (find_lun(lun))
			remove_lun(lun);
		else
			add_lun(lun);
	}
}

static void test_changes_under_load(void **state)
{
	struct initiator_thread threads[INITIATORS + 1];
	struct live_initiator sum = {0};

	(void)state;
	start_initiators(threads);
	for (unsigned round = 0; round < ROUNDS; round++) {
		change_something(round);
		if (round % 3)
			settle();
		wait_for_steps(round % 12);
		if (round % 500 == 499) { /* the target asks initiators to log out */
			settle();
			enable(tpg, false);
			enable(tpg, true);
		}
	}
	settle();
	end_initiators(threads);
	for (unsigned n = 0; n < INITIATORS; n++) {
		const struct live_initiator *i = &threads[n].initiator;

		sum.logins += i->logins;
		sum.good += i->good;
		sum.no_lun += i->no_lun;
		sum.luns_changed += i->luns_changed;
		sum.protections += i->protections;
		sum.unit_attentions += i->unit_attentions;
	}
	print_message("%u logins, %u good, %u without a LUN, %u unit attentions, %u changed, %u protected\n",
		      sum.logins, sum.good, sum.no_lun, sum.unit_attentions, sum.luns_changed,
		      sum.protections);
	/* this initiator uses the portal that is added and removed */
	assert_true(threads[INITIATORS].initiator.logins);
	assert_true(sum.logins > INITIATORS && sum.good && sum.no_lun && sum.luns_changed && sum.protections);
}

/* When a deletion has ended, no command of the LUN is in flight. The other LUNs are idle here. */
static void test_deleted_lun_has_no_command_in_flight(void **state)
{
	struct live_initiator i = {.fd = -1, .number = 77};
	int status;

	(void)state;
	for (unsigned n = 0; n < NLUNS; n++)
		if (!find_lun(n))
			add_lun(n);
	set_attribute(tpg, "attrib", "demo_mode_write_protect", "0");
	assert_true(live_login(&i, &portal, TARGET, &status));
	for (unsigned round = 0; round < 100; round++) {
		assert_true(live_test_unit_ready(&i, 2) && live_finish(&i));
		for (unsigned n = 0; n < LIVE_WINDOW; n++)
			assert_true(n % 2 ? live_write(&i, 2, n, 1) : live_read(&i, 2, n, 4));
		assert_true(live_receive(&i, false, true));
		remove_lun(2);
		settle();
		assert_int_equal(live_io_in_flight(), 0);
		assert_true(live_finish(&i));
		assert_true(live_read(&i, 2, 0, 1) && live_finish(&i));
		add_lun(2);
	}
	assert_true(i.no_lun >= 100);
	live_close(&i);
}

/* A WRITE that was sent after the protection took effect changes nothing. */
static void test_protection(void **state)
{
	struct live_initiator i = {.fd = -1, .number = 78};
	unsigned before;
	int status;

	(void)state;
	assert_true(live_login(&i, &portal, TARGET, &status));
	assert_true(live_test_unit_ready(&i, 1) && live_finish(&i)); /* POWER ON */
	for (unsigned round = 0; round < 20; round++) {
		set_attribute(tpg, "attrib", "demo_mode_write_protect", "1");
		visit_loops();
		assert_true(live_test_unit_ready(&i, 1) && live_finish(&i)); /* MODE PARAMETERS CHANGED */
		before = i.protections;
		assert_true(live_write(&i, 1, 0, 8) && live_finish(&i));
		assert_int_equal(i.protections, before + 1);
		before = i.good;
		assert_true(live_read(&i, 1, 0, 8) && live_finish(&i));
		assert_int_equal(i.good, before + 1);
		set_attribute(tpg, "attrib", "demo_mode_write_protect", "0");
		visit_loops();
		assert_true(live_test_unit_ready(&i, 1) && live_finish(&i));
		before = i.good;
		assert_true(live_write(&i, 1, 0, 8) && live_finish(&i));
		assert_int_equal(i.good, before + 1);
	}
	live_close(&i);
}

/*
 * A command that hangs in its storage is answered when its time limit has passed, and its unit is still
 * usable.
 */
static void test_time_limit(void **state)
{
	struct live_initiator i = {.fd = -1, .number = 81};
	uint32_t window;
	int status;

	(void)state;
	live_time_limit_ns = NS_PER_S / 2;
	fake_storage_swap(model_storage(disks[4])); /* the unit that is in use has no limit yet */
	live_time_limit_ns = 0;
	visit_loops();
	assert_true(live_login(&i, &portal, TARGET, &status));
	assert_true(live_test_unit_ready(&i, 4) && live_finish(&i));
	assert_true(live_test_unit_ready(&i, 5) && live_finish(&i));
	window = i.max_cmdsn - i.cmdsn;
	live_storage_hang(true);
	assert_true(live_read(&i, 4, 1, 4) && live_write(&i, 4, 9, 8));
	assert_true(live_finish(&i));
	assert_int_equal(i.timeouts, 2);
	assert_int_equal(live_io_in_flight(), 2);
	assert_int_equal(i.max_cmdsn - i.cmdsn, window);
	/* the command has ended */
	assert_true(live_function(&i, 4, ISCSI_TMF_ABORT_TASK, i.itt) && live_finish(&i));
	assert_true(live_test_unit_ready(&i, 4) && live_finish(&i));
	remove_lun(4);
	main_queue_wait(main_queue, 100);
	visit_loops();
	assert_int_equal(pending, 1); /* the storage is still in use */
	live_storage_hang(false);
	settle();
	assert_int_equal(live_io_in_flight(), 0);
	assert_true(live_test_unit_ready(&i, 5) && live_finish(&i));
	assert_int_equal(i.timeouts, 2);
	live_close(&i);
	add_lun(4);
}

/* The TPG is disabled while a command hangs. The session ends when the command ends. */
static void test_disabled_while_hanging(void **state)
{
	struct live_initiator i = {.fd = -1, .number = 79};
	int status;

	(void)state;
	assert_true(live_login(&i, &portal, TARGET, &status));
	assert_true(live_test_unit_ready(&i, 3) && live_finish(&i));
	live_storage_hang(true);
	assert_true(live_read(&i, 3, 1, 1));
	while (!live_io_in_flight())
		usleep(1000);
	pending++;
	model_enable(tpg, false, on_done, "disable");
	visit_loops();
	assert_true(live_receive(&i, true, true));
	assert_true(i.asked_to_leave);
	assert_int_equal(pending, 1);
	live_storage_hang(false);
	while (live_receive(&i, true, true))
		;
	live_close(&i);
	settle();
	assert_false(live_login(&i, &portal, TARGET, &status));
	assert_int_equal(status, 0x0301);
	enable(tpg, true);
	assert_true(live_login(&i, &portal, TARGET, &status));
	live_close(&i);
}

static void count_session(void *arg, const struct model_session *session)
{
	unsigned *n = arg;

	if (strcmp(session->initiator, "iqn.2026-11.test:i80"))
		return;
	++*n;
	assert_string_equal(session->target, TARGET);
	assert_int_equal(session->commands, 2);
	assert_int_equal(session->read_bytes, 1024);
	assert_non_null(strstr(session->parameters, "MaxBurstLength="));
	assert_non_null(strstr(session->peer, "127.0.0.1:"));
	assert_int_equal(ntohs(portal.sin_port), atoi(strrchr(session->local, ':') + 1));
	assert_int_equal(session->isid[5], 80);
	assert_false(session->discovery);
	*(uint16_t *)(n + 1) = session->tsih;
}

static void test_list_and_kick(void **state)
{
	const struct model_front_end *front_end = model_front_end(model);
	struct live_initiator i = {.fd = -1, .number = 80};
	unsigned found[2] = {0};
	int status;

	(void)state;
	assert_true(live_login(&i, &portal, TARGET, &status));
	assert_true(live_test_unit_ready(&i, 0) && live_finish(&i));
	assert_true(live_read(&i, 0, 0, 2) && live_finish(&i));
	front_end->sessions(front_end->arg, count_session, found);
	assert_int_equal(found[0], 1);
	assert_int_equal(front_end->kick(front_end->arg, 0), -ENOENT);
	assert_int_equal(front_end->kick(front_end->arg, *(uint16_t *)&found[1]), 0);
	assert_true(live_receive(&i, true, true));
	assert_true(i.asked_to_leave);
	/* the connection is closed although the initiator does not log out */
	assert_false(live_receive(&i, true, true));
	live_close(&i);
}

static void test_taken_port(void **state)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	struct error error;
	char text[64];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(addr.sin_port));
	assert_null(model_create(tpg, MODEL_PORTAL, text, NULL, &error));
	assert_int_equal(errno, EADDRINUSE);
	assert_non_null(strstr(error.text, text));
	close(fd);
	create(tpg, MODEL_PORTAL, text, NULL);
}

/* "*" accepts IPv4 and IPv6 connections, and IPv4 addresses are shown in their own form. */
static void test_dual_stack(void **state)
{
	struct model_object *object = create(tpg, MODEL_PORTAL, "*:0", NULL);
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct live_initiator i = {.fd = -1, .number = 80};
	const struct model_front_end *front_end = model_front_end(model);
	unsigned found[2] = {0};
	int status;

	(void)state;
	addr.sin_port = ((const struct sockaddr_in6 *)&object->np->addr)->sin6_port;
	assert_true(live_login(&i, &addr, TARGET, &status));
	assert_true(live_test_unit_ready(&i, 0) && live_finish(&i));
	assert_true(live_read(&i, 0, 0, 2) && live_finish(&i));
	addr = portal;
	portal.sin_port = ((const struct sockaddr_in6 *)&object->np->addr)->sin6_port;
	front_end->sessions(front_end->arg, count_session, found);
	portal = addr;
	assert_int_equal(found[0], 1);
	pending++;
	model_delete(object, false, on_done, "portal");
	settle();
	assert_true(live_read(&i, 0, 0, 2) && live_finish(&i)); /* existing connections are not closed */
	live_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_changes_under_load),
	    cmocka_unit_test(test_deleted_lun_has_no_command_in_flight),
	    cmocka_unit_test(test_protection),
	    cmocka_unit_test(test_disabled_while_hanging),
	    cmocka_unit_test(test_time_limit),
	    cmocka_unit_test(test_list_and_kick),
	    cmocka_unit_test(test_taken_port),
	    cmocka_unit_test(test_dual_stack),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
