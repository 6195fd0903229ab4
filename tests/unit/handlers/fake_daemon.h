/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon as one handler sees it, in one thread: a queue that does everything before the call returns, and
 * I/O that counts its completions. Tests can inject faults into the queue.
 */
#ifndef FAKE_DAEMON_H
#define FAKE_DAEMON_H

#define TCMUR_API_VERSION 1
#include <tcmur/queue.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/*
 * A test sets a member to change the result of the next request of this kind. This happens once, except for
 * the members that are kept until fake_daemon_reset().
 */
struct faults {
	int transfer;
	int fallocate;
	int sync;
	size_t at_most; /* The largest number of bytes that a readv or writev moves; 0 means all. Kept. */
	bool no_dsync;  /* readv and writev refuse RWF_DSYNC. Kept. */
};

struct counts {
	unsigned transfers, syncs, fallocates, blocking;
	unsigned blocking_serial; /* The number of blocking calls that run one after the other. */
	int last_rwf;
	int last_mode; /* The mode of the last fallocate. */
};

typedef void data_callback(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);

extern struct faults faults;
extern struct counts counts;
/* The last line that the handler logged. */
extern char logged[512];
/*
 * The memory that is kept for the disk, or -1 if none is kept; and how often the handler has reported that
 * the disk was written.
 */
extern int kept_memory;
extern bool kept_memory_is_found;
extern unsigned notes;
/* The open handle whose place the next open() takes, or NULL. */
extern void *replaced;

/* Clears faults and counters. A setup function of cmocka. */
int fake_daemon_reset(void **state);

/* Calls open(). options are "NAME=VALUE" or "NAME" and end with NULL; the pointer may be NULL. */
struct opening {
	struct tcmur_open open;
	struct tcmur_option_value values[4];
	char names[4][32];
};
struct wanted {
	const char *config;
	const char *const *options;
	uint64_t size;
	uint32_t block_size;
	bool read_only, existing;
	bool no_create; /* The export has no keyword create. */
};
int fake_daemon_open(struct opening *opening, const char *state_dir, struct wanted wanted);

/* Each of these runs one I/O to its end, and checks that it was completed once. */
enum tcmur_status fake_daemon_io(data_callback *callback, void *handle, struct tcmur_io *io);
enum tcmur_status fake_daemon_read(void *handle, uint64_t offset, void *data, size_t len);
enum tcmur_status fake_daemon_write(void *handle, uint64_t offset, const void *data, size_t len,
				    uint32_t flags);
enum tcmur_status fake_daemon_range(data_callback *callback, void *handle, uint64_t offset, uint64_t len,
				    uint32_t flags);

/* Fills the memory with bytes that depend on their place and on the seed. */
void fill(uint8_t *data, size_t len, unsigned seed);
bool all_zero(const uint8_t *data, size_t len);
#endif
