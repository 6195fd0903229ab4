/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads secrets. They must not be arguments, because every user of the machine can see the arguments of
 * programs.
 */
#include "tcmuctl/secret_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "util/secret_text.h"

#define LINE_SIZE 4096

static void free_line(char *line)
{
	if (line)
		explicit_bzero(line, LINE_SIZE);
	free(line);
}

/* Reads up to the end of the line. Returns the number of bytes, of which the last one may be a newline. */
static size_t read_bytes(FILE *file, char *line)
{
	size_t len = 0;
	int c;

	while (len < LINE_SIZE - 1 && (c = getc(file)) != EOF) {
		line[len++] = (char)c;
		if (c == '\n')
			break;
	}
	return len;
}

static int check_line(const char *name, const char *line, size_t n, size_t len, struct error *error)
{
	const char *fault = secret_find_fault(line, len);

	if (!n)
		return error_set(error, EIO, "%s: there is no line to read", name);
	if (n == LINE_SIZE - 1 && line[n - 1] != '\n')
		return error_set(error, EINVAL, "%s: the first line is too long for a secret", name);
	if (fault)
		return error_set(error, EINVAL, "%s: %s", name, fault);
	if (secret_has_outer_blanks(line, len))
		fprintf(
		    stderr,
		    "tcmuctl: warning: %s: the secret begins or ends with a blank, which is a part of it; "
		    "some initiators remove such blanks and then cannot log in\n",
		    name);
	return 0;
}

static char *read_line(FILE *file, const char *name, struct error *error)
{
	char *line = calloc(1, LINE_SIZE);

	if (!line) {
		error_set(error, ENOMEM, "%s: out of memory", name);
		return NULL;
	}
	size_t n = read_bytes(file, line), len = secret_line_length(line, n);
	if (check_line(name, line, n, len, error)) {
		free_line(line);
		return NULL;
	}
	explicit_bzero(line + len, LINE_SIZE - len);
	return line;
}

static char *read_terminal(struct error *error)
{
	struct termios before, silent;
	char *line;

	if (tcgetattr(STDIN_FILENO, &before)) {
		error_set(error, errno, "the terminal: %s", strerror(errno));
		return NULL;
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	fputs("Secret: ", stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	line = read_line(stdin, "the terminal", error);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return line;
}

static char *read_file(const char *path, struct error *error)
{
	FILE *file = fopen(path, "re");
	struct stat info;
	char *line = NULL;

	if (!file || fstat(fileno(file), &info))
		error_set(error, errno, "%s: %s", path, strerror(errno));
	else if (S_ISREG(info.st_mode) && info.st_uid != geteuid() && info.st_uid != 0)
		error_set(error, EACCES, "%s: it belongs to another user, who could change it", path);
	else if (S_ISREG(info.st_mode) && info.st_mode & (S_IRWXG | S_IRWXO))
		error_set(error, EACCES, "%s: others may read this file; first run: chmod 600 %s", path,
			  path);
	else
		line = read_line(file, path, error);
	if (file)
		fclose(file);
	return line;
}

char *secret_file_read(const char *path, struct error *error)
{
	if (strcmp(path, "-"))
		return read_file(path, error);
	return isatty(STDIN_FILENO) ? read_terminal(error) : read_line(stdin, "standard input", error);
}

void secret_file_free(char *secret)
{
	free_line(secret);
}
