/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and replaces saveconfig.json. A file is written under another name, made durable, and renamed, so
 * at any moment its name leads to complete contents. Daemons that save to the same folder wait for each
 * other. What the file says is left to saveconfig_read.c and saveconfig_write.c.
 */
#include "config/saveconfig_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/saveconfig_json.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/secret_memory.h"

#define BACKUP_FOLDER "backup"
#define BACKUP_PREFIX "saveconfig-"
#define BACKUPS_KEPT  10
/* A file that is being written is ".NAME.new". */
#define FRESH_SUFFIX ".new"

/* --- reading --- */

/* Moves the text to memory of this size, which is larger. Returns false if there is no memory. */
static bool grow(struct config_text *text, gsize size)
{
	struct config_text larger = {secret_alloc(size), text->len, size};

	if (!larger.text)
		return false;
	if (text->len)
		memcpy(larger.text, text->text, text->len);
	config_text_free(text);
	*text = larger;
	return true;
}

/* Reads the whole file. size is the expected size; the file may grow or shrink meanwhile. */
static int read_all(int fd, off_t size, struct config_text *text, struct error *error, const char *path)
{
	ssize_t n = 1;

	*text = (struct config_text){.text = NULL};
	bool has_room = grow(text, MIN((gsize)size, SAVECONFIG_TEXT_MAX) + 2);

	while (has_room && n > 0 && text->len <= SAVECONFIG_TEXT_MAX) {
		n = read(fd, text->text + text->len, text->size - text->len - 1);
		text->len += n > 0 ? (gsize)n : 0;
		if (text->len + 1 == text->size)
			has_room = grow(text, 2 * text->size);
	}
	if (has_room && n >= 0)
		return 0;
	int err = has_room ? errno : ENOMEM;

	config_text_free(text);
	return error_set(error, err, "%s cannot be read: %s", path, strerror(err));
}

int saveconfig_file_read(const char *path, struct config_text *text, struct error *error)
{
	/* If the file is a pipe without a writer, the daemon must not wait. */
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int err = fd < 0 || fstat(fd, &st) ? errno : S_ISREG(st.st_mode) ? 0 : EINVAL;

	if (err) {
		error_set(error, err, "%s cannot be read: %s", path,
			  fd >= 0 && err == EINVAL ? "it is not a regular file" : strerror(err));
		return error_add_user_if_denied(error, -err);
	}
	if (st.st_mode & 077)
		log_warn(NULL,
			 "%s contains the secrets of accounts, and other users may open it (mode %03o); use "
			 "chmod 600",
			 path, st.st_mode & 0777);
	return read_all(fd, st.st_size, text, error, path);
}

/* --- writing one file --- */

static int write_all(int fd, const char *text, gsize len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (gsize)n;
	}
	return fsync(fd) ? -errno : 0;
}

/* Returns the name under which a file is written before it gets its own name. */
static char *fresh_name(const char *name)
{
	return g_strdup_printf(".%s" FRESH_SUFFIX, name);
}

/* Writes the text to a new file in the folder, and makes the text durable. */
static int write_fresh(int folder, const char *fresh, const char *text, gsize len)
{
	/* A process that died may have left this file. */
	unlinkat(folder, fresh, 0);
	CLEANUP_CLOSE int fd =
	    openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err = fd < 0 ? -errno : write_all(fd, text, len);

	if (err && fd >= 0)
		unlinkat(folder, fresh, 0);
	return err;
}

/* --- copies of previous contents --- */

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Removes files with secrets that were left by a process which died while it wrote a copy. */
static void remove_unfinished_copies(int folder, const char *parent)
{
	g_autofree char *path = g_build_filename(parent, BACKUP_FOLDER, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(BACKUP_FOLDER, name, NULL);

		if (g_str_has_prefix(name, "." BACKUP_PREFIX) && g_str_has_suffix(name, FRESH_SUFFIX))
			unlinkat(folder, file, 0);
	}
}

/* Removes all copies but the newest ones. The names contain the date, so the oldest names sort first. */
static void remove_old_copies(int folder, const char *parent)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *path = g_build_filename(parent, BACKUP_FOLDER, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_prefix(name, BACKUP_PREFIX))
			g_ptr_array_add(names, g_build_filename(BACKUP_FOLDER, name, NULL));
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i + BACKUPS_KEPT < names->len; i++)
		unlinkat(folder, g_ptr_array_index(names, i), 0);
}

/* Returns a name with the date and a number, which is needed if there are several saves in one second. */
static char *new_copy_name(int folder)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *date = g_date_time_format(now, BACKUP_PREFIX "%Y%m%d-%H%M%S");
	struct stat st;

	for (unsigned i = 0;; i++) {
		char *name = g_strdup_printf("%s-%02u.json", date, i);

		if (i == 99 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
			return name;
		g_free(name);
	}
}

