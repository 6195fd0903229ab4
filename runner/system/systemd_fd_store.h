/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd's file descriptor store, and the descriptors of socket units. A descriptor in the store stays open
 * while the service is restarted, even after a crash. Without systemd, no descriptor is kept.
 */
#ifndef SYSTEM_SYSTEMD_FD_STORE_H
#define SYSTEM_SYSTEMD_FD_STORE_H

#include "util/fd_store.h"

/*
 * Main thread, before other threads or children exist. Takes over the descriptors that systemd has passed to
 * this process.
 */
void system_fd_store_begin(void);
/* The store, with the functions of fd_store.h. Main thread, unless fd_store.h says something else. */
extern const struct fd_store system_fd_store;
/* Main thread, at the end of the start. Closes the descriptors that no caller has taken. */
void system_fd_store_end(void);
#endif
