/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides who may log in, with which account, and what discovery shows. These functions run on loops and take
 * the lock of the model, but only for the time of a look-up in a tree and a copy of a few texts.
 */
#include "model/login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/private.h"
#include "util/cleanup.h"
#include "util/secret_memory.h"

/* --- admission, with the lock held --- */

static bool address_is_allowed(const struct model_object *tpg, const struct sockaddr_storage *peer)
{
	const char *allowed = model_known_text(tpg, MODEL_A_ALLOWED),
		   *denied = model_known_text(tpg, MODEL_A_DENIED);

	return (!*allowed || model_addresses_have(allowed, peer)) && !model_addresses_have(denied, peer);
}

struct model_object *model_acl_find(struct model_object *tpg, const char *initiator)
{
	struct model_object *acl = model_find(tpg, MODEL_ACL, initiator);

	return acl && !acl->removing ? acl : NULL;
}

/* Returns whether the initiator may log in while the TPG is enabled; *acl is its ACL, or NULL. */
static bool may_log_in(struct model_object *tpg, const char *initiator, const struct sockaddr_storage *peer,
		       struct model_object **acl)
{
	*acl = model_acl_find(tpg, initiator);
	return address_is_allowed(tpg, peer) &&
	       (*acl || model_known_number(tpg, MODEL_A_GENERATE_NODE_ACLS) ||
		model_dynamic_depth(tpg, initiator));
}

/* Returns whether the initiator may log in now; *acl is its ACL, or NULL. */
static bool admits(struct model_object *tpg, const char *initiator, const struct sockaddr_storage *peer,
		   struct model_object **acl)
{
	return may_log_in(tpg, initiator, peer, acl) && tpg->enabled;
}

/*
 * Returns whether discovery shows the target. With demo_mode_discovery, this includes initiators that have no
 * ACL and may not log in. tpg_enabled_sendtargets hides the target while the TPG is disabled. An address that
 * is denied never sees the target.
 */
static bool shows(struct model_object *tpg, const char *initiator, const struct sockaddr_storage *peer)
{
	if (!tpg->enabled && model_known_number(tpg, MODEL_A_SENDTARGETS))
		return false;
	return address_is_allowed(tpg, peer) &&
	       (model_acl_find(tpg, initiator) || model_known_number(tpg, MODEL_A_GENERATE_NODE_ACLS) ||
		model_dynamic_depth(tpg, initiator) || model_known_number(tpg, MODEL_A_DEMO_MODE_DISCOVERY));
}

static bool has_np(struct model_object *tpg, const struct model_np *np)
{
	for (struct model_object *portal = model_first(tpg, MODEL_PORTAL); portal;
	     portal = model_next(portal))
		if (portal->np == np)
			return true;
	return false;
}

/*
 * Returns the TPG for a login, which is enabled or not, as the caller wants. In practice, no two TPGs of a
 * target have the same portal; if they do, the first one is used.
 */
static struct model_object *find_tpg(struct model *model, const char *target, const struct model_np *np,
				     bool enabled)
{
	struct model_object *object = model_find(model->root, MODEL_TARGET, target);
	struct model_object *tpg = object ? model_first(object, MODEL_TPG) : NULL;

	while (tpg && !(tpg->enabled == enabled && has_np(tpg, np)))
		tpg = model_next(tpg);
	return tpg;
}

/* --- login --- */

bool model_auth_is_set(const struct model_auth *auth)
{
	return (*auth->user && *auth->secret) || auth->more;
}

void model_auth_clear(struct model_auth *auth)
{
	secret_free(auth->more, MODEL_TEXT_SIZE);
	explicit_bzero(auth, sizeof(*auth));
}

/*
 * Copies the list of further accounts. If there is no memory, initiators that have one of these accounts
 * cannot log in.
 */
static char *copy_more(const char *list)
{
	char *copy = *list ? secret_alloc(MODEL_TEXT_SIZE) : NULL;

	return copy ? strcpy(copy, list) : NULL;
}

static void copy_account(struct model_auth *auth, const struct model_object *object, enum model_known userid)
{
	/* The five attributes follow each other in enum model_known. */
	snprintf(auth->user, sizeof(auth->user), "%s", model_known_text(object, userid));
	snprintf(auth->secret, sizeof(auth->secret), "%s", model_known_text(object, userid + 1));
	snprintf(auth->mutual_user, sizeof(auth->mutual_user), "%s", model_known_text(object, userid + 2));
	snprintf(auth->mutual_secret, sizeof(auth->mutual_secret), "%s",
		 model_known_text(object, userid + 3));
	auth->more = copy_more(model_known_text(object, userid + 4));
}

