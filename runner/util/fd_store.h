/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors that outlive this process: somebody keeps a duplicate of each, and gives it to the next process. Who that is,
 * control knows (fd_store.h there); here is what its users see of it.
 */
#ifndef UTIL_FD_STORE_H
#define UTIL_FD_STORE_H

#include <stdbool.h>

#define FD_NAME_SIZE 64

struct fd_kept {
	int fd;                  /* the user's own; -1: none */
	char name[FD_NAME_SIZE]; /* of the duplicate; "": nobody keeps one */
};

struct fd_store {
	/* Main, at start. Hands out what an earlier process left there and wanted() recognises. False: nothing. */
	bool (*take)(bool (*wanted)(int fd, const void *arg), const void *arg, struct fd_kept *kept);
	/* Any thread; may block. Has kept->fd kept. kind: what its name begins with. */
	void (*keep)(struct fd_kept *kept, const char *kind);
	/* Any thread; may block. Has it kept no longer; the user's own stays open. */
	void (*forget)(struct fd_kept *kept);
};
#endif