/* Writes a copy to the backup folder. Returns its name in folder, or sets *err and returns NULL. */
static char *write_copy(int folder, const char *text, gsize len, int *err)
{
	*err = mkdirat(folder, BACKUP_FOLDER, 0700) && errno != EEXIST ? -errno : 0;
	CLEANUP_CLOSE int copies =
	    *err ? -1 : openat(folder, BACKUP_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (!*err && copies < 0)
		*err = -errno;
	if (*err)
		return NULL;
	g_autofree char *name = new_copy_name(copies), *fresh = fresh_name(name);

	*err = write_fresh(copies, fresh, text, len);
	if (!*err && (renameat(copies, fresh, copies, name) || fsync(copies))) {
		*err = -errno;
		unlinkat(copies, fresh, 0);
		unlinkat(copies, name, 0);
	}
	return *err ? NULL : g_build_filename(BACKUP_FOLDER, name, NULL);
}

/*
 * Copies the present contents of the file to the backup folder, unless they are equal to the new contents.
 * Sets *copy to the name of the copy in folder, or to NULL.
 */
static int keep_previous(int folder, const char *name, const char *path, const struct config_text *text,
			 char **copy, struct error *error)
{
	CLEANUP_CLOSE int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	g_autofree char *parent = g_path_get_dirname(path);
	struct config_text old;
	struct stat st;

	*copy = NULL;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st))
		return error_set(error, errno,
				 "%s is not saved, because its previous contents cannot be read: %s", path,
				 strerror(errno));
	int err = read_all(fd, st.st_size, &old, error, path);

	if (err)
		return err;
	if (old.len != text->len || memcmp(old.text, text->text, text->len))
		*copy = write_copy(folder, old.text, old.len, &err);
	config_text_free(&old);
	if (err)
		error_set(error, -err,
			  "%s is not saved, because its previous contents cannot be kept in %s/" BACKUP_FOLDER
			  ": %s",
			  path, parent, strerror(-err));
	return err;
}

/* --- the file --- */

/* Gives the new file, which is complete, the name of the file. */
static int rename_fresh(int folder, const char *fresh, const char *name, const char *path,
			struct error *error)
{
	if (renameat(folder, fresh, folder, name))
		return error_set(error, errno, "%s is not saved and has its previous contents: %s%s", path,
				 strerror(errno),
				 errno == EBUSY ? "; a file is mounted on it, mount its folder instead" : "");
	if (fsync(folder))
		return error_set(error, errno,
				 "%s is saved, but it may have its previous contents after a crash: %s", path,
				 strerror(errno));
	return 0;
}

/*
 * Replaces the file in folder. If that is not possible, nothing is left of the attempt, and no copy of
 * previous contents is removed: attempts that fail again and again must not use up the copies.
 */
static int replace(int folder, const char *parent, const char *name, const char *path,
		   const struct config_text *text, struct error *error)
{
	g_autofree char *fresh = fresh_name(name), *copy = NULL;
	int err = write_fresh(folder, fresh, text->text, text->len);

	if (err)
		return error_set(error, -err,
				 "%s is not saved and has its previous contents: a file in %s cannot be "
				 "written: %s",
				 path, parent, strerror(-err));
	err = keep_previous(folder, name, path, text, &copy, error);
	if (!err)
		err = rename_fresh(folder, fresh, name, path, error);
	if (!err && copy)
		remove_old_copies(folder, parent);
	/* If the new file already has its final name, fresh does not exist, and the copy stays. */
	if (err && !unlinkat(folder, fresh, 0) && copy)
		unlinkat(folder, copy, 0);
	return err;
}

static int write_file(const char *path, const struct config_text *text, struct error *error)
{
	/* If the name is a symbolic link, the file that it leads to is replaced, and the link stays. */
	char *target = realpath(path, NULL);
	g_autofree char *real = g_strdup(target ? target : path);
	g_autofree char *parent = g_path_get_dirname(real), *name = g_path_get_basename(real);

	free(target);
	CLEANUP_CLOSE int folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return error_add_user_if_denied(
		    error, error_set(error, errno, "%s is not saved: %s: %s", path, parent, strerror(errno)));
	/* If the file system does not have locks, only one daemon may save to this folder. */
	while (flock(folder, LOCK_EX) && errno == EINTR)
		;
	remove_unfinished_copies(folder, parent);
	return error_add_user_if_denied(error, replace(folder, parent, name, real, text, error));
}

/* --- on a thread of its own --- */

struct job {
	pthread_t thread;
	char *path;
	struct config_text text;
	void (*done)(void *arg, int err, const struct error *error);
	void *arg;
	int err;
	struct error error;
};

static gboolean on_written(gpointer data)
{
	struct job *job = data;

	pthread_join(job->thread, NULL);
	config_text_free(&job->text);
	job->done(job->arg, job->err, &job->error);
	g_free(job->path);
	g_free(job);
	return G_SOURCE_REMOVE;
}

static void *write_job(void *arg)
{
	struct job *job = arg;

	job->err = write_file(job->path, &job->text, &job->error);
	g_idle_add(on_written, job);
	return NULL;
}

void saveconfig_file_write(const char *path, struct config_text *text,
			   void (*done)(void *arg, int err, const struct error *error), void *arg)
{
	struct job *job = g_new0(struct job, 1);
	struct error error;

	*job = (struct job){.path = g_strdup(path), .text = *text, .done = done, .arg = arg};
	*text = (struct config_text){.text = NULL};
	int err = pthread_create(&job->thread, NULL, write_job, job);

	if (!err)
		return;
	error_set(&error, err, "%s is not saved: a thread cannot be started: %s", path, strerror(err));
	config_text_free(&job->text);
	g_free(job->path);
	g_free(job);
	done(arg, -err, &error);
}
