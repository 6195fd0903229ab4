/* SPDX-License-Identifier: Apache-2.0 */
/* --run: a shell command that runs while the exports are served. */
#ifndef CONTROL_RUN_COMMAND_H
#define CONTROL_RUN_COMMAND_H

#include "control/portal_service.h"
#include "util/error.h"

struct run_command;

/*
 * Main thread. Starts the command. Its environment has the variables uri, portal, target and lun, with the
 * address of the first export. ended() is called in GLib's default main context when the command has ended.
 * Returns NULL with error set.
 */
struct run_command *run_command_start(const char *command, const struct portal_service *portal,
				      void (*ended)(void *arg), void *arg, struct error *error);
/*
 * Main thread. Ends the command if it is still running, and frees the structure. Returns the exit status of
 * the command as a shell reports it.
 */
int run_command_end(struct run_command *run);
#endif
