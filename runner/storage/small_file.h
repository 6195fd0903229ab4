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
 * Sets error and returns -err. The text begins with "state folder PATH: ". If a call has failed because of
 * the folder, the text says what is wrong with it and what to do; otherwise it continues as format says.
 */
int small_file_refuse(int folder, int err, struct error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/*
 * Opens a folder, which is created with mode 0700 if it does not exist. Returns a descriptor, which the
 * caller closes, or -errno with error set. Refuses a folder that other users may write to.
 */
int small_file_open_folder(int parent, const char *path, struct error *error);
/*
 * Reads the file name of the folder into text, and adds a NUL. Returns the length without the NUL, or -errno
 * with error set; -ENOENT means that there is no such file. The function refuses a symbolic link, anything
 * but a regular file, a file of another user, a file that other users may write to, a file that is larger
 * than size - 1 bytes, and a file with a zero byte.
 */
ssize_t small_file_read(int folder, const char *name, char *text, size_t size, struct error *error);
/*
 * Replaces the text of the file. The previous text is kept as NAME.old. When this returns 0, both are
 * durable. If the process dies or the host loses power meanwhile, the file has either its previous or its new
 * text. Returns -errno with error set if the file was not changed.
 */
int small_file_replace(int folder, const char *name, const char *text, struct error *error);
/* Writes a new file in the same way. If the file exists already, returns -EEXIST and does not change it. */
int small_file_create(int folder, const char *name, const char *text, struct error *error);
/* Removes the file and its previous text, if there are any. Returns 0, or -errno with error set. */
int small_file_remove(int folder, const char *name, struct error *error);
#endif
