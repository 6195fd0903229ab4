/* SPDX-License-Identifier: Apache-2.0 */
/* Each line replaces the previous one on the terminal. If the output is no terminal, nothing is shown. */
#include "tcmuctl/progress.h"

#include <stdio.h>
#include <unistd.h>

void progress_begin(struct progress *progress, const char *label)
{
	*progress = (struct progress){.label = isatty(STDOUT_FILENO) ? label : NULL,
				      .begin_us = g_get_monotonic_time()};
}

void progress_report(struct progress *progress, gint64 done, gint64 total)
{
	progress->total = MAX(total, 0);
	progress->done = CLAMP(done, 0, progress->total);
}

/* Prints the rate, and the time that the remaining steps take at this rate. */
static void print_rate(const struct progress *progress, double seconds)
{
	double rate = (double)progress->done / seconds;

	printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " steps, %.0f/s", progress->done, progress->total,
	       rate);
	if (progress->done)
		printf(", %.0f s left", (double)(progress->total - progress->done) / rate);
}

void progress_show(struct progress *progress)
{
	gint64 passed_us = g_get_monotonic_time() - progress->begin_us;

	if (!progress->label || passed_us < G_USEC_PER_SEC)
		return;
	progress->is_shown = true;
	printf("\r%s: ", progress->label);
	if (progress->total)
		print_rate(progress, (double)passed_us / G_USEC_PER_SEC);
	else
		printf("waiting for the daemon, %u s", (unsigned)(passed_us / G_USEC_PER_SEC));
	fputs("\033[K", stdout);
	fflush(stdout);
}

void progress_end(struct progress *progress)
{
	if (!progress->is_shown)
		return;
	fputs("\r\033[K", stdout);
	fflush(stdout);
}
