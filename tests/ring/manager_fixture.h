/* SPDX-License-Identifier: Apache-2.0 */
/* The whole manager on real loops, with the handlers file and alloc. The kernel is a fake (fake_kernel.h). */
#ifndef TESTS_MANAGER_FIXTURE_H
#define TESTS_MANAGER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_kernel.h"
#include "loop/loop.h"
#include "kernel/manager.h"

#define SIZE (1u << 20)

static const uint8_t TEST_UNIT_READY[6] = {0};

struct fixture {
	char folder[64];
	int io_lock;
	const struct fd_store *fd_store; /* NULL unless a test sets it. */
	uint64_t other_daemon_ns;        /* 0 unless a test sets it. */
	struct loop_set set;
	struct storage_registry *registry; /* NULL while there is no manager. */
	struct kernel_manager *manager;
};

/* A fixture of cmocka. It does not start a manager. */
int set_up(void **state);
int tear_down(void **state);
void open_manager(struct fixture *w);
void close_manager(struct fixture *w);

/* What the manager reports. */
struct seen {
	unsigned n; /* The number of devices. */
	unsigned wanted;
	/* The state of the device with the wanted minor number; CLOSING if there is no such device. */
	enum tcmu_device_state state;
	char error[256], config[256];
	uint64_t size;
};
struct seen observe_device(struct fixture *w, unsigned minor);
struct seen wait_state(struct fixture *w, unsigned minor, enum tcmu_device_state state);
void wait_gone(struct fixture *w);
void wait_attribute(unsigned n, const char *file, const char *wanted);
void pause_briefly(void);

/* Each sends an event and returns the answer. */
int send_added(unsigned n);
int send_removed(unsigned n);
int send_reconfigured(unsigned n, struct tcmu_event event);

/* These functions are for the images of the handler file. */
off_t size_of(const struct fixture *w, const char *name);
void lose_storage(const struct fixture *w, const char *name);
void make_storage(const struct fixture *w, const char *name, off_t size);
void break_storage(const struct fixture *w, const char *name);
void repair_storage(const struct fixture *w, const char *name);
#endif
