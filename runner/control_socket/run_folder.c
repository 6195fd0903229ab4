/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket in the file system. A lock shows whether the daemon that created a socket is still
 * alive, so that only sockets without a listener are removed. Connections are left to listener.c.
 */
#include "control_socket/run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The number of connections that may wait to be accepted. */
#define BACKLOG 128

static int take_lock(const char *folder, struct error *error)
{
	g_autofree char *path = g_build_filename(folder, "control.lock", NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;

	int err = errno == EWOULDBLOCK ? EBUSY : errno;

	close(fd);
	if (err == EBUSY)
		return error_set(error, EBUSY, "another tcmu-runner uses %s", folder);
	return error_set(error, err, "%s: %s", path, strerror(err));
}

/*
 * The lock must be held. fchmod() before bind() prevents other users from connecting before chmod(), and
 * unlike umask(), it does not affect other threads. chmod() adds what the umask of the process has removed.
 */
static int bind_socket(int fd, const struct sockaddr_un *addr, struct error *error)
{
	if (unlink(addr->sun_path) && errno != ENOENT)
		return error_set(error, errno, "%s: %s", addr->sun_path, strerror(errno));
	if (fchmod(fd, 0600) || bind(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		return error_set(error, errno, "%s: %s", addr->sun_path, strerror(errno));
	if (chmod(addr->sun_path, 0600) || listen(fd, BACKLOG))
		return error_set(error, errno, "%s: %s", addr->sun_path, strerror(errno));
	return 0;
}

static int make_socket(const char *folder, struct error *error)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int n = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/control", folder);

	if (n < 0 || (size_t)n >= sizeof(addr.sun_path))
		return error_set(error, ENAMETOOLONG,
				 "%s/control: the path of a socket has at most %zu bytes", folder,
				 sizeof(addr.sun_path) - 1);

	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_set(error, errno, "%s: %s", addr.sun_path, strerror(errno));

	int err = bind_socket(fd, &addr, error);

	if (!err)
		return fd;
	close(fd);
	return err;
}

int run_folder_listen(const char *folder, int *lock, struct error *error)
{
	if (g_mkdir_with_parents(folder, 0755))
		return error_set(error, errno, "%s: %s", folder, strerror(errno));
	*lock = take_lock(folder, error);
	if (*lock < 0)
		return *lock;

	int fd = make_socket(folder, error);

	if (fd < 0)
		close(*lock);
	return fd;
}

void run_folder_close(const char *folder, int fd, int lock)
{
	g_autofree char *path = g_build_filename(folder, "control", NULL);

	unlink(path);
	close(fd);
	close(lock);
}
