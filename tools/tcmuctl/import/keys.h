/* SPDX-License-Identifier: Apache-2.0 */
/* The login keys and session limits of a target, which have the same names in SCST and tgt. */
#ifndef IMPORT_KEYS_H
#define IMPORT_KEYS_H

#include <stdbool.h>

#include "import/report.h"
#include "import/saved.h"

/*
 * Handles a setting of a target. Returns false if its name is not the name of such a setting. Otherwise the
 * value is set, or a remark says why it cannot be carried over.
 */
bool keys_take(struct saved_target *target, const char *name, const char *value, struct place place,
	       struct report *report);
#endif
