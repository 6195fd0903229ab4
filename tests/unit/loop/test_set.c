/* SPDX-License-Identifier: Apache-2.0 */
/* A set of loops: its start and stop, its pool, and how long its loops poll before they sleep. */
#include "loop_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "util/list.h"

static unsigned entries(const char *folder)
{
	DIR *dir = opendir(folder);
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static unsigned open_fds(void)
{
	return entries("/proc/self/fd");
}

static void start(bool no_uring, unsigned spin_us)
{
	struct loop_options options = {.nloops = 2, .npool = 8, .no_uring = no_uring, .spin_us = spin_us};

	assert_int_equal(loop_set_start(&set, &options, NULL), 0);
}

static void start_and_stop(void **state)
{
	unsigned before = open_fds();

	(void)state;
	for (int i = 0; i < 50; i++) {
		start(i % 2, 0);
		assert_int_equal(set.nloops, 2);
		assert_int_equal(loop_index(set.loops[1]), 1);
		assert_null(loop_current());
		loop_set_stop(&set);
	}
	assert_int_equal(open_fds(), before);
}

#define FD_LIMIT 128

/*
 * The start runs out of descriptors at each possible point (three loops need six). It must fail with a
 * message, and leave nothing behind.
 */
static void start_fails_cleanly(void **state)
{
	struct loop_options options = {.nloops = 3, .npool = 1};
	unsigned before = open_fds();
	int fillers[FD_LIMIT];
	struct rlimit old, low;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &old);
	low = (struct rlimit){FD_LIMIT, old.rlim_max};
	for (int left = 0; left < 6; left++) {
		struct error error = {""};
		int n = 0, ret;

		setrlimit(RLIMIT_NOFILE, &low);
		while ((fillers[n] = dup(0)) >= 0)
			n++;
		assert_true(n >= left);
		for (int i = 0; i < left; i++)
			close(fillers[--n]);
		ret = loop_set_start(&set, &options, &error);
		setrlimit(RLIMIT_NOFILE, &old);
		while (n > 0)
			close(fillers[--n]);
		assert_int_equal(ret, -EMFILE);
		assert_non_null(strstr(error.text, "event loop"));
		assert_int_equal(open_fds(), before);
	}
}

/* --- the lock that loops hold --- */

