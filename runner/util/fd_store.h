/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors that stay open when this process ends. A keeper (systemd, see system/systemd_fd_store.h) holds
 * a duplicate of each descriptor and passes it to the next process. This header is the interface for users of
 * the descriptors.
 */
#ifndef UTIL_FD_STORE_H
#define UTIL_FD_STORE_H

#include <stdbool.h>

#define FD_NAME_SIZE 64

struct fd_kept {
	int fd;                  /* The user's own descriptor, or -1 if there is none. */
	char name[FD_NAME_SIZE]; /* The name of the duplicate, or "" if there is none. */
};

struct fd_store {
	/*
	 * Main thread, at the start. Finds a descriptor that an earlier process has left and for which
	 * wanted() returns true. Returns false if there is none.
	 */
	bool (*take)(bool (*wanted)(int fd, const void *arg), const void *arg, struct fd_kept *kept);
	/*
	 * Any thread; may block. Asks the keeper to hold a duplicate of kept->fd. kind is the beginning of
	 * its name.
	 */
	void (*keep)(struct fd_kept *kept, const char *kind);
	/*
	 * Any thread; may block. Asks the keeper to close its duplicate. The descriptor of this process stays
	 * open.
	 */
	void (*forget)(struct fd_kept *kept);
};
#endif
