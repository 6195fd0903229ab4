/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared memory of one TCMU ring (target_core_user.h): checks and fetches entries, and publishes
 * completions. Everything that the kernel has written is checked before it is used.
 */
#include "ring/ring.h"

#include <errno.h>
#include <string.h>

#include "ring/uapi.h"
#include "util/bytes.h"
#include "util/contract.h"

static struct tcmu_mailbox *mailbox(const struct tcmu_ring *ring)
{
	return (struct tcmu_mailbox *)(void *)ring->map;
}

static struct tcmu_hdr *entry_at(const struct tcmu_ring *ring, uint32_t pos)
{
	return (struct tcmu_hdr *)(void *)(ring->map + ring->cmdr_off + pos);
}

static uint32_t entry_op(const struct tcmu_hdr *hdr)
{
	return hdr->len_op & TCMU_OP_MASK;
}

static uint32_t entry_len(const struct tcmu_hdr *hdr)
{
	return hdr->len_op & ~TCMU_OP_MASK;
}

static uint32_t advance(const struct tcmu_ring *ring, uint32_t pos, uint32_t len)
{
	pos += len;
	return pos == ring->cmdr_size ? 0 : pos;
}

int tcmu_ring_attach(struct tcmu_ring *ring, void *map, size_t map_len, struct error *error)
{
	*ring = (struct tcmu_ring){.map = map, .map_len = map_len};
	struct tcmu_mailbox *mb = mailbox(ring);

	if (map_len < sizeof(*mb))
		return error_set(error, EINVAL, "the mapping has %zu bytes, no room for a mailbox", map_len);
	if (mb->version != TCMU_UAPI_VERSION)
		return error_set(error, EPROTONOSUPPORT, "the ring has version %u, not %u", mb->version,
				 TCMU_UAPI_VERSION);
	if (!(mb->flags & TCMU_FLAG_OOOC))
		return error_set(error, EPROTONOSUPPORT, "the kernel cannot complete commands out of order");
	ring->flags = mb->flags;
	ring->cmdr_off = mb->cmdr_off;
	ring->cmdr_size = mb->cmdr_size;
	ring->data_off = (size_t)mb->cmdr_off + mb->cmdr_size;
	if (ring->cmdr_off < sizeof(*mb) || ring->cmdr_off % 8 || !ring->cmdr_size || ring->cmdr_size % 8 ||
	    ring->data_off > map_len)
		return error_set(error, EINVAL, "the ring at %u of %u bytes does not fit the mapping of %zu",
				 ring->cmdr_off, ring->cmdr_size, map_len);
	ring->tail = ring->fetch = ring->head = mb->cmd_tail;
	if (ring->tail >= ring->cmdr_size || ring->tail % 8)
		return error_set(error, EINVAL, "the ring's tail %u is not an entry", ring->tail);
	return 0;
}

static uint32_t load_head(const struct tcmu_ring *ring)
{
	/* Acquire: the kernel wrote the entries up to head before it wrote head. */
	return __atomic_load_n(&mailbox(ring)->cmd_head, __ATOMIC_ACQUIRE);
}

bool tcmu_ring_pending(const struct tcmu_ring *ring)
{
	return load_head(ring) != ring->fetch;
}

bool tcmu_ring_look(struct tcmu_ring *ring)
{
	ring->head = load_head(ring);
	return ring->head != ring->fetch;
}

/* Takes the iovecs of a request. Returns false if they do not lie in the data area. */
static bool take_data(const struct tcmu_ring *ring, const struct tcmu_cmd_request *cmd, uint32_t len,
		      struct tcmu_request *request)
{
	uint64_t cnt = cmd->iov_cnt;

	if (sizeof(*cmd) + (cnt + cmd->iov_bidi_cnt + cmd->iov_dif_cnt) * sizeof(cmd->iov[0]) > len)
		return false;
	for (uint32_t i = 0; i < cnt; i++) {
		const struct tcmu_uiov *iov = &cmd->iov[i];

		if (iov->base < ring->data_off || iov->base > ring->map_len ||
		    iov->len > ring->map_len - iov->base)
			return false;
		request->data_len += iov->len;
	}
	request->iov_cnt = (uint32_t)cnt;
	request->iov = cmd->iov;
	return true;
}

/*
 * Returns the length of a CDB as the kernel copies it: according to the group code (SPC-4 4.2.5.1), or the
 * kernel's own choice for the groups 3, 6 and 7.
 */
static uint32_t cdb_length(const uint8_t *cdb, uint64_t room)
{
	static const uint8_t of_group[8] = {6, 10, 10, 12, 16, 12, 10, 10};

	if (cdb[0] == 0x7f)
		return room >= 8 ? 8u + cdb[7] : 0;
	return of_group[cdb[0] >> 5];
}

/* Takes the CDB, which the kernel puts after the iovecs, inside the entry. Returns false if it is invalid. */
static bool take_cdb(const struct tcmu_ring *ring, const struct tcmu_cmd_request *cmd, uint32_t len,
		     struct tcmu_request *request)
{
	uint64_t start = (uint64_t)((const uint8_t *)cmd - ring->map);
	uint64_t off = cmd->cdb_off;

	if (off < start + sizeof(*cmd) || off >= start + len)
		return false;
	uint64_t room = start + len - off;
	request->cdb = ring->map + off;
	request->cdb_len = cdb_length(request->cdb, room);
	return request->cdb_len && request->cdb_len <= room && request->cdb_len <= SCSI_CDB_MAX;
}

