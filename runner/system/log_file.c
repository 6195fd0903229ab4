/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of log lines, and the thread that writes them. Log lines come from any thread, including event
 * loops, so lines are dropped if the queue is full. A daemon that writes only to stderr writes each line at
 * once, and uses the queue while stderr takes no lines, because a user has stopped the terminal, or because
 * nobody reads the pipe. util/log.c makes the lines.
 */
#include "system/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/list.h"
#include "util/log.h"

#define DEFAULT_DIR "/var/log"
/* The largest number of lines that wait for the thread. Further lines are counted and dropped. */
#define QUEUE_MAX 4096

struct line {
	struct list node;
	gint64 time; /* In microseconds since 1970. */
	enum log_level level;
	char text[];
};

static const char *const level_names[] = {"CRIT", "ERROR", "WARN", "INFO", "DEBUG", "CDB"};

/* The lines that wait for the thread. */
static struct {
	/* Guards the queue. No other lock is taken while this one or file.lock is held. */
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct list lines;
	unsigned nlines, dropped;
	/* A thread writes lines that it has taken from the queue, or a line of its own. */
	bool is_writing;
	bool ending;
} queue = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .lines = LIST_INIT(queue.lines)};

static struct {
	/* Held while a line is written. */
	pthread_mutex_t lock;
	/* -1 if there is no file. */
	int fd;
	/* Whether the file ends in the middle of a line, because the disk was full. */
	bool is_torn;
	/* The number of lines since then that the file does not have. */
	unsigned nmissing;
	/* Used on the main thread only. */
	char *path;
} file = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

/* Used on the main thread only, except the flags after thread, which do not change while the thread runs. */
static struct {
	bool running;
	pthread_t thread;
	bool as_service, only_stderr;
} writer;

/* --- the writing thread --- */

/* file.lock must be held. Returns whether the whole line was written. */
static bool append(gint64 time, enum log_level level, const char *text)
{
	g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(time / G_USEC_PER_SEC);
	g_autofree char *stamp = g_date_time_format(when, "%Y-%m-%d %H:%M:%S");
	g_autofree char *line =
	    g_strdup_printf("%s%s.%03d %d [%s] %s\n", file.is_torn ? "\n" : "", stamp,
			    (int)(time % G_USEC_PER_SEC / 1000), getpid(), level_names[level], text);
	size_t len = strlen(line);
	ssize_t n = TEMP_FAILURE_RETRY(write(file.fd, line, len));

	if (n > 0)
		file.is_torn = line[n - 1] != '\n';
	return n == (ssize_t)len;
}

/* If the disk is full, lines are lost. As soon as there is room, their number is written. */
static void write_file(const struct line *line)
{
	char text[64];
	SCOPE_LOCK(&file.lock);

	if (file.fd < 0)
		return;
	snprintf(text, sizeof(text), "%u log lines could not be written", file.nmissing);
	if (file.nmissing && append(line->time, LOG_LEVEL_WARN, text))
		file.nmissing = 0;
	if (file.nmissing || !append(line->time, line->level, line->text))
		file.nmissing++;
}

static void write_syslog(const struct line *line)
{
	static const int priorities[] = {LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_DEBUG};

	syslog(priorities[line->level], "%s", line->text);
}

static void write_line(const struct line *line)
{
	write_file(line);
	if (writer.as_service)
		write_syslog(line);
	else
		log_stderr(line->level, line->text);
}

static struct line *make_line(enum log_level level, const char *text)
{
	struct line *line = g_malloc(sizeof(*line) + strlen(text) + 1);

	line->time = g_get_real_time();
	line->level = MIN(level, LOG_LEVEL_CDB);
	strcpy(line->text, text);
	return line;
}

/*
 * Waits for lines, and takes all of them together with the number of dropped lines. Returns false when the
 * thread must end.
 */
static bool take_lines(struct list *lines, unsigned *dropped)
{
	SCOPE_LOCK(&queue.lock);
	while (queue.is_writing || (list_empty(&queue.lines) && !queue.ending))
		pthread_cond_wait(&queue.more, &queue.lock);
	*dropped = queue.dropped;
	queue.dropped = queue.nlines = 0;
	list_splice_tail(lines, &queue.lines);
	queue.is_writing = !list_empty(lines);
	return queue.is_writing;
}

static void report_dropped(unsigned dropped)
{
	char text[64];

	snprintf(text, sizeof(text), "%u log lines were lost", dropped);
	g_autofree struct line *line = make_line(LOG_LEVEL_WARN, text);
	write_line(line);
}

static void end_writing(void)
{
	SCOPE_LOCK(&queue.lock);
	queue.is_writing = false;
	pthread_cond_signal(&queue.more);
}

