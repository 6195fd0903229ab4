/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of the daemon: start, signals, the periodic work of the main loop, and stop. The two front ends
 * are left to portal_service.c and kernel_service.c.
 */
#include "control/service.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "backstore/backstore.h"
#include "config/conf.h"
#include "config/conf_watch.h"
#include "system/systemd_fd_store.h"
#include "control/admin.h"
#include "control/kernel_service.h"
#include "control/model_host.h"
#include "system/log_file.h"
#include "system/notify.h"
#include "system/pidfile.h"
#include "control/portal_service.h"
#include "control/run_command.h"
#include "control/stop_limit.h"
#include "storage/contents.h"
#include "storage/identity.h"
#include "util/bytes.h"
#include "util/log.h"

/*
 * The part of the time limit of a stop that is reserved for the front ends and, after them, for the storage.
 */
#define FRONT_ENDS_MS 2200
#define STORAGE_MS    800
/*
 * The interval at which the daemon looks for backing stores that have grown, and tries failed devices again.
 */
#define TICK_S        5
#define SPIN_MIN_CPUS 4
#define RING_SPIN_US  50
/* The largest number of loops that the daemon chooses itself; --threads overrides it. */
#define LOOPS_MAX 8

struct control_service {
	struct config_options *options;
	struct conf conf;
	struct conf_watch *watch;
	struct loop_set loops;
	bool loops_running;
	bool pidfile_written;
	struct system_notify *notify; /* Exists while the main loop runs. */
	unsigned devices, failed;     /* The numbers that systemd was told last. */
	struct storage_registry *registry;
	struct model_host *host;
	/* NULL if the user has not asked for this front end; the same holds for the next field. */
	struct portal_service *portal;
	struct kernel_service *kernel;
	struct admin *admin; /* NULL before admin_start(). */
	GMainLoop *main;
	guint sources[4]; /* The sources of the signals and of the periodic work. */
};

/*
 * Raises the limit of open descriptors, because each session needs one. The new limit is the one that the
 * user has asked for, or the largest one that the system allows.
 */
