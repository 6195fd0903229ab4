/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check() ends the program if the condition is false. It works on any thread and in a fuzz target, whereas
 * cmocka's asserts work only on the main thread.
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
