/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import from SCST. The parsers of its configuration files fill struct scst_config, and the other files
 * convert it to the result.
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
	/* NULL for a device that stores nothing. */
	char *path;
	/* Whether the device cannot be carried over. A remark has said why. */
	bool is_left_out;
	bool is_nullio, is_direct, is_write_through, is_read_only, is_nv_cache;
	/* In bytes; 0 if not given. */
	unsigned block_size;
	uint64_t size;
	/* NULL if not given. */
	char *serial;
	struct place place;
	/* The storage object in the result, or NULL. */
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
	/* An array of struct scst_lun. */
	GArray *luns;
	/* An array of struct mask_name. */
	GArray *initiators;
	struct place place;
};

struct scst_target {
	/* The name in the configuration, and the target in the result. */
	char *name;
	struct saved_target *saved;
	struct place place;
	/* Whether a portal is limited in a way that cannot be carried over. */
	bool has_unclear_portal;
	/* Whether scst.conf has this target, and therefore its LUNs and groups, too. */
	bool has_own_luns;
	/* The LUNs for initiators without a group; only if has_own_luns is true. */
	struct scst_group *defaults;
	GPtrArray *groups;
};

struct scst_config {
	struct saved_config *saved;
	struct report *report;
	/* Arrays of struct scst_device and struct scst_target. */
	GPtrArray *devices, *targets;
	/* An array of struct scst_group: the groups of the old format, which apply to all targets. */
	GPtrArray *groups;
	/* Whether the driver as a whole is disabled, which only the new format can express. */
	bool driver_is_disabled;
	/* Whether an iSNS server decides which initiators may log in. */
	bool isns_decides;
};

/* The files of SCST; NULL if a file does not exist. */
struct scst_sources {
	const struct source *scst_conf, *daemon_conf, *allow, *deny;
};

/* Fills saved. Returns 0, or -EINVAL with error set if a file cannot be read as a configuration at all. */
int scst_import(const struct scst_sources *sources, struct saved_config *saved, struct report *report,
		struct error *error);

/* --- functions for the files of the import --- */

/*
 * Returns whether scst.conf has the old format, "[HANDLER vdisk]", and not the new one, "HANDLER vdisk_fileio
 * {".
 */
bool scst_is_procfs(const struct source *source);
void scst_parse_procfs(struct scst_config *config, const struct source *source);
int scst_parse_sysfs(struct scst_config *config, const struct source *source, struct error *error);
/* Returns the tree of a file in the new format, or NULL with error set. The caller frees it. */
struct node *scst_parse_tree(const struct source *source, struct error *error);
/* iscsi-scstd.conf */
void scst_parse_daemon_conf(struct scst_config *config, const struct source *source);
/* Applies initiators.allow and initiators.deny to all targets. Each of them may be NULL. */
void scst_apply_access(struct scst_config *config, const struct source *allow, const struct source *deny);
/* Makes the storage objects of all devices. */
void scst_save_devices(struct scst_config *config);
/* Makes the LUNs and ACLs of all targets. */
void scst_save_luns(struct scst_config *config);
/* Handles a line of a TARGET section that is neither a LUN nor a group. */
void scst_take_target_attribute(struct scst_config *config, struct scst_target *target,
				const struct node *node);

/*
 * Add a device, a LUN and so on. All strings are copied. If the name exists already, report this and return
 * NULL.
 */
struct scst_device *scst_device_add(struct scst_config *config, const char *name, struct place place);
struct scst_device *scst_device_find(const struct scst_config *config, const char *name);
struct scst_group *scst_group_new(const char *name, struct place place);
void scst_group_free(struct scst_group *group);
struct scst_group *scst_group_find(const GPtrArray *groups, const char *name);
void scst_group_add_initiator(struct scst_group *group, const char *name, struct place place);
/* Adds a LUN. number is text. A LUN that is wrong, or whose number is taken, is left out, with a remark. */
void scst_group_add_lun(struct scst_config *config, struct scst_group *group, const char *number,
			const char *device, bool read_only, struct place place);
/*
 * Returns the target with this name, which is created if it does not exist yet. If the name is wrong, reports
 * this and returns NULL.
 */
struct scst_target *scst_target_get(struct scst_config *config, const char *name, struct place place);
/*
 * Sets the device's option with this name, such as "nv_cache"; upper and lower case are equal. Returns false
 * if there is no such option.
 */
bool scst_device_set_flag(struct scst_device *device, const char *name, bool value);
void scst_device_set_block_size(struct scst_config *config, struct scst_device *device, const char *text,
				struct place place);
/*
 * Handles an account, "IncomingUser" or "OutgoingUser" with or without a number after it. value is "USER
 * SECRET". Returns false if name is not such a word.
 */
bool scst_take_account(struct scst_config *config, struct saved_auth *auth, const char *name,
		       const char *value, struct place place);
#endif
