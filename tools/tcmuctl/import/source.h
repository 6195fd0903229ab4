/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration file in memory, as lines. */
#ifndef IMPORT_SOURCE_H
#define IMPORT_SOURCE_H

#include <glib.h>
#include <stdbool.h>

#include "import/report.h"
#include "util/error.h"

struct source {
	/* The name of the file for remarks, which is an interned string. */
	const char *name;
	/* The lines, without their newlines. */
	char **lines;
	unsigned count;
	/* Whether the last line ends with a newline. */
	bool is_complete;
};

/*
 * Reads a file. Returns NULL with error set, and errno in *err as a negative number, if the file cannot be
 * read, is larger than 16 MiB, or is not UTF-8 text. The caller frees the source.
 */
struct source *source_read(const char *path, int *err, struct error *error);
/* Makes a source from text in memory, with the same errors. The caller frees the source. */
struct source *source_from_text(const char *name, const char *text, size_t size, int *err,
				struct error *error);
/* Frees the source. If it is NULL, nothing happens. */
void source_free(struct source *source);
/* Returns the place of a line; index counts from 0. */
struct place source_place(const struct source *source, unsigned index);

#endif
