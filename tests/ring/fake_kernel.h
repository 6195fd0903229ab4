/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A double of what the manager knows of the kernel: netlink events and their answers, uio devices (each a
 * fake ring and a socket pair), a configfs tree in a temporary folder, module parameters. Stands in for
 * netlink.c, uio.c and parameter.c of runner/kernel.
 */
#ifndef TESTS_FAKE_KERNEL_H
#define TESTS_FAKE_KERNEL_H

#include "fake_ring.h"
#include "kernel/netlink.h"
#include "util/fd_store.h"

#define FAKE_DEVICES 48

/* A device user_0/dN with the configuration config; uio minor N. */
struct fake_device {
	struct fake_ring ring;
	char uio_name[640];
	int uio;  /* the kernel's end */
	int user; /* the other, handed out to whoever opens the device */
	bool exists, open;
	bool stuck; /* fake_device_stick() */
};

extern struct fake_device fake_devices[FAKE_DEVICES];

/* systemd's file descriptor store. */
extern const struct fd_store fake_store;
/* Descriptors that are in it. */
unsigned fake_store_count(void);
/* The next process may take what is there; returns how many the one before has not taken. */
unsigned fake_store_restart(void);
/* As when the service is stopped. */
void fake_store_discard(void);

/* Makes folder and sets TCMU_CONFIGFS to it. */
void fake_kernel_start(const char *folder);
void fake_kernel_stop(void);

/* The device in configfs and uio, enabled, but no event of it. */
struct fake_device *fake_device_make(unsigned n, const char *config, uint64_t size);
void fake_device_free(unsigned n);
/* Whoever opens or closes it from now on waits until it is stuck no more. */
void fake_device_stick(unsigned n, bool stuck);
/* A file of the device, below core/user_0/dN. */
void fake_attribute_set(unsigned n, const char *file, const char *value);
/* In place, as the kernel does, where somebody may hold the file. */
void fake_enable(unsigned n, bool on);
char *fake_attribute(unsigned n, const char *file, char value[64]);

/*
 * Sends an event of device n (the rest of it is the caller's) and does not wait. It gets a device_id, unless
 * it has one.
 */
void fake_event(unsigned n, struct tcmu_event *event);
/* The status that event was answered with; fails the test when that takes too long. */
int fake_answer(const struct tcmu_event *event);
/* Answers that were given altogether. */
unsigned fake_answers(void);
/* Whether the kernel waits for answers, or takes each for a mistake. */
void fake_kernel_waits(bool waits);

/* Whether another daemon listens for the kernel's events, too; at first none does. */
void fake_other_listener(bool listens);

/* Puts one command without data, or with in bytes of Data-In, into the ring; its id. */
int fake_send(unsigned n, const uint8_t *cdb, uint32_t cdb_len, uint64_t in);
/* Waits for its completion; its SCSI status, sense in ring. */
int fake_await(unsigned n, int id);
/* Both. */
int fake_command(unsigned n, const uint8_t *cdb, uint32_t cdb_len, uint64_t in);
#endif