static void take_command(const struct tcmu_ring *ring, const struct tcmu_hdr *hdr,
			 struct tcmu_request *request)
{
	const struct tcmu_cmd_request *cmd = (const void *)hdr;
	uint32_t len = entry_len(hdr);

	if (!take_data(ring, cmd, len, request) || !take_cdb(ring, cmd, len, request)) {
		*request = (struct tcmu_request){.op = TCMU_OP_CMD, .cmd_id = hdr->cmd_id, .malformed = true};
		return;
	}
}

static void take_tmr(const struct tcmu_hdr *hdr, struct tcmu_request *request)
{
	const struct tcmu_tmr *tmr = (const void *)hdr;
	uint64_t room = entry_len(hdr) < sizeof(*tmr) ? 0 : entry_len(hdr) - sizeof(*tmr);

	if (entry_len(hdr) < sizeof(*tmr))
		return;
	request->tmr_type = tmr->type;
	request->tmr_count = (uint32_t)MIN((uint64_t)tmr->cmd_cnt, room / sizeof(tmr->cmd_ids[0]));
	request->tmr_ids = tmr->cmd_ids;
}

/*
 * Returns whether the entry has a valid length. If an entry reached past the head or the end of the ring, or
 * into slots that are not completed yet, the daemon and then the kernel would loop forever.
 */
static bool has_valid_length(const struct tcmu_ring *ring)
{
	uint32_t head = ring->head;

	if (head >= ring->cmdr_size || head % 8)
		return false;
	const struct tcmu_hdr *hdr = entry_at(ring, ring->fetch);
	uint32_t len = entry_len(hdr);
	uint32_t room = head > ring->fetch ? head - ring->fetch : ring->cmdr_size - ring->fetch;
	uint32_t used = (ring->fetch + ring->cmdr_size - ring->tail) % ring->cmdr_size;

	if (len < sizeof(*hdr) || len > room || len >= ring->cmdr_size - used)
		return false;
	return entry_op(hdr) != TCMU_OP_CMD || len >= sizeof(struct tcmu_cmd_response);
}

/* Skips PAD and TMR slots at the tail, because they need no completion. */
static void skip_slots_without_completion(struct tcmu_ring *ring)
{
	while (ring->tail != ring->fetch && entry_op(entry_at(ring, ring->tail)) != TCMU_OP_CMD) {
		ring->tail = advance(ring, ring->tail, entry_len(entry_at(ring, ring->tail)));
		ring->dirty = true;
	}
}

int tcmu_ring_fetch(struct tcmu_ring *ring, struct tcmu_request *request)
{
	if (ring->fetch == ring->head)
		tcmu_ring_look(ring);
	while (!ring->broken && ring->fetch != ring->head) {
		if (!has_valid_length(ring)) {
			ring->broken = true;
			break;
		}
		struct tcmu_hdr *hdr = entry_at(ring, ring->fetch);

		*request = (struct tcmu_request){.op = (uint8_t)entry_op(hdr)};
		ring->fetch = advance(ring, ring->fetch, entry_len(hdr));
		switch (request->op) {
		case TCMU_OP_CMD:
			request->cmd_id = hdr->cmd_id;
			take_command(ring, hdr, request);
			ring->outstanding++;
			return 1;
		case TCMU_OP_TMR:
			take_tmr(hdr, request);
			return 1;
		case TCMU_OP_PAD:
			break;
		default:
			hdr->uflags |= TCMU_UFLAG_UNKNOWN_OP;
		}
	}
	/*
	 * If no command is outstanding, no completion would move the tail past the entries that were skipped.
	 */
	if (!ring->outstanding)
		skip_slots_without_completion(ring);
	return ring->broken ? -EPROTO : 0;
}

uint32_t tcmu_ring_iovecs(const struct tcmu_ring *ring, const struct tcmu_request *request, struct iovec *iov)
{
	for (uint32_t i = 0; i < request->iov_cnt; i++)
		iov[i] = (struct iovec){ring->map + request->iov[i].base, request->iov[i].len};
	return request->iov_cnt;
}

void tcmu_ring_complete(struct tcmu_ring *ring, const struct tcmu_response *response)
{
	skip_slots_without_completion(ring);
	contract(ring->outstanding && ring->tail != ring->fetch);

	struct tcmu_cmd_response *slot = (void *)entry_at(ring, ring->tail);
	uint32_t sense_len = MIN(response->sense_len, (uint32_t)TCMU_SENSE_LEN);

	slot->hdr.cmd_id = response->cmd_id;
	slot->hdr.uflags = 0;
	slot->scsi_status = response->scsi_status;
	slot->pad1 = 0;
	slot->pad2 = 0;
	slot->read_len = response->read_len;
	if (response->read_len && (ring->flags & TCMU_FLAG_READ_LEN))
		slot->hdr.uflags |= TCMU_UFLAG_READ_LEN;
	/* The slot still contains the request, so everything that is not sense data is cleared. */
	memset(slot->sense, 0, sizeof(slot->sense));
	if (sense_len)
		memcpy(slot->sense, response->sense, sense_len);
	ring->tail = advance(ring, ring->tail, entry_len(&slot->hdr));
	ring->outstanding--;
	ring->dirty = true;
}

bool tcmu_ring_publish(struct tcmu_ring *ring)
{
	if (!ring->outstanding)
		skip_slots_without_completion(ring);
	if (!ring->dirty)
		return false;
	/* Release: the kernel reads the slots after it has read the tail. */
	__atomic_store_n(&mailbox(ring)->cmd_tail, ring->tail, __ATOMIC_RELEASE);
	ring->dirty = false;
	return true;
}
