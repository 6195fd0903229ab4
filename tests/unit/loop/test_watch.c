/* SPDX-License-Identifier: Apache-2.0 */
/* Watches of descriptors: edges, removal inside a callback, and watching again. */
#include "loop_fixture.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static void make_pair(int pair[2])
{
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
}

/* --- a stream: everything arrives, nothing is reported twice ---------------------------------- */

#define STREAM_BYTES 300000

static int pair[2];
static struct loop_watch watch;
static size_t received;
static unsigned calls;

static void stream_readable(struct loop_watch *w, uint32_t events)
{
	char buffer[4096];
	ssize_t n;

	check(events & EPOLLIN);
	calls++;
	/* Every other call leaves data unread and asks to be called again. */
	while ((n = read(w->fd, buffer, sizeof(buffer))) > 0) {
		received += (size_t)n;
		if (calls % 2) {
			loop_watch_again(w);
			return;
		}
	}
	if (n == 0) {
		loop_watch_del(w);
		close(w->fd);
		memset(w, 0xee, sizeof(*w)); /* the loop must not use it again */
		finish();
		return;
	}
	check(errno == EAGAIN);
}

static void stream_body(struct loop_work *work)
{
	(void)work;
	watch = (struct loop_watch){.fn = stream_readable, .fd = pair[0], .events = EPOLLIN};
	check(loop_watch_add(loop_current(), &watch) == 0);
	finish();
}

static void a_stream_arrives(void **state)
{
	char buffer[1000];

	(void)state;
	make_pair(pair);
	received = calls = 0;
	run_on_loop(stream_body);
	memset(buffer, 7, sizeof(buffer));
	for (size_t sent = 0; sent < STREAM_BYTES;) {
		ssize_t n = write(pair[1], buffer, sizeof(buffer));

		if (n > 0)
			sent += (size_t)n;
		else
			usleep(100);
	}
	close(pair[1]);
	await_finish();
	assert_int_equal(received, STREAM_BYTES);
}

/* --- ready already when added ----------------------------------------------------------------- */

static void ready_once(struct loop_watch *w, uint32_t events)
{
	check(events & EPOLLOUT);
	calls++;
	loop_watch_del(w);
	close(pair[0]);
	close(pair[1]);
	finish();
}

static void ready_body(struct loop_work *work)
{
	(void)work;
	calls = 0;
	make_pair(pair);
	watch = (struct loop_watch){.fn = ready_once, .fd = pair[0], .events = EPOLLOUT};
	check(loop_watch_add(loop_current(), &watch) == 0);
}

static void reports_what_is_ready_when_added(void **state)
{
	(void)state;
	run_on_loop(ready_body);
	assert_int_equal(calls, 1);
}

/* --- deletion inside a callback, while events of other watches are queued --- */

#define MANY 64

static struct loop_watch *many[MANY];
static int many_fds[MANY][2];
static struct loop_timer settle;

static void delete_from_many(unsigned i)
{
	loop_watch_del(many[i]);
	close(many_fds[i][0]);
	close(many_fds[i][1]);
	free(many[i]);
	many[i] = NULL;
}

/*
 * The first watch that is called deletes all watches, including itself. It replaces them by new ones on new
 * descriptors with the same numbers, which report nothing.
 */
static void first_called(struct loop_watch *w, uint32_t events);

static void quiet(struct loop_watch *w, uint32_t events)
{
	(void)w;
	(void)events;
	check(!"an event of a deleted watch reached another one");
}

static void add_to_many(unsigned i, void (*fn)(struct loop_watch *, uint32_t), bool ready)
{
	make_pair(many_fds[i]);
	if (ready)
		check(write(many_fds[i][1], "x", 1) == 1);
	many[i] = malloc(sizeof(*many[i]));
	*many[i] = (struct loop_watch){.fn = fn, .fd = many_fds[i][0], .events = EPOLLIN};
	check(loop_watch_add(loop_current(), many[i]) == 0);
}

static void first_called(struct loop_watch *w, uint32_t events)
{
	(void)w;
	(void)events;
	check(calls++ == 0);
	for (unsigned i = 0; i < MANY; i++)
		loop_watch_again(many[i]); /* this must not cause a call either */
	for (unsigned i = 0; i < MANY; i++)
		delete_from_many(i);
	for (unsigned i = 0; i < MANY; i++)
		add_to_many(i, quiet, false);
}

