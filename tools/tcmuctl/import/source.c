/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads configuration files into memory. A file that is not text is refused here, so that the parsers get
 * only strings that JSON can contain.
 */
#include "import/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SIZE_MAX_BYTES (16u << 20)

static bool read_all(FILE *file, GString *text)
{
	char piece[8192];
	size_t n;

	while ((n = fread(piece, 1, sizeof(piece), file)) > 0 && text->len <= SIZE_MAX_BYTES)
		g_string_append_len(text, piece, (gssize)n);
	return !ferror(file);
}

static void cut_carriage_return(char *line)
{
	size_t len = strlen(line);

	if (len && line[len - 1] == '\r')
		line[len - 1] = '\0';
}

static unsigned line_of(const char *text, const char *end)
{
	unsigned line = 1;

	for (; text < end; text++)
		line += *text == '\n';
	return line;
}

struct source *source_from_text(const char *name, const char *text, size_t size, int *err,
				struct error *error)
{
	const char *end;

	if (!g_utf8_validate(text, (gssize)size, &end)) {
		*err = error_set(error, EILSEQ,
				 "%s:%u: the line contains bytes that are not UTF-8 text; convert the file, "
				 "for example with iconv",
				 name, line_of(text, end));
		return NULL;
	}

	struct source *source = g_new0(struct source, 1);
	g_autofree char *copy = g_strndup(text, size);

	source->name = g_intern_string(name);
	source->lines = g_strsplit(copy, "\n", -1);
	source->count = g_strv_length(source->lines);
	source->is_complete = !size || text[size - 1] == '\n';
	/* There is no line after the last newline. */
	if (source->count && !*source->lines[source->count - 1])
		source->count--;
	for (unsigned i = 0; i < source->count; i++)
		cut_carriage_return(source->lines[i]);
	return source;
}

static FILE *open_text(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat st;

	if (file && !fstat(fileno(file), &st) && S_ISDIR(st.st_mode)) {
		fclose(file);
		errno = EISDIR;
		return NULL;
	}
	return file;
}

struct source *source_read(const char *path, int *err, struct error *error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	FILE *file = open_text(path);
	bool is_read;

	*err = 0;
	if (!file) {
		*err = error_set(error, errno, "%s: %s", path, strerror(errno));
		return NULL;
	}
	is_read = read_all(file, text);
	if (!is_read)
		*err = error_set(error, errno, "%s: %s", path, strerror(errno));
	fclose(file);
	if (!is_read)
		return NULL;
	if (text->len > SIZE_MAX_BYTES) {
		*err = error_set(error, EFBIG, "%s: the file is larger than 16 MiB", path);
		return NULL;
	}
	return source_from_text(path, text->str, text->len, err, error);
}

void source_free(struct source *source)
{
	if (!source)
		return;
	g_strfreev(source->lines);
	g_free(source);
}

struct place source_place(const struct source *source, unsigned index)
{
	return (struct place){source->name, index + 1};
}
