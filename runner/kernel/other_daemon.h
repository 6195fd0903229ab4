/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tcmu-runner of version 1 may run at the same time, for handlers of its own. It refuses every device whose
 * handler it does not have, and the kernel uses the first answer. The kernel does not wait for an answer
 * about a device with nl_reply_supported=-1.
 */
#ifndef KERNEL_OTHER_DAEMON_H
#define KERNEL_OTHER_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Any thread. Returns the process ID of that daemon, or 0 if there is none. */
pid_t tcmu_other_daemon(void);
/*
 * Any thread. Returns whether a generic netlink socket other than the one with the port own_port has joined
 * the multicast group in this network namespace. Also returns true if the kernel does not say it.
 */
bool tcmu_group_has_other_listener(int group, uint32_t own_port);
#endif
