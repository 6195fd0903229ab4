/* SPDX-License-Identifier: Apache-2.0 */
/* The headers alone, in the language that the test asks for; C++ too, so nothing is designated here. */
#ifndef NO_VERSION
#define TCMUR_API_VERSION VERSION
#endif
#include HEADER

static struct tcmur_handler empty;

TCMUR_REGISTER_HANDLER(empty, TCMUR_PARALLEL)
