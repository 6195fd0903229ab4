/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generic netlink with target_core_user: receives events on a thread that never blocks for anything else, and
 * sends replies. event.c handles the events.
 */
#include "kernel/netlink.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "kernel/other_daemon.h"
#include "util/cleanup.h"
#include "util/log.h"

#define FAMILY  "TCM-USER"
#define GROUP   "config"
#define VERSION 2

/*
 * The buffer has room for a burst of thousands of events, because the sender of a lost event would wait
 * forever.
 */
#define RECEIVE_BYTES (4 << 20)

#define REPLY_OF(type) ((type) + 3)
#define SET_FEATURES   7

enum attribute {
	ATTR_DEVICE = 1,
	ATTR_MINOR,
	ATTR_PAD,
	ATTR_DEV_CFG,
	ATTR_DEV_SIZE,
	ATTR_WRITECACHE,
	ATTR_CMD_STATUS,
	ATTR_DEVICE_ID,
	ATTR_SUPP_KERN_CMD_REPLY,
	ATTR_MAX = ATTR_SUPP_KERN_CMD_REPLY,
};

struct tcmu_netlink {
	void (*event)(void *arg, const struct tcmu_event *event);
	void *arg;
	struct nl_sock *in;       /* Only the netlink thread uses it. */
	struct nl_sock *out;      /* Protected by out_lock. */
	pthread_mutex_t out_lock; /* The innermost lock: while it is held, only a message is sent. */
	int family, group;
	int stop_fd;
	pthread_t thread;
	bool running;
	_Atomic pid_t other; /* The last other daemon about which the log has a warning. */
};

static int set_netlink_error(struct error *error, int nlerr, const char *what)
{
	return error_set(error, EIO, "netlink: %s: %s", what, nl_geterror(nlerr));
}

static void copy_text(char *out, size_t size, struct nlattr *attr)
{
	nla_strlcpy(out, attr, size);
	for (size_t len = strlen(out); len && out[len - 1] == '\n';)
		out[--len] = '\0';
}

static struct nla_policy policy[ATTR_MAX + 1] = {
    [ATTR_DEVICE] = {.type = NLA_STRING},  [ATTR_MINOR] = {.type = NLA_U32},
    [ATTR_DEV_CFG] = {.type = NLA_STRING}, [ATTR_DEV_SIZE] = {.type = NLA_U64},
    [ATTR_WRITECACHE] = {.type = NLA_U8},  [ATTR_DEVICE_ID] = {.type = NLA_U32},
};

static bool parse_event(struct nlmsghdr *msg, struct tcmu_event *event)
{
	struct nlattr *attrs[ATTR_MAX + 1];
	struct genlmsghdr *genl = nlmsg_data(msg);

	if (genl->cmd < TCMU_EVENT_ADDED || genl->cmd > TCMU_EVENT_RECONFIG)
		return false;
	if (genlmsg_parse(msg, 0, attrs, ATTR_MAX, policy) || !attrs[ATTR_DEVICE] || !attrs[ATTR_MINOR] ||
	    !attrs[ATTR_DEVICE_ID])
		return false;
	*event = (struct tcmu_event){
	    .type = genl->cmd,
	    .device_id = nla_get_u32(attrs[ATTR_DEVICE_ID]),
	    .minor = nla_get_u32(attrs[ATTR_MINOR]),
	    .has_config = attrs[ATTR_DEV_CFG],
	    .has_size = attrs[ATTR_DEV_SIZE],
	    .has_write_cache = attrs[ATTR_WRITECACHE],
	};
	copy_text(event->uio_name, sizeof(event->uio_name), attrs[ATTR_DEVICE]);
	if (event->has_config)
		copy_text(event->config, sizeof(event->config), attrs[ATTR_DEV_CFG]);
	if (event->has_size)
		event->size = nla_get_u64(attrs[ATTR_DEV_SIZE]);
	if (event->has_write_cache)
		event->write_cache = nla_get_u8(attrs[ATTR_WRITECACHE]);
	return true;
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct tcmu_netlink *netlink = arg;
	struct tcmu_event event;

	if (parse_event(nlmsg_hdr(msg), &event))
		netlink->event(netlink->arg, &event);
	return NL_OK;
}

