/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check() ends the program, on any thread and in a fuzz target. cmocka's asserts are for the main thread
 * only.
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define check(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)
#endif
