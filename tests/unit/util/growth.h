/* SPDX-License-Identifier: Apache-2.0 */
/* Measures how the work of a function grows with the number of objects. */
#ifndef TESTS_UTIL_GROWTH_H
#define TESTS_UTIL_GROWTH_H

#include <time.h>

/* Work that is quadratic takes 16 times as long for four times as many objects, and linear work 4 times. */
#define GROWTH_LINEAR 7.0

static inline double cpu_seconds(void (*work)(unsigned n), unsigned n)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	work(n);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

/* Returns by which factor 4 * n objects need more CPU time than n. Other load disturbs some of the tries. */
static inline double growth(void (*work)(unsigned n), unsigned n)
{
	double least = 1e9;

	for (unsigned i = 0; i < 5 && least > GROWTH_LINEAR; i++) {
		double few = cpu_seconds(work, n), many = cpu_seconds(work, 4 * n);

		if (many / few < least)
			least = many / few;
	}
	return least;
}
#endif
