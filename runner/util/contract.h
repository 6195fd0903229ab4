/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contract(condition) checks at run time what a caller must guarantee. If the condition is false, it ends the
 * daemon, because the code that follows would use memory that it does not own. Unlike assert(), it is
 * compiled into every build, even with -DNDEBUG, because the daemon reads bytes from initiators that it does
 * not trust, and may run as root.
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
