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
 * Main thread. Replaces the file by one with mode 0600 that contains text, which it frees. A copy of the
 * previous contents is kept in the folder backup/ next to the file. If the process dies, the file is either
 * the old or the new one. This happens on a thread of its own, and done() is called in GLib's default main
 * context: err is 0, or -errno with error set, and then the file is unchanged.
 */
void saveconfig_file_write(const char *path, struct config_text *text,
			   void (*done)(void *arg, int err, const struct error *error), void *arg);
#endif
