/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line. One table describes all options: GOption parses and prints them, and this file checks
 * ranges, options that are given twice and options that exclude each other. The texts of exports and portals
 * are parsed in their own files.
 */
#include "config/options.h"

#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "util/bytes.h"

#if !defined(TCMUR_HANDLER_PATH) || !defined(TCMUR_SYSCONFDIR)
#error "the build sets TCMUR_HANDLER_PATH and TCMUR_SYSCONFDIR, where it installs handlers and configuration"
#endif

#define DEFAULT_CONFIG     TCMUR_SYSCONFDIR "/tcmu/tcmu.conf"
#define DEFAULT_RUN_DIR    "/run/tcmu-runner"
#define DEFAULT_STATE_DIR  "/var/lib/tcmu-runner"
#define DEFAULT_SAVECONFIG TCMUR_SYSCONFDIR "/tcmu/iscsi/saveconfig.json"

static const char summary[] = "Serves files, block devices and memory as SCSI disks: over iSCSI with\n"
			      "--export, --saveconfig or --tree, otherwise behind the kernel's target LIO.";

static const char description[] =
    "EXPORT is HANDLER/CONFIG[,KEY=VALUE]... A comma in a value is written as two\n"
    "commas. The keys are:\n"
    "  size=SIZE       bytes, or a number with K, M, G or T\n"
    "  create          create the storage with size= bytes if it does not exist\n"
    "  block_size=N    512 or 4096\n"
    "  ro              write-protected\n"
    "  name=NAME       the target is iqn.2026-11.io.tcmu-runner:HOST:NAME\n"
    "  lun=N           the LUN number (0); needed where exports share a name\n"
    "  serial=TEXT     the unit serial number\n"
    "  vendor=TEXT, product=TEXT, revision=TEXT   what INQUIRY reports\n"
    "and the keys of the handler (--dump-handlers lists them). Filters follow CONFIG:\n"
    "  'alloc/a;filter=delay;read=10ms,size=1G'\n\n"
    "Without --allow-initiator, --allow-address or --allow-any a target is served\n"
    "on loopback addresses only.\n\n"
    "Handlers:  " TCMUR_HANDLER_PATH "\n"
    "Settings:  " DEFAULT_CONFIG "\n\n"
    "  tcmu-runner --export file//srv/disk.img,size=10G,create\n"
    "  tcmu-runner --export alloc/a,size=256M --run 'qemu-img info $uri'\n";

enum kind { FLAG, NUMBER, TEXT, LIST };

struct option {
	const char *name;
	char letter;
	enum kind kind;
	/* The offset of the field in struct config_options. */
	size_t offset;
	/* For NUMBER: the range of the option, and its default. */
	int min, max, fallback;
	/* For TEXT: whether the option may be given without a value. It then has the value "". */
	bool optional;
	/* What the option has no effect without. */
	enum { NOTHING, EXPORTS, ISCSI } needs;
	const char *help;
	const char *value;
};

