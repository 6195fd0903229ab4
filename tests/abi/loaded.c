/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a handler into a program as the daemon does, for the tests of the binary interface. */
#include "loaded.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tcmur_handler loaded;
struct tcmur_lun *changed_lun;
struct tcmur_scsi *scsi_done;
uint8_t scsi_status;

/*
 * The fake daemon needs this function. The handler's own function has the same name, and is found in the
 * handler's file.
 */
struct tcmur_handler *tcmur_handler_entry(void)
{
	return &loaded;
}

void load_handler(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	struct tcmur_handler *(*entry)(void);
	const struct tcmur_handler *theirs;

	if (library)
		*(void **)&entry = dlsym(library, "tcmur_handler_entry");
	if (!library || !entry) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	theirs = entry();
	/* The handler's structure may be older and end earlier, or newer and end later. */
	memcpy(&loaded, theirs, theirs->struct_size < sizeof(loaded) ? theirs->struct_size : sizeof(loaded));
}

/* --- functions of the daemon that fake_daemon.h does not have --- */

void tcmur_queue_poll(struct tcmur_queue *queue, struct tcmur_op *op, int fd, uint32_t events)
{
	struct pollfd pollfd = {.fd = fd, .events = (short)events};

	(void)queue;
	op->done(op, poll(&pollfd, 1, -1) < 0 ? -errno : pollfd.revents);
}

int tcmur_parse_size(const char *text, uint64_t *bytes)
{
	char *end;

	*bytes = strtoull(text, &end, 10);
	if (*end == 'K') {
		*bytes *= 1024;
		end++;
	}
	return end == text || *end != '\0' ? -EINVAL : 0;
}

void tcmur_lun_changed(struct tcmur_lun *lun)
{
	changed_lun = lun;
}

void tcmur_scsi_complete(struct tcmur_scsi *cmd, uint8_t status)
{
	scsi_done = cmd;
	scsi_status = status;
}
