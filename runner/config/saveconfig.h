/* SPDX-License-Identifier: Apache-2.0 */
/*
 * saveconfig.json: the configuration of the iSCSI front end as a file, in the format of rtslib-fb
 * (docs/saveconfig.md). The file is read at the start and by a reload, and written by a save; nothing else
 * writes it. What the daemon does not understand in the file is kept, and written back by the next save.
 *
 * All functions are called on the main thread, and every done() is called there. A save needs GLib's default
 * main context, and the other operations the thread-default one: while an operation is running, the caller
 * iterates this context. Operations that are started while another one is running wait for it and then run in
 * the order of the calls.
 */
#ifndef CONFIG_SAVECONFIG_H
#define CONFIG_SAVECONFIG_H

#include <stdbool.h>

#include "model/model.h"
#include "util/error.h"

/* The last known contents of the daemon's file, and the entries that could not be restored. */
struct saveconfig;

/*
 * A function that is called exactly once when an operation ends, possibly before the function that started
 * the operation returns. err is 0, or -errno, and then error says why in one line. lines is a list of lines
 * for the user that ends with NULL; the comment of each operation says what its lines contain. No line
 * contains a secret. lines and error are valid only during the call.
 */
typedef void saveconfig_done(void *arg, int err, const struct error *error, const char *const *lines);

/*
 * A function that is called now and then while an operation changes the running configuration, with the
 * number of steps that have run and the number of all steps.
 */
typedef void saveconfig_progress(void *arg, unsigned done, unsigned total);

/*
 * path is the daemon's own file: the one with which it was started. If it is NULL, there is no such file, and
 * every operation needs a path. Nothing is read yet. The model must exist longer than the returned object.
 */
struct saveconfig *saveconfig_new(struct model *model, const char *path);
/*
 * Waits until no operation is running; to be called before the model is stopped. Returns false if an
 * operation is still running after timeout_ms milliseconds. If config is NULL, returns true at once.
 */
bool saveconfig_wait(struct saveconfig *config, unsigned timeout_ms);
/*
 * To be called when the daemon stops, before saveconfig_wait(). A restore or a reload leaves out its
 * remaining steps and ends with -ECANCELED, and so do operations that have not begun. A file that is being
 * written is completed.
 */
void saveconfig_stop(struct saveconfig *config);
/*
 * Frees the object. No operation may be running, and the model must be empty, so that no answer of storage is
 * missing. If config is NULL, nothing happens.
 */
void saveconfig_free(struct saveconfig *config);

/*
 * Writes the running configuration to path, or to the daemon's own file if path is NULL. The file has mode
 * 0600. At any moment it has either its old or its new contents, and it is durable when done() is called with
 * err 0. The previous contents are kept in the folder backup/ next to the file. Each line names a TPG that is
 * saved with "enable": false although it is enabled. err is -EINVAL if there is neither a path nor a file of
 * the daemon.
 */
void saveconfig_save(struct saveconfig *config, const char *path, saveconfig_done *done, void *arg);
/*
 * Makes the running configuration equal to the file at path, or to the daemon's own file if path is NULL.
 * Only the differences are applied: sessions that they do not concern continue. An entry that cannot be
 * restored does not stop the others; it is tried again later, and a save writes it unchanged. There is a line
 * for each such entry, with its place in the file, and err is 0 even if there are such entries. -ENOENT and
 * other errors mean that the file cannot be read or is not a saveconfig.json, and then nothing has changed.
 * progress may be NULL.
 */
void saveconfig_restore(struct saveconfig *config, const char *path, saveconfig_progress *progress,
			saveconfig_done *done, void *arg);
/*
 * Restores the daemon's own file at the start, and keeps objects that --export has created. The daemon must
 * have been started with a file. err is -ENOENT if the file is missing. A missing file counts as an empty
 * configuration, so a daemon without objects then has no unsaved changes.
 */
void saveconfig_restore_at_start(struct saveconfig *config, saveconfig_done *done, void *arg);
/*
 * Does the same as saveconfig_restore(), but refuses to lose changes that were made since the last save or
 * restore: err is then -EBUSY, there is a line for each of these changes, and nothing has changed. If discard
 * is true, the changes may be lost.
 */
void saveconfig_reload(struct saveconfig *config, const char *path, bool discard,
		       saveconfig_progress *progress, saveconfig_done *done, void *arg);
/*
 * Lists the differences between the file at path, or the daemon's own file if path is NULL, and the running
 * configuration, and changes nothing. A line begins with "+ " for an object that only runs, with "- " for an
 * object that is only in the file, and with "~ " for a setting that differs, for example
 * "~ iqn.2026-11.com.example:disks/tpgt_1: disabled in the file, enabled now". If the daemon's own file is
 * missing, its configuration is empty.
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
	 * The name of the entry, such as "user/disk", or of the object, such as
	 * "iqn.2026-11.com.example:disks/tpgt_1/lun_0".
	 */
	const char *name;
	/* The place of the entry in the file, such as "storage_objects[2]". */
	const char *place;
	/* A line that says why the entry, or which part of it, cannot be restored. */
	const char *reason;
};
/*
 * Calls fn for each entry that could not be restored. Storage objects whose storage cannot be opened at the
 * moment are not among these entries: they are objects of the model.
 */
void saveconfig_list_failed(const struct saveconfig *config,
			    void (*fn)(void *arg, const struct saveconfig_entry *entry), void *arg);
/*
 * Calls fn for each value of the file that was refused and that nobody has replaced since, and for each TPG
 * that stays disabled although the file enables it. The name of the entry is the name of the object. If a
 * refused value is the reason why a TPG stays disabled, fn is called for both.
 */
void saveconfig_list_refused(const struct saveconfig *config,
			     void (*fn)(void *arg, const struct saveconfig_entry *entry), void *arg);
/*
 * Forgets an entry that could not be restored: it is not tried again, and the next save leaves it out.
 * Returns 0, or -ENOENT with error set if no such entry has this name.
 */
int saveconfig_forget(struct saveconfig *config, const char *name, struct error *error);
/* Tries the entries again that could not be restored. To be called every few seconds. */
void saveconfig_tick(struct saveconfig *config);

/*
 * Checks a file without a daemon, and changes nothing. There is a line for each bad entry, with its place and
 * its line number in the file. err is 0 if the file is good, -EINVAL if an entry is bad, or another -errno if
 * the file cannot be read.
 */
void saveconfig_check(const char *path, saveconfig_done *done, void *arg);
#endif