static void set_descriptor_limit(int wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = wanted > 0 ? (rlim_t)wanted : limit.rlim_max;
	limit.rlim_max = MAX(limit.rlim_cur, limit.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_warn(NULL, "cannot set the limit of open files to %llu: %s",
			 (unsigned long long)limit.rlim_cur, strerror(errno));
}

/*
 * Chooses how long loops poll if the user has not said it. Only loops that serve rings poll, and only if the
 * machine has enough CPUs.
 */
static void set_spin(const struct config_options *o, struct loop_options *options)
{
	if (o->spin_us != CONTROL_UNSET)
		options->spin_us = options->poller_spin_us = (unsigned)o->spin_us;
	else if (g_get_num_processors() >= SPIN_MIN_CPUS)
		options->poller_spin_us = RING_SPIN_US;
}

static int start_loops(struct control_service *s, struct error *error)
{
	const struct config_options *o = s->options;
	unsigned ncpus = MIN(g_get_num_processors(), LOOPS_MAX);
	struct loop_options options = {
	    .nloops = o->threads ? (unsigned)o->threads : ncpus,
	    .npool = (unsigned)o->pool_threads,
	    .no_uring = o->no_io_uring,
	    .hold = s->kernel ? kernel_service_io_lock(s->kernel) : NULL,
	};

	set_spin(o, &options);
	int err = loop_set_start(&s->loops, &options, error);

	s->loops_running = !err;
	return err;
}

/* --- tcmu.conf and the log --- */

static bool wants_kernel(const struct config_options *o)
{
	return o->kernel || !config_options_want_iscsi(o);
}

/*
 * Returns the name of the log file. The two services can have the same log folder, because tcmu.conf names
 * the folder for both.
 */
static const char *log_name(const struct config_options *o)
{
	return wants_kernel(o) ? "tcmu-runner.log" : "tcmu-runner-iscsi.log";
}

/* Applies the settings of tcmu.conf. Called at the start, and whenever the file has changed. */
static void apply_conf(struct control_service *s)
{
	const struct config_options *o = s->options;

	log_set_level(o->debug ? LOG_LEVEL_DEBUG : (enum log_level)s->conf.log_level);
	system_log_open(o->log_dir ? o->log_dir : s->conf.log_dir, log_name(o));
	if (s->kernel)
		kernel_service_set_defaults(s->kernel, &s->conf);
}

static void on_conf_changed(void *arg)
{
	struct control_service *s = arg;
	struct conf fresh;

	conf_read(&fresh, s->options->config);
	if (conf_needs_restart(&s->conf, &fresh))
		log_warn(NULL,
			 "%s: changes of settings other than log_level, log_dir and cmd_time_out take effect "
			 "at the next start",
			 s->options->config);
	conf_free(&s->conf);
	s->conf = fresh;
	apply_conf(s);
	log_info(NULL, "%s: read again", s->options->config);
}

static int read_conf(struct control_service *s, struct error *error)
{
	const struct config_options *o = s->options;

	if (o->config_needed && (access(o->config, R_OK) || g_file_test(o->config, G_FILE_TEST_IS_DIR)))
		return error_set(error, errno ? errno : EISDIR, "--config %s: %s", o->config,
				 strerror(errno ? errno : EISDIR));
	conf_read(&s->conf, o->config);
	conf_complete(&s->conf, s->options);
	s->watch = conf_watch_new(o->config, on_conf_changed, s);
	apply_conf(s);
	return 0;
}

/*
 * tcmu.conf belongs to the service of the kernel's devices. With --export alone it is read only if --config
 * names it.
 */
static int start_conf(struct control_service *s, bool kernel, struct error *error)
{
	const struct config_options *o = s->options;

	errno = 0;
	if (kernel || o->config_given)
		return read_conf(s, error);
	config_options_complete(s->options);
	if (o->log_dir || g_getenv("TCMU_LOGDIR"))
		system_log_open(o->log_dir, log_name(o));
	else
		system_log_to_stderr();
	return 0;
}

/* --- start --- */

static int start_front_ends(struct control_service *s, struct error *error)
{
	int err = start_loops(s, error);

	if (!err && !(s->host = model_host_new(&s->loops, s->registry, error)))
		err = -ENOMEM;
	/*
	 * The socket exists before initiators can connect. Its calls are answered only when the main loop
	 * runs.
	 */
	if (!err) {
		/* Exports are complete before initiators can connect. The objects of the file follow. */
		model_set_starting(model_host_model(s->host), s->options->saveconfig);
		s->admin = admin_start(s->options, model_host_model(s->host), s->kernel);
	}
	if (!err && s->portal)
		err = portal_service_start(s->portal, &s->loops, s->host, error);
	/*
	 * The file is restored after the exports: a portal that cannot listen ends the start only if it
	 * belongs to an export.
	 */
	if (!err)
		err = admin_restore(s->admin, model_host_context(s->host)->main, error);
	if (!err)
		model_set_starting(model_host_model(s->host), false);
	if (!err && s->kernel)
		err = kernel_service_start(s->kernel, &s->loops, s->registry, error);
	if (!err)
		system_fd_store_end();
	return err;
}

/*
 * Creates the parent of the state folder, such as ~/.local/state, which may not exist yet. If this fails,
 * runner/storage reports it.
 */
static void make_parent(const char *folder)
{
	g_autofree char *parent = g_path_get_dirname(folder);

	g_mkdir_with_parents(parent, 0700);
}

static int start(struct control_service *s, struct error *error)
{
	const struct config_options *o = s->options;
	bool kernel = wants_kernel(o);

	int err = start_conf(s, kernel, error);
	if (err)
		return err;
	set_descriptor_limit(o->nofile);
	if (config_options_want_iscsi(o) && !(s->portal = portal_service_new(o, error)))
		return -EINVAL;
	err = kernel ? kernel_service_new(&s->kernel, o, &s->conf, error) : 0;
	if (err)
		return config_options_want_iscsi(o) ? err
						    : error_prefix(error, err,
								   "the kernel cannot be served, and there "
								   "is no --export, --saveconfig or --tree");
	make_parent(o->state_dir);
	s->registry = storage_registry_new(o->state_dir, NULL);
	if (!s->registry)
		return error_set(error, ENOMEM, "out of memory");
	storage_contents_adopt(s->registry, &system_fd_store);
	err = start_front_ends(s, error);
	if (err)
		return err;
	if (!o->pidfile)
		return 0;
	err = system_pidfile_write(o->pidfile, error);
	s->pidfile_written = !err;
	return err;
}

static gboolean on_quit(gpointer data)
{
	struct control_service *s = data;

	g_main_loop_quit(s->main);
	return G_SOURCE_CONTINUE;
}

static void count(void *arg, const struct control_device *device)
{
	unsigned *counts = arg;

	counts[0]++;
	counts[1] += !strcmp(device->state, "failed");
}

static void tell_status(struct control_service *s)
{
	unsigned counts[2] = {0, 0};

	control_service_devices(s, count, counts);
	if (counts[0] != s->devices || counts[1] != s->failed)
		system_notify_status("devices: %u, failed: %u", counts[0], counts[1]);
	s->devices = counts[0];
	s->failed = counts[1];
}

static gboolean on_tick(gpointer data)
{
	struct control_service *s = data;

	model_tick(model_host_model(s->host));
	admin_tick(s->admin);
	if (s->kernel)
		kernel_service_tick(s->kernel);
	storage_contents_expire(s->registry);
	tell_status(s);
	return G_SOURCE_CONTINUE;
}

static gboolean on_hangup(gpointer data)
{
	struct control_service *s = data;

	system_log_reopen();
	if (s->watch)
		on_conf_changed(s);
	return on_tick(s);
}

/*
 * Handles the signals until the stop has ended, so that a signal that comes early or twice does not kill the
 * process.
 */
static void watch_signals(struct control_service *s)
{
	s->main = g_main_loop_new(NULL, FALSE);
	s->sources[0] = g_unix_signal_add(SIGTERM, on_quit, s);
	s->sources[1] = g_unix_signal_add(SIGINT, on_quit, s);
	s->sources[2] = g_unix_signal_add(SIGHUP, on_hangup, s);
	s->sources[3] = g_timeout_add_seconds(TICK_S, on_tick, s);
	stop_limit_start();
}

static void unwatch_signals(struct control_service *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->sources); i++)
		g_source_remove(s->sources[i]);
	g_main_loop_unref(s->main);
}

