/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Includes only the header that the test names. The test also compiles this file as C++, so it contains no
 * designated initializers.
 */
#ifndef NO_VERSION
#define TCMUR_API_VERSION VERSION
#endif
#include HEADER

static struct tcmur_handler empty;

TCMUR_REGISTER_HANDLER(empty, TCMUR_PARALLEL)
