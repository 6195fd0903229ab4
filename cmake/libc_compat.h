/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declares what glibc has and musl lacks. The build includes this header before each file if the C library is
 * not glibc (cmake/BuildOptions.cmake), so that the sources need no conditions of their own.
 */
#ifndef TCMUR_LIBC_COMPAT_H
#define TCMUR_LIBC_COMPAT_H

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef TEMP_FAILURE_RETRY
#define TEMP_FAILURE_RETRY(expression)                    \
	(__extension__({                                  \
		long result_;                             \
		do                                        \
			result_ = (long)(expression);     \
		while (result_ == -1L && errno == EINTR); \
		result_;                                  \
	}))
#endif

/* musl has declared these two functions, together with the flags, since version 1.2.5. */
#ifndef RWF_NOWAIT
#define RWF_HIPRI  0x01
#define RWF_DSYNC  0x02
#define RWF_SYNC   0x04
#define RWF_NOWAIT 0x08
#define RWF_APPEND 0x10

static inline ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	return syscall(SYS_preadv2, fd, iov, count, (long)offset, (long)((unsigned long long)offset >> 32),
		       flags);
}

static inline ssize_t pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	return syscall(SYS_pwritev2, fd, iov, count, (long)offset, (long)((unsigned long long)offset >> 32),
		       flags);
}
#endif

/* musl has declared this function since version 1.2.5. The kernel's header has the structure and flags. */
#ifndef STATX_SIZE
#include <linux/stat.h>

static inline int statx(int fd, const char *path, int flags, unsigned int mask, struct statx *stx)
{
	return (int)syscall(SYS_statx, fd, path, flags, mask, stx);
}
#endif

/* In musl, request is an int. Some numbers of requests do not fit in an int, which the compiler reports. */
#ifndef __GLIBC__
#define ioctl(fd, ...) ioctl(fd, (int)__VA_ARGS__)
#endif
#endif
