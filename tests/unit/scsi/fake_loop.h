/* SPDX-License-Identifier: Apache-2.0 */
/* Loops for tests on one thread: posted work runs when the test says so. */
#ifndef TESTS_SCSI_FAKE_LOOP_H
#define TESTS_SCSI_FAKE_LOOP_H

#include "loop/loop.h"

#define FAKE_LOOPS_MAX 4
/* Makes n loops. */
struct loop_set *fake_loops(unsigned n);
struct loop *fake_loop(unsigned i);
/*
 * The loop that the test's thread represents from now on. At the start it is loop 0. NULL means a thread that
 * is not a loop.
 */
void fake_loop_enter(struct loop *loop);

/* Runs the posted work, and ends I/O that the backstore holds, until nothing is left. */
void fake_run(void);
/* Runs the posted work, and does not end held I/O. */
void fake_run_posted(void);
#endif
