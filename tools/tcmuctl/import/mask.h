/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LUN masking: from groups of initiators, each with LUNs of its own, to the LUNs of a TPG, its ACLs
 * and their mapped LUNs. README.md explains the rules.
 */
#ifndef IMPORT_MASK_H
#define IMPORT_MASK_H

#include "import/report.h"
#include "import/saved.h"

struct mask_lun {
	unsigned number;
	const struct saved_object *object;
	bool read_only;
	struct place place;
};

/* A name of a group. It may be a pattern with '*', '?' or '!', or NAME#ADDRESS for one portal only. */
struct mask_name {
	char *text;
	struct place place;
};

struct mask_group {
	const char *name;
	/* struct mask_lun; the numbers differ. */
	GArray *luns;
	/* struct mask_name; the strings belong to the caller. */
	GArray *initiators;
};

/*
 * Fills the LUNs and ACLs of the target. groups has struct mask_group; default_luns has struct
 * mask_lun, for initiators that are in no group. What cannot be expressed leads to less access, and
 * to a remark.
 */
void mask_apply(struct saved_target *target, const GArray *default_luns, const GPtrArray *groups,
		struct place place, struct report *report);
#endif
