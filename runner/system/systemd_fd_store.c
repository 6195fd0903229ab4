/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptors that systemd has passed to this process, and the messages that make systemd keep or close
 * descriptors (FDSTORE=1, sd_notify(3)). The callers decide which descriptors are kept.
 */
#include "system/systemd_fd_store.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"

#ifdef TCMUR_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

static unsigned passed(char ***names)
{
	int n = sd_listen_fds_with_names(1, names);

	return n > 0 ? (unsigned)n : 0;
}

static int passed_fd(unsigned i)
{
	return SD_LISTEN_FDS_START + (int)i;
}

static int notify_systemd(const char *state, const int *fd)
{
	return sd_pid_notify_with_fds(0, 0, state, fd, fd ? 1 : 0);
}
#else
static unsigned passed(char ***names)
{
	(void)names;
	return 0;
}

static int passed_fd(unsigned i)
{
	(void)i;
	return -1;
}

static int notify_systemd(const char *state, const int *fd)
{
	(void)state;
	(void)fd;
	return 0;
}
#endif

/*
 * The descriptors that were passed to this process and that no caller has taken yet. Used on the main thread
 * only.
 */
static struct fd_kept *left;
static unsigned nleft;

void system_fd_store_begin(void)
{
	g_auto(GStrv) names = NULL;

	nleft = passed(&names);
	left = g_new0(struct fd_kept, nleft);
	for (unsigned i = 0; i < nleft; i++) {
		left[i].fd = passed_fd(i);
		g_strlcpy(left[i].name, names[i], sizeof(left[i].name));
	}
}

static bool take(bool (*wanted)(int fd, const void *arg), const void *arg, struct fd_kept *kept)
{
	for (unsigned i = 0; i < nleft; i++) {
		if (!wanted(left[i].fd, arg))
			continue;
		*kept = left[i];
		left[i] = left[--nleft];
		log_info(NULL, "%s: kept open by systemd, used again", kept->name);
		return true;
	}
	return false;
}

/*
 * systemd closes descriptors by name, so each descriptor gets a name that is unique until the next boot.
 * FDPOLL=0 asks systemd not to watch the descriptors, because each event of a UIO device would wake systemd.
 */
static void keep(struct fd_kept *kept, const char *kind)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	g_snprintf(kept->name, sizeof(kept->name), "%s-%lld.%09ld", kind, (long long)now.tv_sec, now.tv_nsec);
	g_autofree char *state = g_strdup_printf("FDSTORE=1\nFDNAME=%s\nFDPOLL=0", kept->name);
	int ret = notify_systemd(state, &kept->fd);

	if (ret < 0)
		log_warn(NULL, "systemd does not keep %s: %s", kept->name, g_strerror(-ret));
	if (ret <= 0)
		kept->name[0] = '\0';
}

static void forget(struct fd_kept *kept)
{
	g_autofree char *state = g_strdup_printf("FDSTOREREMOVE=1\nFDNAME=%s", kept->name);

	if (kept->name[0])
		notify_systemd(state, NULL);
	kept->name[0] = '\0';
}

const struct fd_store system_fd_store = {.take = take, .keep = keep, .forget = forget};

void system_fd_store_end(void)
{
	for (unsigned i = 0; i < nleft; i++) {
		log_info(NULL, "%s: kept open by systemd, but not used any more: closed", left[i].name);
		forget(&left[i]);
		close(left[i].fd);
	}
	nleft = 0;
	g_clear_pointer(&left, g_free);
}
