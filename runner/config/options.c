/* SPDX-License-Identifier: Apache-2.0 */
#include "config/options.h"

#include <errno.h>
#include <glib.h>
#include <unistd.h>

#include "util/bytes.h"

#if !defined(TCMUR_HANDLER_PATH) || !defined(TCMUR_SYSCONFDIR)
#error "the build sets TCMUR_HANDLER_PATH and TCMUR_SYSCONFDIR, where it installs handlers and configuration"
#endif

#define DEFAULT_CONFIG    TCMUR_SYSCONFDIR "/tcmu/tcmu.conf"
#define DEFAULT_RUN_DIR   "/run/tcmu-runner"
#define DEFAULT_STATE_DIR "/var/lib/tcmu-runner"

static const char summary[] =
    "Serves files, block devices and memory as SCSI disks: those that the kernel's LIO asks for (TCMU), or,\n"
    "with --export, over iSCSI by itself.";

static const char description[] =
    "An export is HANDLER/CONFIG[,KEY=VALUE]...; a comma in a value is written as two commas. The keys are:\n"
    "  size=SIZE       bytes, or a number with K, M, G or T\n"
    "  create          create the storage with size= bytes if it does not exist\n"
    "  block_size=N    512 or 4096\n"
    "  ro              write-protected\n"
    "  name=NAME       the target is iqn.2026-11.io.tcmu-runner:HOST:NAME\n"
    "  lun=N           the LUN number (0); each of several exports with one name= needs it\n"
    "  serial=TEXT     the unit serial number\n"
    "  vendor=, product=, revision=TEXT   what INQUIRY reports\n"
    "and the keys of the handler (--dump-handlers lists them).\n\n"
    "Without --allow-initiator or --allow-any a target is served on loopback addresses only.\n\n"
    "  tcmu-runner --export file//srv/disk.img,size=10G,create --export alloc/scratch,size=256M\n";

/* A numeric option and the values it takes. */
struct range {
	const char *name;
	int value, min, max;
};

static int check_ranges(const struct control_options *o, struct error *error)
{
	const struct range ranges[] = {
	    {"--threads", o->threads, 0, 256},
	    {"--pool-threads", o->pool_threads, 1, 1024},
	    {"--spin-us", o->spin_us, 0, 10000},
	    {"--nofile", o->nofile, 1024, 1 << 20},
	    {"--queue-depth", o->queue_depth, 1, 4096},
	    {"--max-connections", o->max_connections, 1, 1 << 20},
	    {"--max-half-open", o->max_half_open, 1, 1 << 20},
	    {"--login-timeout", o->login_timeout, 1, 3600},
	    {"--nop-interval", o->nop_interval, 1, 86400},
	    {"--nop-timeout", o->nop_timeout, 1, 86400},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		const struct range *r = &ranges[i];

		if (r->value == CONTROL_UNSET)
			continue;
		if (r->value < r->min || r->value > r->max)
			return error_set(error, EINVAL, "%s=%d: not from %d to %d", r->name, r->value, r->min,
					 r->max);
	}
	return 0;
}

static int check_together(const struct control_options *o, struct error *error)
{
	if (!o->chap_user != !o->chap_secret_file)
		return error_set(error, EINVAL, "--chap-user and --chap-secret-file go together");
	if (!o->mutual_user != !o->mutual_secret_file)
		return error_set(error, EINVAL, "--mutual-user and --mutual-secret-file go together");
	if (o->mutual_user && !o->chap_user)
		return error_set(error, EINVAL, "--mutual-user needs --chap-user");
	if (o->chap_discovery && !o->chap_user)
		return error_set(error, EINVAL, "--chap-discovery needs --chap-user");
	if (o->allow_any && o->allow_initiators)
		return error_set(error, EINVAL, "--allow-any and --allow-initiator exclude each other");
	return 0;
}

