/* SPDX-License-Identifier: Apache-2.0 */
/* CHAP accounts. Remarks contain names of users, but never secrets. */
#ifndef IMPORT_AUTH_H
#define IMPORT_AUTH_H

#include <stdbool.h>

#include "import/report.h"
#include "import/saved.h"

/* RFC 7143 9.2.1: at least 96 bits. */
#define AUTH_SECRET_MIN 12

/* How the programs differ. */
enum auth_rules {
	/*
	 * A secret that is too short is ignored, and a second account of the target itself replaces the
	 * first one.
	 */
	AUTH_SCST,
	/* A secret may be short, and a second account of the target itself is ignored. */
	AUTH_TGT,
};

/*
 * Takes the account "USER SECRET" of initiators, or of the target itself. An account without a
 * secret is left out after a remark. Further accounts of initiators, which LIO does not have, are kept for
 * tcmu-runner after a remark.
 */
void auth_take(struct saved_auth *auth, bool is_incoming, const char *text, enum auth_rules rules,
	       struct place place, struct report *report);
/* To be called after all accounts were taken. owner: the name of the target, for remarks. */
void auth_finish(struct saved_auth *auth, const char *owner, struct place place, struct report *report);
#endif
