/* SPDX-License-Identifier: Apache-2.0 */
#include "scsi/ua.h"

#include "scsi/lu.h"
#include "scsi/sense.h"
#include "util/bytes.h"
#include "util/cleanup.h"

/* By bit number of enum scsi_ua. */
static const uint32_t codes[] = {
    SENSE_CODE(SENSE_UNIT_ATTENTION, 0x29, 0x00), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x29, 0x03),
    SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2f, 0x00), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x09),
    SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x01), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x06),
    SENSE_CODE(SENSE_UNIT_ATTENTION, 0x3f, 0x03), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x28, 0x00),
};

void scsi_ua_raise(struct scsi_nexus *nexus, enum scsi_ua ua)
{
	/* Release: what the attention tells about is in place for whoever sees it. */
	__atomic_fetch_or(&nexus->ua_pending, (uint32_t)ua, __ATOMIC_RELEASE);
}

void scsi_ua_raise_others_locked(struct scsi_lu *lu, const struct scsi_nexus *except, enum scsi_ua ua)
{
	struct list *node, *tmp;

	list_for_each (&lu->nexuses, node, tmp) {
		struct scsi_nexus *nexus = list_entry(node, struct scsi_nexus, node);

		if (nexus != except)
			scsi_ua_raise(nexus, ua);
	}
}

void scsi_ua_raise_others(struct scsi_lu *lu, const struct scsi_nexus *except, enum scsi_ua ua)
{
	SCOPE_LOCK(&lu->lock);

	scsi_ua_raise_others_locked(lu, except, ua);
}

uint32_t scsi_ua_peek(const struct scsi_nexus *nexus)
{
	uint32_t pending = __atomic_load_n(&nexus->ua_pending, __ATOMIC_ACQUIRE);

	return pending ? codes[__builtin_ctz(pending)] : SENSE_NONE;
}

uint32_t scsi_ua_take(struct scsi_nexus *nexus)
{
	uint32_t pending = __atomic_load_n(&nexus->ua_pending, __ATOMIC_ACQUIRE);

	if (!pending)
		return SENSE_NONE;
	__atomic_fetch_and(&nexus->ua_pending, ~(pending & -pending), __ATOMIC_RELAXED);
	return codes[__builtin_ctz(pending)];
}
