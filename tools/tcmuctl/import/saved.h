/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of an import: what docs/saveconfig.md describes, before it is written as JSON.
 * Importers fill it, and saved_json() prints it. All strings and arrays belong to the objects that
 * hold them.
 */
#ifndef IMPORT_SAVED_H
#define IMPORT_SAVED_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The largest LUN: flat space addressing (SAM-5 4.7.7.4). */
#define SAVED_LUN_MAX 16383

struct saved_object {
	/* The name below /backstores/user/. */
	char *name;
	/* "HANDLER/CONFIG;KEY=VALUE", with escapes. */
	char *config;
	/* The unit serial number. */
	char *wwn;
	/* Bytes; 0: unknown. */
	uint64_t size;
	/* Bytes, 512 or 4096; 0: what the storage has. */
	uint32_t block_size;
	bool read_only;
	/* There is storage, which must not be created if it is missing. */
	bool has_storage;
	/* What INQUIRY reports; NULL: the default. */
	char *vendor, *product, *revision;
};

struct saved_lun {
	unsigned index;
	const struct saved_object *object;
	/* Hidden from initiators without an ACL. */
	bool acl_only;
	/* Initiators without an ACL cannot write, although the TPG lets them. */
	bool write_protect;
};

struct saved_mapped_lun {
	unsigned index, tpg_lun;
	bool write_protect;
};

struct saved_acl {
	/* In lower case. */
	char *initiator;
	/* struct saved_mapped_lun */
	GArray *luns;
};

struct saved_account {
	/* NULL: there is none. */
	char *user, *secret;
};

/* Who must authenticate to whom (RFC 7143 12.1). */
struct saved_auth {
	/* Initiators must authenticate, even if no usable account is left. */
	bool required;
	/* Of initiators, and of the target towards them. */
	struct saved_account incoming, outgoing;
	/*
	 * Further accounts of initiators, in the form of the attribute more_accounts (model/accounts.h);
	 * NULL: there are none.
	 */
	GString *more;
};

struct saved_parameter {
	/* The login key in the spelling of RFC 7143; a constant. */
	const char *name;
	char *value;
};

/* A target with its only TPG, which has the tag 1. */
struct saved_target {
	/* In lower case. */
	char *name;
	/* The administrator wants it enabled, and everything that limits access was carried over. */
	bool enable;
	/* Initiators without an ACL are admitted. */
	bool demo_mode;
	/* Such initiators cannot write to any LUN. */
	bool demo_write_protect;
	struct saved_auth auth;
	/* Commands that a session may have outstanding; 0: the default. */
	unsigned queue_depth;
	/* Seconds, for the ACLs; negative: the default. */
	int nopin_timeout, nopin_response_timeout;
	/* struct saved_parameter */
	GPtrArray *parameters;
	/* IP addresses without a port, IPv6 ones in brackets. */
	GPtrArray *portals;
	/* struct saved_lun */
	GArray *luns;
	/* struct saved_acl */
	GPtrArray *acls;
	/* Address rules (docs/saveconfig.md): strings; NULL: the list is not present. They are not empty. */
	GPtrArray *allowed, *denied;
};

struct saved_config {
	/* struct saved_object */
	GPtrArray *objects;
	/* struct saved_target */
	GPtrArray *targets;
	/* For discovery sessions. */
	struct saved_auth discovery;
};

struct saved_config *saved_config_new(void);
void saved_config_free(struct saved_config *config);
/* Adds an object. The caller has made sure that the name is new. The name is copied. */
struct saved_object *saved_object_add(struct saved_config *config, const char *name);
struct saved_object *saved_object_find(const struct saved_config *config, const char *name);
/* Adds an enabled target with demo mode off, or returns NULL if the name exists. */
struct saved_target *saved_target_add(struct saved_config *config, const char *name);
struct saved_target *saved_target_find(const struct saved_config *config, const char *name);
struct saved_acl *saved_acl_add(struct saved_target *target, const char *initiator);
struct saved_acl *saved_acl_find(const struct saved_target *target, const char *initiator);
/* Sets a login key; an earlier value is replaced. name is a constant. */
void saved_parameter_set(struct saved_target *target, const char *name, const char *value);
/* Sets an account; an earlier one is replaced. */
void saved_account_set(struct saved_account *account, const char *user, const char *secret);
/* Adds a further account of initiators. Returns false if the list has no room for it. */
bool saved_auth_add(struct saved_auth *auth, const char *user, const char *secret);
/* Returns whether an account is set. */
bool saved_account_is_set(const struct saved_account *account);
/* Adds a portal for all IPv4 addresses, and one for IPv6 if the address rules of the target mention it. */
void saved_portal_add_default(struct saved_target *target);
/* Returns whether the target needs a setting that LIO does not have. LIO must not enable it then. */
bool saved_target_needs_own_settings(const struct saved_target *target);

/* The text of saveconfig.json, which ends with a newline. The caller frees it. */
char *saved_json(const struct saved_config *config);

typedef struct saved_config saved_tree;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(saved_tree, saved_config_free)
#endif
