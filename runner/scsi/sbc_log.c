/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logical Block Provisioning log page, SBC-4 6.4.6. It counts in threshold sets of 2 to the THRESHOLD
 * EXPONENT of VPD B2 blocks. There are no thresholds and the exponent is 0, so it counts blocks, in 32 bits.
 */
#include "scsi/sbc.h"
#include "scsi/sbc_limits.h"
#include "util/bytes.h"

enum resource { AVAILABLE = 0x0001, USED = 0x0002 };
enum scope { OF_THIS_LU = 1, MAY_BE_SHARED = 2 };

bool sbc_tells_usage(const struct scsi_lu *lu)
{
	return sbc_is_thin(lu) && backstore_has_usage(lu->bs) && scsi_lu_blocks(lu) <= UINT32_MAX;
}

/* A parameter; returns the address behind it. */
static uint8_t *add(uint8_t *p, enum resource code, uint64_t blocks, enum scope scope)
{
	put_be16(p, (uint16_t)code);
	p[2] = 0x03; /* FORMAT AND LINKING: binary list */
	p[3] = 8;
	put_be32(p + 4, (uint32_t)blocks);
	p[8] = (uint8_t)scope;
	return p + 12;
}

unsigned sbc_log_provisioning(const struct scsi_cmd *cmd, uint8_t *page)
{
	const struct tcmur_usage *usage = &cmd->bio.usage;
	uint32_t shift = cmd->lu->block_shift;
	/* It may have grown since it was found small enough. */
	uint64_t capacity = MIN(scsi_lu_blocks(cmd->lu), UINT32_MAX);
	/* The storage may count its own records of where blocks are, too. */
	uint64_t used = MIN(usage->used >> shift, capacity);
	uint8_t *p = page + 4;

	p = add(p, AVAILABLE, MIN(usage->available >> shift, capacity - used), MAY_BE_SHARED);
	p = add(p, USED, used, OF_THIS_LU);
	return (unsigned)(p - page) - 4;
}
