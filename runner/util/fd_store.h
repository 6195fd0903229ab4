/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors that outlive this process. A keeper (systemd, see system/systemd_fd_store.h) holds a
 * duplicate of each descriptor and hands it to the next process. This header is the interface for
 * users of the descriptors.
 */
#ifndef UTIL_FD_STORE_H
#define UTIL_FD_STORE_H

#include <stdbool.h>

#define FD_NAME_SIZE 64

struct fd_kept {
	int fd;                  /* The user's own descriptor; -1 if there is none. */
	char name[FD_NAME_SIZE]; /* the name of the duplicate; "": there is none */
};

struct fd_store {
	/* Main thread, at start. Hands out a descriptor that an earlier process has left and that
	 * wanted() recognises. Returns false if there is none. */
	bool (*take)(bool (*wanted)(int fd, const void *arg), const void *arg, struct fd_kept *kept);
	/* Any thread; may block. Asks the keeper to hold kept->fd. kind is the beginning of its
	 * name. */
	void (*keep)(struct fd_kept *kept, const char *kind);
	/* Any thread; may block. Asks the keeper to drop its duplicate. The descriptor of this
	 * process stays open. */
	void (*forget)(struct fd_kept *kept);
};
#endif
