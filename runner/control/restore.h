/* SPDX-License-Identifier: Apache-2.0 */
/* Restores the file of --saveconfig at the start. Main thread. */
#ifndef CONTROL_RESTORE_H
#define CONTROL_RESTORE_H

#include "config/saveconfig.h"
#include "util/main_queue.h"

/*
 * Restores the daemon's own file, and writes to the log which entries could not be restored. Blocks until all
 * storage has answered, half a minute has passed, or SIGTERM or SIGINT has asked the daemon to stop. A file
 * that does not exist is an empty configuration. queue is the queue of the main thread. Returns 0, or -errno
 * with error set if the file cannot be read or is not a saveconfig.json.
 */
int control_restore(struct saveconfig *config, struct main_queue *queue, struct error *error);
#endif