int control_service_start(struct control_service **service, struct config_options *options,
			  struct error *error)
{
	struct control_service *s = g_new0(struct control_service, 1);

	s->options = options;
	system_fd_store_begin();
	signal(SIGPIPE, SIG_IGN);
	/*
	 * A write that exceeds the limit of file sizes must fail with EFBIG instead of killing the process.
	 */
	signal(SIGXFSZ, SIG_IGN);
	watch_signals(s);
	int err = start(s, error);
	if (err)
		control_service_stop(s);
	else
		*service = s;
	return err;
}

static void on_command_ended(void *arg)
{
	struct control_service *s = arg;

	g_main_loop_quit(s->main);
}

int control_service_run(struct control_service *s, struct error *error)
{
	struct run_command *command = NULL;
	int status = 0;

	if (s->options->run_command) {
		command = run_command_start(s->options->run_command, s->portal, on_command_ended, s, error);
		if (!command)
			return -1;
	}
	admin_announce(s->admin);
	s->notify = system_notify_ready(&s->loops);
	stop_limit_note("a call on its main thread");
	g_main_loop_run(s->main);
	stop_limit_begin();
	system_notify_stopping(s->notify);
	log_info(NULL, "stopping");
	if (command)
		status = run_command_end(command);
	return status;
}

bool control_service_has_kernel(const struct control_service *s)
{
	return s->kernel;
}

void control_service_devices(struct control_service *s, control_device_view *view, void *arg)
{
	if (s->kernel)
		kernel_service_list(s->kernel, view, arg);
}

bool control_service_last_refusal(struct control_service *s, char *name, size_t size, struct error *error)
{
	return s->kernel && kernel_service_last_refusal(s->kernel, name, size, error);
}

/* --- stop --- */

static int stop_model(struct control_service *s, bool hangs)
{
	stop_limit_note("storage that is flushed and closed");
	int err = s->host ? model_host_stop(s->host, hangs) : hangs ? -EBUSY : 0;

	if (err == -EBUSY) {
		if (s->pidfile_written)
			system_pidfile_remove(s->options->pidfile);
		stop_limit_give_up();
	}
	admin_free(s->admin);
	model_host_free(s->host);
	return err;
}

/* Waits once more for an operation on saveconfig.json that was in progress when the stop began. */
static bool wait_for_file(struct control_service *s)
{
	stop_limit_note("an operation on saveconfig.json");
	bool is_over = admin_close(s->admin, STORAGE_MS);

	if (!is_over)
		log_err(NULL,
			"an operation on saveconfig.json has not ended, because storage does not answer");
	return is_over;
}

/* Returns false if something hangs, which has been logged. */
static bool stop_front_ends(struct control_service *s)
{
	stop_limit_note("an operation on saveconfig.json");
	bool file_is_free = !s->admin || admin_close(s->admin, FRONT_ENDS_MS);
	stop_limit_note("devices of the kernel");
	bool is_over = !s->kernel || kernel_service_stop(s->kernel);
	stop_limit_note("sessions of initiators");
	is_over &= !s->portal || portal_service_stop(s->portal);
	return (file_is_free || wait_for_file(s)) && is_over;
}

int control_service_stop(struct control_service *s)
{
	stop_limit_begin();
	if (s->watch)
		conf_watch_free(s->watch);
	int err = stop_model(s, !stop_front_ends(s));
	stop_limit_note("threads that have nothing to do");
	if (s->loops_running)
		loop_set_stop(&s->loops);
	storage_registry_free(s->registry);
	system_notify_free(s->notify);
	conf_free(&s->conf);
	stop_limit_note("whoever reads the log");
	system_log_close();
	stop_limit_end();
	unwatch_signals(s);
	if (s->pidfile_written)
		system_pidfile_remove(s->options->pidfile);
	g_free(s);
	return err;
}
