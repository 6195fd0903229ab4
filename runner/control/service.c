/* SPDX-License-Identifier: Apache-2.0 */
#include "control/service.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "backstore/backstore.h"
#include "control/drain.h"
#include "control/export.h"
#include "control/identity.h"
#include "control/secret.h"
#include "iscsi/iscsi.h"
#include "scsi/scsi.h"
#include "target/target.h"
#include "util/bytes.h"
#include "util/log.h"

#define IQN_PREFIX     "iqn.2026-11.io.tcmu-runner:"
#define DEFAULT_PORTAL "127.0.0.1:3260"
#define SESSIONS_END_S 10 /* commands in flight and logouts at stop */
#define FLUSH_S        20 /* a flush at stop */
#define STOP_BOUND_S   45
#define REFRESH_S      5 /* how soon a grown backing store is noticed */
#define LOOPS_MAX      8 /* unless --threads says else */

/* One export being served. */
struct lun {
	struct control_export export;
	struct backstore *bs;
	struct scsi_lu *lu;
	const struct target *target;
	unsigned number; /* of the LUN in the target */
};

struct control_service {
	const struct control_options *options;
	struct loop_set loops;
	bool loops_running;
	struct target_model *model;
	struct target_auth auth;
	struct iscsi_server *server;
	struct lun *luns;
	unsigned nluns;
	GMainLoop *main;
	guint sources[4]; /* signals and the refresh timer */
};

/* A thousand sessions are a thousand descriptors: take what the system lets us have. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_warn(NULL, "cannot raise the limit of open files: %s", strerror(errno));
}

static int parse_exports(struct control_service *s, struct error *error)
{
	unsigned n = s->options->exports ? g_strv_length(s->options->exports) : 0;

	if (!n)
		return error_set(error, EINVAL,
				 "nothing to serve: give --export HANDLER/CONFIG (see --help)");
	s->luns = g_new0(struct lun, n);
	for (; s->nluns < n; s->nluns++) {
		struct control_export *export = &s->luns[s->nluns].export;
		int err = control_export_parse(export, s->options->exports[s->nluns], error);

		if (err)
			return err;
		export->spec.state_dir = s->options->state_dir;
	}
	return 0;
}

static bool is_loopback(const struct target_portal *portal)
{
	if (portal->addr.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&portal->addr;

		return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	const struct sockaddr_in6 *in6 = (const void *)&portal->addr;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

/* Default is deny: who may log in must be said before others than this machine can reach the portal. */
static int check_reach(const struct control_service *s, struct error *error)
{
	if (s->options->allow_any || s->options->allow_initiators)
		return 0;
	for (const struct target_portal *p = target_portals(s->model); p; p = p->next)
		if (!is_loopback(p))
			return error_set(error, EPERM,
					 "--portal %s: not a loopback address; say who may log in with "
					 "--allow-initiator IQN, or --allow-any",
					 p->text);
	return 0;
}

static int add_portals(struct control_service *s, struct error *error)
{
	char *fallback[] = {DEFAULT_PORTAL, NULL};
	char **portals = s->options->portals ? s->options->portals : fallback;

	for (; *portals; portals++) {
		int err = target_add_portal(s->model, *portals, error);

		if (err)
			return error_prefix(error, err, "--portal %s", *portals);
	}
	return check_reach(s, error);
}

static int read_auth(struct control_service *s, struct error *error)
{
	const struct control_options *o = s->options;
	int err = 0;

	if (!o->chap_user)
		return 0;
	if (g_strlcpy(s->auth.user, o->chap_user, sizeof(s->auth.user)) >= sizeof(s->auth.user))
		return error_set(error, EINVAL, "--chap-user: longer than %zu bytes",
				 sizeof(s->auth.user) - 1);
	err = control_read_secret(o->chap_secret_file, s->auth.secret, sizeof(s->auth.secret), error);
	if (err || !o->mutual_user)
		return err;
	if (g_strlcpy(s->auth.mutual_user, o->mutual_user, sizeof(s->auth.mutual_user)) >=
	    sizeof(s->auth.mutual_user))
		return error_set(error, EINVAL, "--mutual-user: longer than %zu bytes",
				 sizeof(s->auth.mutual_user) - 1);
	err = control_read_secret(o->mutual_secret_file, s->auth.mutual_secret, sizeof(s->auth.mutual_secret),
				  error);
	/* RFC 7143 9.2.1: one secret both ways invites reflection. */
	if (!err && !strcmp(s->auth.secret, s->auth.mutual_secret))
		return error_set(error, EINVAL,
				 "--mutual-secret-file: the same secret as --chap-secret-file");
	return err;
}

