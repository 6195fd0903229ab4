/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the file handler share. */
#ifndef TEST_FILE_H
#define TEST_FILE_H

#include "daemon_double.h"

#define MIB       (1u << 20)
#define FILE_SIZE (4u * MIB)

extern char dir[64];
/*
 * What fstatfs() tells the handler: XFS_SUPER_MAGIC, so that all goes through the queue, unless a
 * test says else.
 */
extern long fs_type;
/*
 * Whether mlock() succeeds. Not on tmpfs, which fills a hole when it is mapped and read; the handler maps
 * nothing but its own marked pages there, but a test says that it is another file system.
 */
extern bool can_lock;

/* The path of name in dir; valid until the next call. */
char *in_dir(const char *name);
/* A new file of FILE_SIZE. */
void *open_new(const char *name, const char *const *options, uint32_t block_size);
void close_and_remove(void *handle, const char *name);

/* Run all tests of a file in dir; return the number that failed. */
int test_file_open(const char *title);
int test_file_io(const char *title);
int test_file_use(const char *title);
int test_file_map(const char *title);
int test_file_tail(const char *title);
#endif
