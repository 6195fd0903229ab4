/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches tcmu.conf with inotify, and calls a function soon after the file has changed. Reading the file is
 * left to conf.c.
 */
#include "config/conf_watch.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/log.h"

/*
 * An editor may remove a file and put another one in its place. Because of the pause, the daemon reads no
 * intermediate state, and does not read the file after each step.
 */
#define SETTLE_MS 200

struct conf_watch {
	void (*changed)(void *arg);
	void *arg;
	char *name; /* The name of the file in its folder. */
	int fd;
	guint source;
	guint settling; /* The timer, or 0 if nothing has changed. */
};

/* Reads all events. Returns true if one is about the file. */
static bool take_events(struct conf_watch *watch)
{
	_Alignas(struct inotify_event) char buffer[4096];
	bool ours = false;
	ssize_t n;

	while ((n = read(watch->fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)&buffer[at];

			if (event->mask & IN_Q_OVERFLOW || (event->len && !strcmp(event->name, watch->name)))
				ours = true;
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	return ours;
}

static gboolean on_settled(gpointer data)
{
	struct conf_watch *watch = data;

	watch->settling = 0;
	watch->changed(watch->arg);
	return G_SOURCE_REMOVE;
}

static gboolean on_event(gint fd, GIOCondition condition, gpointer data)
{
	struct conf_watch *watch = data;

	(void)fd;
	(void)condition;
	if (take_events(watch) && !watch->settling)
		watch->settling = g_timeout_add(SETTLE_MS, on_settled, watch);
	return G_SOURCE_CONTINUE;
}

/*
 * Returns whether the file must not be watched. Every program writes to /dev/null, and a pipe has no contents
 * that could be read again.
 */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode);
}

struct conf_watch *conf_watch_new(const char *path, void (*changed)(void *arg), void *arg)
{
	struct conf_watch *watch = g_new0(struct conf_watch, 1);
	/*
	 * The folder is watched, because a program that saves the file by renaming creates a new file each
	 * time.
	 */
	g_autofree char *folder = g_path_get_dirname(path);

	watch->changed = changed;
	watch->arg = arg;
	watch->name = g_path_get_basename(path);
	watch->fd = -1;
	if (is_special(path))
		return watch;
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd >= 0 &&
	    inotify_add_watch(watch->fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) >=
		0)
		watch->source = g_unix_fd_add(watch->fd, G_IO_IN, on_event, watch);
	else
		log_debug(NULL, "%s: changes are noticed only on SIGHUP: %s", folder, strerror(errno));
	return watch;
}

void conf_watch_free(struct conf_watch *watch)
{
	if (watch->source)
		g_source_remove(watch->source);
	if (watch->settling)
		g_source_remove(watch->settling);
	if (watch->fd >= 0)
		close(watch->fd);
	g_free(watch->name);
	g_free(watch);
}
