/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task management against commands on real loops, for ThreadSanitizer, and for this rule: when a function is
 * answered, no earlier command is in flight on any loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "scsi/lu.h"
#include "util/bytes.h"

#define NLOOPS 3
/* The duration of an I/O. A message between loops takes less time. */
#define IO_NS         2000000
#define DEPTH         8  /* The number of commands that a loop keeps in flight. */
#define TMFS          12 /* The number of functions that each loop submits before it stops. */
#define TMF_EVERY     16 /* The number of commands between two functions of one loop. */
#define NOT_IN_FLIGHT 0u

struct session;

struct slot {
	struct scsi_cmd cmd;
	struct session *session;
	uint32_t gate; /* Atomic: gate_seen, with bit 0 set while the command is in flight. */
	struct loop_timer io;
	struct loop_work again;
};

/* A session on its loop. Only this loop uses it, except slot.gate. */
struct session {
	struct scsi_it_nexus it_nexus;
	struct scsi_nexus nexus;
	struct scsi_tmf tmf;
	struct loop *loop;
	struct loop_work work;
	struct slot slots[DEPTH];
	unsigned running, since_tmf, ntmf, naborted;
	bool tmf_busy;
};

static struct session sessions[NLOOPS];
static struct scsi_lu *lu;
static sem_t finished;

/* --- a backstore whose I/O takes some time --- */

static const struct tcmur_info info = {.size = 1 << 20, .block_size = 512, .write_cache = true};

static void io_end(struct loop_timer *timer)
{
	struct slot *slot = container_of(timer, struct slot, io);

	slot->cmd.bio.done(&slot->cmd.bio, TCMUR_OK);
}

void backstore_submit(struct backstore_io *bio)
{
	struct slot *slot = container_of(container_of(bio, struct scsi_cmd, bio), struct slot, cmd);

	slot->io.fn = io_end;
	loop_timer_arm(bio->loop, &slot->io, IO_NS);
}

/* Every other slot behaves as if its I/O had not started, so that the I/O ends at once. */
void backstore_cancel(struct backstore_io *bio)
{
	struct slot *slot = container_of(container_of(bio, struct scsi_cmd, bio), struct slot, cmd);

	check(loop_current() == bio->loop);
	if ((slot - slot->session->slots) % 2)
		loop_timer_arm(bio->loop, &slot->io, 0);
}

const char *backstore_name(const struct backstore *bs)
{
	(void)bs;
	return "threads";
}

const struct tcmur_info *backstore_info(const struct backstore *bs)
{
	(void)bs;
	return &info;
}

uint64_t backstore_size(const struct backstore *bs)
{
	(void)bs;
	return info.size;
}

/* --- the sessions ------------------------------------------------------------------ */

static void start_tmf(struct session *p);
static void cmd_done(struct scsi_cmd *cmd);

static const struct scsi_cmd_ops ops = {.done = cmd_done};

static void run(struct loop_work *work)
{
	static const uint8_t verify[10] = {0x2f, [8] = 1}; /* no data */
	struct slot *slot = container_of(work, struct slot, again);

	scsi_cmd_init(&slot->cmd, &ops, lu, &slot->session->nexus, &slot->session->it_nexus,
		      slot->session->loop, verify, sizeof(verify));
	scsi_parse(&slot->cmd);
	__atomic_store_n(&slot->gate, slot->cmd.gate_seen | 1, __ATOMIC_RELEASE);
	scsi_submit(&slot->cmd);
}

static void cmd_done(struct scsi_cmd *cmd)
{
	struct slot *slot = container_of(cmd, struct slot, cmd);
	struct session *p = slot->session;

	check(__atomic_exchange_n(&slot->gate, NOT_IN_FLIGHT, __ATOMIC_ACQ_REL) != NOT_IN_FLIGHT);
	p->naborted += cmd->aborted;
	if (p->ntmf == TMFS && !p->tmf_busy) {
		if (--p->running == 0)
			sem_post(&finished);
		return;
	}
	loop_post(p->loop, &slot->again);
	if (!p->tmf_busy && ++p->since_tmf >= TMF_EVERY)
		start_tmf(p);
}

static void tmf_done(struct scsi_tmf *tmf)
{
	struct session *p = container_of(tmf, struct session, tmf);

	check(loop_current() == p->loop);
	for (unsigned i = 0; i < NLOOPS * DEPTH; i++) {
		struct slot *slot = &sessions[i / DEPTH].slots[i % DEPTH];
		uint32_t gate = __atomic_load_n(&slot->gate, __ATOMIC_ACQUIRE);

		if (tmf->function == SCSI_LU_RESET || tmf->function == SCSI_CLEAR_TASK_SET)
			check(gate == NOT_IN_FLIGHT || (int32_t)((gate & SCSI_GATE_EPOCH) - tmf->epoch) >= 0);
	}
	p->tmf_busy = false;
}

static void start_tmf(struct session *p)
{
	static const enum scsi_tmf_function functions[] = {SCSI_LU_RESET, SCSI_ABORT_TASK_SET,
							   SCSI_CLEAR_TASK_SET};

	p->since_tmf = 0;
	p->tmf_busy = true;
	p->tmf = (struct scsi_tmf){
	    .function = functions[p->ntmf++ % ARRAY_SIZE(functions)],
	    .lu = lu,
	    .nexus = &p->nexus,
	    .loop = p->loop,
	    .done = tmf_done,
	};
	scsi_tmf_submit(&p->tmf);
}

static void begin(struct loop_work *work)
{
	struct session *p = container_of(work, struct session, work);

	scsi_nexus_attach(&p->nexus, &p->it_nexus, lu, p->loop);
	p->running = DEPTH;
	for (unsigned i = 0; i < DEPTH; i++) {
		struct slot *slot = &p->slots[i];

		/* Not the whole structure is cleared, because the other loops already read slot->gate. */
		slot->session = p;
		slot->again.fn = run;
		loop_post(p->loop, &slot->again);
	}
}

static void test_no_command_outlives_a_reset(void **state)
{
	static const struct scsi_identity identity = {.serial = "1"};
	const struct loop_options options = {.nloops = NLOOPS, .npool = 1, .no_uring = true};
	struct loop_set set;
	struct error error;

	(void)state;
	assert_int_equal(loop_set_start(&set, &options, &error), 0);
	sem_init(&finished, 0, 0);
	lu = scsi_lu_new(&set, NULL, &identity, &error);
	assert_non_null(lu);
	for (unsigned i = 0; i < NLOOPS; i++) {
		sessions[i].loop = set.loops[i];
		sessions[i].work.fn = begin;
		loop_post(set.loops[i], &sessions[i].work);
	}
	for (unsigned i = 0; i < NLOOPS; i++)
		sem_wait(&finished);
	loop_set_stop(&set);
	for (unsigned i = 0; i < NLOOPS; i++) {
		scsi_nexus_detach(&sessions[i].nexus);
		assert_true(sessions[i].naborted > 0);
	}
	scsi_lu_free(lu);
	sem_destroy(&finished);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_no_command_outlives_a_reset),
	};

	return cmocka_run_group_tests_name("scsi_tmf_threads", tests, NULL, NULL);
}
