/* SPDX-License-Identifier: Apache-2.0 */
/* The address rules of a target. */
#ifndef IMPORT_ACCESS_H
#define IMPORT_ACCESS_H

#include "import/address.h"
#include "import/report.h"
#include "import/saved.h"

/*
 * Sets the rules of the target: an address is refused if denied contains it and allowed does not. Both are
 * sets of addresses. If no list of the daemon can express the rules, fewer addresses may connect, or the
 * target is disabled, and a remark at place says so.
 */
void access_set(struct saved_target *target, const GArray *denied, const GArray *allowed, struct place place,
		struct report *report);
#endif
