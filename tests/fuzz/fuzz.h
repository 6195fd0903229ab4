/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * The only function of a fuzz target. libFuzzer calls it with inputs that it makes up, and replay.c calls it
 * with the contents of files.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#endif
