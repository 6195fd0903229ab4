/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are cancelled: a request that has not started never starts, and every request ends once. */
#include "loop_fixture.h"
#include "util/clock.h"

#include <poll.h>
#include <sys/eventfd.h>

#define THREADS 4 /* The number of threads in the pool. */

static struct loop_op ops[3 * THREADS];
static int results[3 * THREADS];
static unsigned ended, executed; /* executed is atomic. */
static sem_t gate;               /* The pool's threads wait for this. */
static int fd;
static char byte;
static struct iovec iov = {&byte, 1};

static unsigned number(const struct loop_op *op)
{
	return (unsigned)(op - ops);
}

static int wait_at_gate(struct loop_op *op)
{
	__atomic_add_fetch(&executed, 1, __ATOMIC_RELAXED);
	while (sem_wait(&gate) < 0)
		;
	return (int)number(op);
}

static void open_gate(unsigned n)
{
	while (n--)
		sem_post(&gate);
}

static void prepare(void (*done)(struct loop_op *op, int result))
{
	ended = executed = 0;
	sem_init(&gate, 0, 0);
	for (unsigned i = 0; i < 3 * THREADS; i++) {
		ops[i] = (struct loop_op){.done = done};
		results[i] = 1000;
	}
}

/* Gives each thread of the pool a job, and waits until all jobs have started. */
static void occupy_threads(void)
{
	for (unsigned i = 0; i < THREADS; i++)
		loop_blocking(loop_current(), &ops[i], wait_at_gate);
	while (__atomic_load_n(&executed, __ATOMIC_RELAXED) < THREADS)
		usleep(1000);
}

static bool note_end(struct loop_op *op, int result)
{
	check(loop_current() == set.loops[0]);
	check(results[number(op)] == 1000);
	results[number(op)] = result;
	return ++ended == 3 * THREADS;
}

/* --- jobs that wait for a thread --- */

static void queue_ended(struct loop_op *op, int result)
{
	if (!note_end(op, result)) {
		if (ended == THREADS) /* the cancelled jobs have ended while all threads are busy */
			open_gate(2 * THREADS);
		return;
	}
	for (unsigned i = 0; i < 3 * THREADS; i++)
		check(results[i] == (i >= THREADS && i % 2 ? -ECANCELED : (int)i));
	check(executed == 2 * THREADS);
	finish();
}

/*
 * Cancels half of the queue, including the first and the last job. It also cancels jobs that run already, and
 * cancels jobs for a second time, which has no effect.
 */
static void queue_body(struct loop_work *work)
{
	(void)work;
	prepare(queue_ended);
	occupy_threads();
	for (unsigned i = THREADS; i < 3 * THREADS; i++)
		loop_blocking(loop_current(), &ops[i], wait_at_gate);
	for (unsigned i = 1; i < 3 * THREADS; i += 2)
		loop_cancel(loop_current(), &ops[i]);
	for (unsigned i = 1; i < 3 * THREADS; i += 2)
		loop_cancel(loop_current(), &ops[i]);
	check(ended == 0);
}

static void what_waits_for_a_thread_is_not_begun(void **state)
{
	(void)state;
	run_on_loop(queue_body);
	sem_destroy(&gate);
}

/* --- jobs that have waited for too long --- */

static void late_ended(struct loop_op *op, int result)
{
	if (!note_end(op, result))
		return;
	for (unsigned i = 0; i < 3 * THREADS; i++)
		check(results[i] == (i >= 2 * THREADS ? -ECANCELED : (int)i));
	check(executed == 2 * THREADS);
	finish();
}

/* The deadline of the last third of the jobs passes before a thread is free. */
static void late_body(struct loop_work *work)
{
	(void)work;
	prepare(late_ended);
	occupy_threads();
	for (unsigned i = THREADS; i < 3 * THREADS; i++) {
		ops[i].deadline_ns = clock_now_ns() + (i < 2 * THREADS ? 3600000000000 : 2000000);
		loop_blocking(loop_current(), &ops[i], wait_at_gate);
	}
	usleep(3000);
	open_gate(2 * THREADS);
}