#define AT(field) .offset = offsetof(struct config_options, field)
static const struct option options[] = {
    {"export", 'e', LIST, AT(exports), .value = "EXPORT", .help = "Serve a LUN, see below; may be repeated"},
    {"portal", 'p', LIST, AT(portals), .needs = EXPORTS, .value = "ADDR:PORT",
     .help = "Listen here (127.0.0.1:3260); may be repeated"},
    {"iqn", 0, TEXT, AT(iqn), .needs = EXPORTS, .value = "NAME",
     .help = "Name of one target for all exports"},
    {"tree", 0, TEXT, AT(tree), .value = "FOLDER", .help = "Show the targets as files in this folder"},
    {"allow-initiator", 0, LIST, AT(allow_initiators), .needs = EXPORTS, .value = "IQN",
     .help = "Admit this initiator; may be repeated"},
    {"allow-address", 0, LIST, AT(allow_addresses), .needs = EXPORTS, .value = "PREFIX",
     .help = "Admit addresses, e.g. 10.0.0.0/8; repeatable"},
    {"allow-any", 0, FLAG, AT(allow_any), .needs = EXPORTS, .help = "Admit every initiator, on any portal"},
    {"reveal-targets", 0, FLAG, AT(reveal_targets), .needs = EXPORTS,
     .help = "Tell all initiators whether a target exists"},
    {"allow-cold-reset", 0, FLAG, AT(allow_cold_reset), .needs = EXPORTS,
     .help = "Let one initiator end all sessions"},
    {"chap-user", 0, TEXT, AT(chap_user), .needs = EXPORTS, .value = "USER",
     .help = "Require CHAP from initiators"},
    {"chap-secret-file", 0, TEXT, AT(chap_secret_file), .value = "FILE",
     .help = "The secret; only its owner may read it"},
    {"mutual-user", 0, TEXT, AT(mutual_user), .value = "USER",
     .help = "Authenticate to initiators as this user"},
    {"mutual-secret-file", 0, TEXT, AT(mutual_secret_file), .value = "FILE",
     .help = "The secret of that user"},
    {"chap-discovery", 0, FLAG, AT(chap_discovery), .help = "Require CHAP in discovery sessions, too"},
    {"saveconfig", 0, TEXT, AT(saveconfig), .optional = true, .value = "FILE",
     .help = "Serve the disks and targets of this file"},
    {"check-saveconfig", 0, TEXT, AT(check_saveconfig), .value = "FILE",
     .help = "List the bad entries of such a file, and end"},
    {"run", 0, TEXT, AT(run_command), .value = "COMMAND",
     .help = "Serve while this shell command (with $uri) runs"},
    {"kernel", 0, FLAG, AT(kernel), .help = "Serve the kernel's devices beside exports"},
    {"config", 0, TEXT, AT(config), .value = "FILE", .help = "Read these settings, see below"},
    {"handler-path", 0, TEXT, AT(handler_path), .value = "DIR", .help = "Folder of the handlers, see below"},
    {"state-dir", 0, TEXT, AT(state_dir), .value = "DIR", .help = "Folder of the identities of disks"},
    {"run-dir", 0, TEXT, AT(run_dir), .value = "DIR",
     .help = "Folder of the control socket (" DEFAULT_RUN_DIR ")"},
    {"pidfile", 0, TEXT, AT(pidfile), .value = "FILE",
     .help = "Write the process ID here when all is served"},
    {"tcmu-log-dir", 'l', TEXT, AT(log_dir), .value = "DIR", .help = "Write the log file here"},
    {"debug", 'd', FLAG, AT(debug), .help = "Log more"},
    {"nofile", 'f', NUMBER, AT(nofile), 1024, 1 << 20, CONTROL_UNSET, .value = "N",
     .help = "Limit of open files (as the system allows)"},
    {"threads", 't', NUMBER, AT(threads), 0, CONTROL_THREADS_MAX, CONTROL_UNSET, .value = "N",
     .help = "Event loops (one for each CPU, at most 8)"},
    {"pool-threads", 0, NUMBER, AT(pool_threads), 1, CONTROL_POOL_THREADS_MAX, CONTROL_UNSET, .value = "N",
     .help = "Limit of threads for calls that may block (16)"},
    {"spin-us", 0, NUMBER, AT(spin_us), 0, CONTROL_SPIN_US_MAX, CONTROL_UNSET, .value = "N",
     .help = "Microseconds to poll before a sleep"},
    {"no-io-uring", 0, FLAG, AT(no_io_uring), .help = "Use epoll and threads instead of io_uring"},
    {"queue-depth", 0, NUMBER, AT(queue_depth), 1, 4096, 128, .needs = EXPORTS, .value = "N",
     .help = "Commands a session may have outstanding (128)"},
    {"max-connections", 0, NUMBER, AT(max_connections), 1, 1 << 20, 4096, .needs = ISCSI, .value = "N",
     .help = "Connections at a time (4096)"},
    {"max-half-open", 0, NUMBER, AT(max_half_open), 1, 1 << 20, 128, .needs = ISCSI, .value = "N",
     .help = "Connections in login (128)"},
    {"login-timeout", 0, NUMBER, AT(login_timeout), 1, 3600, 15, .needs = ISCSI, .value = "SECONDS",
     .help = "Time to log in (15)"},
    {"nop-interval", 0, NUMBER, AT(nop_interval), 1, 86400, 30, .needs = ISCSI, .value = "SECONDS",
     .help = "Silence before a session is probed (30)"},
    {"nop-timeout", 0, NUMBER, AT(nop_timeout), 1, 86400, 30, .needs = ISCSI, .value = "SECONDS",
     .help = "Time to answer the probe (30)"},
    {"identity", 0, TEXT, AT(identity), .value = "EXPORT",
     .help = "Print the serial number this disk would get"},
    {"dump-handlers", 0, TEXT, AT(dump_handlers), .optional = true, .value = "NAME",
     .help = "Describe all handlers and filters, or this one"},
    {"version", 'V', FLAG, AT(version), .help = "Print the version"},
};

