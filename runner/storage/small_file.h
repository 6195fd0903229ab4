/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files of the state folder: they are checked when they are read, and written so that a crash leaves
 * the old or the new text.
 */
#ifndef STORAGE_SMALL_FILE_H
#define STORAGE_SMALL_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

#define SMALL_FILE_MAX 65536 /* bytes */

/*
 * Opens a folder, which is created with mode 0700 if it does not exist; the caller closes the
 * descriptor. Refuses a folder that other users may write to. Or -errno with error set.
 */
int small_file_open_folder(int parent, const char *path, struct error *error);
/*
 * Reads the file name of the folder into text, and ends it with NUL. Returns the length without the
 * NUL, or -errno with error set. -ENOENT: there is no such file. A symbolic link, anything but a
 * regular file, a file of another user, one that other users may write to, and one that is larger
 * than size - 1 bytes are refused.
 */
ssize_t small_file_read(int folder, const char *name, char *text, size_t size, struct error *error);
/*
 * Replaces the file by one that holds text; its previous text stays as NAME.old. When this returns
 * 0, both are durable. A process that dies, or a host that loses power, in the middle leaves a
 * complete file under the name: the previous or the new one. Or -errno with error set; the file is
 * then as it was.
 */
int small_file_replace(int folder, const char *name, const char *text, struct error *error);
/* Writes a new file in the same way. -EEXIST: the file already exists, and was not changed. */
int small_file_create(int folder, const char *name, const char *text, struct error *error);
/* Removes the file and its previous text, if there are any. Returns 0, or -errno with error set. */
int small_file_remove(int folder, const char *name, struct error *error);
#endif
