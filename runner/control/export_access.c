/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns the options about portals, initiators and CHAP into attributes and objects below a TPG. Without
 * options that say who may log in, only initiators on this machine can reach the portals. Discovery shows an
 * initiator only the targets that it may use.
 */
#include "control/export_access.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

#include "config/secret.h"
#include "control/model_wait.h"
#include "model/login.h"
#include "model/np.h"
#include "util/secret_memory.h"

#define DEFAULT_PORTAL "127.0.0.1:3260"
#define ANY_PORT       "127.0.0.1:0"

struct export_access {
	const struct config_options *options;
	/* The account, in memory for secrets. Its user is empty without --chap-user. */
	struct model_auth *auth;
};

/* --- portals --- */

static bool is_loopback(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)addr)->sin6_addr);
}

/*
 * Returns the portals. With --run, the default port is chosen by the system, so that two tests can run at the
 * same time.
 */
static char **portals_of(const struct config_options *o, char *fallback[2])
{
	fallback[0] = o->run_command ? ANY_PORT : DEFAULT_PORTAL;
	fallback[1] = NULL;
	return o->portals ? o->portals : fallback;
}

/* Cuts the text "ADDR:PORT=PUBLIC:PORT" at '='. Returns the public address, or NULL if there is none. */
static char *cut_public(char *text)
{
	char *equals = strchr(text, '=');

	if (!equals)
		return NULL;
	*equals = '\0';
	return equals + 1;
}

static int check_portal(const char *text, bool is_access_set, struct error *error)
{
	g_autofree char *copy = g_strdup(text);
	struct model_np np;

	cut_public(copy);
	int err = model_np_parse(&np, copy, error);
	if (err || is_access_set || is_loopback(&np.addr))
		return err;
	return error_set(error, EPERM,
			 "--portal %s: not a loopback address; say who may log in with --allow-initiator "
			 "IQN, --allow-address PREFIX, or --allow-any",
			 np.text);
}

/* Refuses portals that other machines can reach, unless an option says who may log in. */
static int check_portals(const struct config_options *o, struct error *error)
{
	bool is_access_set = o->allow_any || o->allow_initiators || o->allow_addresses;
	char *fallback[2];

	for (char **text = portals_of(o, fallback); *text; text++) {
		int err = check_portal(*text, is_access_set, error);

		if (err)
			return err;
	}
	return 0;
}

static int add_portal(struct model_object *tpg, const char *text, struct error *error)
{
	g_autofree char *copy = g_strdup(text);
	const char *public_text = cut_public(copy);
	struct model_object *portal = model_create(tpg, MODEL_PORTAL, copy, NULL, error);

	if (!portal)
		return -errno;
	return public_text ? model_set_now(portal, "", "advertise", public_text, error) : 0;
}

/* --- accounts --- */

static int copy_user(const char *option, const char *user, char *out, size_t size, struct error *error)
{
	if (g_strlcpy(out, user, size) < size)
		return 0;
	return error_set(error, EINVAL, "%s: longer than %zu bytes", option, size - 1);
}

static int read_account(const struct config_options *o, struct model_auth *auth, struct error *error)
{
	int err = 0;

	if (!o->chap_user)
		return 0;
	err = copy_user("--chap-user", o->chap_user, auth->user, sizeof(auth->user), error);
	if (!err)
		err = config_read_secret(o->chap_secret_file, auth->secret, sizeof(auth->secret), error);
	if (err || !o->mutual_user)
		return err;
	err = copy_user("--mutual-user", o->mutual_user, auth->mutual_user, sizeof(auth->mutual_user), error);
	return err ? err
		   : config_read_secret(o->mutual_secret_file, auth->mutual_secret,
					sizeof(auth->mutual_secret), error);
}

