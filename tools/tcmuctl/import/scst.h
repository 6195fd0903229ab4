/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import from SCST. The parsers of its configuration files fill struct scst_config, and the
 * other files turn it into the result.
 */
#ifndef IMPORT_SCST_H
#define IMPORT_SCST_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "import/mask.h"
#include "import/node.h"
#include "import/report.h"
#include "import/saved.h"
#include "import/source.h"
#include "util/error.h"

struct scst_device {
	char *name;
	/* NULL: a device that stores nothing. */
	char *path;
	/* The device cannot be carried over; a remark has said why. */
	bool is_left_out;
	bool is_nullio, is_direct, is_write_through, is_read_only, is_nv_cache;
	/* Bytes; 0: not given. */
	unsigned block_size;
	uint64_t size;
	/* NULL: not given. */
	char *serial;
	struct place place;
	/* The result, or NULL. */
	struct saved_object *object;
};

struct scst_lun {
	unsigned number;
	char *device;
	bool read_only;
	struct place place;
};

/* A security group, or the LUNs that a target shows to initiators without a group. */
struct scst_group {
	char *name;
	/* struct scst_lun */
	GArray *luns;
	/* struct mask_name */
	GArray *initiators;
	struct place place;
};

struct scst_target {
	/* The name as it is written, and the result. */
	char *name;
	struct saved_target *saved;
	struct place place;
	/* A portal is limited in a way that cannot be carried over. */
	bool has_unclear_portal;
	/* scst.conf has this target, and therefore its LUNs and groups, too. */
	bool has_own_luns;
	/* struct scst_group; only with has_own_luns. */
	struct scst_group *defaults;
	GPtrArray *groups;
};

struct scst_config {
	struct saved_config *saved;
	struct report *report;
	/* struct scst_device, struct scst_target */
	GPtrArray *devices, *targets;
	/* struct scst_group: the groups of the old dialect, which hold for all targets. */
	GPtrArray *groups;
	/* The new dialect has a switch for the whole driver. */
	bool driver_is_disabled;
	/* An iSNS server decides which initiators may log in. */
	bool isns_decides;
};

/* The files of SCST; NULL: the file does not exist. */
struct scst_sources {
	const struct source *scst_conf, *daemon_conf, *allow, *deny;
};

/* Fills saved. Returns 0, or -EINVAL with error set if a file cannot be understood at all. */
int scst_import(const struct scst_sources *sources, struct saved_config *saved, struct report *report,
		struct error *error);

/* --- between the files of the import --- */

/* scst.conf in the old dialect, "[HANDLER vdisk]", and in the new one, "HANDLER vdisk_fileio {". */
bool scst_is_procfs(const struct source *source);
void scst_parse_procfs(struct scst_config *config, const struct source *source);
int scst_parse_sysfs(struct scst_config *config, const struct source *source, struct error *error);
/* The tree of a file in the new dialect; NULL with error set. The caller frees it. */
struct node *scst_parse_tree(const struct source *source, struct error *error);
/* iscsi-scstd.conf */
void scst_parse_daemon_conf(struct scst_config *config, const struct source *source);
/* Applies initiators.allow and initiators.deny to all targets. Each may be NULL. */
void scst_apply_access(struct scst_config *config, const struct source *allow, const struct source *deny);
/* Makes the storage objects of all devices. */
void scst_save_devices(struct scst_config *config);
/* Makes the LUNs and ACLs of all targets. */
void scst_save_luns(struct scst_config *config);
/* Target by target, whatever of a TARGET section is not a LUN and no group. */
void scst_take_target_attribute(struct scst_config *config, struct scst_target *target,
				const struct node *node);

/* Adds a device, a LUN, ...; all strings are copied. Returns NULL, after a remark, if it exists. */
struct scst_device *scst_device_add(struct scst_config *config, const char *name, struct place place);
struct scst_device *scst_device_find(const struct scst_config *config, const char *name);
struct scst_group *scst_group_new(const char *name, struct place place);
void scst_group_free(struct scst_group *group);
struct scst_group *scst_group_find(const GPtrArray *groups, const char *name);
void scst_group_add_initiator(struct scst_group *group, const char *name, struct place place);
/* number: text. A LUN that is wrong, or whose number is taken, is left out after a remark. */
void scst_group_add_lun(struct scst_config *config, struct scst_group *group, const char *number,
			const char *device, bool read_only, struct place place);
/*
 * A target that exists gets more settings: the existing one is returned. NULL, after a remark: the
 * name is wrong.
 */
struct scst_target *scst_target_get(struct scst_config *config, const char *name, struct place place);
/*
 * Sets the device's option with this name ("nv_cache", case does not matter). Returns false if it is no such
 * option.
 */
bool scst_device_set_flag(struct scst_device *device, const char *name, bool value);
void scst_device_set_block_size(struct scst_config *config, struct scst_device *device, const char *text,
				struct place place);
/*
 * An account, "IncomingUser" or "OutgoingUser" with or without a number after it; value is "USER SECRET".
 * Returns false if name is not such a word.
 */
bool scst_take_account(struct scst_config *config, struct saved_auth *auth, const char *name,
		       const char *value, struct place place);
#endif
