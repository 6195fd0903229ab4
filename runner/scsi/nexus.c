/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I_T_L nexuses: attaches and detaches them, and keeps their unit attentions. Other files decide which event
 * raises which unit attention, and cmd.c reports pending ones.
 */
#include "scsi/nexus.h"

#include "scsi/lu.h"
#include "scsi/reserve.h"
#include "scsi/sense.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/contract.h"

/* --- nexuses --------------------------------------------------------------------------------- */

void scsi_nexus_attach(struct scsi_nexus *nexus, struct scsi_it_nexus *it_nexus, struct scsi_lu *lu,
		       struct loop *loop)
{
	SCOPE_LOCK(&lu->lock);

	*nexus = (struct scsi_nexus){
	    .it_nexus = it_nexus,
	    .lu = lu,
	    .loop = loop,
	    .state = SCSI_UA_POWER_ON | (lu->medium_changed ? SCSI_UA_MEDIUM_CHANGED : 0),
	    .id = ++lu->last_nexus_id,
	};
	if (it_nexus)
		scsi_alua_add_port_locked(lu, it_nexus->relative_port, it_nexus->port_group);
	list_add_tail(&lu->nexuses, &nexus->node);
}

void scsi_nexus_detach(struct scsi_nexus *nexus)
{
	struct scsi_lu *lu = nexus->lu;
	SCOPE_LOCK(&lu->lock);

	contract(!nexus->unsubmitted && "the front end has dropped or submitted all commands");
	if (lu->reserved_by == nexus->id)
		scsi_reserve_clear_locked(lu);
	list_del(&nexus->node);
}

void scsi_nexus_luns_changed(struct scsi_nexus *nexus)
{
	scsi_ua_raise(nexus, SCSI_UA_LUNS_CHANGED);
}

void scsi_nexus_luns_reported(struct scsi_nexus *nexus)
{
	scsi_ua_clear(nexus, SCSI_UA_LUNS_CHANGED);
}

void scsi_nexus_set_write_protected(struct scsi_nexus *nexus, bool on)
{
	uint32_t old = atomic_load_explicit(&nexus->state, memory_order_relaxed), state;

	do {
		if (on == !!(old & SCSI_NEXUS_WRITE_PROTECTED))
			return;
		state = old ^ SCSI_NEXUS_WRITE_PROTECTED;
		if (!(old & SCSI_UA_POWER_ON))
			state |= SCSI_UA_MODE_CHANGED;
	} while (!atomic_compare_exchange_weak_explicit(&nexus->state, &old, state, memory_order_release,
							memory_order_relaxed));
}

/* --- unit attentions ------------------------------------------------------------------------- */

/* By bit number of enum scsi_ua. */
static const uint32_t codes[] = {
    SENSE_CODE(SENSE_UNIT_ATTENTION, 0x29, 0x00), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x29, 0x03),
    SENSE_CODE(SENSE_UNIT_ATTENTION, 0x3f, 0x0e), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x28, 0x00),
    SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2f, 0x00), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x09),
    SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x01), SENSE_CODE(SENSE_UNIT_ATTENTION, 0x2a, 0x06),
    SENSE_CODE(SENSE_UNIT_ATTENTION, 0x3f, 0x03),
};

void scsi_ua_raise(struct scsi_nexus *nexus, enum scsi_ua ua)
{
	/* Release: a thread that sees the unit attention must also see the change that it announces. */
	atomic_fetch_or_explicit(&nexus->state, (uint32_t)ua, memory_order_release);
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

void scsi_ua_raise_all_locked(struct scsi_lu *lu, enum scsi_ua ua)
{
	scsi_ua_raise_others_locked(lu, NULL, ua);
}

void scsi_ua_raise_all(struct scsi_lu *lu, enum scsi_ua ua)
{
	SCOPE_LOCK(&lu->lock);

	scsi_ua_raise_all_locked(lu, ua);
}

uint32_t scsi_ua_peek(const struct scsi_nexus *nexus)
{
	uint32_t pending = atomic_load_explicit(&nexus->state, memory_order_acquire) & SCSI_NEXUS_UA;

	return pending ? codes[__builtin_ctz(pending)] : SENSE_NONE;
}

void scsi_ua_clear(struct scsi_nexus *nexus, enum scsi_ua ua)
{
	atomic_fetch_and_explicit(&nexus->state, ~(uint32_t)ua, memory_order_relaxed);
}

uint32_t scsi_ua_pop(struct scsi_nexus *nexus)
{
	uint32_t pending = atomic_load_explicit(&nexus->state, memory_order_acquire) & SCSI_NEXUS_UA;

	if (!pending)
		return SENSE_NONE;
	scsi_ua_clear(nexus, (enum scsi_ua)(pending & -pending));
	return codes[__builtin_ctz(pending)];
}