static int start_loops(struct control_service *s, struct error *error)
{
	const struct control_options *o = s->options;
	unsigned ncpus = MIN(g_get_num_processors(), LOOPS_MAX);
	const struct loop_options options = {
	    .nloops = o->threads ? (unsigned)o->threads : ncpus,
	    .npool = (unsigned)o->pool_threads,
	    .spin_us = (unsigned)o->spin_us,
	    .no_uring = o->no_io_uring,
	};
	int err = loop_set_start(&s->loops, &options, error);

	s->loops_running = !err;
	return err;
}

static int set_up_access(struct control_service *s, struct target *target, struct error *error)
{
	const struct control_options *o = s->options;

	target->allow_any = !o->allow_initiators;
	target->auth = s->auth;
	for (char **iqn = o->allow_initiators; iqn && *iqn; iqn++) {
		int err = target_add_acl(target, *iqn, o->chap_user ? &s->auth : NULL, error);

		if (err)
			return error_prefix(error, err, "--allow-initiator %s", *iqn);
	}
	return 0;
}

/* The target of this export: made by the first export of its name, found by the others. */
static struct target *target_for(struct control_service *s, const struct control_export *export,
				 struct error *error)
{
	g_autofree char *name =
	    s->options->iqn ? g_strdup(s->options->iqn) : g_strconcat(IQN_PREFIX, export->name, NULL);
	g_autofree char *folded = g_ascii_strdown(name, -1);
	struct target *target = target_find(s->model, folded);

	if (target)
		return target;
	target = target_add(s->model, name, error);
	if (target && set_up_access(s, target, error))
		return NULL;
	return target;
}

static unsigned next_lun(const struct target *target)
{
	unsigned lun = 0;

	while (lun < TARGET_MAX_LUNS && target->luns[lun])
		lun++;
	return lun;
}

static int serve(struct control_service *s, struct lun *lun, struct error *error)
{
	struct control_export *export = &lun->export;
	char serial[CONTROL_SERIAL_LEN + 1];
	struct target *target = target_for(s, export, error);

	if (!target)
		return -EINVAL;
	lun->bs = backstore_open(&s->loops, &export->spec, error);
	if (!lun->bs)
		return -EINVAL;
	if (!export->identity.serial) {
		control_make_serial(target->name, export->spec.name, serial);
		export->identity.serial = serial;
	}
	lun->lu = scsi_lu_new(&s->loops, lun->bs, &export->identity, error);
	export->identity.serial = NULL;
	if (!lun->lu)
		return -EINVAL;
	lun->target = target;
	lun->number = next_lun(target);
	return target_set_lun(target, lun->number, lun->lu, error);
}

static int serve_all(struct control_service *s, struct error *error)
{
	for (unsigned i = 0; i < s->nluns; i++) {
		int err = serve(s, &s->luns[i], error);

		if (err)
			return error_prefix(error, err, "--export %s", s->options->exports[i]);
	}
	return 0;
}

/* Only now: a start that fails says one line, the reason. */
static void say_what_is_served(const struct control_service *s)
{
	for (unsigned i = 0; i < s->nluns; i++) {
		const struct lun *lun = &s->luns[i];

		log_info(lun->export.spec.name, "LUN %u of %s, %" G_GUINT64_FORMAT " bytes", lun->number,
			 lun->target->name, backstore_size(lun->bs));
	}
	for (const struct target_portal *p = target_portals(s->model); p; p = p->next)
		log_info(NULL, "listening on %s", p->text);
}

