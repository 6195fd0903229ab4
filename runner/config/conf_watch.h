/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports changes of one file: it is written in place, replaced by a rename as editors do, created or
 * removed. Main thread.
 */
#ifndef CONFIG_CONF_WATCH_H
#define CONFIG_CONF_WATCH_H

struct conf_watch;

/*
 * Begins to watch. changed is called in GLib's default main context. Never returns NULL: if the file cannot
 * be watched, this is logged, and changed is never called.
 */
struct conf_watch *conf_watch_new(const char *path, void (*changed)(void *arg), void *arg);
void conf_watch_free(struct conf_watch *watch);
#endif
