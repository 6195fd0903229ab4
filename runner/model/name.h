/* SPDX-License-Identifier: Apache-2.0 */
/* Names of iSCSI nodes (RFC 7143 4.2.7, RFC 3722). Any thread. */
#ifndef MODEL_NAME_H
#define MODEL_NAME_H

#include <stdbool.h>

#define MODEL_NAME_MAX  223 /* In bytes (RFC 7143 4.2.7.1). */
#define MODEL_NAME_SIZE (MODEL_NAME_MAX + 1)

/* Copies a name in lower case. Returns false if it is not an iSCSI name. */
bool model_name_copy(char out[MODEL_NAME_SIZE], const char *name);
/*
 * Returns why model_name_copy() refuses a name, such as "contains a blank, ...", for a message that begins
 * with the name.
 */
const char *model_name_fault(const char *name);
/* Converts the name to lower case in place. Returns whether it is an iSCSI name. */
bool model_name_valid(char *name);
#endif
