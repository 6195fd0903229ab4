/* SPDX-License-Identifier: Apache-2.0 */
/* What the files with tests of the handler file share. */
#ifndef TEST_FILE_H
#define TEST_FILE_H

#include "fake_daemon.h"

#define MIB       (1u << 20)
#define FILE_SIZE (4u * MIB)

extern char dir[64];
/*
 * The file system that fstatfs() reports to the handler. It is XFS_SUPER_MAGIC, so that all I/O goes through
 * the queue, unless a test sets another one.
 */
extern long fs_type;
/*
 * Whether mlock() succeeds. It must not on tmpfs, where reading a hole of the locked mapping would fill the
 * hole. On tmpfs the handler itself does not lock memory, but the tests report another file system to it.
 */
extern bool can_lock;

/* Returns the path of name in dir. The text is valid until the next call. */
char *in_dir(const char *name);
/* Creates a file of FILE_SIZE bytes and opens it. */
void *open_new(const char *name, const char *const *options, uint32_t block_size);
void close_and_remove(void *handle, const char *name);

/*
 * Whether SIGBUS comes with the address of the page that a shortened file has lost. For most of its
 * processors, qemu-user passes on a wrong address.
 */
bool kernel_tells_which_page_is_gone(void);

/* Each runs all tests of a file in dir, and returns the number of those that failed. */
int test_file_open(const char *title);
int test_file_io(const char *title);
int test_file_use(const char *title);
int test_file_map(const char *title);
int test_file_tail(const char *title);
#endif
