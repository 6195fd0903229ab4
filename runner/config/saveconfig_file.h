/* SPDX-License-Identifier: Apache-2.0 */
/* The file saveconfig.json on disk, and the copies of its previous contents. */
#ifndef CONFIG_SAVECONFIG_FILE_H
#define CONFIG_SAVECONFIG_FILE_H

#include <glib.h>

#include "util/error.h"

/*
 * Any thread; blocks. Returns the contents, which the caller erases and frees, with a NUL after them.
 * Returns NULL with error and errno set.
 */
char *saveconfig_file_read(const char *path, gsize *len, struct error *error);
/*
 * Main thread. Replaces the file by one with mode 0600 that contains text, which is copied. A copy of the
 * previous contents is kept in the folder backup/ next to the file. If the process dies, the file is either
 * the old or the new one. This happens on a thread of its own, and done() is called in GLib's default main
 * context: err is 0, or -errno with error set, and then the file is unchanged.
 */
void saveconfig_file_write(const char *path, const char *text, gsize len,
			   void (*done)(void *arg, int err, const struct error *error), void *arg);
#endif
