/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The properties of a storage object that administrators see: its counters, its health and its entry in
 * lists. The sum of the counters includes logical units that do not exist any more, so it never decreases
 * while the object exists.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "storage/storage_private.h"
#include "util/bytes.h"

/* --- counters --- */

static void add_io(struct backstore_stats *sum, const struct backstore_stats *stats, bool subtract)
{
	uint64_t sign = subtract ? UINT64_MAX : 1;

	sum->reads += sign * stats->reads;
	sum->writes += sign * stats->writes;
	sum->read_bytes += sign * stats->read_bytes;
	sum->write_bytes += sign * stats->write_bytes;
	sum->others += sign * stats->others;
	sum->errors += sign * stats->errors;
}

/* Adds the difference between now and before to sum. */
static void add(struct storage_counters *sum, const struct storage_counters *now,
		const struct storage_counters *before)
{
	add_io(&sum->io, &now->io, false);
	add_io(&sum->io, &before->io, true);
	for (unsigned i = 0; i < SCSI_SENSE_KEYS; i++)
		sum->errors.sense_keys[i] += now->errors.sense_keys[i] - before->errors.sense_keys[i];
	if (now->errors.last_time >= sum->errors.last_time) {
		sum->errors.last_time = now->errors.last_time;
		sum->errors.last_sense = now->errors.last_sense;
	}
}

void storage_add_counters(struct storage *storage, struct storage_lu *lu)
{
	struct storage_counters now;

	storage_lu_counters(lu, &now);
	add(&storage->past, &now, &lu->counted);
	lu->counted = now;
}

static void sum_up(const struct storage *storage, struct storage_counters *sum)
{
	const struct storage_counters none = {.io = {0}};
	struct storage_counters now;

	*sum = storage->past;
	if (!storage->served)
		return;
	storage_lu_counters(storage->served, &now);
	add(sum, &now, &none);
}

/* --- health --- */

bool storage_note_failure(struct storage *storage, const struct error *error)
{
	bool is_new = strcmp(storage->error.text, error->text);

	storage->error = *error;
	storage->error_time = time(NULL);
	return is_new;
}

static uint64_t flags_of(const struct storage *storage)
{
	return storage->served ? backstore_flags(storage_lu_backstore(storage->served)) &
				     (TCMUR_INFO_SHORT | TCMUR_INFO_REPLACED)
			       : 0;
}

static uint64_t size_of(const struct storage *storage)
{
	if (!storage->served || storage_lu_is_absent(storage->served))
		return storage->settings.size;
	return backstore_size(storage_lu_backstore(storage->served));
}

bool storage_has_changed(struct storage *storage)
{
	uint64_t size = size_of(storage), flags = flags_of(storage);
	bool has_changed = size != storage->seen_size || flags != storage->seen_flags;

	storage->seen_size = size;
	storage->seen_flags = flags;
	return has_changed;
}

static void describe_error(const struct scsi_errors *errors, struct storage_health *health)
{
	uint32_t sense = errors->last_sense;

	snprintf(health->last_error, sizeof(health->last_error), "%s (sense key %Xh, ASC/ASCQ %02Xh/%02Xh)",
		 scsi_sense_key_name(sense >> 16), sense >> 16, sense >> 8 & 0xff, sense & 0xff);
	health->last_error_time = (time_t)errors->last_time;
}

void storage_health(const struct storage *storage, struct storage_health *health)
{
	uint64_t flags = flags_of(storage);
	struct storage_counters sum;

	sum_up(storage, &sum);
	*health = (struct storage_health){
	    .last_error_time = storage->error_time,
	    .is_short = flags & TCMUR_INFO_SHORT,
	    .is_replaced = flags & TCMUR_INFO_REPLACED,
	    .problem = storage->served ? storage_lu_problem(storage->served) : "",
	};
	snprintf(health->last_error, sizeof(health->last_error), "%s", storage->error.text);
	if (sum.errors.last_time && (time_t)sum.errors.last_time >= storage->error_time)
		describe_error(&sum.errors, health);
	memcpy(health->sense_keys, sum.errors.sense_keys, sizeof(health->sense_keys));
}

/* --- the list --- */

void storage_view(const struct storage *storage, struct storage_view *view)
{
	struct storage_lu *lu = storage->served;
	struct storage_counters sum;

	sum_up(storage, &sum);
	*view = (struct storage_view){
	    .size = size_of(storage),
	    .reads = sum.io.reads,
	    .writes = sum.io.writes,
	    .read_bytes = sum.io.read_bytes,
	    .write_bytes = sum.io.write_bytes,
	    .others = sum.io.others,
	    .errors = sum.io.errors,
	};
	if (!lu)
		return;
	const struct tcmur_info *info = backstore_info(lu->bs);
	view->block_size = info->block_size;
	view->read_only = info->read_only;
	view->is_in_memory = storage_lu_is_in_memory(lu);
	view->was_created = storage_lu_was_created(lu);
	view->write_cache = scsi_lu_write_cache(lu->scsi);
	snprintf(view->serial, sizeof(view->serial), "%s", storage_lu_serial(lu));
	snprintf(view->options, sizeof(view->options), "%s", storage_lu_options(lu));
}
