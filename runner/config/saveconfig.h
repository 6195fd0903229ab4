/* SPDX-License-Identifier: Apache-2.0 */
/*
 * saveconfig.json: the configuration of the iSCSI front end as a file, in the format of rtslib-fb
 * (docs/saveconfig.md). The file is read at the start and by a reload, and written by a save; nothing else
 * writes it. What the daemon does not understand in the file is kept, and written back by the next save.
 *
 * All functions are called on the main thread, and every done() is called there. A save needs GLib's
 * default main context, and the other operations the thread-default one: while an operation is running, the
 * caller iterates it. Operations that are started while another one is running wait for it and then run in
 * the order of the calls.
 */
#ifndef CONFIG_SAVECONFIG_H
#define CONFIG_SAVECONFIG_H

#include <stdbool.h>

#include "model/model.h"
#include "util/error.h"

/* The daemon's knowledge of its file: the last contents, and the entries that could not be restored. */
struct saveconfig;

/*
 * The end of an operation. It is called exactly once, possibly before the operation returns. err is 0, or
 * -errno; then error says why in one line. lines is a list for the user that ends with NULL; each function
 * says what its lines are. No line contains a secret. lines and error are valid during the call.
 */
typedef void saveconfig_done(void *arg, int err, const struct error *error, const char *const *lines);

/*
 * path: the file that the daemon was started with; NULL: it was started without one, and then every
 * operation needs a path of its own. Nothing is read yet. The model outlives the object.
 */
struct saveconfig *saveconfig_new(struct model *model, const char *path);
/*
 * Before the stop of the model: waits until no operation is running. Returns false if one still runs after
 * timeout_ms milliseconds. NULL: nothing happens.
 */
bool saveconfig_wait(struct saveconfig *config, unsigned timeout_ms);
/*
 * No operation is running, and the model is empty, so that storage that had not answered has answered.
 * NULL: nothing happens.
 */
void saveconfig_free(struct saveconfig *config);

/*
 * Writes the running configuration to path, or to the daemon's own file if path is NULL. The file has mode
 * 0600, is complete or not there at any moment, and durable when done(0) is called. The previous contents
 * are kept in the folder backup/ beside the file. lines: the TPGs that are saved with "enable": false,
 * because LIO lacks one of their settings. -EINVAL: there is neither a path nor a file of the daemon.
 */
void saveconfig_save(struct saveconfig *config, const char *path, saveconfig_done *done, void *arg);
/*
 * Makes the running configuration equal to the file at path, or to the daemon's own file if path is NULL.
 * Only the differences are applied: sessions that they do not concern continue. An entry that cannot be
 * restored does not stop the others; it is tried again, and saved unchanged. lines: one for each such
 * entry, with its place in the file. err is 0 even if there are such entries; -ENOENT and other errors
 * mean that the file cannot be read or is not a saveconfig.json, and then nothing has changed.
 */
void saveconfig_restore(struct saveconfig *config, const char *path, saveconfig_done *done, void *arg);
/*
 * The same at the start, with the daemon's own file; objects that --export has created stay. The daemon has
 * such a file. -ENOENT: it is missing, and counts as an empty configuration, so that a daemon without objects
 * has no unsaved changes.
 */
void saveconfig_restore_beside(struct saveconfig *config, saveconfig_done *done, void *arg);
/*
 * saveconfig_restore() for a daemon that runs: if changes would be lost that were made since the last save
 * or restore, it fails with -EBUSY, lines has one line for each of these changes, and nothing has changed.
 * discard: the changes may be lost.
 */
void saveconfig_reload(struct saveconfig *config, const char *path, bool discard, saveconfig_done *done,
		       void *arg);
/*
 * Changes nothing. lines: the differences between the file at path (NULL: the daemon's own) and the running
 * configuration. A line begins with "+ " for an object that only runs, with "- " for an object that is only
 * in the file, and with "~ " for a setting that differs: "~ iqn.2026-11.com.example:disks/tpgt_1 enable:
 * false in the file, true now". The daemon's own file is an empty configuration as long as it is missing.
 */
void saveconfig_diff(struct saveconfig *config, const char *path, saveconfig_done *done, void *arg);

/*
 * Returns whether the configuration has changed since the last save to, or restore from, the daemon's own
 * file.
 */
bool saveconfig_has_changed(const struct saveconfig *config);
/* Returns the file with which the daemon was started, or NULL. */
const char *saveconfig_path(const struct saveconfig *config);

/* An entry of the file that was not restored, or not completely. The strings are valid during the call. */
struct saveconfig_entry {
	/*
	 * The name that the object would have: "user_0/disk", "iqn.2026-11.com.example:disks/tpgt_1/lun_0".
	 */
	const char *name;
	/* Its place in the file, such as "storage_objects[2]". */
	const char *place;
	/* Why it cannot be restored, or what of it cannot, in one line. */
	const char *reason;
};
/*
 * Calls fn for each entry that could not be restored and is tried again. Storage that cannot be opened is
 * not among them: it is an object of the model in the state "failed".
 */
void saveconfig_failed(const struct saveconfig *config,
		       void (*fn)(void *arg, const struct saveconfig_entry *entry), void *arg);
/*
 * Calls fn for each value that was refused and that nobody has replaced since, and for each TPG that stays
 * disabled though the file enables it. name is the object; the TPG is also listed if a refused value closes
 * it.
 */
void saveconfig_refused(const struct saveconfig *config,
			void (*fn)(void *arg, const struct saveconfig_entry *entry), void *arg);
/*
 * Gives up an entry that could not be restored: it is not tried again, and the next save leaves it out.
 * -ENOENT: no entry has this name.
 */
int saveconfig_forget(struct saveconfig *config, const char *name, struct error *error);
/* To be called every few seconds: tries the entries again that could not be restored. */
void saveconfig_tick(struct saveconfig *config);

/*
 * Checks a file without a daemon, and changes nothing. lines: one for each bad entry, with its place in the
 * file and its line. err: 0 if the file is good, -EINVAL if an entry is bad, or another -errno: the file
 * cannot be read.
 */
void saveconfig_check(const char *path, saveconfig_done *done, void *arg);
#endif
