/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fake of those parts of the kernel that the manager uses: netlink events and their answers, UIO devices
 * (each is a fake ring and a socket pair), a configfs tree in a temporary folder, and module parameters. It
 * replaces netlink.c, uio.c and parameter.c of runner/kernel.
 */
#ifndef TESTS_FAKE_KERNEL_H
#define TESTS_FAKE_KERNEL_H

#include "fake_ring.h"
#include "kernel/netlink.h"
#include "util/fd_store.h"

#define FAKE_DEVICES 48

/* The device user_0/dN with the configuration config and the UIO minor number N. */
struct fake_device {
	struct fake_ring ring;
	char uio_name[640];
	int uio;  /* The kernel's end of the socket pair. */
	int user; /* The other end. A process that opens the device gets this end. */
	bool exists, open;
	bool stuck; /* Set by fake_device_stick(). */
};

extern struct fake_device fake_devices[FAKE_DEVICES];

/* A fake of systemd's file descriptor store. */
extern const struct fd_store fake_store;
/* Returns the number of descriptors in the store. */
unsigned fake_store_count(void);
/*
 * Offers the descriptors in the store to the next process. Returns the number of those that the previous
 * process has not taken.
 */
unsigned fake_store_restart(void);
/* Drops all descriptors, as when the service is stopped. */
void fake_store_discard(void);

/* Makes the folder and sets TCMU_CONFIGFS to it. */
void fake_kernel_start(const char *folder);
void fake_kernel_stop(void);

/* Makes a device in configfs and UIO, and enables it, but sends no event. */
struct fake_device *fake_device_make(unsigned n, const char *config, uint64_t size);
void fake_device_free(unsigned n);
/* While a device is stuck, each thread that opens or closes it waits. */
void fake_device_stick(unsigned n, bool stuck);
/* Sets a file of the device, below core/user_0/dN. */
void fake_attribute_set(unsigned n, const char *file, const char *value);
/* Changes the attribute in place, as the kernel does, because the manager may have the file open. */
void fake_enable(unsigned n, bool on);
char *fake_attribute(unsigned n, const char *file, char value[64]);

/*
 * Sends an event of device n and does not wait. The caller fills in the rest of the event. The event gets a
 * device_id unless it has one.
 */
void fake_event(unsigned n, struct tcmu_event *event);
/* Waits for the answer to the event and returns its status. Fails the test if that takes too long. */
int fake_answer(const struct tcmu_event *event);
/* Returns the number of all answers so far. */
unsigned fake_answers(void);
/* Sets whether the kernel waits for answers. If it does not, an answer fails the test. */
void fake_kernel_waits(bool waits);

/* Sets whether another daemon also listens for the kernel's events. At first none does. */
void fake_other_listener(bool listens);

/* Puts a command into the ring, without data or with in bytes of Data-In. Returns its ID. */
int fake_send(unsigned n, const uint8_t *cdb, uint32_t cdb_len, uint64_t in);
/* Waits for the completion. Returns the SCSI status; the sense data is in the ring. */
int fake_await(unsigned n, int id);
/* Sends a command and waits for its completion. */
int fake_command(unsigned n, const uint8_t *cdb, uint32_t cdb_len, uint64_t in);
#endif
