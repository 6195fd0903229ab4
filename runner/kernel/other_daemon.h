/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tcmu-runner that this one succeeds may run beside it, for handlers of its own. It refuses every device
 * whose handler it does not know, and the kernel takes whichever answer comes first; a device with
 * nl_reply_supported=-1 waits for none.
 */
#ifndef KERNEL_OTHER_DAEMON_H
#define KERNEL_OTHER_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Its process id, 0 when there is none. Any thread. */
pid_t tcmu_other_daemon(void);
/*
 * Any thread. Returns whether a socket of generic netlink other than the one with the port own_port has
 * joined the multicast group in this network namespace. Also true if the kernel cannot tell.
 */
bool tcmu_group_has_other_listener(int group, uint32_t own_port);
#endif
