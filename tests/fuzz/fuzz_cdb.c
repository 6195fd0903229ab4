/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the device server. The input is a script: the properties of the LU, and then commands with any CDB
 * and any Data-Out, ends of I/O, errors of the handler and task management, on two nexuses of two loops.
 * These are checked: each command completes once; the commands that a task management function waits for have
 * ended when it is answered; no more data is reported than there is; and everything that the fakes and the
 * sanitizers check.
 */
#include <assert.h>
#include <stdlib.h>

#include "fakes.h"
#include "fuzz.h"
#include "input.h"
#include "scsi/alua.h"
#include "util/iov.h"

#define BLOCKS   64
#define NEXUSES  2
#define SLOTS    8 /* The number of commands at the same time. */
#define DATA_MAX UINT16_MAX

struct slot {
	struct fake_cmd c;
	bool used;
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
	bool affected[SLOTS]; /* The commands in flight for which the task management function waits. */
};

static struct fuzz f;

/* --- set up and tear down --------------------------------------------------------------------- */

static uint32_t report_luns(struct scsi_it_nexus *it_nexus, uint8_t (*luns)[8], uint32_t max)
{
	(void)it_nexus;
	if (max)
		memset(luns[0], 0, sizeof(luns[0]));
	return 1;
}

static void reported(void *arg)
{
	assert(arg == &f);
}

static int set_state(void *arg, uint16_t group, enum scsi_alua_state state)
{
	assert(arg == &f && group < 2 && state <= SCSI_ALUA_STANDBY);
	return group ? -1 : 0;
}

static void set_port_groups(void)
{
	static const struct scsi_alua_ops ops = {reported, set_state};
	static const struct scsi_alua alua = {
	    .ngroups = 2,
	    .nports = 2,
	    .groups = {{.supported = 0x07, .tpgs = SCSI_TPGS_ANY},
		       {.id = 1, .supported = 0x07, .tpgs = SCSI_TPGS_ANY}},
	    .ports = {{.id = 1, .enabled = 1}, {.id = 2, .group = 1, .enabled = 1}},
	};

	scsi_lu_set_alua_ops(f.lu, &ops, &f);
	scsi_lu_set_alua(f.lu, &alua);
}

static void set_up(void)
{
	static const struct scsi_identity identity = {.serial = "fuzz"};
	uint8_t how = take(&f.in);

	f.bs = fake_backstore_new((uint64_t)BLOCKS * (how & 1 ? 4096 : 512), how & 1 ? 4096 : 512);
	f.bs->info.thin = !(how & 2);
	f.bs->info.unmap_zeroes = !(how & 4);
	f.bs->can_lend = how & 8;
	f.bs->lend_piece = 1024;
	f.bs->info.read_only = how & 16;
	f.bs->no_flush = how & 32;
	f.bs->info.unmap_granularity = how & 64 ? 4 * f.bs->info.block_size : 0;
	f.bs->defer = how & 128;
	f.bs->has_usage = true;
	f.lu = scsi_lu_new(fake_loops(NEXUSES), f.bs, &identity, NULL);
	assert(f.lu);
	set_port_groups();
	f.it_nexus = (struct scsi_it_nexus){.initiator_port = "iqn.2026-11.test:fuzz,i,0x1",
					    .target_port = "iqn.2026-11.test:lun,t,0x1",
					    .relative_port = 1,
					    .port_group = 1,
					    .report_luns = report_luns};
	for (unsigned i = 0; i < NEXUSES; i++)
		scsi_nexus_attach(&f.nexus[i], &f.it_nexus, f.lu, fake_loop(i));
}

static void check_slot(struct slot *slot)
{
	const struct scsi_cmd *cmd = &slot->c.cmd;

	assert(slot->c.done == 1);
	assert(cmd->data_in_len <= iov_total(cmd->iov, cmd->iovcnt));
	assert(cmd->sense_len <= SCSI_SENSE_MAX);
	assert((cmd->status == SCSI_CHECK_CONDITION) == (cmd->sense_len != 0) || cmd->aborted);
	fake_cmd_free(&slot->c);
	slot->used = false;
	f.affected[slot - f.slots] = false; /* the function does not wait for the next command of this slot */
}

static void tear_down(void)
{
	fake_run();
	assert(!f.tmf_running);
	for (unsigned i = 0; i < SLOTS; i++)
		if (f.slots[i].used)
			check_slot(&f.slots[i]);
	for (unsigned i = 0; i < NEXUSES; i++)
		scsi_nexus_detach(&f.nexus[i]);
	scsi_lu_free(f.lu);
	fake_backstore_free(f.bs);
}