static void *receive(void *arg)
{
	struct tcmu_netlink *netlink = arg;
	struct pollfd fds[2] = {
	    {.fd = nl_socket_get_fd(netlink->in), .events = POLLIN},
	    {.fd = netlink->stop_fd, .events = POLLIN},
	};

	while (!fds[1].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR) {
			log_crit(NULL, "netlink: poll: %s", strerror(errno));
			return NULL;
		}
		if (!fds[0].revents)
			continue;
		int err = nl_recvmsgs_default(netlink->in);
		if (err < 0 && err != -NLE_AGAIN)
			log_err(NULL, "netlink: receive: %s", nl_geterror(err));
	}
	/* Processes that already wait must get a reply. */
	while (nl_recvmsgs_default(netlink->in) == 0)
		;
	return NULL;
}

static int set_option(struct nl_sock *sock, int level, int name, int value)
{
	return setsockopt(nl_socket_get_fd(sock), level, name, &value, sizeof(value));
}

static int open_in(struct tcmu_netlink *netlink, struct error *error)
{
	netlink->in = nl_socket_alloc();
	if (!netlink->in)
		return error_set(error, ENOMEM, "netlink: out of memory");
	nl_socket_disable_seq_check(netlink->in);
	nl_socket_modify_cb(netlink->in, NL_CB_VALID, NL_CB_CUSTOM, on_message, netlink);
	int err = genl_connect(netlink->in);
	if (err)
		return set_netlink_error(error, err, "connect");
	/*
	 * The kernel drops events for which there is no room in the buffer. With NETLINK_BROADCAST_ERROR, the
	 * sender of such an event gets an error instead of waiting forever.
	 */
	if (set_option(netlink->in, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES))
		log_warn(NULL, "netlink: cannot force a receive buffer: %s", strerror(errno));
	set_option(netlink->in, SOL_NETLINK, NETLINK_BROADCAST_ERROR, 1);
	set_option(netlink->in, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1);
	nl_socket_set_nonblocking(netlink->in);
	return 0;
}

static int join(struct tcmu_netlink *netlink, struct error *error)
{
	netlink->out = nl_socket_alloc();
	if (!netlink->out)
		return error_set(error, ENOMEM, "netlink: out of memory");
	int err = genl_connect(netlink->out);
	if (err)
		return set_netlink_error(error, err, "connect");
	netlink->family = genl_ctrl_resolve(netlink->out, FAMILY);
	if (netlink->family < 0)
		return set_netlink_error(error, netlink->family,
					 "family " FAMILY " (is target_core_user loaded?)");
	netlink->group = genl_ctrl_resolve_grp(netlink->out, FAMILY, GROUP);
	if (netlink->group < 0)
		return set_netlink_error(error, netlink->group, "group " GROUP);
	err = nl_socket_add_membership(netlink->in, netlink->group);
	return err ? set_netlink_error(error, err, "join " GROUP) : 0;
}

static void free_netlink(struct tcmu_netlink *netlink)
{
	nl_socket_free(netlink->in);
	nl_socket_free(netlink->out);
	if (netlink->stop_fd >= 0)
		close(netlink->stop_fd);
	pthread_mutex_destroy(&netlink->out_lock);
	free(netlink);
}

struct tcmu_netlink *tcmu_netlink_open(void (*event)(void *arg, const struct tcmu_event *event), void *arg,
				       struct error *error)
{
	struct tcmu_netlink *netlink = calloc(1, sizeof(*netlink));

