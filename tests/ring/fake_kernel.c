/* SPDX-License-Identifier: Apache-2.0 */
/* A fake of the kernel's netlink interface and configfs, for the tests of runner/kernel. */
#include "fake_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/parameter.h"
#include "kernel/uio.h"

#define RING_SIZE 4096u
#define DATA_SIZE (64u * 4096)

struct fake_device fake_devices[FAKE_DEVICES];
static char root[128];

/* Protects the devices, the answers, the switches below and the fake of systemd's descriptor store. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER, unstuck = PTHREAD_COND_INITIALIZER;
static struct answer {
	uint32_t device_id;
	enum tcmu_event_type type;
	int status;
} answers[256];
static unsigned nanswers;
static uint32_t last_id;

/* --- netlink: the test's own thread sends the events --- */

struct tcmu_netlink {
	void (*event)(void *arg, const struct tcmu_event *event);
	void *arg;
	bool started;
};
static struct tcmu_netlink netlink;
static bool waits, other_listener; /* Set by fake_kernel_waits() and fake_other_listener(). */

void fake_kernel_waits(bool does_wait)
{
	pthread_mutex_lock(&lock);
	waits = does_wait;
	pthread_mutex_unlock(&lock);
}

struct tcmu_netlink *tcmu_netlink_open(void (*event)(void *arg, const struct tcmu_event *event), void *arg,
				       struct error *error)
{
	(void)error;
	netlink = (struct tcmu_netlink){event, arg, false};
	return &netlink;
}

int tcmu_netlink_start(struct tcmu_netlink *nl, struct error *error)
{
	(void)error;
	nl->started = true;
	return 0;
}

int tcmu_netlink_reply(struct tcmu_netlink *nl, enum tcmu_event_type type, uint32_t device_id, int status)
{
	(void)nl;
	pthread_mutex_lock(&lock);
	answers[nanswers++ % 256] = (struct answer){device_id, type, status};
	pthread_cond_broadcast(&answered);
	int err = waits ? 0 : -ENODEV;
	pthread_mutex_unlock(&lock);
	return err;
}

bool tcmu_netlink_has_other_listener(const struct tcmu_netlink *nl)
{
	(void)nl;
	pthread_mutex_lock(&lock);
	bool listens = other_listener;
	pthread_mutex_unlock(&lock);
	return listens;
}

void fake_other_listener(bool listens)
{
	pthread_mutex_lock(&lock);
	other_listener = listens;
	pthread_mutex_unlock(&lock);
}

void tcmu_netlink_close(struct tcmu_netlink *nl)
{
	nl->started = false;
}

void fake_event(unsigned n, struct tcmu_event *event)
{
	assert_true(netlink.started);
	pthread_mutex_lock(&lock);
	if (!event->device_id)
		event->device_id = ++last_id;
	pthread_mutex_unlock(&lock);
	event->minor = n;
	snprintf(event->uio_name, sizeof(event->uio_name), "%s", fake_devices[n].uio_name);
	netlink.event(netlink.arg, event);
}

static const struct answer *find_answer(uint32_t device_id)
{
	const struct answer *found = NULL;

	for (unsigned i = 0; i < nanswers; i++) {
		if (answers[i].device_id != device_id)
			continue;
		/* The kernel would ignore a second answer, or treat it as the answer to a later event. */
		assert_null(found);
		found = &answers[i];
	}
	return found;
}

int fake_answer(const struct tcmu_event *event)
{
	const struct answer *answer;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	pthread_mutex_lock(&lock);
	while (!(answer = find_answer(event->device_id)) && !pthread_cond_timedwait(&answered, &lock, &until))
		;
	pthread_mutex_unlock(&lock);
	assert_non_null(answer);
	assert_int_equal(answer->type, event->type);
	return answer->status;
}

unsigned fake_answers(void)
{
	pthread_mutex_lock(&lock);
	unsigned n = nanswers;
	pthread_mutex_unlock(&lock);
	return n;
}