static void settled(struct loop_timer *timer)
{
	(void)timer;
	check(calls == 1);
	for (unsigned i = 0; i < MANY; i++)
		delete_from_many(i);
	finish();
}

static void many_body(struct loop_work *work)
{
	(void)work;
	calls = 0;
	for (unsigned i = 0; i < MANY; i++)
		add_to_many(i, first_called, true);
	settle = (struct loop_timer){.fn = settled};
	loop_timer_arm(loop_current(), &settle, 20000000);
}

static void deletion_silences_queued_events(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		run_on_loop(many_body);
}

/* --- a deleted watch releases its file --- */

static int peer;

static void drain(struct loop_watch *w, uint32_t events)
{
	char buffer[64];

	(void)events;
	while (read(w->fd, buffer, sizeof(buffer)) > 0)
		;
}

/* Data arrives at the moment of the deletion. */
static void hang_up(struct loop_timer *timer)
{
	(void)timer;
	check(write(peer, "late", 4) == 4);
	loop_watch_del(&watch);
	close(watch.fd);
	finish();
}

static void hang_up_body(struct loop_work *work)
{
	(void)work;
	make_pair(pair);
	peer = pair[1];
	watch = (struct loop_watch){.fn = drain, .fd = pair[0], .events = EPOLLIN | EPOLLOUT};
	check(loop_watch_add(loop_current(), &watch) == 0);
	settle = (struct loop_timer){.fn = hang_up};
	loop_timer_arm(loop_current(), &settle, 100000);
}

static void the_peer_sees_the_close(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		char buffer[16];
		int tries = 0;
		ssize_t n;

		run_on_loop(hang_up_body);
		while ((n = read(peer, buffer, sizeof(buffer))) < 0 && errno == EAGAIN && tries++ < 1000)
			usleep(1000);
		/* End of file, or a reset because "late" was never read. */
		assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
		close(peer);
	}
}

/* --- other events ----------------------------------------------------------------------------- */

static void writable_then_readable(struct loop_watch *w, uint32_t events)
{
	calls++;
	if (w->events == EPOLLOUT) {
		check(events & EPOLLOUT);
		check(write(peer, "x", 1) == 1);
		loop_watch_del(w);
		w->events = EPOLLIN;
		check(loop_watch_add(loop_current(), w) == 0);
		return;
	}
	if (!(events & EPOLLIN))
		return;
	loop_watch_del(w);
	close(pair[0]);
	close(pair[1]);
	finish();
}

static void change_body(struct loop_work *work)
{
	(void)work;
	calls = 0;
	make_pair(pair);
	peer = pair[1];
	watch = (struct loop_watch){.fn = writable_then_readable, .fd = pair[0], .events = EPOLLOUT};
	check(loop_watch_add(loop_current(), &watch) == 0);
}

static void is_replaced_in_its_own_callback(void **state)
{
	(void)state;
	run_on_loop(change_body);
	assert_uint_in_range(calls, 2, 3);
}

/* --- more watches at once than the kernel's queues hold --- */

#define CROWD 2000

static struct loop_watch crowd[CROWD];
static int pipe_fds[2];
static unsigned calls_of_crowd;

static void crowd_ready(struct loop_watch *w, uint32_t events)
{
	(void)events;
	loop_watch_del(w);
	close(w->fd);
	if (++calls_of_crowd == CROWD)
		finish();
}

static void crowd_body(struct loop_work *work)
{
	(void)work;
	calls_of_crowd = 0;
	for (unsigned i = 0; i < CROWD; i++) {
		crowd[i] = (struct loop_watch){.fn = crowd_ready, .fd = dup(pipe_fds[0]), .events = EPOLLIN};
		check(crowd[i].fd >= 0);
		check(loop_watch_add(loop_current(), &crowd[i]) == 0);
	}
}

static void many_watches_are_served(void **state)
{
	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	run_on_loop(crowd_body);
	assert_int_equal(calls_of_crowd, CROWD);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH_ENGINES(a_stream_arrives),
	    BOTH_ENGINES(reports_what_is_ready_when_added),
	    BOTH_ENGINES(deletion_silences_queued_events),
	    BOTH_ENGINES(the_peer_sees_the_close),
	    BOTH_ENGINES(is_replaced_in_its_own_callback),
	    BOTH_ENGINES(many_watches_are_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
