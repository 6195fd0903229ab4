/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out which initiator logs in to which target, and with which status a login is refused (RFC 7143
 * 6.3.1, 13.4, 13.5, 13.21). chap.c verifies that the initiator has the account.
 */
#include "iscsi_login/login_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/secret_memory.h"
#include "util/text.h"

#define SHOWN_MAX 255 /* The log shows at most this many bytes of a name. */

static void copy_printable(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text);
	text_hide_control_chars(out);
}

static const char *printable(char out[SHOWN_MAX + 1], const char *text)
{
	copy_printable(out, SHOWN_MAX + 1, text);
	return out;
}

static bool is_known(const struct iscsi_login *login)
{
	return model_knows_initiator(login->model, login->result.initiator_name, &login->peer);
}

/*
 * Returns the status of a login to a target that does not exist, or that this initiator must not use. Both
 * cases have the same status, because otherwise anybody could find out which targets exist. An initiator that
 * may use other targets has probably mistyped the name and gets ISCSI_LOGIN_NOT_FOUND. All other initiators
 * get ISCSI_LOGIN_FORBIDDEN. While the daemon starts, the target may not have been created yet. The status is
 * then ISCSI_LOGIN_UNAVAILABLE, after which initiators try again.
 */
static enum iscsi_login_status status_of_hidden(const struct iscsi_login *login)
{
	if (model_is_starting(login->model))
		return ISCSI_LOGIN_UNAVAILABLE;
	return is_known(login) ? ISCSI_LOGIN_NOT_FOUND : ISCSI_LOGIN_FORBIDDEN;
}

/*
 * Demands that the initiator proves that it knows an account. An account without a name or a secret proves
 * nothing, so it is refused.
 */
static enum iscsi_login_status demand(struct iscsi_login *login, const struct model_auth *account,
				      const char *where)
{
	login->account = account;
	if (model_auth_is_set(account))
		return ISCSI_LOGIN_OK;
	return iscsi_login_refusal(login, ISCSI_LOGIN_AUTH_FAILED,
				   "%s requires CHAP, but no userid and password are set for this initiator",
				   where);
}

static enum iscsi_login_status find_target(struct iscsi_login *login, const char *name)
{
	enum model_verdict verdict = MODEL_NO_TARGET;
	char lower[MODEL_NAME_SIZE], shown[SHOWN_MAX + 1];

	if (!name)
		return iscsi_login_refusal(login, ISCSI_LOGIN_MISSING_PARAMETER, "no TargetName");
	errno = 0;
	if (model_name_copy(lower, name))
		verdict = model_login(login->model, lower, login->np, login->result.initiator_name,
				      &login->peer, &login->target);
	if (verdict == MODEL_DISABLED)
		return iscsi_login_refusal(login, ISCSI_LOGIN_UNAVAILABLE, "the TPG of %s at %s is disabled",
					   printable(shown, name), login->np->text);
	if (!login->target)
		return errno == ENOMEM ? iscsi_login_refusal(login, ISCSI_LOGIN_NO_RESOURCES, "out of memory")
				       : iscsi_login_refusal(login, status_of_hidden(login),
							     "there is no target %s at %s, or it is disabled",
							     printable(shown, name), login->np->text);
	if (verdict != MODEL_ADMITTED)
		return iscsi_login_refusal(
		    login, login->target->reveal ? ISCSI_LOGIN_FORBIDDEN : status_of_hidden(login),
		    "%s has no ACL for this initiator, or does not admit its address", login->target->target);
	login->result.target = login->target;
	return login->target->authenticate ? demand(login, &login->target->auth, login->target->target)
					   : ISCSI_LOGIN_OK;
}

static enum iscsi_login_status begin_discovery(struct iscsi_login *login)
{
	login->result.discovery = true;
	login->discovery_account = secret_alloc(sizeof(*login->discovery_account));
	if (!login->discovery_account)
		return iscsi_login_refusal(login, ISCSI_LOGIN_NO_RESOURCES, "out of memory");
	if (model_is_starting(login->model))
		return iscsi_login_refusal(login, ISCSI_LOGIN_UNAVAILABLE,
					   "discovery: the daemon is still creating its targets");
	if (!is_known(login))
		return iscsi_login_refusal(login, ISCSI_LOGIN_FORBIDDEN,
					   "discovery: no target shows itself to this initiator");
	return model_discovery_auth(login->model, login->discovery_account)
		   ? demand(login, login->discovery_account, "discovery")
		   : ISCSI_LOGIN_OK;
}

enum iscsi_login_status iscsi_login_identify(struct iscsi_login *login, const struct iscsi_offers *offers)
{
	struct iscsi_login_result *result = &login->result;
	const char *name = offers->of[ISCSI_KEY_INITIATOR_NAME].value;
	const char *type = offers->of[ISCSI_KEY_SESSION_TYPE].value;
	const char *alias = offers->of[ISCSI_KEY_INITIATOR_ALIAS].value;
	char shown[SHOWN_MAX + 1];

	if (!name)
		return iscsi_login_refusal(login, ISCSI_LOGIN_MISSING_PARAMETER,
					   "no InitiatorName in the first request");
	if (!model_name_copy(result->initiator_name, name)) {
		result->initiator_name[0] = '\0';
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR, "InitiatorName '%s' %s",
					   printable(shown, name), model_name_fault(name));
	}
	if (alias)
		copy_printable(result->initiator_alias, sizeof(result->initiator_alias), alias);
	if (type && strcmp(type, "Discovery") == 0)
		return begin_discovery(login);
	if (type && strcmp(type, "Normal") != 0)
		return iscsi_login_refusal(login, ISCSI_LOGIN_BAD_SESSION_TYPE,
					   "SessionType is neither Normal nor Discovery");
	return find_target(login, offers->of[ISCSI_KEY_TARGET_NAME].value);
}

enum iscsi_login_status iscsi_login_identify_again(const struct iscsi_login *login,
						   const struct iscsi_offers *offers)
{
	const struct iscsi_login_result *result = &login->result;
	const char *name = offers->of[ISCSI_KEY_INITIATOR_NAME].value;
	const char *target = offers->of[ISCSI_KEY_TARGET_NAME].value;
	const char *type = offers->of[ISCSI_KEY_SESSION_TYPE].value;
	char lower[MODEL_NAME_SIZE];

	if (name && (!model_name_copy(lower, name) || strcmp(lower, result->initiator_name) != 0))
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR, "InitiatorName changed");
	if (type && strcmp(type, result->discovery ? "Discovery" : "Normal") != 0)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR, "SessionType changed");
	if (target && !result->discovery &&
	    (!model_name_copy(lower, target) || strcmp(lower, result->target->target) != 0))
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR, "TargetName changed");
	return ISCSI_LOGIN_OK;
}
