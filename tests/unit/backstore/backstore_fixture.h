/* SPDX-License-Identifier: Apache-2.0 */
/* Loops, scripted handlers and synchronous I/O for the tests of this folder. */
#ifndef TEST_BACKSTORE_FIXTURE_H
#define TEST_BACKSTORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backstore/backstore.h"
#include "kept_log.h"
#include "script.h"

#define NLOOPS 3
#define BLOCK  512u

extern struct loop_set loops;

/* Group fixtures of cmocka: start the loops and load the handlers, or undo this. */
int fixture_up(void **state);
int fixture_down(void **state);

/* Makes a script with a zeroed medium of size bytes and blocks of BLOCK bytes. script_free() frees both. */
struct script *script_new(uint64_t size);
void script_free(struct script *script);
/* Opens the script through a handler. Fails the test if that does not work. */
struct backstore *script_open(const char *handler, struct script *script);

/* Submits the I/O on loop i, after filling in bs, loop and done. Waits and returns the status. */
enum tcmur_status run_io(struct backstore *bs, unsigned i, struct backstore_io *bio);
/* Does the same for the usual case. */
enum tcmur_status run_simple(struct backstore *bs, enum backstore_op op, uint64_t offset, uint64_t len,
			     void *data, size_t data_len);
#endif
