/* SPDX-License-Identifier: Apache-2.0 */
#include "scsi/lu.h"
#include "scsi/reserve.h"
#include "scsi/ua.h"
#include "util/cleanup.h"

void scsi_nexus_attach(struct scsi_nexus *nexus, struct scsi_it_nexus *it, struct scsi_lu *lu)
{
	SCOPE_LOCK(&lu->lock);

	*nexus = (struct scsi_nexus){.it = it,
				     .lu = lu,
				     .ua_pending =
					 SCSI_UA_POWER_ON | (lu->medium_changed ? SCSI_UA_MEDIUM_CHANGED : 0),
				     .id = ++lu->last_nexus_id};
	list_add_tail(&lu->nexuses, &nexus->node);
}

void scsi_nexus_detach(struct scsi_nexus *nexus)
{
	struct scsi_lu *lu = nexus->lu;
	SCOPE_LOCK(&lu->lock);

	if (lu->reserved_by == nexus->id)
		scsi_reserve_clear_locked(lu);
	list_del(&nexus->node);
}
