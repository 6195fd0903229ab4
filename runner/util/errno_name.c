/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of errors, for programs. They depend neither on the numbers of an architecture nor on the
 * language of strerror(). glibc has such a function since version 2.32, and musl has none.
 */
#include "util/errno_name.h"

#include <errno.h>
#include <stdio.h>

#include "util/bytes.h"

#define NAME(name)          \
	{                   \
		name, #name \
	}
static const struct {
	int number;
	const char *name;
} names[] = {
    NAME(EPERM),        NAME(ENOENT),    NAME(EIO),         NAME(ENXIO),        NAME(EAGAIN),
    NAME(ENOMEM),       NAME(EACCES),    NAME(EBUSY),       NAME(EEXIST),       NAME(EXDEV),
    NAME(ENODEV),       NAME(ENOTDIR),   NAME(EISDIR),      NAME(EINVAL),       NAME(ENFILE),
    NAME(EMFILE),       NAME(EFBIG),     NAME(ENOSPC),      NAME(EROFS),        NAME(EMLINK),
    NAME(ERANGE),       NAME(EDEADLK),   NAME(ENOLCK),      NAME(ENAMETOOLONG), NAME(ENOTEMPTY),
    NAME(ELOOP),        NAME(ECANCELED), NAME(EOVERFLOW),   NAME(EADDRINUSE),   NAME(EADDRNOTAVAIL),
    NAME(EAFNOSUPPORT), NAME(ENOTSUP),   NAME(ETIMEDOUT),   NAME(ECONNREFUSED), NAME(EHOSTUNREACH),
    NAME(EALREADY),     NAME(EBADF),     NAME(EMEDIUMTYPE), NAME(ESHUTDOWN),    NAME(EPROTO),
};

const char *errno_name(int number, char text[ERRNO_NAME_SIZE])
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == number)
			return names[i].name;
	snprintf(text, ERRNO_NAME_SIZE, "E%d", number);
	return text;
}
