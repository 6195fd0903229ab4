/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the device server together with the real backstore: range lock, chains, splitting, emulation,
 * cancellation and resize. The input is a script: the properties of the storage, and then events on three
 * nexuses of two loops: commands, Data-Out that comes late or never, ends and failures of I/O, jobs of the
 * pool, resizes, time-outs, task management, and nexuses that are added and removed. These are checked: each
 * command completes once; the commands that a task management function waits for have ended when it is
 * answered; a command that is submitted after a reset is aborted; no more data is reported than there is; and
 * everything that the layers and the sanitizers check. fuzz_cdb.c reaches more CDBs and errors, with a fake
 * instead of the backstore.
 */
#include <assert.h>
#include <stdlib.h>

#include "fakes.h"
#include "fuzz.h"
#include "fuzz_storage.h"
#include "input.h"
#include "util/iov.h"
#include "util/log.h"

#define NLOOPS     2
#define NEXUSES    3
#define SLOTS      8           /* The number of commands at the same time. */
#define GATHER_MAX (64u << 10) /* A command that needs more Data-Out gets none, and is refused. */

enum slot_state { SLOT_FREE, SLOT_GATHERING, SLOT_SUBMITTED };

struct slot {
	struct fake_cmd c;
	enum slot_state state;
	/* A reset came while the command was waiting for its data. */
	bool stale;
	/* The task management function waits for the command. */
	bool awaited;
};

struct fuzz {
	struct input in;
	struct backstore *bs;
	struct scsi_lu *lu;
	struct scsi_it_nexus it_nexus;
	struct scsi_nexus nexus[NEXUSES];
	struct slot slots[SLOTS];
	struct scsi_tmf tmf;
	bool tmf_running;
};

static struct fuzz f;

static struct loop *loop_of(unsigned nexus)
{
	return fake_loop(nexus % NLOOPS);
}

static uint32_t report_luns(struct scsi_it_nexus *it_nexus, uint8_t (*luns)[8], uint32_t max)
{
	(void)it_nexus;
	if (max)
		memset(luns[0], 0, sizeof(luns[0]));
	return 1;
}

/* --- commands -------------------------------------------------------------------------------- */

static bool in_flight(const struct slot *slot)
{
	return slot->state == SLOT_SUBMITTED && !slot->c.done;
}

static void free_slot(struct slot *slot)
{
	fake_cmd_free(&slot->c);
	slot->state = SLOT_FREE;
	slot->stale = slot->awaited = false;
}

static void check_slot(struct slot *slot)
{
	const struct scsi_cmd *cmd = &slot->c.cmd;

	assert(slot->c.done == 1);
	assert(cmd->data_in_len <= iov_total(cmd->iov, cmd->iovcnt));
	assert(cmd->sense_len <= SCSI_SENSE_MAX);
	assert(!cmd->aborted || cmd->status == SCSI_TASK_ABORTED);
	assert(!cmd->no_response || cmd->aborted);
	assert((cmd->status == SCSI_CHECK_CONDITION) == (cmd->sense_len != 0));
	free_slot(slot);
}

static void submit(struct slot *slot)
{
	struct scsi_cmd *cmd = &slot->c.cmd;
	uint64_t len = cmd->gather_len <= GATHER_MAX ? cmd->gather_len : 0;

	if (len) {
		slot->c.buffer = malloc(len);
		assert(slot->c.buffer);
		memset(slot->c.buffer, take(&f.in), len);
		take_bytes(&f.in, slot->c.buffer, MIN(len, 24));
		slot->c.iov[0] = (struct iovec){slot->c.buffer, len};
		cmd->iov = slot->c.iov;
		cmd->iovcnt = 1;
		cmd->data_out_len = len;
	}
	slot->state = SLOT_SUBMITTED;
	fake_loop_enter(cmd->loop);
	scsi_submit(cmd);
	fake_loop_enter(fake_loop(0));
	assert(!slot->stale || (slot->c.done == 1 && cmd->aborted));
}

static void drop(struct slot *slot)
{
	scsi_drop(&slot->c.cmd);
	free_slot(slot);
}

static struct slot *unused_slot(void)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (f.slots[i].state == SLOT_SUBMITTED && f.slots[i].c.done)
			check_slot(&f.slots[i]);
		if (f.slots[i].state == SLOT_FREE)
			return &f.slots[i];
	}
	return NULL;
}

static void do_command(void)
{
	/* The length of a CDB by the group of its opcode. */
	static const uint8_t lengths[8] = {6, 10, 10, 6, 16, 12, 6, 6};
	uint8_t how = take(&f.in), nexus = how % NEXUSES, cdb[16] = {0};
	struct slot *slot = unused_slot();

	take_bytes(&f.in, cdb, lengths[(f.in.left ? *f.in.p : 0) >> 5]);
	if (!slot)
		return;
	fake_cmd_init(&slot->c, f.lu, &f.nexus[nexus], cdb, lengths[cdb[0] >> 5]);
	slot->c.cmd.loop = loop_of(nexus);
	slot->c.pieces = how >> 4 & 3;
	slot->state = SLOT_GATHERING;
	if (how & 0x08)
		scsi_cmd_allow_lending(&slot->c.cmd);
	if (how & 0x40)
		scsi_cmd_announce(&slot->c.cmd, take(&f.in) % 3, take16(&f.in));
	scsi_parse(&slot->c.cmd);
	if (!(how & 0x80) || !slot->c.cmd.gather_len)
		submit(slot);
}

static void do_gathered(void)
{
	struct slot *slot = &f.slots[take(&f.in) % SLOTS];

	if (slot->state != SLOT_GATHERING)
		return;
	if (take(&f.in) % 4)
		submit(slot);
	else
		drop(slot);
}

