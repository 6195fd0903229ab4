/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Includes only the headers, in the language that the test asks for. C++ is one of them, so there are no
 * designated initializers here.
 */
#ifndef NO_VERSION
#define TCMUR_API_VERSION VERSION
#endif
#include HEADER

static struct tcmur_handler empty;

TCMUR_REGISTER_HANDLER(empty, TCMUR_PARALLEL)
