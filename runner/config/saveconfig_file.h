/* SPDX-License-Identifier: Apache-2.0 */
/* The file saveconfig.json on disk, and the copies of its previous contents. */
#ifndef CONFIG_SAVECONFIG_FILE_H
#define CONFIG_SAVECONFIG_FILE_H

#include <glib.h>

#include "config/saveconfig_json.h"
#include "util/error.h"

/*
 * Any thread; blocks. Sets text to the contents, which the caller frees with config_text_free(). Returns 0,
 * or -errno with error set.
 */
int saveconfig_file_read(const char *path, struct config_text *text, struct error *error);
/*
 * Main thread. Starts a thread that replaces the file with a new one, which has mode 0600 and contains text.
 * Takes over the memory of text. The thread first copies the previous contents to the folder backup/ next to
 * the file. If the process dies, the file has either the old or the new contents. When the thread has
 * finished, done() is called in GLib's default main context, with err 0, or -errno and error set. After an
 * error, the file is usually unchanged. If no thread can be started, done() is called before this function
 * returns.
 */
void saveconfig_file_write(const char *path, struct config_text *text,
			   void (*done)(void *arg, int err, const struct error *error), void *arg);
#endif
