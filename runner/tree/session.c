/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread of the tree: reads the requests of the kernel, and posts them to the main thread, which owns the
 * model. The thread answers no request itself, so a request that takes long delays no other one. look.c,
 * change.c and file.c handle the requests, and operations.c parses them.
 */
#include "tree/private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/log.h"

struct tree_session {
	struct tree *tree;
	struct main_queue *main;
	struct fuse_session *fuse;
	pthread_t thread;
	/* The thread must end when this descriptor is readable. */
	int stop_fd;
	/* Handles the requests below on the main thread. */
	struct main_work work;
	/* Guards requests, posted and stopped. While it is held, only the lock of the main queue is taken. */
	pthread_mutex_t lock;
	struct list requests;
	bool posted;
	/*
	 * Whether the tree has ended. The last one of work and tree_session_stop() to run frees the session.
	 */
	bool stopped;
};

/* The last message of libfuse, which prints its reasons, and returns only that something has failed. */
static _Thread_local char reason[256];

static void on_fuse_log(enum fuse_log_level level, const char *format, va_list args)
{
	(void)level;
	vsnprintf(reason, sizeof(reason), format, args);
	reason[strcspn(reason, "\n")] = '\0';
	log_debug(NULL, "libfuse: %s", reason);
}

/* --- from the thread to the main thread ------------------------------------------------------- */

static void free_session(struct tree_session *session)
{
	if (session->fuse)
		fuse_session_destroy(session->fuse);
	if (session->stop_fd >= 0)
		close(session->stop_fd);
	pthread_mutex_destroy(&session->lock);
	free(session);
}

static void run_requests(struct tree_session *session)
{
	struct list requests = LIST_INIT(requests), *node;

	lock_take(&session->lock);
	list_splice_tail(&requests, &session->requests);
	lock_drop(&session->lock);
	while ((node = list_pop(&requests))) {
		struct tree_request *request = list_entry(node, struct tree_request, node);

		request->run(request);
	}
}

static void on_posted(struct main_work *work)
{
	struct tree_session *session = container_of(work, struct tree_session, work);

	lock_take(&session->lock);
	session->posted = false;
	bool stopped = session->stopped;
	lock_drop(&session->lock);
	if (stopped)
		free_session(session);
	else
		run_requests(session);
}

void tree_session_post(struct tree_session *session, struct tree_request *request)
{
	SCOPE_LOCK(&session->lock);

	request->tree = session->tree;
	list_add_tail(&session->requests, &request->node);
	if (!session->posted)
		main_queue_post(session->main, &session->work);
	session->posted = true;
}

/* --- the thread ------------------------------------------------------------------------------- */

static void *run_thread(void *arg)
{
	struct tree_session *session = arg;
	struct fuse_buf buffer = {.mem = NULL};
	struct pollfd fds[] = {
	    {.fd = fuse_session_fd(session->fuse), .events = POLLIN},
	    {.fd = session->stop_fd, .events = POLLIN},
	};

	while (!fuse_session_exited(session->fuse)) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			break;
		if (!fds[0].revents)
			continue;
		int size = fuse_session_receive_buf(session->fuse, &buffer);
		if (size == -EINTR || size == -EAGAIN)
			continue;
		if (size <= 0) {
			log_warn(session->tree->mount_point, "the tree was unmounted");
			break;
		}
		fuse_session_process_buf(session->fuse, &buffer);
	}
	free(buffer.mem);
	return NULL;
}

/* --- start and stop --------------------------------------------------------------------------- */

static int fail(struct error *error, const char *folder, const char *hint)
{
	return error_set(error, EIO, "the tree cannot be mounted at %s: %s%s", folder,
			 *reason ? reason : "libfuse gives no reason", hint);
}

static int mount_session(struct tree_session *session, const char *folder, struct error *error)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	bool has_args =
	    !fuse_opt_add_arg(&args, "tcmu-runner") && !fuse_opt_add_arg(&args, "-o") &&
	    !fuse_opt_add_arg(&args, "default_permissions,fsname=tcmu-runner,subtype=tcmu-runner");

	reason[0] = '\0';
	fuse_set_log_func(on_fuse_log);
	session->fuse =
	    has_args ? fuse_session_new(&args, &tree_operations, sizeof(tree_operations), session) : NULL;
	fuse_opt_free_args(&args);
	if (!session->fuse)
		return fail(error, folder, "");
	if (fuse_session_mount(session->fuse, folder))
		return fail(
		    error, folder,
		    geteuid()
			? "; an ordinary user needs the program fusermount3 (Debian: apt-get install fuse3) "
			  "and access to /dev/fuse"
			: "; is there a device /dev/fuse?");
	return 0;
}

static int start_thread(struct tree_session *session, struct error *error)
{
	int fd = fuse_session_fd(session->fuse);
	int err = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? errno : 0;

	if (!err)
		err = pthread_create(&session->thread, NULL, run_thread, session);
	return err ? error_set(error, err, "the thread of the tree cannot be started: %s", strerror(err)) : 0;
}

int tree_session_start(struct tree *tree, const char *folder, struct error *error)
{
	struct tree_session *session = calloc(1, sizeof(*session));
	int err;

	if (!session)
		return error_set(error, ENOMEM, "out of memory");
	session->tree = tree;
	session->main = tree->main;
	session->work.fn = on_posted;
	list_init(&session->requests);
	pthread_mutex_init(&session->lock, NULL);
	session->stop_fd = eventfd(0, EFD_CLOEXEC);
	err = session->stop_fd < 0 ? error_set(error, errno, "out of descriptors")
				   : mount_session(session, folder, error);
	if (!err && (err = start_thread(session, error)))
		fuse_session_unmount(session->fuse);
	if (err) {
		free_session(session);
		return err;
	}
	tree->session = session;
	return 0;
}

void tree_session_stop(struct tree *tree)
{
	struct tree_session *session = tree->session;
	const uint64_t one = 1;

	if (write(session->stop_fd, &one, sizeof(one)) != sizeof(one))
		log_err(NULL, "the thread of the tree cannot be told to end: %s", strerror(errno));
	pthread_join(session->thread, NULL);
	run_requests(session);
	tree_requests_end(tree);
	fuse_session_unmount(session->fuse);
	lock_take(&session->lock);
	session->stopped = true;
	bool posted = session->posted;
	lock_drop(&session->lock);
	if (!posted)
		free_session(session);
}
