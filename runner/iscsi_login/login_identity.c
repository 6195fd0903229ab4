/* SPDX-License-Identifier: Apache-2.0 */
/* Who logs in to what (RFC 7143 6.3.1, 13.4, 13.5, 13.21). */
#include "iscsi_login/login_state.h"

#include <stdio.h>
#include <string.h>

/* Copies an alias for people to read, without what could fool a terminal. */
static void copy_alias(char *out, size_t size, const char *alias)
{
	snprintf(out, size, "%s", alias);
	for (; *out; out++)
		if ((unsigned char)*out < ' ' || *out == 0x7f)
			*out = '?';
}

/* In lower case; false: no iSCSI name. */
static bool copy_name(char out[TARGET_NAME_MAX + 1], const char *name)
{
	return (size_t)snprintf(out, TARGET_NAME_MAX + 1, "%s", name) <= TARGET_NAME_MAX &&
	       target_name_valid(out);
}

static enum iscsi_login_status find_target(struct iscsi_login *login, const char *name)
{
	struct iscsi_login_result *result = &login->result;
	char lower[TARGET_NAME_MAX + 1];

	if (!name)
		return iscsi_login_refusal(login, ISCSI_LOGIN_MISSING_PARAMETER, "no TargetName");
	if (copy_name(lower, name))
		result->target = target_find(login->model, lower);
	if (!result->target)
		return iscsi_login_refusal(login, ISCSI_LOGIN_NOT_FOUND, "there is no such target");
	if (!target_admits(result->target, result->initiator_name, &login->account))
		return iscsi_login_refusal(login, ISCSI_LOGIN_FORBIDDEN, "%s has no ACL for it",
					   result->target->name);
	return ISCSI_LOGIN_OK;
}

enum iscsi_login_status iscsi_login_identify(struct iscsi_login *login, const struct iscsi_offers *offers)
{
	struct iscsi_login_result *result = &login->result;
	const char *name = offers->of[ISCSI_KEY_INITIATOR_NAME].value;
	const char *type = offers->of[ISCSI_KEY_SESSION_TYPE].value;
	const char *alias = offers->of[ISCSI_KEY_INITIATOR_ALIAS].value;

	if (!name)
		return iscsi_login_refusal(login, ISCSI_LOGIN_MISSING_PARAMETER,
					   "no InitiatorName in the first request");
	if (!copy_name(result->initiator_name, name)) {
		result->initiator_name[0] = '\0'; /* unfit for the log */
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR,
					   "InitiatorName is no iSCSI name");
	}
	if (alias)
		copy_alias(result->initiator_alias, sizeof(result->initiator_alias), alias);
	if (type && strcmp(type, "Discovery") == 0)
		result->discovery = true;
	else if (type && strcmp(type, "Normal") != 0)
		return iscsi_login_refusal(login, ISCSI_LOGIN_BAD_SESSION_TYPE, "unknown SessionType");
	if (!result->discovery)
		return find_target(login, offers->of[ISCSI_KEY_TARGET_NAME].value);
	login->account = target_discovery_auth(login->model);
	return ISCSI_LOGIN_OK;
}

enum iscsi_login_status iscsi_login_identify_again(const struct iscsi_login *login,
						   const struct iscsi_offers *offers)
{
	const struct iscsi_login_result *result = &login->result;
	const char *name = offers->of[ISCSI_KEY_INITIATOR_NAME].value;
	const char *target = offers->of[ISCSI_KEY_TARGET_NAME].value;
	const char *type = offers->of[ISCSI_KEY_SESSION_TYPE].value;
	char lower[TARGET_NAME_MAX + 1];

	if (name && (!copy_name(lower, name) || strcmp(lower, result->initiator_name) != 0))
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR, "InitiatorName changed");
	if (type && strcmp(type, result->discovery ? "Discovery" : "Normal") != 0)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR, "SessionType changed");
	if (target && !result->discovery &&
	    (!copy_name(lower, target) || strcmp(lower, result->target->name) != 0))
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR, "TargetName changed");
	return ISCSI_LOGIN_OK;
}
