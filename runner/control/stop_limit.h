/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time that a stop of the daemon may take. SIGTERM or SIGINT begins it, whatever the main thread does at
 * that moment, and a thread of its own ends the process if the main thread has not ended it in time. What is
 * done in this time is left to the callers. Unless a comment says something else, the functions are called on
 * the main thread.
 */
#ifndef CONTROL_STOP_LIMIT_H
#define CONTROL_STOP_LIMIT_H

#include <stdbool.h>

/*
 * Starts to watch the two signals. GLib's sources for them must exist already. If there is no memory or there
 * are no descriptors, a warning is logged, and only the waits of the main thread are limited.
 */
void stop_limit_start(void);
/* Begins a stop without a signal. If the stop has begun already, nothing happens. */
void stop_limit_begin(void);
/*
 * Returns for how many milliseconds a wait may last if reserve_ms must be left after it. The result is always
 * at least a few milliseconds, so that the wait notices what has ended already. Before the stop begins, the
 * result is the whole time limit.
 */
unsigned stop_limit_left_ms(unsigned reserve_ms);
/*
 * Sets the text for the log that says for what the main thread waits from now on. The text must never be
 * freed.
 */
void stop_limit_note(const char *what);
/* Records that the stop has ended in time. */
void stop_limit_end(void);
/* Any thread. Ends the process because something hangs. The caller has logged everything that hangs. */
__attribute__((noreturn)) void stop_limit_give_up(void);
#endif
