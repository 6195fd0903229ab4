/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops, a registry and the main thread's queue for tests of storage objects, and objects whose storage is a
 * stage.
 */
#ifndef STORAGE_FIXTURE_H
#define STORAGE_FIXTURE_H

#include "folder.h"

#include "staged.h"
#include "storage/storage.h"

extern struct storage_context context;

/* For the group, called by cmocka: load the handlers and start the loops, or undo this. */
int fixture_up(void **state);
int fixture_down(void **state);
/* For a test, called by cmocka: make a registry in an empty folder and the queue, or remove them. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);
/* Starts the daemon again: makes another registry in the same folder. */
void fixture_restart(void);

/* Runs the main thread's queue until the condition is true. A hang fails the test. */
#define run_until(condition)                                \
	do {                                                \
		time_t end_ = time(NULL) + 120;             \
		while (!(condition)) {                      \
			main_queue_wait(context.main, 20);  \
			if (time(NULL) > end_)              \
				fail_msg("%s", #condition); \
		}                                           \
	} while (0)

/* The result of a request; done_note() is the storage_done that fills it. */
struct note {
	bool is_done;
	int err;
	struct error error;
};
void done_note(void *arg, int err, const struct error *error);
/* Fails the test if the message of the error does not contain the text. */
void assert_names(const struct error *error, const char *text);

/* An object, and how often its owner was notified of changes. */
struct disk {
	struct storage *storage;
	char config[128];
	struct storage_settings settings;
	unsigned changes;
};

#define STAGE_SIZE (1u << 20)
void stage_init(struct stage *stage);
/* Makes an object that is not opened yet, with settings that the test may change. */
void disk_new(struct disk *disk, const char *name, const char *config);
void disk_new_staged(struct disk *disk, const char *name, struct stage *stage);
/* Makes user_0/a with this stage, and opens it. */
void disk_serve_staged(struct disk *disk, struct stage *stage);
/* Opens the disk and waits for the result. */
int disk_open(struct disk *disk, bool patient, struct error *error);
/* Closes the disk and waits until it is freed. */
void disk_close(struct disk *disk, bool forget);
struct storage_view view_of(const struct disk *disk);
/* Does what the handler does at the first write. */
void note_first_write(struct disk *disk);
/* Opens user_0/ram, whose contents are in memory. It has no fixed serial number if serial is NULL. */
void open_memory(struct disk *disk, const char *serial);
/* Sends a READ to the LU, and waits for the sense code of sense.h; 0 means GOOD. */
uint32_t run_read(struct storage_lu *lu);
#endif
