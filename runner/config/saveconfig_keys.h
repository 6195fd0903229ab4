/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of rtslib-fb's format that stand for one attribute of the table of attributes but are neither
 * under "attributes" nor under "parameters", and the plugins of storage objects. Any thread.
 */
#ifndef CONFIG_SAVECONFIG_KEYS_H
#define CONFIG_SAVECONFIG_KEYS_H

#include "config/saveconfig_tree.h"

/* The form of the value in the file. */
enum config_key_form { CONFIG_KEY_TEXT, CONFIG_KEY_NUMBER, CONFIG_KEY_BOOL };

struct config_key {
	enum model_kind kind;
	/* In the file. */
	const char *key;
	/* In the table of attributes. */
	const char *group, *name;
	enum config_key_form form;
	/* For a storage object: the plugins that have the key; NULL: all. */
	const char *plugins;
	/*
	 * The attribute that shows the effective value while the first one has none; NULL: there is no such
	 * attribute.
	 */
	const char *shown_group, *shown_name;
};

/* The i-th key of a node; NULL after the last one. */
const struct config_key *config_key_at(const struct config_node *node, unsigned i);
/* Returns NULL if this daemon has no such attribute. */
const struct model_attribute *config_key_attribute(const struct config_key *key);
const struct model_attribute *config_key_shown(const struct config_key *key);

/* An object of the file whose members are all attributes of one group. */
struct config_group_key {
	/* "attributes" and "attrib" */
	const char *key, *group;
};
/* The i-th of them; NULL after the last one. */
const struct config_group_key *config_group_key_at(unsigned i);

/*
 * Returns whether the file has a place for the attribute in the part that LIO knows. The other attributes,
 * and those that LIO lacks, are under tcmu_runner.
 */
bool config_attribute_is_lio(const struct config_node *node, const struct model_attribute *attribute);
/*
 * Returns whether an initiator could get more access than the file gives if a value of this attribute were
 * missing; then the TPG stays disabled.
 */
bool config_attribute_closes(const struct config_node *node, const struct model_attribute *attribute);
/* Returns whether the attribute is part of a configuration at all. */
bool config_attribute_is_saved(const struct model_attribute *attribute);
/* Returns whether the daemon chooses the value itself where the file has none. */
bool config_attribute_is_chosen(const struct model_attribute *attribute);
/* Returns whether a storage object must be deleted and created again for another value. */
bool config_attribute_needs_new_object(const struct model_attribute *attribute);
/* Returns whether a key of this name holds a secret, in the part that LIO knows or under tcmu_runner. */
bool config_key_is_secret(const char *key);
/* The attribute of this name in any group, or NULL. */
const struct model_attribute *config_attribute_named(enum model_kind kind, const char *name);

/* --- saveconfig_plugin.c: what the plugins of storage objects have for themselves */

/*
 * "fileio" and "iblock" are the plugin and its folder in configfs. Returns NULL if the daemon does not serve
 * this plugin.
 */
const char *config_plugin_folder(const char *plugin);
/* The reverse of config_plugin_folder(); returns NULL if no plugin has this folder. */
const char *config_plugin_of_folder(const char *folder);
/* Returns whether the name of a storage object, "PLUGIN/NAME", begins with the plugin. */
bool config_node_has_plugin(const struct config_node *node, const char *plugin);
/*
 * Reads the keys that name the storage, such as "dev" of fileio, its block size and its largest transfer,
 * into attributes of the node. Returns 0, or -EINVAL with error set.
 */
int config_plugin_read(struct config_node *node, JsonObject *entry, struct error *error);
/*
 * Writes these keys. Returns false if the plugin's keys cannot express which storage is served; then the
 * attribute must also be written under tcmu_runner.
 */
bool config_plugin_write(const struct config_node *node, JsonObject *entry);
/* Returns whether these two functions read and write the attribute. */
bool config_plugin_has(const struct config_node *node, const struct model_attribute *attribute);
/*
 * Returns whether config_plugin_write() writes something else in place of the attribute under "attributes".
 */
bool config_plugin_writes(const struct model_attribute *attribute);
/* The attribute that says whether discovery demands authentication. */
const struct model_attribute *config_discovery_enforce(void);
/* The attribute that names the storage. */
const struct model_attribute *config_storage_config(void);
/* The attribute that says whether the storage is opened read-only. */
const struct model_attribute *config_storage_read_only(void);
/* The attribute that says how large the storage is. */
const struct model_attribute *config_storage_size(void);
/*
 * Returns the attribute that says whether missing storage may be created. It has no effect on storage that
 * exists.
 */
const struct model_attribute *config_storage_create(void);
#endif
