/* SPDX-License-Identifier: Apache-2.0 */
/* A manager of kernel devices on the fake kernel, and functions that wait for what it does. */
#include "manager_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backstore/backstore.h"
#include "kernel/stray_io.h"

void open_manager(struct fixture *w)
{
	char state[80];

	snprintf(state, sizeof(state), "%s/state", w->folder);
	w->registry = storage_registry_new(state, NULL);
	assert_non_null(w->registry);
	const struct kernel_manager_options options = {.state_dir = w->folder,
						       .run_dir = w->folder,
						       .io_lock = w->io_lock,
						       .fd_store = w->fd_store,
						       .registry = w->registry,
						       .other_daemon_ns = w->other_daemon_ns,
						       .defaults = {.cmd_time_out = 45}};

	w->manager = kernel_manager_open(&w->set, &options, NULL);
	assert_non_null(w->manager);
}

void close_manager(struct fixture *w)
{
	assert_true(kernel_manager_close(w->manager, 120000));
	storage_registry_free(w->registry);
	w->manager = NULL;
}

int set_up(void **state)
{
	const struct loop_options loops = {.nloops = 2, .npool = 4};
	struct fixture *w = calloc(1, sizeof(*w));

	*state = w;
	strcpy(w->folder, "/tmp/manager.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	fake_kernel_start(w->folder);
	assert_true(backstore_load_handlers(HANDLERS, NULL) > 0);
	assert_true(backstore_load_filters(HANDLERS, NULL) > 0);
	assert_int_equal(loop_set_start(&w->set, &loops, NULL), 0);
	w->io_lock = tcmu_stray_io_lock(w->folder, NULL);
	assert_true(w->io_lock >= 0);
	return 0;
}

int tear_down(void **state)
{
	struct fixture *w = *state;
	char command[128];

	if (w->manager)
		close_manager(w);
	close(w->io_lock);
	loop_set_stop(&w->set);
	backstore_unload_filters();
	backstore_unload_handlers();
	fake_kernel_stop();
	snprintf(command, sizeof(command), "rm -r %s", w->folder);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

/* --- what the manager reports --- */

static void view(void *arg, const struct tcmu_device_view *device)
{
	struct seen *seen = arg;

	seen->n++;
	if (device->minor != seen->wanted)
		return;
	seen->state = device->state;
	seen->size = device->size;
	snprintf(seen->error, sizeof(seen->error), "%s", device->error);
	snprintf(seen->config, sizeof(seen->config), "%s", device->config);
}

struct seen observe_device(struct fixture *w, unsigned minor)
{
	struct seen seen = {.wanted = minor, .state = TCMU_DEVICE_CLOSING};

	kernel_manager_list(w->manager, view, &seen);
	return seen;
}

void pause_briefly(void)
{
	const struct timespec ms = {0, 2000000};

	nanosleep(&ms, NULL);
}

struct seen wait_state(struct fixture *w, unsigned minor, enum tcmu_device_state state)
{
	struct seen seen = observe_device(w, minor);

	for (int i = 0; i < 60000 && seen.state != state; i++) {
		pause_briefly();
		seen = observe_device(w, minor);
	}
	assert_int_equal(seen.state, state);
	return seen;
}

void wait_gone(struct fixture *w)
{
	for (int i = 0; i < 60000 && observe_device(w, 0).n; i++)
		pause_briefly();
	assert_int_equal(observe_device(w, 0).n, 0);
}

int send_added(unsigned n)
{
	struct tcmu_event event = {.type = TCMU_EVENT_ADDED};

	fake_event(n, &event);
	return fake_answer(&event);
}

int send_removed(unsigned n)
{
	struct tcmu_event event = {.type = TCMU_EVENT_REMOVED};

	fake_event(n, &event);
	return fake_answer(&event);
}

int send_reconfigured(unsigned n, struct tcmu_event event)
{
	event.type = TCMU_EVENT_RECONFIG;
	fake_event(n, &event);
	return fake_answer(&event);
}

off_t size_of(const struct fixture *w, const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	return stat(path, &st) ? -1 : st.st_size;
}

void lose_storage(const struct fixture *w, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	assert_int_equal(unlink(path), 0);
}

void make_storage(const struct fixture *w, const char *name, off_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

void break_storage(const struct fixture *w, const char *name)
{
	char path[128];

	lose_storage(w, name);
	snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

void repair_storage(const struct fixture *w, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	assert_int_equal(rmdir(path), 0);
	make_storage(w, name, SIZE);
}

void wait_attribute(unsigned n, const char *file, const char *wanted)
{
	char value[64];

	for (int i = 0; i < 60000 && strcmp(fake_attribute(n, file, value), wanted); i++)
		pause_briefly();
	assert_string_equal(fake_attribute(n, file, value), wanted);
}
