/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands that concern the medium as a whole: SYNCHRONIZE CACHE (SBC-4 5.32, 5.33), PRE-FETCH (5.13, 5.14),
 * START STOP UNIT (5.31) and FORMAT UNIT (5.3). Admission (cmd.c) checks whether the medium is usable.
 */
#include <stdlib.h>

#include "scsi/sbc.h"
#include "scsi/sbc_limits.h"
#include "scsi/scsi_io.h"
#include "util/bytes.h"
#include "util/lock.h"

/* --- SYNCHRONIZE CACHE and PRE-FETCH --------------------------------------------------------- */

/*
 * IMMED = 1 allows an early GOOD but does not demand it. The status is sent when the data is on stable
 * storage, so that an error is reported by this command, and not as a deferred error of another command.
 */
void sbc_synchronize_cache(struct scsi_cmd *cmd)
{
	if (cmd->nblocks == 0) /* 0 means all blocks from the LBA on */
		scsi_io_flush(cmd, scsi_io_complete);
	else
		scsi_io(cmd, BACKSTORE_FLUSH, cmd->lba, cmd->nblocks, 0, scsi_io_complete);
}

/*
 * The cache belongs to the host, and it is unknown whether the host keeps the blocks. Therefore the status is
 * GOOD, which means that perhaps not all blocks are in the cache, and not CONDITION MET, which would promise
 * that all of them are. A hint for more blocks than a command can read is shortened.
 */
void sbc_prefetch(struct scsi_cmd *cmd)
{
	uint64_t nblocks = cmd->nblocks ? cmd->nblocks : scsi_lu_blocks(cmd->lu) - cmd->lba;

	nblocks = MIN(nblocks, SCSI_MAX_TRANSFER >> cmd->lu->block_shift);
	scsi_io(cmd, BACKSTORE_PREFETCH, cmd->lba, nblocks, 0, scsi_io_complete);
}

/* --- START STOP UNIT ------------------------------------------------------------------------- */

/* Byte 4 */
#define START_STOP_POWER    0xf0
#define START_STOP_NO_FLUSH 0x04
#define START_STOP_LOEJ     0x02
#define START_STOP_START    0x01

bool sbc_start_stop_only_starts(const struct scsi_cmd *cmd)
{
	return (cmd->cdb[4] & START_STOP_POWER) == 0 && (cmd->cdb[4] & START_STOP_START);
}

/*
 * START = 0 flushes the cache and does not change the state: if it stopped the unit, one initiator would take
 * the unit away from all others. IMMED = 1 is answered when the work is done, as in sbc_synchronize_cache().
 */
void sbc_start_stop_unit(struct scsi_cmd *cmd)
{
	uint8_t flags = cmd->cdb[4];

	if (flags & START_STOP_POWER)
		scsi_fail_cdb(cmd, 4, 7); /* POWER CONDITION: there are no power conditions */
	else if (flags & START_STOP_LOEJ)
		scsi_fail_cdb(cmd, 4, 1); /* the medium is not removable */
	else if (flags & (START_STOP_START | START_STOP_NO_FLUSH))
		scsi_complete(cmd);
	else
		scsi_io_flush(cmd, scsi_io_complete);
}

/* --- FORMAT UNIT ----------------------------------------------------------------------------- */

/*
 * The command clears the medium step by step, so that the loop serves other commands in between.
 * While it runs, the gate refuses commands that need the medium, with a progress indication.
 */

/* Byte 1 of the CDB */
#define FORMAT_LONGLIST 0x20
#define FORMAT_FMTDATA  0x10
/* Byte 1 of the parameter list header */
#define FORMAT_FOV 0x80
/* DPRY, DCRT and STPF are about defects and certification, which do not exist here */
#define FORMAT_OPTIONS 0x70
#define FORMAT_IMMED   0x02

/* One FORMAT UNIT, from its check to its end. It belongs to the loop of its command. */
struct sbc_format {
	struct scsi_lu *lu;
	/* NULL if the command was completed at the start (IMMED = 1) */
	struct scsi_cmd *cmd;
	/* The number of bytes that have been cleared */
	uint64_t next;
	/* Work that runs one step in each turn of the loop */
	struct loop_work work;
	struct backstore_io bio;
	/* Under lu->lock: sbc_format_stop() sets this and waits for it. */
	pthread_cond_t *ended;
};

/*
 * Ends the format. A medium that is cleared only in part has neither its old nor its new contents, so only
 * another FORMAT UNIT makes it usable.
 */
static void format_end(struct sbc_format *f, bool ok)
{
	struct scsi_lu *lu = f->lu;
	struct scsi_cmd *cmd = f->cmd;

	scsi_lu_gate_change(lu, ok ? 0 : SCSI_GATE_CORRUPTED,
			    SCSI_GATE_FORMATTING | (ok ? SCSI_GATE_CORRUPTED : 0));
	lock_take(&lu->lock);
	lu->format = NULL;
	if (f->ended)
		pthread_cond_signal(f->ended);
	lock_drop(&lu->lock);
	/* From now on the LU may be freed, unless a command still uses it. */
	free(f);
	if (!cmd)
		return;
	if (!ok)
		scsi_check(cmd, SENSE_FORMAT_FAILED);
	scsi_complete(cmd);
}

