/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The means by which administrators control a running daemon: the control socket, and the file
 * saveconfig.json. Main thread.
 */
#ifndef CONTROL_ADMIN_H
#define CONTROL_ADMIN_H

#include "config/options.h"
#include "control/kernel_service.h"
#include "model/model.h"

struct admin;

/*
 * Opens the socket in the run folder of the options. If that fails, the daemon runs without a socket. kernel
 * may be NULL.
 */
struct admin *admin_start(const struct config_options *options, struct model *model,
			  struct kernel_service *kernel);
/*
 * Restores the file of --saveconfig if there is one. Blocks for up to half a minute while storage is opened.
 * queue is the queue of the main thread. Returns 0, or -errno with error set if the file cannot be read or is
 * not a saveconfig.json.
 */
int admin_restore(struct admin *admin, struct main_queue *queue, struct error *error);
/* Writes to the log where the socket is, or why there is none. */
void admin_announce(const struct admin *admin);
/*
 * Closes the socket, and waits for a save or restore that is in progress, but only so long that reserve_ms
 * milliseconds of the time limit of the stop are left. Calls that are in progress end without an answer while
 * the model stops. Returns false if an operation on saveconfig.json has not ended; a later call waits for it
 * again.
 */
bool admin_close(struct admin *admin, unsigned reserve_ms);
/* To be called after the model has stopped and before it is freed. If admin is NULL, nothing happens. */
void admin_free(struct admin *admin);
/* Tries the entries of saveconfig.json again that could not be restored. To be called every few seconds. */
void admin_tick(struct admin *admin);
#endif
