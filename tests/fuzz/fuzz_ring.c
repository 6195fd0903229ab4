/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the TCMU ring. The input is a script of what the kernel's side does, by its rules or not (entries of
 * any bytes, a head anywhere), and of when the daemon fetches, completes and publishes. These are checked:
 * memory that a request points to can be read, and its data lies in the data area; the tail stays inside the
 * ring; each command can be completed; and as long as the kernel has kept its rules, each of its commands is
 * completed once, in a ring that the kernel can walk.
 */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_ring.h"
#include "fuzz.h"
#include "input.h"
#include "ring/ring.h"

#define RING_SIZE 2048u
#define DATA_SIZE 8192u
/* The largest number of commands that are fetched and not completed; the ring has room for fewer. */
#define IDS 512

struct fuzz {
	struct input in;
	struct fake_ring kernel;
	struct tcmu_ring ring;
	bool rules_kept; /* The kernel has kept its rules so far. */
	uint16_t ids[IDS];
	unsigned nids;
	unsigned put;
};

static struct fuzz f;
static volatile uint8_t sink;

/* --- the kernel's side ------------------------------------------------------------------------ */

static void put_command(void)
{
	uint8_t cdb[SCSI_CDB_MAX] = {0};
	struct tcmu_uiov iov[8];
	uint32_t cdb_len = 1u + take16(&f.in) % (sizeof(cdb) - 1), n = take(&f.in) % 8u;

	take_bytes(&f.in, cdb, take(&f.in) % 33u);
	for (uint32_t i = 0; i < n; i++) {
		iov[i].base = take16(&f.in);
		iov[i].len = take16(&f.in);
		if (iov[i].base == UINT16_MAX)
			iov[i].base = UINT64_MAX - iov[i].len;
	}
	f.put += fake_ring_put(&f.kernel, cdb, cdb_len, iov, n) > 0;
}

static void put_tmr(void)
{
	uint16_t ids[16];
	uint32_t n = take(&f.in) % 16u;

	for (uint32_t i = 0; i < n; i++)
		ids[i] = take16(&f.in);
	fake_ring_put_tmr(&f.kernel, take(&f.in), ids, n);
}

/*
 * Writes any bytes where the daemon has not fetched yet (the kernel does not change what has been fetched),
 * and sets the head to any place nearby.
 */
static void corrupt(void)
{
	uint8_t bytes[256];
	uint32_t used = (f.ring.fetch + RING_SIZE - f.ring.tail) % RING_SIZE;
	uint32_t at = take16(&f.in) % (RING_SIZE - used);
	size_t n = take_bytes(&f.in, bytes, take(&f.in));
	struct tcmu_mailbox *mailbox = (void *)f.kernel.map;

	f.rules_kept = false;
	for (size_t i = 0; i < MIN(n, RING_SIZE - used - at); i++)
		f.kernel.map[mailbox->cmdr_off + (f.ring.fetch + at + i) % RING_SIZE] = bytes[i];
	mailbox->cmd_head = take16(&f.in) * (take(&f.in) & 1 ? 1u : 8u) % (RING_SIZE + 16);
}

/* --- the daemon's side --- */

static void check_readable(const uint8_t *bytes, size_t len)
{
	assert(bytes >= f.ring.map && len <= f.ring.map_len - (size_t)(bytes - f.ring.map));
	for (size_t i = 0; i < len; i++)
		sink = bytes[i];
}

static void check_request(const struct tcmu_request *request)
{
	static struct iovec iov[RING_SIZE];
	uint64_t total = 0;

	if (request->op == TCMU_OP_TMR) {
		if (request->tmr_count)
			check_readable((const uint8_t *)request->tmr_ids,
				       request->tmr_count * sizeof(*request->tmr_ids));
		return;
	}
	assert(request->op == TCMU_OP_CMD);
	if (request->malformed)
		return;
	check_readable(request->cdb, request->cdb_len);
	assert(tcmu_ring_iovecs(&f.ring, request, iov) == request->iov_cnt);
	for (uint32_t i = 0; i < request->iov_cnt; i++) {
		assert((uint8_t *)iov[i].iov_base >= f.ring.map + f.ring.data_off);
		check_readable(iov[i].iov_base, iov[i].iov_len);
		total += iov[i].iov_len;
	}
	assert(total == request->data_len);
}

static void fetch(unsigned most)
{
	struct tcmu_request request;

	while (most-- && tcmu_ring_fetch(&f.ring, &request) == 1) {
		check_request(&request);
		if (request.op == TCMU_OP_CMD) {
			assert(f.nids < IDS);
			f.ids[f.nids++] = request.cmd_id;
		}
	}
	assert(f.ring.outstanding == f.nids);
	assert(!f.rules_kept || !f.ring.broken);
}

/* Completes commands in any order. */
static void complete(unsigned which)
{
	static const uint8_t sense[TCMU_SENSE_LEN] = {0x70, 0, 5};
	struct tcmu_response response = {.sense = sense};

	if (!f.nids)
		return;
	which %= f.nids;
	response.cmd_id = f.ids[which];
	f.ids[which] = f.ids[--f.nids];
	response.sense_len = take(&f.in);
	response.scsi_status = response.sense_len ? 2 : 0;
	response.read_len = take16(&f.in);
	tcmu_ring_complete(&f.ring, &response);
}

static void publish(void)
{
	tcmu_ring_publish(&f.ring);
	assert(f.ring.tail < RING_SIZE && f.ring.tail % 8 == 0);
	if (f.rules_kept)
		fake_ring_reap(&f.kernel);
}

static void complete_all(void)
{
	fetch(IDS);
	while (f.nids)
		complete(0);
	publish();
	if (f.rules_kept) {
		assert(f.kernel.completions == f.put);
		assert(fake_ring_idle(&f.kernel));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	f = (struct fuzz){.in = {data, size}, .rules_kept = true};
	fake_ring_init(&f.kernel, RING_SIZE, DATA_SIZE, TCMU_FLAG_OOOC | (take(&f.in) & 6));
	assert(tcmu_ring_attach(&f.ring, f.kernel.map, f.kernel.map_len, NULL) == 0);
	while (f.in.left) {
		switch (take(&f.in) % 8) {
		case 0:
			if (f.rules_kept)
				put_tmr();
			break;
		case 1:
			corrupt();
			break;
		case 2:
			fetch(1);
			break;
		case 3:
			fetch(IDS);
			break;
		case 4:
			complete(take(&f.in));
			break;
		case 5:
			publish();
			break;
		default:
			if (f.rules_kept)
				put_command();
		}
	}
	complete_all();
	fake_ring_free(&f.kernel);
	return 0;
}
