/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contract(condition) checks at run time what a caller must guarantee. It ends the daemon if the
 * condition is false, because the code that follows would otherwise use memory that it does not
 * own. Unlike assert(), it is compiled into every build, also with -DNDEBUG: the daemon reads bytes
 * from strangers and runs as root.
 */
#ifndef UTIL_CONTRACT_H
#define UTIL_CONTRACT_H

/* Logs the broken contract and aborts. */
void contract_fail(const char *condition, const char *file, int line, const char *function)
    __attribute__((noreturn, cold));

#define contract(condition)                                                      \
	do {                                                                     \
		if (__builtin_expect(!(condition), 0))                           \
			contract_fail(#condition, __FILE__, __LINE__, __func__); \
	} while (0)
#endif