static bool must_authenticate(const struct model_object *tpg, const struct model_object *acl)
{
	const char *own = acl ? model_known_text(acl, MODEL_A_ACL_AUTHENTICATION) : "-1";

	if (*own != '-')
		return *own == '1';
	return model_known_number(tpg, MODEL_A_AUTHENTICATION) ||
	       !(model_known_number(tpg, MODEL_A_AUTH_METHOD) & MODEL_AUTH_NONE);
}

static bool may_authenticate(const struct model_object *tpg, const struct model_auth *auth)
{
	return model_known_number(tpg, MODEL_A_AUTH_METHOD) & MODEL_AUTH_CHAP && model_auth_is_set(auth);
}

/* Returns the value in seconds if the object exists and the value was set, otherwise MODEL_UNSET. */
static int seconds(const struct model_object *object, enum model_known known)
{
	return object && model_is_set(object, model_known(known)) ? (int)model_known_number(object, known)
								  : MODEL_UNSET;
}

static void copy_parameters(struct model_login *login, const struct model_object *tpg)
{
	for (unsigned i = MODEL_P_NONE + 1; i < MODEL_PARAMETERS; i++)
		login->parameters[i] = (uint32_t)model_known_number(tpg, MODEL_A_PARAMETER + i - 1);
	login->keys_workaround = model_known_number(tpg, MODEL_A_KEYS_WORKAROUND);
}

static unsigned depth_of(const struct model_object *tpg, const struct model_object *acl,
			 const char *initiator)
{
	unsigned cached = acl ? 0 : model_dynamic_depth(tpg, initiator);

	if (acl && model_is_set(acl, model_known(MODEL_A_ACL_CMDSN_DEPTH)))
		return (unsigned)model_known_number(acl, MODEL_A_ACL_CMDSN_DEPTH);
	return cached ? cached : (unsigned)model_known_number(tpg, MODEL_A_DEFAULT_CMDSN_DEPTH);
}

/*
 * Fills in everything that depends on the initiator: its account, time limits, parameters, queue depth and
 * view. As in LIO, an initiator with an ACL can use only the account of the ACL.
 */
static void admit(struct model_login *login, const struct model_object *tpg, const struct model_object *acl,
		  const char *initiator)
{
	const struct model_object *object = acl ? acl : tpg;

	snprintf(login->alias, sizeof(login->alias), "%s", model_known_text(tpg, MODEL_A_ALIAS));
	login->authenticate = must_authenticate(tpg, acl);
	copy_account(&login->auth, object, acl ? MODEL_A_ACL_USERID : MODEL_A_USERID);
	login->may_authenticate = !login->authenticate && may_authenticate(tpg, &login->auth);
	login->login_timeout_s = seconds(tpg, MODEL_A_LOGIN_TIMEOUT);
	login->nopin_interval_s = seconds(acl, MODEL_A_ACL_NOPIN_TIMEOUT);
	login->nopin_timeout_s = seconds(acl, MODEL_A_ACL_NOPIN_RESPONSE_TIMEOUT);
	login->dataout_timeout_s = seconds(acl, MODEL_A_ACL_DATAOUT_TIMEOUT);
	copy_parameters(login, tpg);
	login->queue_depth = depth_of(tpg, acl, initiator);
	login->view = model_view_get(object->view);
}

/* Returns the verdict on a login for which there is no enabled TPG. */
static enum model_verdict verdict_without_tpg(struct model *model, const char *target,
					      const struct model_np *np, const char *initiator,
					      const struct sockaddr_storage *peer)
{
	struct model_object *tpg = find_tpg(model, target, np, false), *acl;

	return tpg && may_log_in(tpg, initiator, peer, &acl) ? MODEL_DISABLED : MODEL_NO_TARGET;
}

enum model_verdict model_login(struct model *model, const char *target, const struct model_np *np,
			       const char *initiator, const struct sockaddr_storage *peer,
			       struct model_login **result)
{
	struct model_login *login = secret_alloc(sizeof(*login));
	struct model_object *tpg, *acl;