/* --- the fake of systemd's descriptor store --- */

static bool same_socket(int a, int b)
{
	struct stat first, second;

	return !fstat(a, &first) && !fstat(b, &second) && first.st_ino == second.st_ino;
}

static struct stored {
	struct fd_kept kept;
	bool taken;
} store[FAKE_DEVICES];
static unsigned nstored, nstored_ever;

/* The caller holds the lock. */
static bool in_store(int fd)
{
	for (unsigned i = 0; i < nstored; i++)
		if (same_socket(fd, store[i].kept.fd))
			return true;
	return false;
}

/*
 * The caller holds the lock. Returns the i-th descriptor that the next process can take; NULL if there are
 * fewer.
 */
static struct stored *offered(unsigned i)
{
	for (unsigned at = 0; at < nstored; at++)
		if (!store[at].taken && !i--)
			return &store[at];
	return NULL;
}

static bool take(bool (*wanted)(int fd, const void *arg), const void *arg, struct fd_kept *kept)
{
	struct stored *stored;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; (stored = offered(i)); i++) {
		int fd = stored->kept.fd;

		pthread_mutex_unlock(&lock);
		bool is_wanted = wanted(fd, arg);
		pthread_mutex_lock(&lock);
		if (!is_wanted)
			continue;
		stored = offered(i);
		stored->taken = true;
		*kept = stored->kept;
		kept->fd = fcntl(kept->fd, F_DUPFD_CLOEXEC, 0);
		break;
	}
	pthread_mutex_unlock(&lock);
	return stored;
}

static void keep(struct fd_kept *kept, const char *kind)
{
	pthread_mutex_lock(&lock);
	snprintf(kept->name, sizeof(kept->name), "%s-%u", kind, nstored_ever++);
	store[nstored] = (struct stored){.kept = *kept, .taken = true};
	store[nstored++].kept.fd = fcntl(kept->fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&lock);
}

static void forget(struct fd_kept *kept)
{
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < nstored; i++) {
		if (strcmp(store[i].kept.name, kept->name))
			continue;
		close(store[i].kept.fd);
		store[i] = store[--nstored];
		break;
	}
	kept->name[0] = '\0';
	pthread_mutex_unlock(&lock);
}

const struct fd_store fake_store = {take, keep, forget};

unsigned fake_store_count(void)
{
	pthread_mutex_lock(&lock);
	unsigned n = nstored;
	pthread_mutex_unlock(&lock);
	return n;
}

unsigned fake_store_restart(void)
{
	unsigned left = 0;

	for (unsigned i = 0; i < nstored; i++) {
		left += !store[i].taken;
		store[i].taken = false;
	}
	return left;
}

void fake_store_discard(void)
{
	while (nstored)
		close(store[--nstored].kept.fd);
	for (unsigned n = 0; n < FAKE_DEVICES; n++)
		fake_devices[n].open = false;
}

/* --- uio --- */

void fake_device_stick(unsigned n, bool stuck)
{
	pthread_mutex_lock(&lock);
	fake_devices[n].stuck = stuck;
	pthread_cond_broadcast(&unstuck);
	pthread_mutex_unlock(&lock);
}

/* The caller holds the lock. */
static void wait_unstuck(const struct fake_device *d)
{
	while (d->stuck)
		pthread_cond_wait(&unstuck, &lock);
}

static int open_device(struct fake_device *d, struct tcmu_uio *uio, struct error *error)
{
	if (!d->exists)
		return error_set(error, ENODEV, "no such uio device");
	if (uio->fd < 0) {
		if (d->open)
			return error_set(error, EBUSY, "the uio device is open already");
		d->open = true;
		uio->fd = fcntl(d->user, F_DUPFD_CLOEXEC, 0);
	}
	uio->map = NULL;
	return uio->fd < 0 ? -errno : 0;
}

