/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FORMAT UNIT: SBC-4 5.3. Clears the medium step by step, so that the loop serves others in between. While it
 * runs, the gate turns commands that need the medium away with a progress indication.
 */
#include <stdlib.h>

#include "scsi/sbc.h"
#include "scsi/cmd.h"
#include "scsi/sbc_limits.h"
#include "util/bytes.h"
#include "util/lock.h"

/* Byte 1 of the CDB */
#define FORMAT_LONGLIST 0x20
#define FORMAT_FMTDATA  0x10
/* Byte 1 of the parameter list header */
#define FORMAT_FOV     0x80
#define FORMAT_OPTIONS 0x70 /* DPRY, DCRT, STPF: about defects and certification, of which there are none */
#define FORMAT_IMMED   0x02

/* One FORMAT UNIT, from its check to its end. Belongs to the loop of its command, but what lu->lock guards.
 */
struct sbc_format {
	struct scsi_lu *lu;
	struct scsi_cmd *cmd;  /* NULL: answered already (IMMED = 1) */
	uint64_t next;         /* bytes cleared so far */
	struct loop_work work; /* one step a turn */
	struct backstore_io bio;
	pthread_cond_t *ended; /* lu->lock: set by sbc_format_stop(), which waits */
};

/* What is cleared in part only is neither the old medium nor a new one, so it takes another FORMAT UNIT. */
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
	/* From here on the LU may be gone, unless a command still keeps it. */
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
	__atomic_store_n(&f->lu->format_progress, (uint32_t)((double)f->next / (double)size * 65536),
			 __ATOMIC_RELAXED);
	f->bio.io = (struct tcmur_io){
	    .offset = f->next,
	    .len = MIN(size - f->next, SBC_FORMAT_STEP),
	    .flags = scsi_lu_gate(f->lu) & SCSI_GATE_WRITE_THROUGH ? TCMUR_IO_FUA : 0,
	};
	backstore_submit(&f->bio);
}

/* One at a time: NULL when one runs already, or without memory; then the command was completed. */
static struct sbc_format *format_new(struct scsi_cmd *cmd)
{
	struct scsi_lu *lu = cmd->lu;
	struct sbc_format *f = calloc(1, sizeof(*f));
	bool busy;

	if (!f) {
		scsi_set_status(cmd, TCMUR_NO_RESOURCE);
		scsi_complete(cmd);
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

/* The parameter list: nothing in it but IMMED asks for something. False: the command was completed. */
static bool format_list(struct scsi_cmd *cmd, bool *immed)
{
	bool longlist = cmd->cdb[1] & FORMAT_LONGLIST;
	size_t len = longlist ? 8 : 4;
	uint8_t h[8];

	*immed = false;
	if (!(cmd->cdb[1] & FORMAT_FMTDATA))
		return true;
	if (scsi_data_out_bytes(cmd, h, len) < len)
		scsi_fail(cmd, SENSE_LIST_LENGTH_ERROR);
	else if (h[0]) /* PROTECTION FIELD USAGE */
		scsi_fail_list(cmd, 0, -1);
	else if (h[1] & ~(FORMAT_FOV | FORMAT_OPTIONS | FORMAT_IMMED) ||
		 (h[1] & FORMAT_OPTIONS && !(h[1] & FORMAT_FOV)))
		scsi_fail_list(cmd, 1, -1);
	else if (longlist && h[3]) /* P_I_INFORMATION, PROTECTION INTERVAL EXPONENT */
		scsi_fail_list(cmd, 3, -1);
	else if (longlist ? get_be32(h + 4) : get_be16(h + 2)) /* DEFECT LIST LENGTH */
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

	/* LONGLIST and CMPLST speak of a parameter list. */
	if (!(cmd->cdb[1] & FORMAT_FMTDATA) && cmd->cdb[1]) {
		scsi_fail_cdb(cmd, 1, -1);
		return;
	}
	if (!format_list(cmd, &immed))
		return;
	f = format_new(cmd);
	if (!f)
		return;
	__atomic_store_n(&f->lu->format_progress, 0, __ATOMIC_RELAXED);
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