static void *field_of(struct config_options *o, const struct option *option)
{
	return (char *)o + option->offset;
}

/* Returns the row of an option. name is "--threads" or "-t", as GOption reports it. */
static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (name[1] == '-' ? !strcmp(name + 2, options[i].name) : name[1] == options[i].letter)
			return &options[i];
	return NULL;
}

static gboolean refuse(GError **gerror, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(GError **gerror, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	*gerror = g_error_new_valist(G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, format, args);
	va_end(args);
	return FALSE;
}

static gboolean set_number(int *field, const struct option *option, const char *value, GError **gerror)
{
	gint64 number;

	if (!g_ascii_string_to_signed(value, 10, option->min, option->max, &number, NULL))
		return refuse(gerror, "--%s=%s is not a number from %d to %d", option->name, value,
			      option->min, option->max);
	*field = (int)number;
	return TRUE;
}

static gboolean on_option(const gchar *name, const gchar *value, gpointer data, GError **gerror)
{
	struct config_options *o = data;
	const struct option *option = find_option(name);
	uint64_t bit = UINT64_C(1) << (option - options);

	if (option->kind == FLAG) {
		*(bool *)field_of(o, option) = true;
		return TRUE;
	}
	/* If an option is given twice, one of the two values would have no effect. */
	if (o->given & bit)
		return refuse(gerror, "--%s is given twice", option->name);
	o->given |= bit;
	if (option->kind == NUMBER)
		return set_number(field_of(o, option), option, value, gerror);
	*(char **)field_of(o, option) = g_strdup(value ? value : "");
	return TRUE;
}

_Static_assert(ARRAY_SIZE(options) <= 64, "struct config_options has one bit for each option");

/*
 * Makes the entry for GOption. Paths, names and secrets are bytes, which must not be converted by a locale.
 */
static GOptionEntry entry_of(struct config_options *o, const struct option *option)
{
	GOptionArgFunc callback = on_option;
	GOptionEntry entry = {
	    .long_name = option->name,
	    .short_name = option->letter,
	    .arg = G_OPTION_ARG_CALLBACK,
	    .description = option->help,
	    .arg_description = option->value,
	};

	/* ISO C has no cast from a function pointer to an object pointer. */
	memcpy(&entry.arg_data, &callback, sizeof(callback));
	if (option->kind == LIST) {
		entry.arg = G_OPTION_ARG_FILENAME_ARRAY;
		entry.arg_data = field_of(o, option);
	} else if (option->kind == FLAG) {
		entry.flags = G_OPTION_FLAG_NO_ARG;
	} else {
		entry.flags = G_OPTION_FLAG_FILENAME | (option->optional ? G_OPTION_FLAG_OPTIONAL_ARG : 0);
	}
	return entry;
}

static GOptionContext *new_context(struct config_options *o)
{
	GOptionContext *context = g_option_context_new(NULL);
	GOptionGroup *group = g_option_group_new("main", "", "", o, NULL);
	GOptionEntry entries[ARRAY_SIZE(options) + 1] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		entries[i] = entry_of(o, &options[i]);
	g_option_group_add_entries(group, entries);
	g_option_context_set_main_group(context, group);
	g_option_context_set_summary(context, summary);
	g_option_context_set_description(context, description);
	return context;
}

static int check_not_empty(const struct config_options *o, struct error *error)
{
	const struct {
		const char *name, *value;
	} texts[] = {
	    {"--chap-user", o->chap_user},
	    {"--mutual-user", o->mutual_user},
	    {"--chap-secret-file", o->chap_secret_file},
	    {"--mutual-secret-file", o->mutual_secret_file},
	    {"--iqn", o->iqn},
	    {"--tree", o->tree},
	    {"--config", o->config},
	    {"--run", o->run_command},
	    {"--check-saveconfig", o->check_saveconfig},
	    {"--pidfile", o->pidfile},
	    {"--state-dir", o->state_dir},
	    {"--run-dir", o->run_dir},
	    {"--handler-path", o->handler_path},
	    {"--tcmu-log-dir", o->log_dir},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].value && !*texts[i].value)
			return error_set(error, EINVAL, "%s is empty", texts[i].name);
	return 0;
}