static int lock_of_its_own(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Only the loops of this process hold the lock when it is killed. */
static void holder(const char *path, int ready)
{
	int fd = lock_of_its_own(path);
	const struct loop_options options = {.nloops = 2, .hold = &fd};

	if (fd < 0 || loop_set_start(&set, &options, NULL) < 0)
		_exit(1);
	close(fd);
	if (write(ready, loop_uses_uring(set.loops[0]) ? "u" : "e", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void loops_hold_a_descriptor(void **state)
{
	char path[] = "/tmp/hold.XXXXXX", engine;
	int pipes[2], fd = mkstemp(path);

	(void)state;
	close(fd);
	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0)
		holder(path, pipes[1]);
	assert_int_equal(read(pipes[0], &engine, 1), 1);
	if (engine == 'u') /* the threads end with the process, so there is nothing to hold the lock for */
		assert_int_equal(lock_of_its_own(path), -1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < 1000 && (fd = lock_of_its_own(path)) < 0; i++)
		usleep(10000);
	assert_true(fd >= 0);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
	unlink(path);
}

/* --- the pool --------------------------------------------------------------------------------- */

static struct loop_pool_job jobs[1000];
static atomic_uint njobs_run, nparallel, most_parallel;

static void job(struct loop_pool_job *j)
{
	unsigned now = atomic_fetch_add(&nparallel, 1) + 1, most = atomic_load(&most_parallel);

	(void)j;
	while (now > most && !atomic_compare_exchange_weak(&most_parallel, &most, now))
		;
	usleep(100);
	atomic_fetch_sub(&nparallel, 1);
	atomic_fetch_add(&njobs_run, 1);
}

static void pool_runs_all(void **state)
{
	(void)state;
	start(false, 0);
	atomic_store(&njobs_run, 0);
	atomic_store(&most_parallel, 0);
	for (unsigned i = 0; i < 1000; i++) {
		jobs[i].fn = job;
		loop_pool_submit(set.pool, &jobs[i]);
	}
	loop_set_stop(&set); /* this runs the queued jobs */
	assert_int_equal(atomic_load(&njobs_run), 1000);
	assert_uint_in_range(atomic_load(&most_parallel), 2, 8);
}

/* Jobs that wait for each other: as many run at once as there may be threads. */
static atomic_uint arrived, gone;

static void meet(struct loop_pool_job *j)
{
	(void)j;
	atomic_fetch_add(&arrived, 1);
	while (atomic_load(&arrived) < 8)
		usleep(100);
	atomic_fetch_add(&gone, 1);
}

static void let_meet(struct loop_pool *pool)
{
	atomic_store(&arrived, 0);
	atomic_store(&gone, 0);
	for (unsigned i = 0; i < 8; i++) {
		jobs[i].fn = meet;
		loop_pool_submit(pool, &jobs[i]);
	}
	while (atomic_load(&gone) < 8)
		usleep(100);
}

static void pool_grows_when_all_are_busy(void **state)
{
	(void)state;
	start(false, 0);
	for (int round = 0; round < 3; round++) {
		let_meet(set.pool);
		usleep(2000); /* most threads are idle again */
	}
	loop_set_stop(&set);
}

static unsigned threads_of_process(void)
{
	return entries("/proc/self/task");
}

static void pool_shrinks_when_idle(void **state)
{
	struct loop_pool *pool;
	unsigned before, i;

	(void)state;
	assert_int_equal(loop_pool_start(&pool, 8, NULL), 0);
	before = threads_of_process();
	for (int round = 0; round < 2; round++) {
		let_meet(pool);
		assert_int_equal(threads_of_process(), before + 7);
		for (i = 0; i < 300 && threads_of_process() > before; i++)
			usleep(100000);
		assert_int_equal(threads_of_process(), before);
	}
	loop_pool_stop(pool);
}

/* --- spinning --------------------------------------------------------------------------------- */

static unsigned hops;

static void hop(struct loop_work *work)
{
	if (++hops == 20000)
		finish();
	else
		loop_post(set.loops[!loop_index(loop_current())], work);
}

static void spins_and_then_sleeps(void **state)
{
	struct loop_stats before, after;

	for (int no_uring = 0; no_uring < 2; no_uring++) {
		(void)state;
		sem_init(&finished, 0, 0);
		start(no_uring, 50);
		hops = 0;
		run_on_loop(hop);
		usleep(50000);
		loop_stats(set.loops[0], &before);
		usleep(100000);
		loop_stats(set.loops[0], &after);
		assert_int_equal(after.enters, before.enters);
		assert_int_equal(after.turns, before.turns);
		loop_set_stop(&set);
		sem_destroy(&finished);
	}
}

/* Shared memory whose changes only the poller notices. */
static struct source {
	struct loop_poller poller;
	struct loop_watch watch;
	unsigned sent; /* Atomic. */
	unsigned seen;
} source;

static bool poll_memory(struct loop_poller *poller)
{
	struct source *s = container_of(poller, struct source, poller);

	if (__atomic_load_n(&s->sent, __ATOMIC_ACQUIRE) == s->seen)
		return false;
	loop_watch_again(&s->watch);
	return true;
}

static void take(struct loop_watch *watch, uint32_t events)
{
	struct source *s = container_of(watch, struct source, watch);

	(void)events;
	if (__atomic_load_n(&s->sent, __ATOMIC_ACQUIRE) == s->seen)
		return;
	s->seen++;
	finish();
}

static void begin_polling(struct loop_work *work)
{
	(void)work;
	check(loop_watch_add(loop_current(), &source.watch) == 0);
	loop_poller_add(loop_current(), &source.poller);
	finish();
}

static void end_polling(struct loop_work *work)
{
	(void)work;
	loop_poller_del(loop_current(), &source.poller);
	loop_watch_del(&source.watch);
	finish();
}

static void polls_memory_that_wakes_nobody(void **state)
{
	struct loop_options options = {.nloops = 1, .npool = 1, .poller_spin_us = 20000000};

	(void)state;
	for (int no_uring = 0; no_uring < 2; no_uring++) {
		options.no_uring = no_uring;
		assert_int_equal(loop_set_start(&set, &options, NULL), 0);
		sem_init(&finished, 0, 0);
		source =
		    (struct source){.poller.look = poll_memory,
				    .watch = {.fn = take, .fd = eventfd(0, EFD_NONBLOCK), .events = EPOLLIN}};
		run_on_loop(begin_polling);
		for (unsigned n = 1; n <= 100; n++) {
			__atomic_store_n(&source.sent, n, __ATOMIC_RELEASE);
			await_finish();
			assert_int_equal(source.seen, n);
		}
		run_on_loop(end_polling);
		loop_set_stop(&set);
		close(source.watch.fd);
		sem_destroy(&finished);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(start_and_stop),
	    cmocka_unit_test(start_fails_cleanly),
	    cmocka_unit_test(loops_hold_a_descriptor),
	    cmocka_unit_test(pool_runs_all),
	    cmocka_unit_test(pool_grows_when_all_are_busy),
	    cmocka_unit_test(pool_shrinks_when_idle),
	    cmocka_unit_test(spins_and_then_sleeps),
	    cmocka_unit_test(polls_memory_that_wakes_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
