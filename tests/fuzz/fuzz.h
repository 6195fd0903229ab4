/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * A fuzz target's only function, which libFuzzer calls with what it made up, and replay.c with what
 * is in files.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#endif
