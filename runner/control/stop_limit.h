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
 * Watches the two signals, whose sources of GLib exist already. Without memory or descriptors, a warning is
 * logged, and only the limits of the main thread's own waits are left.
 */
void stop_limit_start(void);
/* A stop begins without a signal. Nothing happens if it has begun already. */
void stop_limit_begin(void);
/*
 * The milliseconds that are left for a wait, so that reserve_ms are left after it; never less than a few, so
 * that what has ended already is noticed. Before the stop begins: all of them.
 */
unsigned stop_limit_left_ms(unsigned reserve_ms);
/* What the main thread waits for from now on, for the log; the text is never freed. */
void stop_limit_note(const char *what);
/* The stop has ended in time. */
void stop_limit_end(void);
/* Any thread. Ends the process because something hangs; everything that hangs has been logged. */
__attribute__((noreturn)) void stop_limit_give_up(void);
#endif