static int start_portals(struct control_service *s, struct error *error)
{
	const struct control_options *o = s->options;
	const struct iscsi_options options = {
	    .max_connections = (unsigned)o->max_connections,
	    .max_half_open = (unsigned)o->max_half_open,
	    .login_timeout_s = (unsigned)o->login_timeout,
	    .nopin_interval_s = (unsigned)o->nop_interval,
	    .nopin_timeout_s = (unsigned)o->nop_timeout,
	    .queue_depth = (unsigned)o->queue_depth,
	};

	s->server = iscsi_server_start(&s->loops, s->model, &options, error);
	if (!s->server)
		return -EINVAL;
	say_what_is_served(s);
	return 0;
}

static int start(struct control_service *s, struct error *error)
{
	int err = parse_exports(s, error);

	if (!err)
		err = read_auth(s, error);
	if (!err)
		err = add_portals(s, error);
	if (!err)
		err = start_loops(s, error);
	if (!err && s->options->chap_discovery)
		target_set_discovery_auth(s->model, &s->auth);
	if (!err)
		err = serve_all(s, error);
	if (!err)
		err = start_portals(s, error);
	return err;
}

static gboolean on_quit(gpointer data)
{
	struct control_service *s = data;

	g_main_loop_quit(s->main);
	return G_SOURCE_CONTINUE;
}

static gboolean on_refresh(gpointer data)
{
	struct control_service *s = data;

	for (unsigned i = 0; i < s->nluns; i++)
		backstore_refresh(s->luns[i].bs);
	return G_SOURCE_CONTINUE;
}

/* From here to the end of the stop, so that a signal that comes early or twice does not kill. */
static void watch_signals(struct control_service *s)
{
	s->main = g_main_loop_new(NULL, FALSE);
	s->sources[0] = g_unix_signal_add(SIGTERM, on_quit, s);
	s->sources[1] = g_unix_signal_add(SIGINT, on_quit, s);
	s->sources[2] = g_unix_signal_add(SIGHUP, on_refresh, s);
	s->sources[3] = g_timeout_add_seconds(REFRESH_S, on_refresh, s);
}

static void unwatch_signals(struct control_service *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->sources); i++)
		g_source_remove(s->sources[i]);
	g_main_loop_unref(s->main);
}

struct control_service *control_service_start(const struct control_options *options, struct error *error)
{
	struct control_service *s = g_new0(struct control_service, 1);

	s->options = options;
	s->model = target_model_new();
	signal(SIGPIPE, SIG_IGN);
	watch_signals(s);
	raise_descriptor_limit();
	if (!start(s, error))
		return s;
	control_service_stop(s);
	return NULL;
}

void control_service_run(struct control_service *s)
{
	g_main_loop_run(s->main);
	log_info(NULL, "stopping");
}

/* A backend that never answers must not keep the process for ever. Async-signal-safe calls only. */
static void on_alarm(int signo)
{
	static const char text[] = "tcmu-runner: a backend did not end its I/O in time; giving up\n";

	(void)signo;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

static int close_luns(struct control_service *s)
{
	int err = 0;

	for (unsigned i = 0; i < s->nluns; i++) {
		struct lun *lun = &s->luns[i];
		int flushed = lun->bs ? control_flush(&s->loops, lun->bs, FLUSH_S) : 0;

		if (flushed) {
			log_err(lun->export.spec.name, "flush at stop: %s", strerror(-flushed));
			err = flushed;
		}
		if (lun->lu)
			scsi_lu_free(lun->lu);
		if (lun->bs)
			backstore_close(lun->bs);
		control_export_free(&lun->export);
	}
	g_free(s->luns);
	return err;
}

int control_service_stop(struct control_service *s)
{
	signal(SIGALRM, on_alarm);
	alarm(STOP_BOUND_S);
	if (s->server)
		iscsi_server_stop(s->server, SESSIONS_END_S);
	int err = close_luns(s);
	if (s->loops_running)
		loop_set_stop(&s->loops);
	target_model_free(s->model);
	unwatch_signals(s);
	explicit_bzero(&s->auth, sizeof(s->auth));
	g_free(s);
	alarm(0);
	return err;
}
