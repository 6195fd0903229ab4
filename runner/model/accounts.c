/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of CHAP accounts, which are the values of the attributes more_accounts: "USER SECRET" for each
 * account, separated by commas. A comma inside a name or a secret is written twice. login.c decides with
 * which accounts an initiator can authenticate itself, and iscsi_login verifies this.
 */
#include "model/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * Copies the text up to the end of the entry or, if until_blank is true, up to the first blank. Returns the
 * end of the copied text, or NULL if it does not fit into 255 bytes.
 */
static const char *copy_part(const char *text, bool until_blank, char part[256])
{
	size_t len = 0;

	for (; *text && !(until_blank && *text == ' '); text++) {
		if (*text == ',' && *++text != ',') {
			text--;
			break;
		}
		if (len == 255)
			return NULL;
		part[len++] = *text;
	}
	part[len] = '\0';
	return text;
}

const char *model_account_next(const char *list, struct model_account *account)
{
	const char *at = copy_part(list, true, account->user);

	if (!at || *at != ' ' || !*account->user)
		return NULL;
	at = copy_part(at + 1, false, account->secret);
	if (!at || !*account->secret)
		return NULL;
	if (!*at)
		return at;
	return at[1] ? at + 1 : NULL; /* After a comma, another account must follow. */
}

int model_accounts_check(const char *list, struct error *error)
{
	struct model_account account;
	unsigned n = 0;

	for (const char *at = list; at && *at;) {
		at = model_account_next(at, &account);
		n++;
		if (!at)
			error_set(
			    error, EINVAL,
			    "account %u of the list is not of the form USER SECRET; accounts are separated "
			    "by commas, and a comma inside a name or a secret is written twice",
			    n);
		explicit_bzero(&account, sizeof(account));
		if (!at)
			return -EINVAL;
	}
	return 0;
}
