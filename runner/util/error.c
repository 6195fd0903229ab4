/* SPDX-License-Identifier: Apache-2.0 */
/* Formats the line that says what has failed and why. The callers decide who gets the line. */
#include "util/error.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int error_set(struct error *error, int err, const char *format, ...)
{
	int saved = errno;
	va_list args;

	if (error) {
		va_start(args, format);
		vsnprintf(error->text, sizeof(error->text), format, args);
		va_end(args);
	}
	errno = saved;
	return -err;
}

int error_prefix(struct error *error, int err, const char *format, ...)
{
	int saved = errno;
	struct error old;
	va_list args;
	size_t len;

	if (error) {
		old = *error;
		va_start(args, format);
		vsnprintf(error->text, sizeof(error->text), format, args);
		va_end(args);
		len = strlen(error->text);
		snprintf(error->text + len, sizeof(error->text) - len, ": %s", old.text);
	}
	errno = saved;
	return err;
}

int error_add_user_if_denied(struct error *error, int err)
{
	char buffer[1024];
	struct passwd entry, *user = NULL;

	if (!error || (err != -EACCES && err != -EPERM) || !geteuid())
		return err;
	size_t len = strlen(error->text), room = sizeof(error->text) - len;
	int saved = errno;

	if (!getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &user) && user)
		snprintf(error->text + len, room, "; this process runs as the user %s", user->pw_name);
	else
		snprintf(error->text + len, room, "; this process runs as the user with the ID %u",
			 (unsigned)geteuid());
	errno = saved;
	return err;
}
