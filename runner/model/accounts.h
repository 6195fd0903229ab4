/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of CHAP accounts, the values of the attributes more_accounts. Any thread. */
#ifndef MODEL_ACCOUNTS_H
#define MODEL_ACCOUNTS_H

#include <stdbool.h>

#include "util/error.h"

/* An account that an initiator may prove. The caller overwrites it after use. */
struct model_account {
	char user[256];
	char secret[256];
};

/*
 * Reads the first account of a list that is not empty. Returns the rest of the list, which is empty after the
 * last account; NULL: the list is malformed there.
 */
const char *model_account_next(const char *list, struct model_account *account);
/* Whether the list is well-formed; it may be empty. 0, or -EINVAL with error set, which has no secret. */
int model_accounts_check(const char *list, struct error *error);
#endif
