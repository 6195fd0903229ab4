/* SPDX-License-Identifier: Apache-2.0 */
#include "control/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/log.h"

#define DEFAULT_DIR "/var/log"
#define FILE_NAME   "tcmu-runner.log"
#define QUEUE_MAX   4096 /* lines; more are counted and dropped */

struct line {
	gint64 time; /* microseconds since 1970 */
	enum log_level level;
	char text[];
};

static const char *const level_names[] = {"CRIT", "ERROR", "WARN", "INFO", "DEBUG", "CDB"};

static struct {
	GAsyncQueue *queue; /* of struct line, and of end_mark */
	GThread *thread;
	gint dropped; /* atomic */
	bool as_service;
	GMutex lock; /* of what follows; a leaf */
	int fd;      /* -1: no file */
	char *path;
} out = {.fd = -1};

static struct line end_mark;

/* --- the writing thread --- */

static void write_file(const struct line *line)
{
	g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(line->time / G_USEC_PER_SEC);
	g_autofree char *stamp = g_date_time_format(when, "%Y-%m-%d %H:%M:%S");

	g_mutex_lock(&out.lock);
	/* A full disk loses lines, nothing else. */
	if (out.fd >= 0 &&
	    dprintf(out.fd, "%s.%03d %d [%s] %s\n", stamp, (int)(line->time % G_USEC_PER_SEC / 1000),
		    getpid(), level_names[line->level], line->text) < 0)
		g_atomic_int_inc(&out.dropped);
	g_mutex_unlock(&out.lock);
}

static void write_syslog(const struct line *line)
{
	static const int priorities[] = {LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_DEBUG};

	syslog(priorities[line->level], "%s", line->text);
}

static void write_stderr(const struct line *line)
{
	fprintf(stderr, "%s%s%s\n", line->level == LOG_LEVEL_INFO ? "" : level_names[line->level],
		line->level == LOG_LEVEL_INFO ? "" : ": ", line->text);
}

static void write_line(const struct line *line)
{
	write_file(line);
	if (out.as_service)
		write_syslog(line);
	else
		write_stderr(line);
}

static struct line *make_line(enum log_level level, const char *text)
{
	struct line *line = g_malloc(sizeof(*line) + strlen(text) + 1);

	line->time = g_get_real_time();
	line->level = MIN(level, LOG_LEVEL_CDB);
	strcpy(line->text, text);
	return line;
}

static void tell_dropped(void)
{
	gint dropped = (gint)g_atomic_int_exchange(&out.dropped, 0);

	if (!dropped)
		return;
	g_autofree char *text = g_strdup_printf("%d log lines were lost", dropped);
	g_autofree struct line *line = make_line(LOG_LEVEL_WARN, text);

	write_line(line);
}

static gpointer write_lines(gpointer arg)
{
	struct line *line;

	(void)arg;
	while ((line = g_async_queue_pop(out.queue)) != &end_mark) {
		write_line(line);
		g_free(line);
		if (g_async_queue_length(out.queue) <= 0)
			tell_dropped();
	}
	return NULL;
}

/* Any thread. */
static void sink(enum log_level level, const char *text)
{
	if (g_async_queue_length(out.queue) < QUEUE_MAX)
		g_async_queue_push(out.queue, make_line(level, text));
	else
		g_atomic_int_inc(&out.dropped);
}

/* --- main thread --- */

static void start(void)
{
	out.as_service = getenv("INVOCATION_ID") || getenv("DBUS_STARTER_ADDRESS");
	if (out.as_service)
		openlog("tcmu-runner", LOG_PID, LOG_DAEMON);
	out.queue = g_async_queue_new();
	out.thread = g_thread_new("log", write_lines, NULL);
	log_set_sink(sink);
}

static int open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		log_err(NULL, "%s: %s; log lines do not go there", path, strerror(errno));
	return fd;
}

/* Takes path over. NULL: no file. */
static void use_file(char *path)
{
	int fd = path ? open_file(path) : -1;

	g_mutex_lock(&out.lock);
	int old = out.fd;
	out.fd = fd;
	g_mutex_unlock(&out.lock);
	if (old >= 0)
		close(old);
	if (path != out.path)
		g_free(out.path);
	out.path = path;
}

void control_log_open(const char *dir)
{
	if (!out.thread)
		start();
	if (!dir)
		dir = getenv("TCMU_LOGDIR");
	if (!dir && out.as_service)
		dir = DEFAULT_DIR;
	g_autofree char *path = dir ? g_build_filename(dir, FILE_NAME, NULL) : NULL;

	if (g_strcmp0(path, out.path) != 0)
		use_file(g_steal_pointer(&path));
}

void control_log_reopen(void)
{
	if (out.path)
		use_file(out.path);
}

void control_log_close(void)
{
	if (!out.thread)
		return;
	log_set_sink(NULL);
	g_async_queue_push(out.queue, &end_mark);
	g_thread_join(out.thread);
	out.thread = NULL;
	g_async_queue_unref(out.queue);
	use_file(NULL);
}
