/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line that a terminal shows while a call takes long: what the call is, for how long it has run, and, if
 * the daemon reports it, how much of it is done.
 */
#ifndef TCMUCTL_PROGRESS_H
#define TCMUCTL_PROGRESS_H

#include <glib.h>
#include <stdbool.h>

struct progress {
	/* The text at the beginning of the line. If it is NULL, no line is shown. */
	const char *label;
	/* The time of CLOCK_MONOTONIC at which the call began. */
	gint64 begin_us;
	/* The steps that the daemon has reported. total is 0 if it has reported none. */
	gint64 done, total;
	bool is_shown;
};

void progress_begin(struct progress *progress, const char *label);
/* Records what the daemon has reported. */
void progress_report(struct progress *progress, gint64 done, gint64 total);
/* Shows the line if the call runs for a second or longer. To be called every second. */
void progress_show(struct progress *progress);
/* Removes the line. */
void progress_end(struct progress *progress);
#endif
