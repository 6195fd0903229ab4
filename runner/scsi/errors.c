/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts the commands of a logical unit that end with CHECK CONDITION, and records the last error that the
 * storage has caused. Each loop counts in its own memory. runner/storage reports errors to administrators.
 */
#include <time.h>

#include "scsi/lu.h"
#include "scsi/sense.h"
#include "util/counter.h"

#define CODE_BITS 24
#define CODE_MASK ((1u << CODE_BITS) - 1)

/*
 * Returns the sense key, ASC and ASCQ. The handler may have built the sense data, so it may have either
 * format (SPC-4 4.5).
 */
static uint32_t sense_code(const struct scsi_cmd *cmd)
{
	const uint8_t *sense = cmd->sense;
	bool descriptor = cmd->sense_len && (sense[0] & 0x7f) >= 0x72;

	if (descriptor)
		return cmd->sense_len < 4 ? 0 : SENSE_CODE(sense[1] & 0x0f, (uint32_t)sense[2], sense[3]);
	return cmd->sense_len < 14 ? 0 : SENSE_CODE(sense[2] & 0x0f, (uint32_t)sense[12], sense[13]);
}

/*
 * Returns whether the sense key means that the storage has caused the error, and not the command, its
 * arguments or the state of the unit.
 */
static bool is_caused_by_storage(unsigned key)
{
	return key == SENSE_MEDIUM_ERROR || key == SENSE_HARDWARE_ERROR || key == SENSE_DATA_PROTECT ||
	       key == SENSE_ABORTED_COMMAND;
}

void scsi_lu_count_sense(const struct scsi_cmd *cmd)
{
	uint32_t code = sense_code(cmd);
	unsigned key = code >> 16;

	if (!cmd->lu)
		return;
	struct scsi_lu_loop *ll = &cmd->lu->loops[loop_index(cmd->loop)];
	counter_add(&ll->sense_keys[key], 1);
	if (is_caused_by_storage(key))
		atomic_store_explicit(&ll->last_error, (uint64_t)time(NULL) << CODE_BITS | code,
				      memory_order_relaxed);
}

void scsi_lu_errors(const struct scsi_lu *lu, struct scsi_errors *errors)
{
	*errors = (struct scsi_errors){.last_time = 0};
	for (unsigned i = 0; i < lu->nloops; i++) {
		const struct scsi_lu_loop *ll = &lu->loops[i];
		uint64_t last = atomic_load_explicit(&ll->last_error, memory_order_relaxed);

		for (unsigned key = 0; key < SCSI_SENSE_KEYS; key++)
			errors->sense_keys[key] += counter_read(&ll->sense_keys[key]);
		if (last >> CODE_BITS >= errors->last_time && last) {
			errors->last_time = last >> CODE_BITS;
			errors->last_sense = last & CODE_MASK;
		}
	}
}

const char *scsi_sense_key_name(unsigned key)
{
	static const char *const names[SCSI_SENSE_KEYS] = {
	    "NO SENSE",       "RECOVERED ERROR", "NOT READY",      "MEDIUM ERROR",
	    "HARDWARE ERROR", "ILLEGAL REQUEST", "UNIT ATTENTION", "DATA PROTECT",
	    "BLANK CHECK",    "VENDOR SPECIFIC", "COPY ABORTED",   "ABORTED COMMAND",
	    "reserved (0Ch)", "VOLUME OVERFLOW", "MISCOMPARE",     "COMPLETED",
	};

	return names[key % SCSI_SENSE_KEYS];
}
