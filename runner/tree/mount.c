/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder in which the tree is mounted: creates it, removes a mount that a killed daemon has left there,
 * and refuses a folder that is in use. libfuse makes the mount itself.
 */
#include "tree/private.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <spawn.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/log.h"

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

extern char **environ;

/* Runs fusermount, which must remove the mounts of ordinary users because it has made them. */
static bool run_fusermount(const char *folder)
{
	char *const arguments[] = {"fusermount3", "-u", "-q", "-z", "--", (char *)folder, NULL};
	int status = 0;
	pid_t pid;

	if (posix_spawnp(&pid, arguments[0], NULL, NULL, arguments, environ))
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static int remove_stale_mount(const char *folder, struct error *error)
{
	if (umount2(folder, MNT_DETACH | UMOUNT_NOFOLLOW) && !run_fusermount(folder))
		return error_set(
		    error, EBUSY,
		    "a daemon that was killed has left its tree at %s, and it cannot be removed; remove it "
		    "with: fusermount3 -u -z %s",
		    folder, folder);
	log_info(folder, "the tree of a daemon that was killed was removed");
	return 0;
}

static int check_is_empty(const char *folder, struct error *error)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);
	int err = 0;

	if (!dir)
		return error_set(error, errno, "the tree cannot be mounted at %s: %s", folder,
				 strerror(errno));
	while (!err && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			err = error_set(
			    error, ENOTEMPTY,
			    "the tree cannot be mounted at %s: the folder is not empty, and the tree would "
			    "hide what is in it",
			    folder);
	closedir(dir);
	return err;
}

static int check_folder(const char *folder, struct error *error)
{
	struct statfs fs;
	struct stat st;

	if (stat(folder, &st))
		return error_set(error, errno, "the tree cannot be mounted at %s: %s", folder,
				 strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return error_set(error, ENOTDIR, "the tree cannot be mounted at %s: it is not a folder",
				 folder);
	if (!statfs(folder, &fs) && fs.f_type == FUSE_SUPER_MAGIC && st.st_ino == FUSE_ROOT_ID)
		return error_set(
		    error, EBUSY,
		    "the tree cannot be mounted at %s: the folder is the tree of a daemon that runs, or "
		    "another FUSE file system",
		    folder);
	return check_is_empty(folder, error);
}

int tree_mount_prepare(const char *folder, struct error *error)
{
	struct statfs fs;
	int err = 0;

	if (!strncmp(folder, "/dev/fd/", 8))
		return 0;
	/* The kernel may still know the attributes of the folder, so stat() can succeed. */
	if (statfs(folder, &fs) && errno == ENOTCONN)
		err = remove_stale_mount(folder, error);
	else if (mkdir(folder, 0755) && errno != EEXIST)
		err = error_set(error, errno, "the folder %s cannot be created: %s", folder, strerror(errno));
	return err ? err : check_folder(folder, error);
}
