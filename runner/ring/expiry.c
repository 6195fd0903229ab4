/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends the commands of a ring before the kernel's command time-out: estimates how old a command in the ring
 * can be, and cancels commands that take too long. README.md explains why. runner/scsi does the cancelling.
 */
#include "ring/expiry.h"

#include "ring/task.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/counter.h"
#include "util/log.h"

#define WARNING_PAUSE_NS (30ull * NS_PER_S) /* The least time between two log lines about one device. */

static uint64_t beat_ns(const struct tcmu_expiry *expiry)
{
	return expiry->time_out_ns / 8;
}

static uint64_t limit_ns(const struct tcmu_expiry *expiry)
{
	return 5 * beat_ns(expiry);
}

void tcmu_expiry_init(struct tcmu_device *device, uint64_t since_ns)
{
	struct tcmu_expiry *expiry = &device->expiry;

	expiry->since_ns = expiry->mark_ns = since_ns;
	expiry->mark_left = 0;
	expiry->seen_fetch = device->ring.fetch;
}

/* --- how old the commands in the ring can be --- */

static uint32_t distance(const struct tcmu_ring *ring, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : ring->cmdr_size - (from - to);
}

static void move_mark(struct tcmu_expiry *expiry, const struct tcmu_ring *ring, uint64_t now_ns)
{
	/*
	 * Less than the whole ring is fetched between two looks, because the space of fetched entries is free
	 * only after the end of the turn.
	 */
	uint32_t fetched = distance(ring, expiry->seen_fetch, ring->fetch);

	expiry->seen_fetch = ring->fetch;
	expiry->mark_left -= MIN(fetched, expiry->mark_left);
	if (expiry->mark_left)
		return;
	expiry->mark_left = distance(ring, ring->fetch, ring->head);
	expiry->since_ns = expiry->mark_left ? expiry->mark_ns : now_ns;
	expiry->mark_ns = now_ns;
}

/* --- commands that take too long --- */

static void expire_commands(struct tcmu_device *device, uint64_t now_ns)
{
	struct tcmu_expiry *expiry = &device->expiry;
	struct list *node, *tmp;

	/* The list is in the order of arrival, which is also the order of deadlines. */
	list_for_each (&device->inflight, node, tmp) {
		struct tcmu_task *task = list_entry(node, struct tcmu_task, node);

		if (task->deadline_ns > now_ns)
			break;
		if (!task->deadline_ns) /* This command arrived before there was a time-out. */
			continue;
		list_del(node);
		list_add_tail(&expiry->expired, node);
		counter_add(&expiry->nexpired, 1);
		scsi_expire(&task->cmd);
	}
}

/*
 * Is called one beat after the commands were cancelled. Commands that have not ended by then are waiting for
 * the storage.
 */
static void warn_about_hanging_commands(struct tcmu_device *device, uint64_t now_ns)
{
	struct tcmu_expiry *expiry = &device->expiry;
	unsigned n = 0;
	struct list *node, *tmp;

	if (list_empty(&expiry->expired)) {
		if (expiry->next_warning_ns)
			log_info(device->name, "the storage answers again");
		expiry->next_warning_ns = 0;
		return;
	}
	if (now_ns < expiry->next_warning_ns)
		return;
	expiry->next_warning_ns = now_ns + WARNING_PAUSE_NS;
	list_for_each (&expiry->expired, node, tmp)
		n++;
	const struct tcmu_task *oldest = list_entry(expiry->expired.next, struct tcmu_task, node);

	log_warn(device->name, "the storage has not answered for %llu s; expired commands: %u",
		 (unsigned long long)((now_ns - oldest->deadline_ns + limit_ns(expiry)) / NS_PER_S), n);
}

/* --- each look at the ring --- */

bool tcmu_expiry_look(struct tcmu_device *device)
{
	struct tcmu_expiry *expiry = &device->expiry;

	if (!expiry->time_out_ns)
		return true;
	uint64_t now_ns = loop_pulse_now_ns(device->loop);

	expire_commands(device, now_ns);
	move_mark(expiry, &device->ring, now_ns);
	expiry->deadline_ns = expiry->since_ns + limit_ns(expiry);
	bool refuse = expiry->deadline_ns <= now_ns && device->ring.fetch != device->ring.head;

	if (refuse && !expiry->refusing)
		log_warn(device->name, "the daemon did not look at the ring for too long; commands that wait "
				       "there are answered BUSY");
	expiry->refusing = refuse;
	return !refuse;
}

static void on_beat(struct loop_pulse *pulse)
{
	struct tcmu_device *device = container_of(pulse, struct tcmu_device, expiry.pulse);

	warn_about_hanging_commands(device, loop_pulse_now_ns(device->loop));
	tcmu_ring_look(&device->ring);
	tcmu_expiry_look(device);
}

int tcmu_expiry_start(struct tcmu_device *device)
{
	struct tcmu_expiry *expiry = &device->expiry;
	uint64_t time_out_ns = MIN(device->time_out, (uint64_t)UINT32_MAX) * NS_PER_S;

	if (expiry->running && time_out_ns == expiry->time_out_ns)
		return 0;
	/*
	 * The age of the commands in the ring is counted from now if the ring is empty, or if commands could
	 * not expire until now, so that nobody recorded when they arrived.
	 */
	if (!tcmu_ring_look(&device->ring) || (device->registered && !expiry->time_out_ns))
		tcmu_expiry_init(device, clock_now_ns());
	tcmu_expiry_stop(device);
	expiry->time_out_ns = time_out_ns;
	expiry->deadline_ns = 0;
	if (!time_out_ns)
		return 0;
	expiry->pulse.fn = on_beat;
	int err = loop_pulse_start(device->loop, &expiry->pulse, beat_ns(expiry));

	expiry->running = !err;
	return err;
}

void tcmu_expiry_stop(struct tcmu_device *device)
{
	if (device->expiry.running)
		loop_pulse_stop(&device->expiry.pulse);
	device->expiry.running = false;
}
