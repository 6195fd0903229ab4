/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports a broken contract (util/contract.h) and ends the process. The callers decide which contracts they
 * check.
 */
#include <stdlib.h>

#include "util/contract.h"
#include "util/log.h"

void contract_fail(const char *condition, const char *file, int line, const char *function)
{
	log_crit(NULL,
		 "internal error: '%s' is false in %s() (%s:%d); the daemon stops, because going on could "
		 "damage data. Please report this line",
		 condition, function, file, line);
	abort();
}
