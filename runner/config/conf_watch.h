/* SPDX-License-Identifier: Apache-2.0 */
/* Tells of changes of one file: written in place, replaced by a rename as editors do, created, removed. Main
 * thread. */
#ifndef CONFIG_CONF_WATCH_H
#define CONFIG_CONF_WATCH_H

struct conf_watch;

/* changed runs on GLib's default main context. Never NULL: where it cannot watch, it says so and changed
 * never comes. */
struct conf_watch *conf_watch_new(const char *path, void (*changed)(void *arg), void *arg);
void conf_watch_free(struct conf_watch *watch);
#endif
