/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of CHAP accounts, which are the values of the attributes more_accounts. Any thread. */
#ifndef MODEL_ACCOUNTS_H
#define MODEL_ACCOUNTS_H

#include <stdbool.h>

#include "util/error.h"

/*
 * An account with which an initiator can authenticate itself. The caller of model_account_next() overwrites
 * it after use.
 */
struct model_account {
	char user[256];
	char secret[256];
};

/*
 * Reads the first account of a list that is not empty. Returns the rest of the list, which is empty after the
 * last account, or NULL if the first account is malformed.
 */
const char *model_account_next(const char *list, struct model_account *account);
/*
 * Checks whether the list is well-formed; it may be empty. Returns 0, or -EINVAL with error set. The text of
 * the error contains no secret.
 */
int model_accounts_check(const char *list, struct error *error);
#endif
