/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an import cannot carry over. Each remark is one line that begins with the file and the line
 * number. Remarks contain names of users, but never their secrets: a line of a configuration file
 * is never printed as it stands.
 */
#ifndef IMPORT_REPORT_H
#define IMPORT_REPORT_H

#include <glib.h>
#include <stdio.h>

/* A line of a configuration file. line 0 stands for the whole file. */
struct place {
	/* An interned string, so that it outlives the file's contents. */
	const char *file;
	unsigned line;
};

struct report {
	/* Where the remarks are printed; NULL: nowhere. */
	FILE *out;
	/* How many remarks there were. */
	unsigned count;
	/* The remarks themselves. The same one is made for each target, for example, and is printed once. */
	GHashTable *seen;
};

/* Prints one remark. Control characters of the text are hidden. */
void report_add(struct report *report, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Frees what the report has allocated. */
void report_clear(struct report *report);
#endif
