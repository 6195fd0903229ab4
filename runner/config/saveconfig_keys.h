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
	/* The name of the key in the file. */
	const char *key;
	/* The group and name of the attribute in the table of attributes. */
	const char *group, *name;
	enum config_key_form form;
	/* The plugins whose storage objects have the key, separated by blanks; NULL if all have it. */
	const char *plugins;
	/*
	 * The group and name of the attribute that has the effective value while the attribute above is not
	 * set, or NULL if there is no such attribute.
	 */
	const char *effective_group, *effective_name;
};

/* Returns the i-th key that a node can have, or NULL after the last one. */
const struct config_key *config_key_at(const struct config_node *node, unsigned i);
/* Returns the attribute of the key, or NULL if this daemon has no such attribute. */
const struct model_attribute *config_key_attribute(const struct config_key *key);
/* Returns the attribute that has the effective value, or NULL if the key has no such attribute. */
const struct model_attribute *config_key_effective(const struct config_key *key);

/* A key of the file whose value is an object, and whose members are the attributes of one group. */
struct config_group_key {
	/* The key, for example "attributes", and the group, for example "attrib". */
	const char *key, *group;
};
/* Returns the i-th key of this sort, or NULL after the last one. */
const struct config_group_key *config_group_key_at(unsigned i);

/*
 * Returns whether the part of the file that LIO knows has a key for the attribute. All other attributes are
 * under tcmu_runner.
 */
bool config_attribute_is_lio(const struct config_node *node, const struct model_attribute *attribute);
/*
 * Returns whether an initiator could get more access than the file gives if this attribute did not get its
 * value from the file. If the value cannot be used, the TPG stays disabled.
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
/* Returns the attribute of this name in any group that is part of a configuration, or NULL. */
const struct model_attribute *config_attribute_named(enum model_kind kind, const char *name);

/* --- saveconfig_plugin.c: keys and values that depend on the plugin of a storage object */

/*
 * Returns the beginning of the names of the plugin's folders in configfs: "iblock" for the plugin "block".
 * Returns NULL if the daemon does not serve this plugin.
 */
const char *config_plugin_folder(const char *plugin);
/* The reverse of config_plugin_folder(); returns NULL if no plugin has this folder. */
const char *config_plugin_of_folder(const char *folder);
/* Returns whether the node is a storage object of this plugin. */
bool config_node_has_plugin(const struct config_node *node, const char *plugin);
/*
 * Reads the keys that name the storage, such as "dev" of fileio, its block size and its largest transfer,
 * into attributes of the node. Returns 0, or -EINVAL with error set.
 */
int config_plugin_read(struct config_node *node, JsonObject *entry, struct error *error);
/*
 * Writes the keys that config_plugin_read() reads. Returns false if these keys cannot express which storage
 * is served, so that the caller must also write dev_config under tcmu_runner.
 */
bool config_plugin_write(const struct config_node *node, JsonObject *entry);
/* Returns whether config_plugin_read() and config_plugin_write() read and write the attribute. */
bool config_plugin_has(const struct config_node *node, const struct model_attribute *attribute);
/*
 * Returns whether config_plugin_write() writes another value under the name of this attribute in
 * "attributes".
 */
bool config_plugin_writes(const struct model_attribute *attribute);
/* Returns the attribute that says whether discovery demands authentication. */
const struct model_attribute *config_discovery_enforce(void);
/* Returns the attribute whose value is the dev_config string, which names the handler and the storage. */
const struct model_attribute *config_storage_config(void);
/* Returns the attribute that says whether the storage is opened read-only. */
const struct model_attribute *config_storage_read_only(void);
/* Returns the attribute that says how large the storage is. */
const struct model_attribute *config_storage_size(void);
/*
 * Returns the attribute that says whether missing storage may be created. It has no effect on storage that
 * exists.
 */
const struct model_attribute *config_storage_create(void);
/*
 * Returns whether the object must not be served without the value: storage that is not open yet must be
 * opened with the right settings, and a mapped LUN could allow writing by mistake. Storage that is open
 * continues with the value that it has.
 */
bool config_object_needs_value(const struct model_object *object, const struct model_attribute *attribute);
#endif