static bool format_stopped(struct sbc_format *f)
{
	bool stopped;

	lock_take(&f->lu->lock);
	stopped = f->ended;
	lock_drop(&f->lu->lock);
	return stopped || (f->cmd && f->cmd->aborted);
}

static void format_step_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct sbc_format *f = bio->owner;

	f->next += bio->io.len;
	if (status == TCMUR_OK)
		loop_post(bio->loop, &f->work);
	else
		format_end(f, false);
}

static void format_step(struct loop_work *work)
{
	struct sbc_format *f = container_of(work, struct sbc_format, work);
	uint64_t size = backstore_size(f->lu->bs);

	if (f->next >= size || format_stopped(f)) {
		format_end(f, f->next >= size);
		return;
	}
	atomic_store_explicit(&f->lu->format_progress, (uint32_t)((double)f->next / (double)size * 65536),
			      memory_order_relaxed);
	f->bio.io = (struct tcmur_io){
	    .offset = f->next,
	    .len = MIN(size - f->next, SBC_FORMAT_STEP),
	    .flags = scsi_lu_gate(f->lu) & SCSI_GATE_WRITE_THROUGH ? TCMUR_IO_FUA : 0,
	};
	backstore_submit(&f->bio);
}

/*
 * Returns NULL if another FORMAT UNIT is running or there is no memory; in this case the command was
 * completed.
 */
static struct sbc_format *format_new(struct scsi_cmd *cmd)
{
	struct scsi_lu *lu = cmd->lu;
	struct sbc_format *f = calloc(1, sizeof(*f));
	bool busy;

	if (!f) {
		scsi_fail_memory(cmd);
		return NULL;
	}
	f->lu = lu;
	f->cmd = cmd;
	f->work.fn = format_step;
	f->bio = (struct backstore_io){.bs = lu->bs,
				       .loop = cmd->loop,
				       .op = BACKSTORE_WRITE_ZEROES,
				       .done = format_step_done,
				       .owner = f};
	lock_take(&lu->lock);
	busy = lu->format;
	if (!busy)
		lu->format = f;
	lock_drop(&lu->lock);
	if (!busy)
		return f;
	free(f);
	scsi_fail(cmd, SENSE_FORMAT_IN_PROGRESS);
	return NULL;
}

/* The command transfers the header of the parameter list if the CDB says that there is a list. */
bool sbc_format_data_len(struct scsi_cmd *cmd, uint64_t *len)
{
	*len = cmd->cdb[1] & FORMAT_FMTDATA ? (cmd->cdb[1] & FORMAT_LONGLIST ? 8 : 4) : 0;
	return true;
}

/*
 * Checks the parameter list, in which only IMMED has an effect. Returns false if the command was completed.
 */
static bool format_list_ok(struct scsi_cmd *cmd, bool *immed)
{
	bool longlist = cmd->cdb[1] & FORMAT_LONGLIST;
	uint8_t h[8] = {0};

	*immed = false;
	if (!(cmd->cdb[1] & FORMAT_FMTDATA))
		return true;
	scsi_data_out_bytes(cmd, h, sizeof(h));
	if (h[0]) /* PROTECTION FIELD USAGE */
		scsi_fail_list(cmd, 0, -1);
	else if (h[1] & ~(FORMAT_FOV | FORMAT_OPTIONS | FORMAT_IMMED) ||
		 (h[1] & FORMAT_OPTIONS && !(h[1] & FORMAT_FOV)))
		scsi_fail_list(cmd, 1, -1);
	else if (longlist && h[3]) /* P_I_INFORMATION, PROTECTION INTERVAL EXPONENT */
		scsi_fail_list(cmd, 3, -1);
	/* DEFECT LIST LENGTH; its position depends on the form of the header */
	else if (longlist ? get_be32(h + 4) : get_be16(h + 2))
		scsi_fail_list(cmd, longlist ? 4 : 2, -1);
	else {
		*immed = h[1] & FORMAT_IMMED;
		return true;
	}
	return false;
}

void sbc_format_unit(struct scsi_cmd *cmd)
{
	struct sbc_format *f;
	bool immed;

	/* LONGLIST and CMPLST need a parameter list. */
	if (!(cmd->cdb[1] & FORMAT_FMTDATA) && cmd->cdb[1]) {
		scsi_fail_cdb(cmd, 1, -1);
		return;
	}
	if (!format_list_ok(cmd, &immed))
		return;
	f = format_new(cmd);
	if (!f)
		return;
	atomic_store_explicit(&f->lu->format_progress, 0, memory_order_relaxed);
	scsi_lu_gate_change(f->lu, SCSI_GATE_FORMATTING, 0);
	loop_post(cmd->loop, &f->work);
	if (immed) {
		f->cmd = NULL;
		scsi_complete(cmd);
	}
}

void sbc_format_stop(struct scsi_lu *lu)
{
	pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

	lock_take(&lu->lock);
	if (lu->format)
		lu->format->ended = &ended;
	while (lu->format)
		pthread_cond_wait(&ended, &lu->lock);
	lock_drop(&lu->lock);
	pthread_cond_destroy(&ended);
}
