/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creation and identity of logical units. The backstore is opened and closed by the caller; mode
 * parameters, nexuses, target port groups and task management are in their own files.
 */
#include "scsi/lu.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "scsi/mode.h"
#include "scsi/sbc.h"
#include "scsi/tmf.h"
#include "scsi/nexus.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/contract.h"

/* Left-justified ASCII, padded with blanks, as in INQUIRY data (SPC-4 4.3.1) */
static void pad_text(char *out, size_t len, const char *text, const char *fallback)
{
	size_t n;

	text = text ? text : fallback;
	n = strnlen(text, len);
	memset(out, ' ', len);
	memcpy(out, text, n);
	out[len] = 0;
}

void scsi_naa_from_digits(uint8_t naa[16], const char *serial)
{
	static const uint8_t prefix[4] = {0x60, 0x01, 0x40, 0x50};
	unsigned digit = 7;

	memset(naa, 0, 16);
	memcpy(naa, prefix, sizeof(prefix));
	for (; *serial && digit < 32; serial++) {
		unsigned value;

		if (!isxdigit((unsigned char)*serial))
			continue;
		value = isdigit((unsigned char)*serial) ? (unsigned)(*serial - '0')
							: (unsigned)((*serial | 0x20) - 'a' + 10);
		naa[digit / 2] |= (uint8_t)(digit % 2 ? value : value << 4);
		digit++;
	}
}

void scsi_lu_set_serial(struct scsi_lu *lu, const char *serial, const uint8_t *naa)
{
	snprintf(lu->serial, sizeof(lu->serial), "%s", serial);
	if (naa)
		memcpy(lu->naa, naa, sizeof(lu->naa));
	else
		scsi_naa_from_digits(lu->naa, lu->serial);
}

void scsi_lu_limit_transfer(struct scsi_lu *lu, uint64_t bytes)
{
	lu->max_transfer = (uint32_t)MIN(MAX(bytes, lu->block_size), SCSI_MAX_TRANSFER);
}

/* Is called on a pool thread. */
static void on_resize(void *arg, uint64_t new_size)
{
	(void)new_size; /* Commands read the size from the backstore. */
	scsi_ua_raise_all(arg, SCSI_UA_CAPACITY_CHANGED);
}

static int check(const struct tcmur_info *info, const struct scsi_identity *identity, struct error *error)
{
	uint32_t size = info->block_size;

	if (size < 512 || size > 4096 || size & (size - 1))
		return error_set(error, EINVAL,
				 "block size %u is not supported; use a power of two from 512 to 4096", size);
	if (!identity->serial || !identity->serial[0] || strlen(identity->serial) > SCSI_SERIAL_MAX)
		return error_set(error, EINVAL, "the unit serial number must have 1 to %d characters",
				 SCSI_SERIAL_MAX);
	return 0;
}

static struct scsi_lu_loop *new_loops(struct loop_set *set, struct scsi_lu *lu)
{
	struct scsi_lu_loop *loops = aligned_alloc(64, set->nloops * sizeof(*loops));

	if (!loops)
		return NULL;
	memset(loops, 0, set->nloops * sizeof(*loops));
	for (unsigned i = 0; i < set->nloops; i++) {
		loops[i].lu = lu;
		loops[i].loop = set->loops[i];
		scsi_tmf_init(&loops[i]);
	}
	return loops;
}

struct scsi_lu *scsi_lu_new(struct loop_set *set, struct backstore *bs, const struct scsi_identity *identity,
			    struct error *error)
{
	const struct tcmur_info *info = backstore_info(bs);
	struct scsi_lu *lu;

	if (check(info, identity, error) < 0)
		return NULL;
	lu = calloc(1, sizeof(*lu));
	if (!lu || !(lu->loops = new_loops(set, lu)) ||
	    !(lu->tmf_broadcast = loop_broadcast_new(set, &scsi_tmf_broadcast_ops, lu))) {
		free(lu ? lu->loops : NULL);
		free(lu);
		error_set(error, ENOMEM, "no memory for the logical unit");
		return NULL;
	}
	lu->nloops = set->nloops;
	lu->bs = bs;
	lu->info = info;
	lu->block_size = info->block_size;
	lu->block_shift = (uint32_t)__builtin_ctz(info->block_size);
	pad_text(lu->vendor, 8, identity->vendor, SCSI_DEFAULT_VENDOR);
	pad_text(lu->product, 16, identity->product, SCSI_DEFAULT_PRODUCT);
	pad_text(lu->revision, 4, identity->revision, SCSI_DEFAULT_REVISION);
	scsi_lu_set_serial(lu, identity->serial, identity->naa);
	lu->max_transfer = SCSI_MAX_TRANSFER;
	atomic_init(&lu->wce_default, scsi_lu_has_write_cache(lu));
	pthread_mutex_init(&lu->lock, NULL);
	list_init(&lu->nexuses);
	list_init(&lu->tmfs);
	atomic_init(&lu->gate, (backstore_has_scsi(bs) ? SCSI_GATE_HANDLER : 0) |
				   (backstore_is_absent(bs) ? SCSI_GATE_ABSENT : 0));
	scsi_mode_reset_locked(lu); /* No other thread uses the LU yet. */
	backstore_on_resize(bs, on_resize, lu);
	return lu;
}

void scsi_lu_free(struct scsi_lu *lu)
{
	if (!lu)
		return;
	contract(list_empty(&lu->nexuses) && list_empty(&lu->tmfs));
	sbc_format_stop(lu);
	backstore_on_resize(lu->bs, NULL, NULL);
	pthread_mutex_destroy(&lu->lock);
	loop_broadcast_free(lu->tmf_broadcast);
	free(lu->loops);
	free(lu);
}

void scsi_lu_set_blocked(struct scsi_lu *lu, bool blocked)
{
	if (blocked) {
		scsi_lu_gate_change(lu, SCSI_GATE_BLOCKED, 0);
	} else if (scsi_lu_gate(lu) & SCSI_GATE_BLOCKED) {
		scsi_lu_gate_change(lu, 0, SCSI_GATE_BLOCKED);
		scsi_ua_raise_all(lu, SCSI_UA_MEDIUM_CHANGED);
	}
}

void scsi_lu_set_becoming_ready(struct scsi_lu *lu, bool becoming)
{
	scsi_lu_gate_change(lu, becoming ? SCSI_GATE_BECOMING : 0, becoming ? 0 : SCSI_GATE_BECOMING);
}

void scsi_lu_set_medium_changed(struct scsi_lu *lu)
{
	SCOPE_LOCK(&lu->lock);

	lu->medium_changed = true;
	scsi_ua_raise_all_locked(lu, SCSI_UA_MEDIUM_CHANGED);
}

void scsi_lu_set_time_limit(struct scsi_lu *lu, uint64_t ns)
{
	atomic_store_explicit(&lu->time_limit_ns, ns, memory_order_relaxed);
}

uint64_t scsi_lu_time_limit_ns(const struct scsi_lu *lu)
{
	return atomic_load_explicit(&lu->time_limit_ns, memory_order_relaxed);
}

const char *scsi_lu_name(const struct scsi_lu *lu)
{
	return backstore_name(lu->bs);
}