static void do_expire(void)
{
	struct slot *slot = &f.slots[take(&f.in) % SLOTS];

	if (!in_flight(slot))
		return;
	fake_loop_enter(slot->c.cmd.loop);
	scsi_expire(&slot->c.cmd);
	fake_loop_enter(fake_loop(0));
}

/* --- task management and nexuses ------------------------------------------------------------- */

static void tmf_done(struct scsi_tmf *tmf)
{
	(void)tmf;
	assert(f.tmf_running);
	f.tmf_running = false;
	for (unsigned i = 0; i < SLOTS; i++) {
		assert(!f.slots[i].awaited || f.slots[i].c.done);
		f.slots[i].awaited = false;
	}
}

/*
 * Does what a front end does: commands of the same nexus that still wait for data are dropped, and those of
 * other nexuses become stale.
 */
static void mark_slots(enum scsi_tmf_function function, unsigned nexus, unsigned task)
{
	bool wide = function == SCSI_LU_RESET || function == SCSI_CLEAR_TASK_SET;

	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &f.slots[i];
		bool own = slot->c.cmd.nexus == &f.nexus[nexus];

		if (slot->state == SLOT_GATHERING && own && function != SCSI_ABORT_TASK)
			drop(slot);
		else if (slot->state == SLOT_GATHERING)
			slot->stale |= wide;
		else
			slot->awaited =
			    in_flight(slot) && (function == SCSI_ABORT_TASK ? i == task : wide || own);
	}
}

static void do_tmf(void)
{
	enum scsi_tmf_function function = take(&f.in) % (SCSI_NEXUS_LOSS + 1);
	unsigned nexus = take(&f.in) % NEXUSES, task = take(&f.in) % SLOTS;

	if (f.tmf_running)
		return;
	if (function == SCSI_ABORT_TASK &&
	    (!in_flight(&f.slots[task]) || f.slots[task].c.cmd.nexus != &f.nexus[nexus]))
		return;
	f.tmf = (struct scsi_tmf){.function = function,
				  .lu = f.lu,
				  .nexus = &f.nexus[nexus],
				  .task = &f.slots[task].c.cmd,
				  .loop = loop_of(nexus),
				  .done = tmf_done};
	mark_slots(function, nexus, task);
	f.tmf_running = true;
	fake_loop_enter(f.tmf.loop);
	scsi_tmf_submit(&f.tmf);
	fake_loop_enter(fake_loop(0));
}

static void do_reattach(void)
{
	unsigned nexus = take(&f.in) % NEXUSES;

	if (f.tmf_running)
		return;
	for (unsigned i = 0; i < SLOTS; i++)
		if (f.slots[i].c.cmd.nexus == &f.nexus[nexus] &&
		    (f.slots[i].state == SLOT_GATHERING || in_flight(&f.slots[i])))
			return;
	scsi_nexus_detach(&f.nexus[nexus]);
	scsi_nexus_attach(&f.nexus[nexus], &f.it_nexus, f.lu, loop_of(nexus));
}

static void do_announcement(void)
{
	if (take(&f.in) % 2)
		scsi_nexus_luns_changed(&f.nexus[take(&f.in) % NEXUSES]);
	else
		scsi_lu_set_medium_changed(f.lu);
}

/* --- the script ------------------------------------------------------------------------------ */

static void set_up(void)
{
	static const struct scsi_identity identity = {.serial = "fuzz"};
	struct loop_set *set = fake_loops(NLOOPS);

	log_set_level(LOG_LEVEL_CRIT);
	f.bs = fuzz_storage_open(set, take(&f.in));
	f.lu = scsi_lu_new(set, f.bs, &identity, NULL);
	assert(f.lu);
	f.it_nexus = (struct scsi_it_nexus){.initiator_port = "iqn.2026-11.test:fuzz,i,0x1",
					    .target_port = "iqn.2026-11.test:lun,t,0x1",
					    .relative_port = 1,
					    .port_group = 1,
					    .report_luns = report_luns};
	for (unsigned i = 0; i < NEXUSES; i++)
		scsi_nexus_attach(&f.nexus[i], &f.it_nexus, f.lu, loop_of(i));
}

static void tear_down(void)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (f.slots[i].state == SLOT_GATHERING)
			drop(&f.slots[i]);
	fuzz_storage_resize(f.bs, 0); /* a FORMAT UNIT of a huge unit would not end */
	fuzz_storage_run_jobs();
	fake_run();
	assert(!f.tmf_running);
	for (unsigned i = 0; i < SLOTS; i++)
		if (f.slots[i].state == SLOT_SUBMITTED)
			check_slot(&f.slots[i]);
	for (unsigned i = 0; i < NEXUSES; i++)
		scsi_nexus_detach(&f.nexus[i]);
	scsi_lu_free(f.lu);
	fuzz_storage_close(f.bs);
}

static void step(void)
{
	switch (take(&f.in) % 16) {
	case 5:
		fake_run_posted();
		break;
	case 6:
	case 7:
		fuzz_storage_end_io();
		break;
	case 8:
		fuzz_storage_run_job();
		break;
	case 9:
		fuzz_storage_fail_next(take(&f.in) % (TCMUR_CONFLICT + 1));
		break;
	case 10:
		fuzz_storage_resize(f.bs, take(&f.in));
		break;
	case 11:
		do_expire();
		break;
	case 12:
		do_tmf();
		break;
	case 13:
		do_gathered();
		break;
	case 14:
		do_reattach();
		break;
	case 15:
		do_announcement();
		break;
	default:
		do_command();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&f, 0, sizeof(f));
	f.in = (struct input){data, size};
	set_up();
	while (f.in.left)
		step();
	tear_down();
	return 0;
}