static void *write_lines(void *arg)
{
	struct list lines = LIST_INIT(lines), *node;
	unsigned dropped;

	while (take_lines(&lines, &dropped)) {
		while ((node = list_pop(&lines))) {
			struct line *line = list_entry(node, struct line, node);

			write_line(line);
			g_free(line);
		}
		if (dropped)
			report_dropped(dropped);
		end_writing();
	}
	return arg;
}

/* --- any thread --- */

/*
 * Returns true if no earlier line waits and stderr takes a line now. In this case, the caller must call
 * end_writing() after it has written the line.
 */
static bool begin_writing(void)
{
	struct pollfd event = {.fd = STDERR_FILENO, .events = POLLOUT};
	SCOPE_LOCK(&queue.lock);

	if (queue.is_writing || !list_empty(&queue.lines) || poll(&event, 1, 0) <= 0)
		return false;
	queue.is_writing = true;
	return true;
}

/* The log calls this function for each line. */
static void sink(enum log_level level, const char *text)
{
	if (writer.only_stderr && begin_writing()) {
		log_stderr(level, text);
		end_writing();
		return;
	}
	struct line *line = make_line(level, text);

	lock_take(&queue.lock);
	bool room = queue.nlines < QUEUE_MAX;
	if (room) {
		list_add_tail(&queue.lines, &line->node);
		queue.nlines++;
	} else {
		queue.dropped++;
	}
	pthread_cond_signal(&queue.more);
	lock_drop(&queue.lock);
	if (!room)
		g_free(line);
}

/* --- main thread --- */

/*
 * Returns whether systemd or D-Bus has started this process. All descendants of a service inherit the
 * variables, for example the shell in a terminal of a desktop, so the process ID is compared as well.
 */
static bool is_service(void)
{
	const char *pid = getenv("SYSTEMD_EXEC_PID"), *bus = getenv("DBUS_STARTER_BUS_TYPE");

	if (bus && !strcmp(bus, "system"))
		return true;
	/* systemd sets this variable since version 248. */
	if (pid)
		return atoi(pid) == getpid();
	return getenv("INVOCATION_ID") && getppid() == 1;
}

static void start(bool as_service, bool only_stderr)
{
	writer.as_service = as_service;
	writer.only_stderr = only_stderr;
	if (writer.as_service)
		openlog("tcmu-runner", LOG_PID, LOG_DAEMON);
	queue.ending = false;
	int err = pthread_create(&writer.thread, NULL, write_lines, NULL);

	if (err) {
		log_err(NULL, "log lines go to stderr only, because their thread cannot be started: %s",
			strerror(err));
		return;
	}
	writer.running = true;
	log_set_sink(sink);
}

static int open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		log_err(NULL, "%s: %s; log lines are not written to this file", path, strerror(errno));
	return fd;
}

/* Begins to write to this file, and takes over the memory of path. NULL means that lines go to no file. */
static void use_file(char *path)
{
	int fd = path ? open_file(path) : -1;

	lock_take(&file.lock);
	int old = file.fd;
	file.fd = fd;
	file.is_torn = false;
	lock_drop(&file.lock);
	if (old >= 0)
		close(old);
	if (path != file.path)
		g_free(file.path);
	file.path = path;
}

void system_log_to_stderr(void)
{
	if (!writer.running)
		start(false, true);
}

void system_log_open(const char *dir, const char *name)
{
	if (!writer.running)
		start(is_service(), false);
	if (!dir)
		dir = getenv("TCMU_LOGDIR");
	/* Only root may write to the default folder. The log of another user's service is the journal. */
	if (!dir && writer.as_service && !geteuid())
		dir = DEFAULT_DIR;
	g_autofree char *path = dir ? g_build_filename(dir, name, NULL) : NULL;

	if (g_strcmp0(path, file.path) != 0)
		use_file(g_steal_pointer(&path));
}

void system_log_reopen(void)
{
	if (file.path)
		use_file(file.path);
}

static bool is_written(void)
{
	SCOPE_LOCK(&queue.lock);

	return list_empty(&queue.lines) && !queue.is_writing;
}

void system_log_flush(unsigned ms)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	/* Lines that are not queued have been written already. */
	for (; ms && !is_written(); ms--)
		nanosleep(&pause, NULL);
}

void system_log_close(void)
{
	if (!writer.running)
		return;
	log_set_sink(NULL);
	lock_take(&queue.lock);
	queue.ending = true;
	pthread_cond_signal(&queue.more);
	lock_drop(&queue.lock);
	pthread_join(writer.thread, NULL);
	writer.running = false;
	use_file(NULL);
}
