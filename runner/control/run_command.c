/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Implements --run: serves while one shell command runs, so that a test needs no fixed port, no waiting for
 * the start, and no clean-up. When the command ends, the daemon stops and exits with the status of the
 * command. When the daemon is asked to stop, it ends the command first.
 */
#include "control/run_command.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <sys/wait.h>

#include "util/log.h"

#define END_MS 1500 /* The time that the command gets to end when the daemon stops. */

struct run_command {
	void (*ended)(void *arg);
	void *arg;
	GPid pid;
	guint watch; /* 0 if the command has ended. */
	int status;  /* The status in the form of waitpid(). */
};

static void on_exit_of_child(GPid pid, gint status, gpointer data)
{
	struct run_command *run = data;

	run->watch = 0;
	run->status = status;
	g_spawn_close_pid(pid);
	run->ended(run->arg);
}

/*
 * Is called in the child process. Restores the default handling of signals that the daemon ignores, because
 * shell commands expect it.
 */
static void restore_signals(gpointer data)
{
	sigset_t none;

	(void)data;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
}

static char **environment(const struct portal_service *portal)
{
	const struct exports_address a = portal_service_address(portal);
	g_autofree char *uri = g_strdup_printf("iscsi://%s/%s/%u", a.portal, a.target, a.lun);
	g_autofree char *lun = g_strdup_printf("%u", a.lun);
	char **env = g_get_environ();

	env = g_environ_setenv(env, "uri", uri, TRUE);
	env = g_environ_setenv(env, "portal", a.portal, TRUE);
	env = g_environ_setenv(env, "target", a.target, TRUE);
	return g_environ_setenv(env, "lun", lun, TRUE);
}

struct run_command *run_command_start(const char *command, const struct portal_service *portal,
				      void (*ended)(void *arg), void *arg, struct error *error)
{
	struct run_command *run = g_new0(struct run_command, 1);
	char *argv[] = {"/bin/sh", "-c", (char *)command, NULL};
	g_auto(GStrv) env = environment(portal);
	g_autoptr(GError) gerror = NULL;

	run->ended = ended;
	run->arg = arg;
	if (!g_spawn_async(NULL, argv, env, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CHILD_INHERITS_STDIN,
			   restore_signals, NULL, &run->pid, &gerror)) {
		error_set(error, ECHILD, "--run: %s", gerror->message);
		g_free(run);
		return NULL;
	}
	run->watch = g_child_watch_add(run->pid, on_exit_of_child, run);
	return run;
}

/* Waits for the end of the command. Returns false if it has not ended within END_MS milliseconds. */
static bool wait_for_end(struct run_command *run)
{
	for (unsigned left = END_MS; left; left--) {
		if (waitpid(run->pid, &run->status, WNOHANG))
			return true;
		g_usleep(1000);
	}
	return false;
}

int run_command_end(struct run_command *run)
{
	int status;

	if (run->watch) {
		g_source_remove(run->watch);
		kill(run->pid, SIGTERM);
		if (!wait_for_end(run)) {
			log_warn(NULL, "--run: the command does not end after SIGTERM, so it gets SIGKILL");
			kill(run->pid, SIGKILL);
			while (waitpid(run->pid, &run->status, 0) < 0 && errno == EINTR)
				;
		}
	}
	status = WIFSIGNALED(run->status) ? 128 + WTERMSIG(run->status) : WEXITSTATUS(run->status);
	g_free(run);
	return status;
}
