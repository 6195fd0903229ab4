/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generic netlink family TCM-USER. The kernel announces that devices are added, removed and changed, and
 * a process in the kernel waits for the reply, without a limit and without reacting to signals. Therefore, a
 * thread of its own receives the events and never blocks for anything else. Each event must get exactly one
 * reply of the event's own type: after a reply of a wrong type, the process waits forever, and nothing can
 * free it.
 */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/* The numbers of the kernel's commands. The number of a reply is type + 3. */
enum tcmu_event_type { TCMU_EVENT_ADDED = 1, TCMU_EVENT_REMOVED = 2, TCMU_EVENT_RECONFIG = 3 };

#define TCMU_UIO_NAME_MAX 1024

struct tcmu_event {
	enum tcmu_event_type type;
	uint32_t device_id;
	uint32_t minor;                   /* The number N of /dev/uioN. */
	char uio_name[TCMU_UIO_NAME_MAX]; /* "tcm-user/HBA/DEVICE/SUBTYPE/CONFIG" */
	/* In an event RECONFIG, exactly one of these is true. */
	bool has_config, has_size, has_write_cache;
	char config[TCMU_UIO_NAME_MAX]; /* The configuration without the newline that echo adds. */
	uint64_t size;                  /* The size in bytes. */
	bool write_cache;
};

struct tcmu_netlink;

/*
 * Main thread. Joins the group, so that no event is lost from now on, but does not read events yet. event()
 * is called on the netlink thread and must return at once; tcmu_netlink_reply() sends the answer, inside
 * event() or later. Returns NULL with error set.
 */
struct tcmu_netlink *tcmu_netlink_open(void (*event)(void *arg, const struct tcmu_event *event), void *arg,
				       struct error *error);
/* Main thread. Tells the kernel that this process answers, and then starts reading. Returns 0 or -errno. */
int tcmu_netlink_start(struct tcmu_netlink *netlink, struct error *error);
/*
 * Any thread. status is 0 or -errno. Returns 0, or -errno if the reply could not be sent. -ENODEV means that
 * the kernel does not wait for it.
 */
int tcmu_netlink_reply(struct tcmu_netlink *netlink, enum tcmu_event_type type, uint32_t device_id,
		       int status);
/*
 * Any thread. Returns whether another socket of this network namespace listens for these events, so that
 * another daemon may answer. If the kernel does not show who listens, returns true.
 */
bool tcmu_netlink_has_other_listener(const struct tcmu_netlink *netlink);
/*
 * Main thread, after the last reply. Tells the kernel that no daemon replies any more, unless another daemon
 * does.
 */
void tcmu_netlink_close(struct tcmu_netlink *netlink);
#endif
