/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of an import: the contents of a file that docs/saveconfig.md describes, before it is written as
 * JSON. Importers fill it, and saved_json() prints it. All strings and arrays belong to the objects that
 * contain them.
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
	/* In bytes; 0 if unknown. */
	uint64_t size;
	/* In bytes, 512 or 4096; 0 means that the storage decides. */
	uint32_t block_size;
	bool read_only;
	/* Whether there is storage, which must not be created if it is missing. */
	bool has_storage;
	/* The names for INQUIRY; NULL means the default. */
	char *vendor, *product, *revision;
};

struct saved_lun {
	unsigned index;
	const struct saved_object *object;
	/* Whether initiators without an ACL do not see the LUN. */
	bool acl_only;
	/* Whether initiators without an ACL cannot write to the LUN, even if the TPG permits it. */
	bool write_protect;
};

struct saved_mapped_lun {
	unsigned index, tpg_lun;
	bool write_protect;
};

struct saved_acl {
	/* The name in lower case. */
	char *initiator;
	/* An array of struct saved_mapped_lun. */
	GArray *luns;
};

struct saved_account {
	/* NULL if there is no account. */
	char *user, *secret;
};

/* Which side must authenticate itself to the other one (RFC 7143 12.1). */
struct saved_auth {
	/* Whether initiators must authenticate, even if no usable account is left. */
	bool required;
	/* The account of initiators, and the account of the target towards them. */
	struct saved_account incoming, outgoing;
	/*
	 * Further accounts of initiators, in the form of the attribute more_accounts (model/accounts.h), or
	 * NULL.
	 */
	GString *more;
};

struct saved_parameter {
	/* The login key in the spelling of RFC 7143. The string is a constant. */
	const char *name;
	char *value;
};

/* A target with its only TPG, which has the tag 1. */
struct saved_target {
	/* The name in lower case. */
	char *name;
	/*
	 * Whether the administrator wants the target enabled, and everything that limits access was carried
	 * over.
	 */
	bool enable;
	/* Whether initiators without an ACL are admitted. */
	bool demo_mode;
	/* Whether such initiators cannot write to any LUN. */
	bool demo_write_protect;
	struct saved_auth auth;
	/* The number of commands that a session may have outstanding; 0 means the default. */
	unsigned queue_depth;
	/* In seconds, for the ACLs; a negative value means the default. */
	int nopin_timeout, nopin_response_timeout;
	/* An array of struct saved_parameter. */
	GPtrArray *parameters;
	/* IP addresses without a port; IPv6 addresses are in brackets. */
	GPtrArray *portals;
	/* An array of struct saved_lun. */
	GArray *luns;
	/* An array of struct saved_acl. */
	GPtrArray *acls;
	/*
	 * Address rules (docs/saveconfig.md), which are arrays of strings and not empty, or NULL if there is
	 * no such list.
	 */
	GPtrArray *allowed, *denied;
};

struct saved_config {
	/* An array of struct saved_object. */
	GPtrArray *objects;
	/* An array of struct saved_target. */
	GPtrArray *targets;
	/* The accounts for discovery sessions. */
	struct saved_auth discovery;
};

struct saved_config *saved_config_new(void);
void saved_config_free(struct saved_config *config);
/* Adds an object. name must be new, and is copied. */
struct saved_object *saved_object_add(struct saved_config *config, const char *name);
struct saved_object *saved_object_find(const struct saved_config *config, const char *name);
/* Adds an enabled target with demo mode off. Returns NULL if the name exists already. */
struct saved_target *saved_target_add(struct saved_config *config, const char *name);
struct saved_target *saved_target_find(const struct saved_config *config, const char *name);
struct saved_acl *saved_acl_add(struct saved_target *target, const char *initiator);
struct saved_acl *saved_acl_find(const struct saved_target *target, const char *initiator);
/* Sets a login key, or replaces its value. name is a constant. */
void saved_parameter_set(struct saved_target *target, const char *name, const char *value);
/* Sets an account, or replaces it. */
void saved_account_set(struct saved_account *account, const char *user, const char *secret);
/* Adds a further account of initiators. Returns false if the list has no room for it. */
bool saved_auth_add(struct saved_auth *auth, const char *user, const char *secret);
/* Returns whether an account is set. */
bool saved_account_is_set(const struct saved_account *account);
/*
 * Adds a portal for all IPv4 addresses. If the address rules of the target contain an IPv6 address, the
 * portal is for both.
 */
void saved_portal_add_default(struct saved_target *target);
/*
 * Returns whether the target needs a setting that LIO does not have. In this case, LIO must not enable the
 * target.
 */
bool saved_target_needs_own_settings(const struct saved_target *target);

/* Returns the text of saveconfig.json, which ends with a newline. The caller frees it. */
char *saved_json(const struct saved_config *config);

typedef struct saved_config saved_tree;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(saved_tree, saved_config_free)
#endif
