/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told when it started the daemon; nothing where it did not. */
#ifndef SYSTEM_NOTIFY_H
#define SYSTEM_NOTIFY_H

#include "loop/loop.h"

struct control_notify;

/*
 * Main thread. The start is over. If systemd asks for signs of life (WatchdogSec=) they come from now on, as
 * long as the main loop turns and every loop of the set runs what is posted to it: a hang of either ends in a
 * restart.
 */
struct control_notify *control_notify_ready(struct loop_set *loops);
/* Main thread. What "systemctl status" shows. */
void control_notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Main thread. The stop begins; no more signs of life are asked for. */
void control_notify_stopping(struct control_notify *notify);
/* After the loops were stopped. NULL is none. */
void control_notify_free(struct control_notify *notify);
#endif
