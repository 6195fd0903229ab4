/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's side of a TCMU ring: writes entries and reads completions. */
#include "fake_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define CMDR_OFF 128u

static struct tcmu_mailbox *mailbox(struct fake_ring *ring)
{
	return (void *)ring->map;
}

static uint32_t ring_size(struct fake_ring *ring)
{
	return mailbox(ring)->cmdr_size;
}

static struct tcmu_hdr *at(struct fake_ring *ring, uint32_t pos)
{
	return (void *)(ring->map + CMDR_OFF + pos);
}

void fake_ring_init(struct fake_ring *ring, uint32_t size, size_t data_size, uint16_t flags)
{
	memset(ring, 0, sizeof(*ring));
	ring->data_off = CMDR_OFF + size;
	ring->map_len = ring->data_off + data_size;
	ring->fd = memfd_create("fake_ring", MFD_CLOEXEC);
	assert_true(ring->fd >= 0);
	assert_int_equal(ftruncate(ring->fd, (off_t)ring->map_len), 0);
	ring->map = mmap(NULL, ring->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	assert_ptr_not_equal(ring->map, MAP_FAILED);
	*mailbox(ring) = (struct tcmu_mailbox){
	    .version = TCMU_UAPI_VERSION, .flags = flags, .cmdr_off = CMDR_OFF, .cmdr_size = size};
}

void fake_ring_free(struct fake_ring *ring)
{
	munmap(ring->map, ring->map_len);
	close(ring->fd);
}

static uint32_t free_bytes(struct fake_ring *ring)
{
	uint32_t used = (ring->head + ring_size(ring) - ring->tail) % ring_size(ring);

	return ring_size(ring) - used - 1;
}

static void move_head(struct fake_ring *ring, uint32_t len)
{
	ring->head = (ring->head + len) % ring_size(ring);
	__atomic_store_n(&mailbox(ring)->cmd_head, ring->head, __ATOMIC_RELEASE);
}

/*
 * Makes room for one entry. If it does not fit before the end of the ring, a PAD entry fills the space
 * there.
 */
static struct tcmu_hdr *reserve(struct fake_ring *ring, uint32_t len)
{
	uint32_t to_end = ring_size(ring) - ring->head;

	if (len > to_end) {
		if (free_bytes(ring) < to_end + len)
			return NULL;
		*at(ring, ring->head) = (struct tcmu_hdr){.len_op = to_end | TCMU_OP_PAD};
		move_head(ring, to_end);
	}
	if (free_bytes(ring) < len)
		return NULL;
	memset(at(ring, ring->head), 0, len);
	return at(ring, ring->head);
}

static int new_id(struct fake_ring *ring)
{
	for (int id = 1; id < FAKE_IDS; id++)
		if (!ring->in_flight[id])
			return id;
	return -1;
}

int fake_ring_put(struct fake_ring *ring, const uint8_t *cdb, uint32_t cdb_len, const struct tcmu_uiov *iov,
		  uint32_t iov_cnt)
{
	uint32_t base = (uint32_t)(sizeof(struct tcmu_cmd_request) + iov_cnt * sizeof(*iov));
	uint32_t len;
	int id = new_id(ring);

	if (base < sizeof(struct tcmu_cmd_response))
		base = sizeof(struct tcmu_cmd_response);
	len = base + (cdb_len + 7) / 8 * 8;
	struct tcmu_cmd_request *cmd = id < 0 ? NULL : (void *)reserve(ring, len);
	if (!cmd)
		return -1;
	cmd->hdr.len_op = len | TCMU_OP_CMD;
	cmd->hdr.cmd_id = (uint16_t)id;
	cmd->iov_cnt = iov_cnt;
	for (uint32_t i = 0; i < iov_cnt; i++)
		cmd->iov[i] = (struct tcmu_uiov){ring->data_off + iov[i].base, iov[i].len};
	cmd->cdb_off = (uint64_t)((uint8_t *)cmd - ring->map) + base;
	memcpy(ring->map + cmd->cdb_off, cdb, cdb_len);
	ring->in_flight[id] = true;
	move_head(ring, len);
	return id;
}

bool fake_ring_put_tmr(struct fake_ring *ring, uint8_t type, const uint16_t *ids, uint32_t count)
{
	uint32_t len = (uint32_t)(sizeof(struct tcmu_tmr) + count * sizeof(*ids) + 7) / 8 * 8;
	struct tcmu_tmr *tmr = (void *)reserve(ring, len);

	if (!tmr)
		return false;
	tmr->hdr.len_op = len | TCMU_OP_TMR;
	tmr->type = type;
	tmr->cmd_cnt = count;
	for (uint32_t i = 0; i < count; i++)
		tmr->cmd_ids[i] = ids[i];
	move_head(ring, len);
	return true;
}

void *fake_ring_put_raw(struct fake_ring *ring, uint32_t len_op, uint32_t len)
{
	struct tcmu_hdr *hdr = reserve(ring, len);

	assert_non_null(hdr);
	hdr->len_op = len_op;
	move_head(ring, len);
	return hdr;
}

static void complete(struct fake_ring *ring, const struct tcmu_cmd_response *rsp)
{
	uint16_t id = rsp->hdr.cmd_id;

	/* In the real kernel, an ID that is not in flight makes the ring unusable. */
	assert_uint_in_range(id, 1, FAKE_IDS - 1);
	assert_true(ring->in_flight[id]);
	ring->in_flight[id] = false;
	ring->status[id] = rsp->scsi_status;
	ring->sense_key[id] = rsp->sense[2] & 0xf;
	ring->read_len[id] = rsp->hdr.uflags & TCMU_UFLAG_READ_LEN ? rsp->read_len : 0;
	ring->completions++;
}

unsigned fake_ring_reap(struct fake_ring *ring)
{
	uint32_t tail = __atomic_load_n(&mailbox(ring)->cmd_tail, __ATOMIC_ACQUIRE);
	unsigned before = ring->completions;

	assert_true(tail < ring_size(ring));
	while (ring->tail != tail) {
		struct tcmu_hdr *hdr = at(ring, ring->tail);
		uint32_t len = hdr->len_op & ~TCMU_OP_MASK;

		/* If the tail is not at the start of an entry, the real kernel loops here for ever. */
		assert_int_not_equal(ring->tail, ring->head);
		assert_true(len >= sizeof(*hdr));
		if ((hdr->len_op & TCMU_OP_MASK) == TCMU_OP_CMD)
			complete(ring, (void *)hdr);
		ring->tail = (ring->tail + len) % ring_size(ring);
	}
	return ring->completions - before;
}

bool fake_ring_idle(const struct fake_ring *ring)
{
	return ring->tail == ring->head;
}
