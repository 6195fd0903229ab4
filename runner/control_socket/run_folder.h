/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_SOCKET_RUN_FOLDER_H
#define CONTROL_SOCKET_RUN_FOLDER_H

#include "util/error.h"

/*
 * Main thread. Takes the socket of a run folder for this process: creates the folder if it is missing, locks
 * FOLDER/control.lock as long as *lock is open, removes a socket that a killed daemon has left, and listens
 * at FOLDER/control, which only the daemon's own user and root may open. Returns a non-blocking descriptor,
 * or -errno with error set; -EBUSY means that another process uses the folder.
 */
int run_folder_listen(const char *folder, int *lock, struct error *error);
/* Removes the socket, and closes both descriptors. */
void run_folder_close(const char *folder, int fd, int lock);
#endif