	if (!netlink) {
		error_set(error, ENOMEM, "netlink: out of memory");
		return NULL;
	}
	netlink->event = event;
	netlink->arg = arg;
	pthread_mutex_init(&netlink->out_lock, NULL);
	netlink->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (netlink->stop_fd < 0)
		error_set(error, errno, "netlink: eventfd: %s", strerror(errno));
	else if (!open_in(netlink, error) && !join(netlink, error))
		return netlink;
	free_netlink(netlink);
	return NULL;
}

/*
 * Sends a command with up to two attributes and waits for the kernel's acknowledgement, which comes at once.
 */
static int command(struct tcmu_netlink *netlink, uint8_t cmd,
		   int (*put)(struct nl_msg *msg, const void *what), const void *what)
{
	struct nl_msg *msg = nlmsg_alloc();
	int err = -NLE_NOMEM;

	if (!msg)
		return err;
	SCOPE_LOCK(&netlink->out_lock);
	if (genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, netlink->family, 0, 0, cmd, VERSION) &&
	    !put(msg, what)) {
		err = nl_send_auto(netlink->out, msg);
		if (err >= 0)
			err = nl_wait_for_ack(netlink->out);
	}
	nlmsg_free(msg);
	return err;
}

static int put_feature(struct nl_msg *msg, const void *what)
{
	return nla_put_u8(msg, ATTR_SUPP_KERN_CMD_REPLY, *(const uint8_t *)what);
}

struct reply {
	int32_t status;
	uint32_t device_id;
};

static int put_reply(struct nl_msg *msg, const void *what)
{
	const struct reply *reply = what;
	int err = nla_put_s32(msg, ATTR_CMD_STATUS, reply->status);

	return err ? err : nla_put_u32(msg, ATTR_DEVICE_ID, reply->device_id);
}

/* Logs a warning once for each other daemon. */
static void warn_of_other_daemon(struct tcmu_netlink *netlink)
{
	pid_t pid = tcmu_other_daemon();

	if (pid && atomic_exchange_explicit(&netlink->other, pid, memory_order_relaxed) != pid)
		log_warn(NULL,
			 "another tcmu-runner (process %d) answers the kernel, too, and refuses devices of "
			 "this daemon that do not have nl_reply_supported=-1",
			 (int)pid);
}

int tcmu_netlink_start(struct tcmu_netlink *netlink, struct error *error)
{
	const uint8_t yes = 1;
	int err = command(netlink, SET_FEATURES, put_feature, &yes);

	if (err < 0)
		return set_netlink_error(error, err, "set features");
	warn_of_other_daemon(netlink);
	err = pthread_create(&netlink->thread, NULL, receive, netlink);
	if (err)
		return error_set(error, err, "netlink: thread: %s", strerror(err));
	netlink->running = true;
	return 0;
}

int tcmu_netlink_reply(struct tcmu_netlink *netlink, enum tcmu_event_type type, uint32_t device_id,
		       int status)
{
	const struct reply reply = {status, device_id};
	int err = command(netlink, (uint8_t)REPLY_OF(type), put_reply, &reply);

	if (err >= 0)
		return 0;
	/*
	 * The device has nl_reply_supported=-1, or the kernel has ended the wait, or another daemon has
	 * replied.
	 */
	if (err == -NLE_NODEV) {
		log_debug(NULL, "netlink: the kernel does not wait for the reply to device %u", device_id);
		warn_of_other_daemon(netlink);
		return -ENODEV;
	}
	log_err(NULL, "netlink: reply to device %u: %s", device_id, nl_geterror(err));
	return -EIO;
}

bool tcmu_netlink_has_other_listener(const struct tcmu_netlink *netlink)
{
	return tcmu_other_daemon() ||
	       tcmu_group_has_other_listener(netlink->group, nl_socket_get_local_port(netlink->in));
}

void tcmu_netlink_close(struct tcmu_netlink *netlink)
{
	const uint64_t one = 1;
	const uint8_t no = 0;

	if (!tcmu_other_daemon())
		command(netlink, SET_FEATURES, put_feature, &no);
	if (netlink->running && write(netlink->stop_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(netlink->thread, NULL);
	free_netlink(netlink);
}
