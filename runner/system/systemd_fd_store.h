/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd's file descriptor store, and the descriptors of its socket units: what is open there stays open while the
 * service is restarted, however it ended. Without systemd nothing is kept.
 */
#ifndef SYSTEM_SYSTEMD_FD_STORE_H
#define SYSTEM_SYSTEMD_FD_STORE_H

#include "util/fd_store.h"

/* Main, before there are other threads or children. Takes over what systemd passed to this process. */
void control_fd_store_begin(void);
extern const struct fd_store control_fd_store;
/* Main, once everybody has taken what is his: drops the rest. */
void control_fd_store_end(void);
#endif
