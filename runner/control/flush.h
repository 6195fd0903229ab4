/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_FLUSH_H
#define CONTROL_FLUSH_H

#include "backstore/backstore.h"

/* Main thread. Flushes the whole backstore on a loop and waits for it, timeout_s at most: 0, -ETIMEDOUT or
 * -EIO. */
int control_flush(struct loop_set *set, struct backstore *bs, unsigned timeout_s);
#endif