static int set_account(struct model_object *object, const char *group, const struct model_auth *auth,
		       struct error *error)
{
	const struct {
		const char *name, *text;
	} values[] = {
	    {"userid", auth->user},
	    {"password", auth->secret},
	    {"userid_mutual", auth->mutual_user},
	    {"password_mutual", auth->mutual_secret},
	};
	int err = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(values) && !err; i++)
		if (*values[i].text)
			err = model_set_now(object, group, values[i].name, values[i].text, error);
	return err ? error_prefix(error, err, "--chap-user and --mutual-user") : 0;
}

/* --- who may log in --- */

struct export_access *export_access_new(const struct config_options *options, struct error *error)
{
	struct export_access *access = g_new0(struct export_access, 1);

	access->options = options;
	access->auth = secret_alloc(sizeof(*access->auth));
	if (!access->auth)
		error_set(error, ENOMEM, "there is no memory for the CHAP account");
	else if (!check_portals(options, error) && !read_account(options, access->auth, error))
		return access;
	export_access_free(access);
	return NULL;
}

void export_access_free(struct export_access *access)
{
	if (!access)
		return;
	secret_free(access->auth, sizeof(*access->auth));
	g_free(access);
}

static int add_acl(const struct export_access *access, struct model_object *tpg, const char *initiator,
		   struct error *error)
{
	struct model_object *acl = model_create(tpg, MODEL_ACL, initiator, NULL, error);
	int err = acl ? set_account(acl, "auth", access->auth, error) : -errno;

	return err ? error_prefix(error, err, "--allow-initiator %s", initiator) : 0;
}

static int set_attributes(const struct export_access *access, struct model_object *tpg, struct error *error)
{
	const struct config_options *o = access->options;
	g_autofree char *addresses = o->allow_addresses ? g_strjoinv(",", o->allow_addresses) : g_strdup("");
	g_autofree char *depth = g_strdup_printf("%d", o->queue_depth);
	const struct {
		const char *name, *text;
	} values[] = {
	    {"generate_node_acls", o->allow_initiators ? "0" : "1"},
	    {"demo_mode_write_protect", "0"},
	    {"demo_mode_discovery", "0"},
	    {"authentication", o->chap_user ? "1" : "0"},
	    {"reveal_target", o->reveal_targets ? "1" : "0"},
	    {"allow_cold_reset", o->allow_cold_reset ? "1" : "0"},
	    {"allowed_addresses", addresses},
	    {"default_cmdsn_depth", depth},
	};
	int err = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(values) && !err; i++)
		err = model_set_now(tpg, "attrib", values[i].name, values[i].text, error);
	return err;
}

/*
 * Sets login parameters with which a WRITE needs fewer round trips than with LIO's defaults, which the model
 * has.
 */
static int set_parameters(struct model_object *tpg, struct error *error)
{
	static const struct {
		const char *name, *text;
	} values[] = {
	    {"TargetAlias", ""},           {"InitialR2T", "No"},
	    {"MaxBurstLength", "1048576"}, {"FirstBurstLength", "262144"},
	    {"MaxOutstandingR2T", "16"},   {"DefaultTime2Wait", "0"},
	    {"DefaultTime2Retain", "0"},
	};
	int err = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(values) && !err; i++)
		err = model_set_now(tpg, "param", values[i].name, values[i].text, error);
	return err;
}

int export_access_apply(const struct export_access *access, struct model_object *tpg, struct error *error)
{
	const struct config_options *o = access->options;
	char *fallback[2];
	int err = set_attributes(access, tpg, error);

	if (!err)
		err = set_parameters(tpg, error);
	if (!err)
		err = set_account(tpg, "auth", access->auth, error);
	for (char **text = portals_of(o, fallback); *text && !err; text++)
		err = add_portal(tpg, *text, error);
	for (char **iqn = o->allow_initiators; iqn && *iqn && !err; iqn++)
		err = add_acl(access, tpg, *iqn, error);
	return err;
}

int export_access_apply_discovery(const struct export_access *access, struct model_object *root,
				  struct error *error)
{
	if (!access->options->chap_discovery)
		return 0;
	int err = set_account(root, "discovery_auth", access->auth, error);

	return err ? err : model_set_now(root, "discovery_auth", "enforce_discovery_auth", "1", error);
}