static void set_defaults(struct control_options *o)
{
	*o = (struct control_options){
	    .threads = CONTROL_UNSET,
	    .pool_threads = CONTROL_UNSET,
	    .spin_us = CONTROL_UNSET,
	    .nofile = CONTROL_UNSET,
	    .queue_depth = 128,
	    .max_connections = 4096,
	    .max_half_open = 128,
	    .login_timeout = 15,
	    .nop_interval = 30,
	    .nop_timeout = 30,
	};
}

int control_options_parse(struct control_options *o, char **argv, struct error *error)
{
	gboolean allow_any = FALSE, debug = FALSE, version = FALSE, dump = FALSE, no_uring = FALSE,
		 disco = FALSE, kernel = FALSE;

	set_defaults(o);
	const GOptionEntry entries[] = {
	    {"export", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &o->exports, "Serve a LUN; may be repeated",
	     "HANDLER/CONFIG[,KEY=VALUE]"},
	    {"portal", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &o->portals,
	     "Listen here (127.0.0.1:3260); may be repeated", "ADDR:PORT"},
	    {"iqn", 0, 0, G_OPTION_ARG_STRING, &o->iqn, "Serve all exports as the LUNs of this one target",
	     "NAME"},
	    {"allow-initiator", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->allow_initiators,
	     "Admit this initiator; may be repeated", "IQN"},
	    {"allow-any", 0, 0, G_OPTION_ARG_NONE, &allow_any, "Admit every initiator, on any portal", NULL},
	    {"chap-user", 0, 0, G_OPTION_ARG_STRING, &o->chap_user, "Ask initiators for CHAP", "USER"},
	    {"chap-secret-file", 0, 0, G_OPTION_ARG_FILENAME, &o->chap_secret_file,
	     "File that holds the secret, readable by its owner only", "FILE"},
	    {"mutual-user", 0, 0, G_OPTION_ARG_STRING, &o->mutual_user,
	     "Answer CHAP towards initiators as this user", "USER"},
	    {"mutual-secret-file", 0, 0, G_OPTION_ARG_FILENAME, &o->mutual_secret_file,
	     "File that holds that secret", "FILE"},
	    {"chap-discovery", 0, 0, G_OPTION_ARG_NONE, &disco, "Ask for CHAP in discovery sessions too",
	     NULL},
	    {"handler-path", 0, 0, G_OPTION_ARG_FILENAME, &o->handler_path,
	     "Load handlers from here (" TCMUR_HANDLER_PATH ")", "DIR"},
	    {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->state_dir,
	     "Folder for what the daemon remembers of its disks, and for relative paths of the kernel's "
	     "devices "
	     "(" DEFAULT_STATE_DIR " for root, else $XDG_STATE_HOME/tcmu-runner)",
	     "DIR"},
	    {"identity", 0, 0, G_OPTION_ARG_STRING, &o->identity,
	     "Print the unit serial number that the daemon would choose for this storage; name= gives the "
	     "name of its "
	     "object",
	     "HANDLER/CONFIG[,KEY=VALUE]"},
	    {"kernel", 0, 0, G_OPTION_ARG_NONE, &kernel,
	     "Serve the kernel's devices, too, where there is --export", NULL},
	    {"config", 0, 0, G_OPTION_ARG_FILENAME, &o->config, "Read this (" DEFAULT_CONFIG ")", "FILE"},
	    {"tcmu-log-dir", 'l', 0, G_OPTION_ARG_FILENAME, &o->log_dir, "Write tcmu-runner.log here", "DIR"},
	    {"run-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->run_dir,
	     "Folder for the lock and the like (" DEFAULT_RUN_DIR ")", "DIR"},
	    {"nofile", 'f', 0, G_OPTION_ARG_INT, &o->nofile, "Most open files (as many as the system allows)",
	     "N"},
	    {"threads", 't', 0, G_OPTION_ARG_INT, &o->threads, "Event loops (one a CPU, at most 8)", "N"},
	    {"pool-threads", 0, 0, G_OPTION_ARG_INT, &o->pool_threads, "Most threads for what may block (16)",
	     "N"},
	    {"spin-us", 0, 0, G_OPTION_ARG_INT, &o->spin_us,
	     "Poll so long after activity before sleeping (50 for the kernel's rings on 4 CPUs and more, "
	     "else 0)",
	     "MICROSECONDS"},
	    {"no-io-uring", 0, 0, G_OPTION_ARG_NONE, &no_uring, "Use epoll and threads instead", NULL},
	    {"queue-depth", 0, 0, G_OPTION_ARG_INT, &o->queue_depth,
	     "Commands a session may have outstanding (128)", "N"},
	    {"max-connections", 0, 0, G_OPTION_ARG_INT, &o->max_connections, "Connections at a time (4096)",
	     "N"},
	    {"max-half-open", 0, 0, G_OPTION_ARG_INT, &o->max_half_open, "Connections in login (128)", "N"},
	    {"login-timeout", 0, 0, G_OPTION_ARG_INT, &o->login_timeout, "Time to log in (15)", "SECONDS"},
	    {"nop-interval", 0, 0, G_OPTION_ARG_INT, &o->nop_interval,
	     "Silence before a session is probed (30)", "SECONDS"},
	    {"nop-timeout", 0, 0, G_OPTION_ARG_INT, &o->nop_timeout,
	     "Time to answer before it counts as dead (30)", "SECONDS"},
	    {"dump-handlers", 0, 0, G_OPTION_ARG_NONE, &dump, "Print the handlers and what they can do",
	     NULL},
	    {"debug", 'd', 0, G_OPTION_ARG_NONE, &debug, "Log more", NULL},
	    {"version", 'V', 0, G_OPTION_ARG_NONE, &version, "Print the version", NULL},
	    {0},
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_auto(GStrv) args = g_strdupv(argv);
	g_autoptr(GError) gerror = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context, summary);
	g_option_context_set_description(context, description);
	if (!g_option_context_parse_strv(context, &args, &gerror))
		return error_set(error, EINVAL, "%s", gerror->message);
	if (g_strv_length(args) > 1)
		return error_set(error, EINVAL, "'%s': not an option", args[1]);
	if (!o->handler_path)
		o->handler_path = g_strdup(TCMUR_HANDLER_PATH);
	o->config_given = o->config;
	if (!o->config)
		o->config = g_strdup(DEFAULT_CONFIG);
	if (!o->run_dir)
		o->run_dir = g_strdup(DEFAULT_RUN_DIR);
	o->kernel = kernel;
	o->allow_any = allow_any;
	o->debug = debug;
	o->version = version;
	o->dump_handlers = dump;
	o->no_io_uring = no_uring;
	o->chap_discovery = disco;
	int err = check_ranges(o, error);
	return err ? err : check_together(o, error);
}

static void complete(int *value, int fallback)
{
	if (*value == CONTROL_UNSET)
		*value = fallback;
}

void control_options_complete(struct control_options *o)
{
	complete(&o->threads, 0);
	complete(&o->pool_threads, 16);
	if (!o->state_dir)
		o->state_dir = geteuid() ? g_build_filename(g_get_user_state_dir(), "tcmu-runner", NULL)
					 : g_strdup(DEFAULT_STATE_DIR);
}

void control_options_free(struct control_options *o)
{
	g_strfreev(o->exports);
	g_strfreev(o->portals);
	g_strfreev(o->allow_initiators);
	g_free(o->iqn);
	g_free(o->handler_path);
	g_free(o->state_dir);
	g_free(o->identity);
	g_free(o->config);
	g_free(o->run_dir);
	g_free(o->log_dir);
	g_free(o->chap_user);
	g_free(o->chap_secret_file);
	g_free(o->mutual_user);
	g_free(o->mutual_secret_file);
	*o = (struct control_options){0};
}
