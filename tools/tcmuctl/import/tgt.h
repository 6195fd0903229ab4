/* SPDX-License-Identifier: Apache-2.0 */
/* The import from tgt. It reads targets.conf(5) in the same way as tgt-admin. */
#ifndef IMPORT_TGT_H
#define IMPORT_TGT_H

#include "import/mask.h"
#include "import/node.h"
#include "import/report.h"
#include "import/saved.h"
#include "import/source.h"
#include "util/error.h"

/*
 * Fills saved from source and the files that it includes. Returns 0, or a negative errno with error
 * set if a file cannot be read or understood.
 */
int tgt_import(const struct source *source, struct saved_config *saved, struct report *report,
	       struct error *error);

/* --- functions for the files of the import --- */

/*
 * Returns the tree of the file and of the files that it includes, or NULL with error and *err set. The caller
 * frees it.
 */
struct node *tgt_parse(const struct source *source, int *err, struct error *error);

struct tgt_import {
	struct saved_config *saved;
	struct report *report;
	/* An array of struct tgt_object: each path is one storage object, even if several targets use it. */
	GPtrArray *objects;
};

/*
 * Returns the LUNs of a target section as an array of struct mask_lun, in the order in which tgt-admin
 * numbers them. The caller frees the array.
 */
GArray *tgt_luns(struct tgt_import *import, const struct node *target);
/* Returns whether a setting of a target belongs to its LUNs, so that tgt_luns() handles it. */
bool tgt_is_lun_setting(const char *name);
void tgt_object_free(void *object);
#endif
