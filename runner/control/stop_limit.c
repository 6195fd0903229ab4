/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends the process if a stop takes too long. Storage may hang forever, and a thread that waits for this
 * storage then hangs, too, but the sender of SIGTERM expects the process to end. The main thread limits its
 * own waits. The thread in this file ends the process if the main thread is stuck in a call. No other code
 * ends the process from a thread that is not the main thread.
 */
#include "control/stop_limit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include "system/log_file.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/log.h"

/* The main thread may wait for WAITS_MS. The process must end within 5 seconds. */
#define WAITS_MS   4000
#define PROCESS_MS 4500
#define LEAST_MS   20
#define LOG_MS     200
#define TIMER_MS   300

static struct {
	/*
	 * Event descriptors: the stop has begun, and the stop has ended. They are -1 if there is no thread.
	 */
	int begun_fd, ended_fd;
	pthread_t thread;
	/* The time at which the stop began, or 0 if it has not begun. */
	_Atomic uint64_t begun_ns;
	_Atomic(const char *) what;
	/* The signal handlers of GLib, which are called as well. */
	struct sigaction before[2];
} limit = {.begun_fd = -1, .ended_fd = -1};

static const int signals[] = {SIGTERM, SIGINT};

static void signal_event(int fd)
{
	const uint64_t one = 1;
	ssize_t written = write(fd, &one, sizeof(one));

	(void)written;
}

/* Async-signal-safe. */
static void begin(void)
{
	uint64_t none = 0;
	int saved = errno;

	if (atomic_compare_exchange_strong(&limit.begun_ns, &none, clock_now_ns()) && limit.begun_fd >= 0)
		signal_event(limit.begun_fd);
	errno = saved;
}

static void on_signal(int number)
{
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (signals[i] == number && limit.before[i].sa_handler != SIG_DFL &&
		    limit.before[i].sa_handler != SIG_IGN)
			limit.before[i].sa_handler(number);
}

static void end_process(int number)
{
	(void)number;
	_exit(EXIT_FAILURE);
}

/* Writing to the log may hang as well, so a timer ends the process. */
static void start_timer(void)
{
	const struct itimerval timer = {.it_value = {.tv_usec = TIMER_MS * 1000}};

	signal(SIGALRM, end_process);
	setitimer(ITIMER_REAL, &timer, NULL);
}

void stop_limit_give_up(void)
{
	start_timer();
	log_crit(NULL, "the daemon ends now, although something still hangs");
	system_log_flush(LOG_MS);
	_exit(EXIT_FAILURE);
}

static bool wait_for_event(int fd, int ms)
{
	struct pollfd event = {.fd = fd, .events = POLLIN};
	int n;

	do
		n = poll(&event, 1, ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

static void *watch(void *arg)
{
	struct pollfd events[] = {{.fd = limit.begun_fd, .events = POLLIN},
				  {.fd = limit.ended_fd, .events = POLLIN}};

	while (poll(events, ARRAY_SIZE(events), -1) < 0 && errno == EINTR)
		;
	if (events[1].revents || wait_for_event(limit.ended_fd, PROCESS_MS))
		return arg;
	start_timer();
	log_crit(NULL, "the daemon does not end in time, because it waits for %s", atomic_load(&limit.what));
	stop_limit_give_up();
}

static int start_thread(void)
{
	sigset_t all, before;

	limit.ended_fd = eventfd(0, EFD_CLOEXEC);
	limit.begun_fd = eventfd(0, EFD_CLOEXEC);
	if (limit.begun_fd < 0 || limit.ended_fd < 0)
		return errno;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = pthread_create(&limit.thread, NULL, watch, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

static void close_events(void)
{
	if (limit.begun_fd >= 0)
		close(limit.begun_fd);
	if (limit.ended_fd >= 0)
		close(limit.ended_fd);
	limit.begun_fd = limit.ended_fd = -1;
}

void stop_limit_start(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	stop_limit_note("its start");
	int err = start_thread();
	if (err) {
		log_warn(NULL, "the time limit of a stop is not enforced by a thread: %s", strerror(err));
		close_events();
	}
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, &limit.before[i]);
}

void stop_limit_begin(void)
{
	begin();
}

unsigned stop_limit_left_ms(unsigned reserve_ms)
{
	uint64_t begun = atomic_load(&limit.begun_ns);
	uint64_t passed_ms = begun ? (clock_now_ns() - begun) / NS_PER_MS : 0;
	uint64_t used_ms = passed_ms + reserve_ms;

	return used_ms + LEAST_MS < WAITS_MS ? (unsigned)(WAITS_MS - used_ms) : LEAST_MS;
}

void stop_limit_note(const char *what)
{
	atomic_store(&limit.what, what);
}

void stop_limit_end(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &limit.before[i], NULL);
	if (limit.begun_fd < 0)
		return;
	signal_event(limit.ended_fd);
	pthread_join(limit.thread, NULL);
	close_events();
}
