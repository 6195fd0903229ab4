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

#define LINE_SIZE 4096

static char *read_line(FILE *file, const char *name, struct error *error)
{
	char *line = calloc(1, LINE_SIZE);

	if (!line || !fgets(line, LINE_SIZE, file)) {
		secret_file_free(line);
		error_set(error, EIO, "%s: there is no line to read", name);
		return NULL;
	}
	if (strlen(line) == LINE_SIZE - 1 && line[LINE_SIZE - 2] != '\n') {
		secret_file_free(line);
		error_set(error, EINVAL, "%s: the first line is too long for a secret", name);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
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
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	free(secret);
}
