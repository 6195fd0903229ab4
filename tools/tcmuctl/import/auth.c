/* SPDX-License-Identifier: Apache-2.0 */
/* Carries CHAP accounts over. Even if none of the accounts can be used, the target demands authentication. */
#include "import/auth.h"

#include <string.h>

#include "model/attribute.h"

struct taking {
	struct saved_auth *auth;
	struct saved_account *account;
	bool is_incoming;
	enum auth_rules rules;
	struct place place;
	struct report *report;
};

/* If the account cannot be used, reports the reason and returns true. */
static bool report_fault(const struct taking *taking, const char *user, const char *secret)
{
	bool is_single = !taking->is_incoming && taking->rules == AUTH_TGT;

	if (!*user || !*secret)
		report_add(taking->report, taking->place,
			   "the account is left out: it has no name, or no secret");
	else if (taking->rules == AUTH_SCST && strlen(secret) < AUTH_SECRET_MIN)
		report_add(
		    taking->report, taking->place,
		    "the account %s is left out: its secret has less than %d bytes, so SCST ignores it, too",
		    user, AUTH_SECRET_MIN);
	else if (is_single && saved_account_is_set(taking->account))
		report_add(taking->report, taking->place,
			   "the account %s is left out: only one is possible here, and this is %s", user,
			   taking->account->user);
	else
		return false;
	return true;
}

/*
 * Adds an account. LIO has only one account; further accounts are written where only tcmu-runner reads them.
 */
static void add_account(const struct taking *taking, const char *user, const char *secret)
{
	if (saved_auth_add(taking->auth, user, secret))
		report_add(
		    taking->report, taking->place,
		    "the account %s is carried over for tcmu-runner; LIO would know only the first one, %s",
		    user, taking->account->user);
	else
		report_add(taking->report, taking->place,
			   "the account %s is left out: all accounts together have more than %d bytes", user,
			   MODEL_TEXT_SIZE - 1);
}

static void set_account(const struct taking *taking, const char *user, const char *secret)
{
	if (report_fault(taking, user, secret))
		return;
	if (strlen(secret) < AUTH_SECRET_MIN)
		report_add(taking->report, taking->place,
			   "the secret of the account %s has less than %d bytes; choose a longer one", user,
			   AUTH_SECRET_MIN);
	if (taking->is_incoming && saved_account_is_set(taking->account))
		add_account(taking, user, secret);
	else
		saved_account_set(taking->account, user, secret);
}

void auth_take(struct saved_auth *auth, bool is_incoming, const char *text, enum auth_rules rules,
	       struct place place, struct report *report)
{
	const struct taking taking = {
	    .auth = auth,
	    .account = is_incoming ? &auth->incoming : &auth->outgoing,
	    .is_incoming = is_incoming,
	    .rules = rules,
	    .place = place,
	    .report = report,
	};
	g_autofree char *user = g_strstrip(g_strdup(text));
	char *secret = user + strcspn(user, " \t");

	if (*secret)
		*secret++ = '\0';
	auth->required |= is_incoming;
	set_account(&taking, user, g_strstrip(secret));
}

void auth_finish(struct saved_auth *auth, const char *owner, struct place place, struct report *report)
{
	if (auth->required && !saved_account_is_set(&auth->incoming))
		report_add(report, place,
			   "%s: initiators must authenticate, but none of the accounts can be used", owner);
	if (auth->required || !saved_account_is_set(&auth->outgoing))
		return;
	report_add(report, place,
		   "the account %s is left out: a target authenticates itself only if initiators do",
		   auth->outgoing.user);
	saved_account_set(&auth->outgoing, NULL, NULL);
}