static int check_together(const struct config_options *o, struct error *error)
{
	if (!o->chap_user != !o->chap_secret_file)
		return error_set(error, EINVAL, "--chap-user and --chap-secret-file need each other");
	if (!o->mutual_user != !o->mutual_secret_file)
		return error_set(error, EINVAL, "--mutual-user and --mutual-secret-file need each other");
	if (o->mutual_user && !o->chap_user)
		return error_set(error, EINVAL, "--mutual-user needs --chap-user");
	if (o->chap_discovery && !o->chap_user)
		return error_set(error, EINVAL, "--chap-discovery needs --chap-user");
	if (o->allow_any && o->allow_initiators)
		return error_set(error, EINVAL, "--allow-any and --allow-initiator exclude each other");
	if (o->run_command && !o->exports)
		return error_set(error, EINVAL, "--run needs --export");
	return 0;
}

bool config_options_want_iscsi(const struct config_options *o)
{
	return o->exports || o->saveconfig || o->tree;
}

static bool is_given(const struct config_options *o, const struct option *option)
{
	const void *field = (const char *)o + option->offset;

	switch (option->kind) {
	case FLAG:
		return *(const bool *)field;
	case LIST:
	case TEXT:
		return *(void *const *)field;
	default:
		return o->given & UINT64_C(1) << (option - options);
	}
}

/* Refuses options that would have no effect, because they concern exports or the iSCSI front end. */
static int check_needs(const struct config_options *o, struct error *error)
{
	bool iscsi = config_options_want_iscsi(o);

	if (o->version || o->dump_handlers || o->identity || o->check_saveconfig)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *option = &options[i];

		if ((option->needs == EXPORTS && !o->exports && is_given(o, option)) ||
		    (option->needs == ISCSI && !iscsi && is_given(o, option)))
			return error_set(error, EINVAL, "--%s has no effect without --export%s", option->name,
					 option->needs == ISCSI ? ", --saveconfig or --tree" : "");
	}
	return 0;
}

static void set_default(char **text, const char *fallback)
{
	if (!*text)
		*text = g_strdup(fallback);
}

/* Returns the default run folder, or NULL if an ordinary user has none. */
static char *default_run_dir(void)
{
	const char *folder = g_getenv("XDG_RUNTIME_DIR");

	if (!geteuid())
		return g_strdup(DEFAULT_RUN_DIR);
	return folder && *folder ? g_build_filename(folder, "tcmu-runner", NULL) : NULL;
}

int config_options_parse(struct config_options *o, char **argv, struct error *error)
{
	*o = (struct config_options){0};
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].kind == NUMBER)
			*(int *)field_of(o, &options[i]) = options[i].fallback;

	g_autoptr(GOptionContext) context = new_context(o);
	g_auto(GStrv) args = g_strdupv(argv);
	g_autoptr(GError) gerror = NULL;
	int err;

	if (!g_option_context_parse_strv(context, &args, &gerror))
		err = error_set(error, EINVAL, "%s", gerror->message);
	else if (args[0] && args[1])
		err = error_set(error, EINVAL, "'%s' is not an option", args[1]);
	else if (!(err = check_not_empty(o, error)) && !(err = check_together(o, error)))
		err = check_needs(o, error);
	if (err)
		return err;
	o->config_given = o->config;
	o->config_needed = o->config && strcmp(o->config, DEFAULT_CONFIG) != 0;
	set_default(&o->handler_path, TCMUR_HANDLER_PATH);
	set_default(&o->config, DEFAULT_CONFIG);
	if (!o->run_dir)
		o->run_dir = default_run_dir();
	return 0;
}

static void set_if_unset(int *value, int fallback)
{
	if (*value == CONTROL_UNSET)
		*value = fallback;
}

void config_options_complete(struct config_options *o)
{
	set_if_unset(&o->threads, 0);
	set_if_unset(&o->pool_threads, 16);
	if (!o->state_dir)
		o->state_dir = geteuid() ? g_build_filename(g_get_user_state_dir(), "tcmu-runner", NULL)
					 : g_strdup(DEFAULT_STATE_DIR);
	if (!o->saveconfig || *o->saveconfig)
		return;
	g_free(o->saveconfig);
	o->saveconfig =
	    geteuid() ? g_build_filename(g_get_user_config_dir(), "tcmu-runner", "saveconfig.json", NULL)
		      : g_strdup(DEFAULT_SAVECONFIG);
}

void config_options_free(struct config_options *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (options[i].kind == LIST)
			g_strfreev(*(char ***)field_of(o, &options[i]));
		else if (options[i].kind == TEXT)
			g_free(*(char **)field_of(o, &options[i]));
	}
	*o = (struct config_options){0};
}
