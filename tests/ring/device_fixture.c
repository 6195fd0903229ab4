/* SPDX-License-Identifier: Apache-2.0 */
/* A TCMU device with a fake ring and a backstore, for tests of runner/ring. */
#include "device_fixture.h"
#include "util/clock.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void set_flag(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

void wait_flag(const bool *flag)
{
	const struct timespec ms = {0, 1000000};

	for (int i = 0; i < 60000 && !__atomic_load_n(flag, __ATOMIC_ACQUIRE); i++)
		nanosleep(&ms, NULL);
	assert_true(__atomic_load_n(flag, __ATOMIC_ACQUIRE));
}

static void on_stopped(struct tcmu_device *device)
{
	set_flag(&((struct fixture *)device->owner)->stopped);
}

static void on_gone(struct tcmu_device *device)
{
	set_flag(&((struct fixture *)device->owner)->gone);
}

void fixture_set_up(struct fixture *w, const char *folder, const char *config, unsigned npool)
{
	const struct loop_options loops = {.nloops = 1, .npool = npool};
	const struct backstore_spec spec = {
	    .name = config, .config = config, .state_dir = "/", .size = 1 << 20};
	const struct scsi_identity identity = {.serial = "0123456789abcdef"};
	int sockets[2];

	memset(w, 0, sizeof(*w));
	assert_true(backstore_load_handlers(folder, NULL) > 0);
	assert_int_equal(loop_set_start(&w->set, &loops, NULL), 0);
	w->bs = backstore_open(&w->set, &spec, NULL);
	assert_non_null(w->bs);
	w->lu = scsi_lu_new(&w->set, w->bs, &identity, NULL);
	assert_non_null(w->lu);
	fake_ring_init(&w->ring, 4096, 64 * PAGE, TCMU_FLAG_OOOC | TCMU_FLAG_READ_LEN | TCMU_FLAG_TMR);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets), 0);
	w->uio = sockets[0];
	w->device = (struct tcmu_device){.name = "user_0/t",
					 .loop = w->set.loops[0],
					 .fd = sockets[1],
					 .lu = w->lu,
					 .on_gone = on_gone,
					 .on_stopped = on_stopped,
					 .owner = w};
	assert_int_equal(tcmu_ring_attach(&w->device.ring, w->ring.map, w->ring.map_len, NULL), 0);
	tcmu_expiry_init(&w->device, clock_now_ns());
}

void fixture_stop(struct fixture *w)
{
	tcmu_device_stop(&w->device);
	wait_flag(&w->stopped);
}

void fixture_tear_down(struct fixture *w)
{
	if (!w->stopped)
		fixture_stop(w);
	close(w->device.fd);
	close(w->uio);
	fake_ring_free(&w->ring);
	scsi_lu_free(w->lu);
	backstore_close(w->bs);
	loop_set_stop(&w->set);
	backstore_unload_handlers();
}

void wake(struct fixture *w)
{
	const uint32_t event = 1;
	uint32_t unread[1024];

	/* The device does not read the descriptor, because its watch is edge-triggered. */
	while (write(w->uio, &event, sizeof(event)) < 0)
		assert_true(read(w->device.fd, unread, sizeof(unread)) > 0);
}

void wait_completions(struct fixture *w, unsigned n)
{
	unsigned target = w->ring.completions + n;
	struct pollfd pfd = {.fd = w->uio, .events = POLLIN};
	uint32_t bell[64];

	while (w->ring.completions < target) {
		assert_int_equal(poll(&pfd, 1, 60000), 1);
		ssize_t got = read(w->uio, bell, sizeof(bell));
		assert_true(got > 0 && got % 4 == 0);
		fake_ring_reap(&w->ring);
	}
	assert_int_equal(w->ring.completions, target);
}

uint8_t *data(struct fixture *w, unsigned page)
{
	return w->ring.map + w->ring.data_off + (size_t)page * PAGE;
}

int put(struct fixture *w, const uint8_t *cdb, uint32_t cdb_len, uint64_t page, uint64_t len)
{
	const struct tcmu_uiov iov = {page * PAGE, len};
	int id = fake_ring_put(&w->ring, cdb, cdb_len, &iov, len ? 1 : 0);

	assert_true(id > 0);
	return id;
}

int run(struct fixture *w, const uint8_t *cdb, uint32_t cdb_len, uint64_t page, uint64_t len)
{
	int id = put(w, cdb, cdb_len, page, len);

	wake(w);
	wait_completions(w, 1);
	return id;
}

void rw10(uint8_t cdb[10], uint8_t opcode, uint32_t lba, uint16_t nblocks)
{
	memset(cdb, 0, 10);
	cdb[0] = opcode;
	put_be32(cdb + 2, lba);
	put_be16(cdb + 7, nblocks);
}