	*result = NULL;
	errno = login ? 0 : ENOMEM;
	if (!login)
		return MODEL_NO_TARGET;
	SCOPE_LOCK(&model->lock);
	tpg = find_tpg(model, target, np, true);
	if (!tpg || !tpg->view) {
		secret_free(login, sizeof(*login));
		return verdict_without_tpg(model, target, np, initiator, peer);
	}
	bool admitted = admits(tpg, initiator, peer, &acl);
	snprintf(login->target, sizeof(login->target), "%s", tpg->parent->name);
	login->tag = (uint16_t)tpg->number;
	login->relative_port = (uint16_t)tpg->relative_port;
	login->reveal = model_known_number(tpg, MODEL_A_REVEAL);
	login->cold_reset = model_known_number(tpg, MODEL_A_COLD_RESET);
	login->peer = *peer;
	if (admitted)
		admit(login, tpg, acl, initiator);
	*result = login;
	return admitted ? MODEL_ADMITTED : MODEL_NOT_ADMITTED;
}

static bool same_accounts(const struct model_auth *auth, const struct model_object *object,
			  enum model_known userid)
{
	const char *const texts[] = {auth->user, auth->secret, auth->mutual_user, auth->mutual_secret,
				     auth->more ? auth->more : ""};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i], model_known_text(object, userid + i)))
			return false;
	return true;
}

bool model_login_holds(const struct model_login *login, const char *initiator)
{
	struct model_object *object = model_view_object(login->view), *acl;
	struct model_object *tpg = object->kind == MODEL_ACL ? object->parent : object;
	SCOPE_LOCK(&tpg->model->lock);

	if (!admits(tpg, initiator, &login->peer, &acl) || object != (acl ? acl : tpg))
		return false;
	if (must_authenticate(tpg, acl) && !login->authenticate)
		return false;
	return !(login->authenticate || login->may_authenticate) ||
	       same_accounts(&login->auth, object, acl ? MODEL_A_ACL_USERID : MODEL_A_USERID);
}

bool model_view_demands_login(const struct model_view *view)
{
	const struct model_object *acl = model_view_object(view);
	SCOPE_LOCK(&acl->model->lock);

	return acl->kind == MODEL_ACL && must_authenticate(acl->parent, acl);
}

void model_login_free(struct model_login *login)
{
	if (!login)
		return;
	model_view_put(login->view);
	model_auth_clear(&login->auth);
	secret_free(login, sizeof(*login));
}

/* --- discovery --- */

bool model_discovery_auth(struct model *model, struct model_auth *auth)
{
	SCOPE_LOCK(&model->lock);

	copy_account(auth, model->root, MODEL_A_DISCOVERY_USERID);
	return model_known_number(model->root, MODEL_A_DISCOVERY_ENFORCE);
}

static bool target_shows(struct model_object *target, const char *initiator,
			 const struct sockaddr_storage *peer)
{
	for (struct model_object *tpg = model_first(target, MODEL_TPG); tpg; tpg = model_next(tpg))
		if (shows(tpg, initiator, peer))
			return true;
	return false;
}

bool model_knows_initiator(struct model *model, const char *initiator, const struct sockaddr_storage *peer)
{
	SCOPE_LOCK(&model->lock);

	for (struct model_object *target = model_first(model->root, MODEL_TARGET); target;
	     target = model_next(target))
		if (target_shows(target, initiator, peer))
			return true;
	return false;
}

typedef bool report_portal(void *arg, const char *target, uint16_t tag, const struct model_np *np,
			   const char *public_text);

static bool report_tpg(const struct model_object *tpg, report_portal *report, void *arg)
{
	struct model_object *portal = model_first((struct model_object *)tpg, MODEL_PORTAL);

	for (; portal; portal = model_next(portal))
		if (portal->np && !report(arg, tpg->parent->name, (uint16_t)tpg->number, portal->np,
					  model_known_text(portal, MODEL_A_ADVERTISE)))
			return false;
	return true;
}

static bool report_target(struct model_object *target, const char *initiator,
			  const struct sockaddr_storage *peer, report_portal *report, void *arg)
{
	for (struct model_object *tpg = model_first(target, MODEL_TPG); tpg; tpg = model_next(tpg))
		if (shows(tpg, initiator, peer) && !report_tpg(tpg, report, arg))
			return false;
	return true;
}

bool model_discover(struct model *model, const char *initiator, const struct sockaddr_storage *peer,
		    const char *name, report_portal *report, void *arg)
{
	SCOPE_LOCK(&model->lock);
	struct model_object *target =
	    name ? model_find(model->root, MODEL_TARGET, name) : model_first(model->root, MODEL_TARGET);

	if (name)
		return !target || report_target(target, initiator, peer, report, arg);
	for (; target; target = model_next(target))
		if (!report_target(target, initiator, peer, report, arg))
			return false;
	return true;
}

bool model_is_starting(const struct model *model)
{
	return atomic_load(&model->starting);
}

unsigned model_discovery_generation(const struct model *model)
{
	return atomic_load(&model->discovery_generation);
}
