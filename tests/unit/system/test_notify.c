/* SPDX-License-Identifier: Apache-2.0 */
/* The messages to systemd. A socket of the test takes the place of systemd's socket. */
#include <glib.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "system/notify.h"
#include "util/error.h"

#define WATCHDOG_US "400000"

static int listener = -1;
static struct loop_set loops;

static int set_up(void **state)
{
	const struct loop_options options = {.nloops = 2, .npool = 1};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const struct timeval bound = {.tv_sec = 10};
	struct error error;

	(void)state;
	/* An abstract address needs no file. */
	snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "tcmur-notify-%d", getpid());
	listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound)), 0);
	assert_int_equal(
	    bind(listener, (struct sockaddr *)&addr,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(addr.sun_path + 1))),
	    0);
	addr.sun_path[0] = '@';
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return loop_set_start(&loops, &options, &error);
}

static int tear_down(void **state)
{
	(void)state;
	loop_set_stop(&loops);
	close(listener);
	return 0;
}

/* Returns the next message, or "" if there is none. */
static const char *next_message(int flags)
{
	static char text[256];
	ssize_t len = recv(listener, text, sizeof(text) - 1, flags);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static gboolean on_over(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_REMOVE;
}

static void run_main_loop(guint ms)
{
	bool over = false;

	g_timeout_add(ms, on_over, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
}

/* Returns the number of watchdog messages within ms milliseconds. */
static unsigned watchdog_messages_within(guint ms)
{
	unsigned signs = 0;
	const char *text;

	run_main_loop(ms);
	while (*(text = next_message(MSG_DONTWAIT))) {
		assert_string_equal(text, "WATCHDOG=1");
		signs++;
	}
	return signs;
}

static void test_messages_from_start_to_stop(void **state)
{
	(void)state;
	struct system_notify *notify = system_notify_ready(&loops);

	assert_string_equal(next_message(0), "READY=1");
	system_notify_status("%u devices, %s", 3, "100%");
	assert_string_equal(next_message(0), "STATUS=3 devices, 100%");
	assert_int_equal(watchdog_messages_within(500), 0); /* systemd has not asked for watchdog messages */
	system_notify_stopping(notify);
	assert_string_equal(next_message(0), "STOPPING=1");
	system_notify_free(notify);
}

struct block {
	struct loop_work work;
	sem_t begun, over;
};

static void on_block(struct loop_work *work)
{
	struct block *block = container_of(work, struct block, work);

	sem_post(&block->begun);
	sem_wait(&block->over);
}

/* The watchdog messages end while one of the loops hangs, and come back afterwards. */
static void test_watchdog(void **state)
{
	struct block block = {.work = {.fn = on_block}};

	(void)state;
	sem_init(&block.begun, 0, 0);
	sem_init(&block.over, 0, 0);
	setenv("WATCHDOG_USEC", WATCHDOG_US, 1);
	struct system_notify *notify = system_notify_ready(&loops);
	assert_string_equal(next_message(0), "READY=1");
	assert_true(watchdog_messages_within(1000) >= 2);

	loop_post(loops.loops[1], &block.work);
	sem_wait(&block.begun);
	watchdog_messages_within(300); /* messages of a check that had begun */
	assert_int_equal(watchdog_messages_within(1000), 0);
	sem_post(&block.over);
	assert_true(watchdog_messages_within(1000) >= 2);

	system_notify_stopping(notify);
	assert_string_equal(next_message(0), "STOPPING=1");
	assert_int_equal(watchdog_messages_within(300), 0);
	loop_set_stop(&loops);
	system_notify_free(notify);
	sem_destroy(&block.begun);
	sem_destroy(&block.over);
	loop_set_start(&loops, &(struct loop_options){.nloops = 1, .npool = 1}, NULL);
}

static void test_not_a_service(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	struct system_notify *notify = system_notify_ready(&loops);
	system_notify_status("alone");
	system_notify_stopping(notify);
	system_notify_free(notify);
	assert_string_equal(next_message(MSG_DONTWAIT), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_messages_from_start_to_stop, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_watchdog, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_not_a_service, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