/* --- what happens ----------------------------------------------------------------------------- */

/* Returns a slot for the next command. If no slot is free, waits for all commands. */
static struct slot *free_slot(void)
{
	struct slot *found = NULL;

	for (unsigned round = 0; !found; round++) {
		for (unsigned i = 0; i < SLOTS; i++) {
			if (f.slots[i].used && f.slots[i].c.done)
				check_slot(&f.slots[i]);
			if (!f.slots[i].used)
				found = &f.slots[i];
		}
		if (!found)
			fake_run();
		assert(round < 2);
	}
	return found;
}

static void do_command(void)
{
	static uint8_t cdb[16], data[DATA_MAX], literal[64];
	uint8_t how = take(&f.in), nexus = how & 1;
	size_t cdb_len = take(&f.in) % (sizeof(cdb) + 1), len, n;
	struct slot *slot = free_slot();

	memset(cdb, 0, sizeof(cdb));
	take_bytes(&f.in, cdb, cdb_len);
	len = (size_t)take(&f.in) << 8;
	len |= take(&f.in);
	n = take(&f.in) % (sizeof(literal) + 1);
	n = take_bytes(&f.in, literal, n);
	for (size_t at = 0; at < len; at++)
		data[at] = n ? literal[at % n] : 0;
	fake_cmd_init(&slot->c, how & 2 ? NULL : f.lu, how & 2 ? NULL : &f.nexus[nexus], cdb, cdb_len);
	slot->c.cmd.it_nexus = &f.it_nexus;
	slot->c.cmd.loop = fake_loop(nexus);
	slot->c.no_memory = how & 4;
	slot->c.cmd.may_lend = how & 8;
	slot->c.pieces = how >> 4;
	slot->used = true;
	fake_cmd_submit(&slot->c, data, len);
}

static bool in_flight(const struct slot *slot)
{
	return slot->used && !slot->c.done;
}

static void tmf_done(struct scsi_tmf *tmf)
{
	(void)tmf;
	assert(f.tmf_running);
	f.tmf_running = false;
	for (unsigned i = 0; i < SLOTS; i++)
		assert(!f.affected[i] || f.slots[i].c.done);
	memset(f.affected, 0, sizeof(f.affected));
}

static void do_tmf(void)
{
	enum scsi_tmf_function function = take(&f.in) % (SCSI_NEXUS_LOSS + 1);
	uint8_t nexus = take(&f.in) % NEXUSES, task = take(&f.in) % SLOTS;

	if (f.tmf_running)
		return;
	if (function == SCSI_ABORT_TASK &&
	    (!in_flight(&f.slots[task]) || f.slots[task].c.cmd.nexus != &f.nexus[nexus]))
		return;
	f.tmf = (struct scsi_tmf){.function = function,
				  .lu = f.lu,
				  .nexus = &f.nexus[nexus],
				  .task = &f.slots[task].c.cmd,
				  .loop = fake_loop(nexus),
				  .done = tmf_done};
	for (unsigned i = 0; i < SLOTS; i++) {
		bool same_nexus = f.slots[i].c.cmd.nexus == &f.nexus[nexus];
		bool wide = function == SCSI_LU_RESET || function == SCSI_CLEAR_TASK_SET;

		f.affected[i] = in_flight(&f.slots[i]) && f.slots[i].c.cmd.lu &&
				(function == SCSI_ABORT_TASK ? i == task : wide || same_nexus);
	}
	f.tmf_running = true;
	fake_loop_enter(f.tmf.loop);
	scsi_tmf_submit(&f.tmf);
	fake_loop_enter(fake_loop(0));
}

/* Lets one of the next I/Os fail. */
static void do_failure(void)
{
	f.bs->fail_at = f.bs->ncalls + 1 + take(&f.in) % 4;
	f.bs->fail_with = take(&f.in) % (TCMUR_CONFLICT + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&f, 0, sizeof(f));
	f.in = (struct input){data, size};
	set_up();
	while (f.in.left) {
		switch (take(&f.in) % 8) {
		case 4:
			fake_run_posted();
			break;
		case 5:
			fake_backstore_end(f.bs);
			break;
		case 6:
			do_tmf();
			break;
		case 7:
			do_failure();
			break;
		default:
			do_command();
		}
	}
	tear_down();
	return 0;
}
