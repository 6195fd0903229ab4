/* SPDX-License-Identifier: Apache-2.0 */
/* Translates CHAP accounts. Remarks contain names of users, but never secrets. */
#ifndef IMPORT_AUTH_H
#define IMPORT_AUTH_H

#include <stdbool.h>

#include "import/report.h"
#include "import/saved.h"

/* RFC 7143 9.2.1 demands at least 96 bits. */
#define AUTH_SECRET_MIN 12

/* The differences between the programs. */
enum auth_rules {
	/*
	 * SCST ignores a secret that is too short. A second account of the target itself replaces the first
	 * one.
	 */
	AUTH_SCST,
	/* tgt accepts short secrets. A second account of the target itself is ignored. */
	AUTH_TGT,
};

/*
 * Adds the account "USER SECRET" of initiators or, if is_incoming is false, of the target itself. An account
 * without a secret is left out, with a remark. Further accounts of initiators, which LIO does not have, are
 * kept for tcmu-runner, with a remark.
 */
void auth_take(struct saved_auth *auth, bool is_incoming, const char *text, enum auth_rules rules,
	       struct place place, struct report *report);
/* To be called after all accounts were added. owner is the name of the target, for remarks. */
void auth_finish(struct saved_auth *auth, const char *owner, struct place place, struct report *report);
#endif