int tcmu_uio_open(unsigned minor, struct tcmu_uio *uio, struct error *error)
{
	pthread_mutex_lock(&lock);
	wait_unstuck(&fake_devices[minor]);
	int err = open_device(&fake_devices[minor], uio, error);
	pthread_mutex_unlock(&lock);
	return err;
}

/* The caller holds the lock. */
static int map_device(const struct fake_device *d, const char *enabled, struct tcmu_uio *uio)
{
	if (!d->exists || !same_socket(uio->fd, d->user)) /* another device has this number by now */
		return -EINVAL;
	assert_string_equal(enabled, "1"); /* tcmu_uio_map() may be called only for an enabled device */
	uio->map_len = d->ring.map_len;
	uio->map = mmap(NULL, uio->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, d->ring.fd, 0);
	assert_ptr_not_equal(uio->map, MAP_FAILED);
	return 0;
}

int tcmu_uio_map(unsigned minor, struct tcmu_uio *uio, struct error *error)
{
	char enabled[64];

	fake_attribute(minor, "enable", enabled);
	pthread_mutex_lock(&lock);
	int err = map_device(&fake_devices[minor], enabled, uio);
	pthread_mutex_unlock(&lock);
	return err ? error_set(error, -err, "no such uio device") : 0;
}

bool tcmu_uio_is_device(int fd, unsigned minor)
{
	pthread_mutex_lock(&lock);
	bool is = fake_devices[minor].exists && same_socket(fd, fake_devices[minor].user);
	pthread_mutex_unlock(&lock);
	return is;
}

void tcmu_uio_close(struct tcmu_uio *uio)
{
	pthread_mutex_lock(&lock);
	for (unsigned n = 0; n < FAKE_DEVICES; n++) {
		if (!fake_devices[n].open || !same_socket(uio->fd, fake_devices[n].user))
			continue;
		wait_unstuck(&fake_devices[n]);
		fake_devices[n].open = in_store(fake_devices[n].user);
	}
	pthread_mutex_unlock(&lock);
	if (uio->map)
		munmap(uio->map, uio->map_len);
	close(uio->fd);
}

int tcmu_uio_scan(void (*found)(void *arg, unsigned minor, const char *uio_name), void *arg,
		  struct error *error)
{
	(void)error;
	for (unsigned n = 0; n < FAKE_DEVICES; n++)
		if (fake_devices[n].exists)
			found(arg, n, fake_devices[n].uio_name);
	return 0;
}

int tcmu_module_parameter(const char *name, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	FILE *file = fopen(path, "a");

	if (!file)
		return -errno;
	fputs(value, file);
	return fclose(file);
}

/* --- configfs --- */

static void attribute_path(unsigned n, const char *file, char path[256])
{
	snprintf(path, 256, "%s/core/user_0/d%u/%s", root, n, file);
}

