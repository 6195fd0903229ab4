/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts and stops the kernel front end, and passes the settings of tcmu.conf to it. The devices are left to
 * runner/kernel.
 */
#include "control/kernel_service.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/stop_limit.h"
#include "system/systemd_fd_store.h"
#include "system/kernel_module.h"
#include "kernel/manager.h"
#include "kernel/stray_io.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/log.h"

#ifndef PR_SET_IO_FLUSHER /* The option exists since Linux 5.6. */
#define PR_SET_IO_FLUSHER 57
#endif

/* The part of the time limit of a stop that is reserved for the iSCSI front end. */
#define RESERVE_MS 1500

struct kernel_service {
	const struct config_options *options;
	int lock_fd; /* The descriptor of a locked file. The lock is held as long as this process exists. */
	int io_fd;   /* The descriptor of a locked file. The lock is held as long as I/O is in progress. */
	struct kernel_manager_defaults defaults;
	struct kernel_manager *manager;
};

/* Takes the lock, which is held until the process ends, in whatever way it ends. */
static int take_lock(struct kernel_service *s, struct error *error)
{
	if (!s->options->run_dir)
		return error_set(
		    error, ENOENT,
		    "there is no run folder, because XDG_RUNTIME_DIR is not set; give one with --run-dir");

	g_autofree char *path = g_build_filename(s->options->run_dir, "lock", NULL);

	if (g_mkdir_with_parents(s->options->run_dir, 0755))
		return error_set(error, errno, "%s: %s", s->options->run_dir, strerror(errno));
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (!flock(s->lock_fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno == EWOULDBLOCK)
		return error_set(error, EBUSY, "another tcmu-runner serves the kernel already (%s is locked)",
				 path);
	return error_set(error, errno, "%s: %s", path, strerror(errno));
}

/*
 * The kernel writes dirty pages back through this daemon. Therefore, an allocation of the daemon must not
 * wait for this write-back, and the kernel must kill other processes first when memory runs out. Threads
 * inherit only the first of these two settings.
 */
static void become_part_of_storage(void)
{
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		log_warn(NULL, "PR_SET_IO_FLUSHER: %s", strerror(errno));
	CLEANUP_CLOSE int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "-1000", 5) < 0)
		log_warn(NULL, "oom_score_adj: %s", strerror(errno));
}

/* Creates the link RUN_FOLDER/state, by which the scripts find the state folder, where they create images. */
static void show_state_dir(const struct config_options *options)
{
	g_autofree char *link = g_build_filename(options->run_dir, "state", NULL);
	g_autofree char *folder = g_canonicalize_filename(options->state_dir, NULL);

	if ((unlink(link) && errno != ENOENT) || symlink(folder, link))
		log_warn(NULL, "%s: %s; scripts cannot create images in the state folder", link,
			 strerror(errno));
}

static int check_state_dir(const struct config_options *options, struct error *error)
{
	if (g_mkdir_with_parents(options->state_dir, 0700))
		return error_set(error, errno,
				 "state folder %s: it cannot be created: %s; create it, or name another "
				 "folder with --state-dir",
				 options->state_dir, strerror(errno));
	show_state_dir(options);
	return 0;
}

int kernel_service_new(struct kernel_service **service, const struct config_options *options,
		       const struct conf *conf, struct error *error)
{
	struct kernel_service *s = g_new0(struct kernel_service, 1);

	s->options = options;
	s->lock_fd = s->io_fd = -1;
	kernel_service_set_defaults(s, conf);
	int err = kernel_module_load(error);
	if (!err)
		err = take_lock(s, error);
	if (!err)
		err = check_state_dir(options, error);
	if (!err) {
		s->io_fd = tcmu_stray_io_lock(options->run_dir, error);
		err = s->io_fd < 0 ? s->io_fd : 0;
	}
	if (err) {
		kernel_service_stop(s);
		return err;
	}
	become_part_of_storage();
	*service = s;
	return 0;
}

const int *kernel_service_io_lock(const struct kernel_service *s)
{
	return &s->io_fd;
}

int kernel_service_start(struct kernel_service *s, struct loop_set *loops, struct storage_registry *registry,
			 struct error *error)
{
	const struct kernel_manager_options options = {
	    .state_dir = s->options->state_dir,
	    .run_dir = s->options->run_dir,
	    .io_lock = s->io_fd,
	    .fd_store = &system_fd_store,
	    .registry = registry,
	    .defaults = s->defaults,
	};

	s->manager = kernel_manager_open(loops, &options, error);
	if (!s->manager)
		return -EIO;
	log_info(NULL, "serving the kernel's devices");
	return 0;
}

void kernel_service_set_defaults(struct kernel_service *s, const struct conf *conf)
{
	s->defaults = (struct kernel_manager_defaults){.cmd_time_out = conf->cmd_time_out};
	if (s->manager)
		kernel_manager_set_defaults(s->manager, &s->defaults);
}

void kernel_service_tick(struct kernel_service *s)
{
	kernel_manager_tick(s->manager);
}

struct listing {
	control_device_view *view;
	void *arg;
};

static void show(void *arg, const struct tcmu_device_view *seen)
{
	static const char *const states[] = {
	    [TCMU_DEVICE_OPENING] = "opening",
	    [TCMU_DEVICE_SERVED] = "served",
	    [TCMU_DEVICE_FAILED] = "failed",
	    [TCMU_DEVICE_CLOSING] = "closing",
	};
	const struct listing *listing = arg;

	listing->view(listing->arg, &(struct control_device){
					.name = seen->name,
					.config = seen->config,
					.state = states[seen->state],
					.error = seen->error,
					.minor = seen->minor,
					.size = seen->size,
					.commands = seen->commands,
					.doorbells = seen->doorbells,
					.late = seen->late,
				    });
}

void kernel_service_list(struct kernel_service *s, control_device_view *view, void *arg)
{
	kernel_manager_list(s->manager, show, &(struct listing){view, arg});
}

bool kernel_service_last_refusal(struct kernel_service *s, char *name, size_t size, struct error *error)
{
	return kernel_manager_last_refusal(s->manager, name, size, error);
}

bool kernel_service_stop(struct kernel_service *s)
{
	if (s->manager && !kernel_manager_close(s->manager, stop_limit_left_ms(RESERVE_MS)))
		return false;
	if (s->io_fd >= 0)
		close(s->io_fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	g_free(s);
	return true;
}
