/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LUN masking: converts groups of initiators, each with its own LUNs, to the LUNs of a TPG, its ACLs and
 * their mapped LUNs. README.md explains the rules.
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

/* A name in a group. It may be a pattern with '*', '?' or '!', or NAME#ADDRESS for one portal only. */
struct mask_name {
	char *text;
	struct place place;
};

struct mask_group {
	const char *name;
	/* An array of struct mask_lun. All numbers are different. */
	GArray *luns;
	/* An array of struct mask_name. The strings belong to the caller. */
	GArray *initiators;
};

/*
 * Fills the LUNs and ACLs of the target. groups is an array of struct mask_group, and default_luns is an
 * array of struct mask_lun for initiators that are in no group. If something cannot be expressed, initiators
 * get less access, and a remark says so.
 */
void mask_apply(struct saved_target *target, const GArray *default_luns, const GPtrArray *groups,
		struct place place, struct report *report);
#endif