static void what_waits_too_long_is_not_begun(void **state)
{
	(void)state;
	run_on_loop(late_body);
	sem_destroy(&gate);
}

/* fd becomes an empty file that no other process has. */
static void open_file(void)
{
	char name[] = "loop-test-XXXXXX";

	fd = mkstemp(name);
	check(fd >= 0);
	unlink(name);
}

/* --- a turn in which the thread was stopped ---------------------------------------------------- */

static struct loop_pulse pulse;
static struct loop_timer later;

static void beat(struct loop_pulse *p)
{
	(void)p;
}

static int read_back(struct loop_op *op)
{
	(void)op;
	usleep(1000);
	return (int)lseek(fd, 0, SEEK_END);
}

static void turn_ended(struct loop_op *op, int result)
{
	if (number(op) < 2) {
		check(result == (number(op) ? -ECANCELED : 1));
		results[number(op)] = result;
		if (++ended == 2)
			loop_blocking(loop_current(), &ops[2], read_back);
		return;
	}
	check(result == 1); /* the second write would follow the first one in the file */
	close(fd);
	loop_pulse_stop(&pulse);
	finish();
}

static void turn_body(struct loop_timer *timer)
{
	uint64_t now = clock_now_ns();

	(void)timer;
	for (unsigned i = 0; i < 2; i++) {
		ops[i].deadline_ns = now + (i ? 20000000 : 3600000000000);
		loop_writev(loop_current(), &ops[i], fd, &iov, 1, i, 0);
	}
	ops[2].deadline_ns = 0;
	usleep(40000);
}

static void begin_turn(struct loop_work *work)
{
	(void)work;
	prepare(turn_ended);
	open_file();
	pulse.fn = beat;
	check(loop_pulse_start(loop_current(), &pulse, 5000000) == 0);
	later = (struct loop_timer){.fn = turn_body};
	loop_timer_arm(loop_current(), &later, 10000000);
}

static void what_comes_too_late_to_the_kernel_is_not_begun(void **state)
{
	(void)state;
	if (!loop_uses_uring(set.loops[0]))
		skip();
	run_on_loop(begin_turn);
	sem_destroy(&gate);
}

/* --- requests that the kernel has --- */

static void poll_ended(struct loop_op *op, int result)
{
	check(op == &ops[0] && result == -ECANCELED);
	loop_cancel(loop_current(), op); /* the request has ended */
	close(fd);
	finish();
}

static void cancel_poll(struct loop_timer *timer)
{
	(void)timer;
	loop_cancel(loop_current(), &ops[0]);
}

static void poll_body(struct loop_work *work)
{
	(void)work;
	prepare(poll_ended);
	fd = eventfd(0, EFD_NONBLOCK);
	loop_poll(loop_current(), &ops[0], fd, POLLIN);
	later = (struct loop_timer){.fn = cancel_poll};
	loop_timer_arm(loop_current(), &later, 5000000);
}

static void a_poll_ends(void **state)
{
	(void)state;
	run_on_loop(poll_body);
}

/* The request is cancelled in the turn in which it was made. Whatever happens to it, it ends once. */
static void write_ended(struct loop_op *op, int result)
{
	check(result == 1 || result == -ECANCELED || result == -EINTR);
	if (!note_end(op, result))
		return;
	close(fd);
	finish();
}

static void write_body(struct loop_work *work)
{
	(void)work;
	prepare(write_ended);
	open_file();
	for (unsigned i = 0; i < 3 * THREADS; i++) {
		loop_writev(loop_current(), &ops[i], fd, &iov, 1, i, 0);
		loop_cancel(loop_current(), &ops[i]);
	}
}

static void a_write_ends_once(void **state)
{
	(void)state;
	run_on_loop(write_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH_ENGINES(what_waits_for_a_thread_is_not_begun),
	    BOTH_ENGINES(what_waits_too_long_is_not_begun),
	    {"what_comes_too_late_to_the_kernel_is_not_begun (io_uring)",
	     what_comes_too_late_to_the_kernel_is_not_begun, fixture_setup, fixture_teardown, &fixture_uring},
	    BOTH_ENGINES(a_poll_ends),
	    BOTH_ENGINES(a_write_ends_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
