/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns the options about portals, initiators and CHAP into calls of the target model. Nobody but this machine can log in
 * unless the command line says who may. The wire part of authentication is left to runner/iscsi_login.
 */
#include "control/portal_access.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

#include "config/secret.h"

#define DEFAULT_PORTAL "127.0.0.1:3260"
#define ANY_PORT       "127.0.0.1:0"

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
static int check_reach(const struct control_options *o, const struct target_model *model, struct error *error)
{
	if (o->allow_any || o->allow_initiators)
		return 0;
	for (const struct target_portal *p = target_portals(model); p; p = p->next)
		if (!is_loopback(p))
			return error_set(error, EPERM,
					 "--portal %s: not a loopback address; say who may log in with "
					 "--allow-initiator IQN, or --allow-any",
					 p->text);
	return 0;
}

int portal_access_add_portals(const struct control_options *o, struct target_model *model,
			      struct error *error)
{
	/* Two tests that use --run do not take the port from each other. */
	char *fallback[] = {o->run_command ? ANY_PORT : DEFAULT_PORTAL, NULL};
	char **portals = o->portals ? o->portals : fallback;

	for (; *portals; portals++) {
		int err = target_add_portal(model, *portals, error);

		if (err)
			return err;
	}
	return check_reach(o, model, error);
}

int portal_access_read_auth(const struct control_options *o, struct target_auth *auth, struct error *error)
{
	int err = 0;

	if (!o->chap_user)
		return 0;
	if (g_strlcpy(auth->user, o->chap_user, sizeof(auth->user)) >= sizeof(auth->user))
		return error_set(error, EINVAL, "--chap-user: longer than %zu bytes", sizeof(auth->user) - 1);
	err = control_read_secret(o->chap_secret_file, auth->secret, sizeof(auth->secret), error);
	if (err || !o->mutual_user)
		return err;
	if (g_strlcpy(auth->mutual_user, o->mutual_user, sizeof(auth->mutual_user)) >=
	    sizeof(auth->mutual_user))
		return error_set(error, EINVAL, "--mutual-user: longer than %zu bytes",
				 sizeof(auth->mutual_user) - 1);
	err = control_read_secret(o->mutual_secret_file, auth->mutual_secret, sizeof(auth->mutual_secret),
				  error);
	/* RFC 7143 9.2.1: one secret both ways invites reflection. */
	if (!err && !strcmp(auth->secret, auth->mutual_secret))
		return error_set(error, EINVAL,
				 "--mutual-secret-file: the same secret as --chap-secret-file");
	return err;
}

int portal_access_set(const struct control_options *o, const struct target_auth *auth, struct target *target,
		      struct error *error)
{

	target->allow_any = !o->allow_initiators;
	target->reveal = o->reveal_targets;
	target->cold_reset = o->allow_cold_reset;
	target->auth = *auth;
	for (char **iqn = o->allow_initiators; iqn && *iqn; iqn++) {
		int err = target_add_acl(target, *iqn, o->chap_user ? auth : NULL, error);

		if (err)
			return error_prefix(error, err, "--allow-initiator %s", *iqn);
	}
	return 0;
}