void fake_attribute_set(unsigned n, const char *file, const char *value)
{
	char path[256], made[270];

	/* The file is replaced in one step, because the manager may read or write it at the same time. */
	attribute_path(n, file, path);
	snprintf(made, sizeof(made), "%s.made", path);
	FILE *out = fopen(made, "w");
	assert_non_null(out);
	fputs(value, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(rename(made, path), 0);
}

void fake_enable(unsigned n, bool on)
{
	char path[256];

	attribute_path(n, "enable", path);
	FILE *out = fopen(path, "r+");
	assert_non_null(out);
	fputc(on ? '1' : '0', out);
	assert_int_equal(fclose(out), 0);
}

char *fake_attribute(unsigned n, const char *file, char value[64])
{
	char path[256];

	attribute_path(n, file, path);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	memset(value, 0, 64);
	assert_true(fread(value, 1, 63, in) > 0 || feof(in));
	fclose(in);
	return value;
}

static void make_folders(unsigned n)
{
	static const char *const folders[] = {"", "attrib", "action", "wwn"};
	char path[256];

	for (unsigned i = 0; i < 4; i++) {
		attribute_path(n, folders[i], path);
		assert_true(!mkdir(path, 0700) || errno == EEXIST);
	}
}

/*
 * Creates the file that the handler "file" opens. The manager must find it, as if it had served the device
 * before.
 */
static void make_storage(const char *config, uint64_t size)
{
	char path[512];

	if (strncmp(config, "file/", 5))
		return;
	snprintf(path, sizeof(path), "%s/%s", root, config + 5);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

struct fake_device *fake_device_make(unsigned n, const char *config, uint64_t size)
{
	struct fake_device *d = &fake_devices[n];
	char text[32];
	int sockets[2];

	make_folders(n);
	make_storage(config, size);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)size);
	fake_attribute_set(n, "enable", "1");
	fake_attribute_set(n, "attrib/dev_size", text);
	fake_attribute_set(n, "attrib/hw_block_size", "512");
	fake_attribute_set(n, "attrib/hw_max_sectors", "128");
	fake_attribute_set(n, "attrib/emulate_write_cache", "0");
	fake_attribute_set(n, "attrib/tmr_notification", "0");
	fake_attribute_set(n, "attrib/cmd_time_out", "30");
	fake_attribute_set(n, "wwn/vpd_unit_serial", "T10 VPD Unit Serial Number: ");
	fake_attribute_set(n, "action/block_dev", "-");
	fake_attribute_set(n, "action/reset_ring", "-");
	snprintf(d->uio_name, sizeof(d->uio_name), "tcm-user/0/d%u/%s", n, config);
	pthread_mutex_lock(&lock);
	fake_ring_init(&d->ring, RING_SIZE, DATA_SIZE, TCMU_FLAG_OOOC | TCMU_FLAG_READ_LEN | TCMU_FLAG_TMR);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets), 0);
	d->uio = sockets[0];
	d->user = sockets[1];
	d->exists = true;
	pthread_mutex_unlock(&lock);
	return d;
}

void fake_device_free(unsigned n)
{
	struct fake_device *d = &fake_devices[n];

	if (!d->exists)
		return;
	pthread_mutex_lock(&lock);
	d->exists = d->open = false;
	pthread_mutex_unlock(&lock);
	close(d->uio);
	close(d->user);
	fake_ring_free(&d->ring);
}

void fake_kernel_start(const char *folder)
{
	char path[256];

	snprintf(root, sizeof(root), "%s", folder);
	snprintf(path, sizeof(path), "%s/core", root);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/core/user_0", root);
	mkdir(path, 0700);
	setenv("TCMU_CONFIGFS", root, 1);
	memset(fake_devices, 0, sizeof(fake_devices));
	nanswers = 0;
	waits = true;
	other_listener = false;
}

void fake_kernel_stop(void)
{
	for (unsigned n = 0; n < FAKE_DEVICES; n++) {
		assert_false(fake_devices[n].open);
		fake_device_free(n);
	}
}

int fake_send(unsigned n, const uint8_t *cdb, uint32_t cdb_len, uint64_t in)
{
	struct fake_device *d = &fake_devices[n];
	const struct tcmu_uiov iov = {0, in};
	const uint32_t event = 1;
	int id = fake_ring_put(&d->ring, cdb, cdb_len, &iov, in ? 1 : 0);

	assert_true(id > 0);
	assert_int_equal(write(d->uio, &event, sizeof(event)), sizeof(event));
	return id;
}

int fake_await(unsigned n, int id)
{
	struct fake_device *d = &fake_devices[n];
	uint32_t bell[64];

	while (d->ring.in_flight[id]) {
		struct pollfd pfd = {.fd = d->uio, .events = POLLIN};

		assert_int_equal(poll(&pfd, 1, 60000), 1);
		assert_true(read(d->uio, bell, sizeof(bell)) > 0);
		fake_ring_reap(&d->ring);
	}
	return d->ring.status[id];
}

int fake_command(unsigned n, const uint8_t *cdb, uint32_t cdb_len, uint64_t in)
{
	return fake_await(n, fake_send(n, cdb, cdb_len, in));
}
