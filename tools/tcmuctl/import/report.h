/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remarks about what an import cannot carry over. Each remark is one line that begins with the file and the
 * line number. Remarks contain names of users, but never their secrets, so a line of a configuration file is
 * never printed literally.
 */
#ifndef IMPORT_REPORT_H
#define IMPORT_REPORT_H

#include <glib.h>
#include <stdio.h>

/* A line of a configuration file. The line 0 means the whole file. */
struct place {
	/* An interned string, so that it is valid longer than the contents of the file. */
	const char *file;
	unsigned line;
};

struct report {
	/* Where the remarks are printed, or NULL if they are not printed. */
	FILE *out;
	/* The number of remarks. */
	unsigned count;
	/*
	 * The set of the remarks, so that the same remark, which is made for each target for example, is
	 * printed only once.
	 */
	GHashTable *seen;
};

/* Prints a remark. Control characters in the text are replaced. */
void report_add(struct report *report, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Frees what the report has allocated. */
void report_clear(struct report *report);
#endif
