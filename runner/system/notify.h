/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the daemon to systemd. If systemd has not started the daemon, these functions do nothing. */
#ifndef SYSTEM_NOTIFY_H
#define SYSTEM_NOTIFY_H

#include "loop/loop.h"

struct system_notify;

/*
 * Main thread. Tells systemd that the start is complete. If systemd expects watchdog messages (WatchdogSec=),
 * they are sent from now on, as long as the main loop and every event loop of the set run. If one of them
 * hangs, systemd restarts the daemon.
 */
struct system_notify *system_notify_ready(struct loop_set *loops);
/* Main thread. Sets the text that "systemctl status" shows. */
void system_notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Main thread. Tells systemd that the stop begins. No watchdog messages are sent any more. */
void system_notify_stopping(struct system_notify *notify);
/* Main thread, after the loops were stopped. If notify is NULL, nothing happens. */
void system_notify_free(struct system_notify *notify);
#endif
