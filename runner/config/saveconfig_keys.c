/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table that connects keys of rtslib-fb's format with attributes. It is the only place outside of the
 * table of attributes that has both names; the keys under "attributes" and "parameters" are the names of
 * the attributes.
 */
#include "config/saveconfig_keys.h"

#include <string.h>

#include "util/bytes.h"

#define AUTH(kind, key, name)                                              \
	{                                                                  \
		kind, key, "auth", name, CONFIG_KEY_TEXT, NULL, NULL, NULL \
	}
#define DISCOVERY(key, name, form)                                              \
	{                                                                       \
		MODEL_ROOT, key, "discovery_auth", name, form, NULL, NULL, NULL \
	}

static const struct config_key keys[] = {
    {MODEL_STORAGE, "wwn", "wwn", "vpd_unit_serial", CONFIG_KEY_TEXT, NULL, "health", "serial"},
    {MODEL_STORAGE, "size", "control", "size", CONFIG_KEY_NUMBER, "user fileio ramdisk", "attrib",
     "dev_size"},
    {MODEL_STORAGE, "write_back", "attrib", "emulate_write_cache", CONFIG_KEY_BOOL, "fileio block", NULL,
     NULL},
    {MODEL_STORAGE, "readonly", "control", "read_only", CONFIG_KEY_BOOL, "block", NULL, NULL},
    DISCOVERY("discovery_enable_auth", "enforce_discovery_auth", CONFIG_KEY_BOOL),
    DISCOVERY("discovery_userid", "userid", CONFIG_KEY_TEXT),
    DISCOVERY("discovery_password", "password", CONFIG_KEY_TEXT),
    DISCOVERY("discovery_mutual_userid", "userid_mutual", CONFIG_KEY_TEXT),
    DISCOVERY("discovery_mutual_password", "password_mutual", CONFIG_KEY_TEXT),
    AUTH(MODEL_TPG, "chap_userid", "userid"),
    AUTH(MODEL_TPG, "chap_password", "password"),
    AUTH(MODEL_TPG, "chap_mutual_userid", "userid_mutual"),
    AUTH(MODEL_TPG, "chap_mutual_password", "password_mutual"),
    {MODEL_PORTAL, "iser", "", "iser", CONFIG_KEY_BOOL, NULL, NULL, NULL},
    {MODEL_PORTAL, "offload", "", "cxgbit", CONFIG_KEY_BOOL, NULL, NULL, NULL},
    AUTH(MODEL_ACL, "chap_userid", "userid"),
    AUTH(MODEL_ACL, "chap_password", "password"),
    AUTH(MODEL_ACL, "chap_mutual_userid", "userid_mutual"),
    AUTH(MODEL_ACL, "chap_mutual_password", "password_mutual"),
    {MODEL_ACL, "tcq_depth", "", "cmdsn_depth", CONFIG_KEY_NUMBER, NULL, NULL, NULL},
    {MODEL_ACL, "tag", "", "tag", CONFIG_KEY_TEXT, NULL, NULL, NULL},
    {MODEL_LUN, "alias", "", "alias", CONFIG_KEY_TEXT, NULL, NULL, NULL},
    {MODEL_LUN, "alua_tg_pt_gp_name", "", "alua_tg_pt_gp", CONFIG_KEY_TEXT, NULL, NULL, NULL},
    {MODEL_MAPPED_LUN, "write_protect", "", "write_protect", CONFIG_KEY_BOOL, NULL, NULL, NULL},
    {MODEL_MAPPED_LUN, "alias", "", "alias", CONFIG_KEY_TEXT, NULL, NULL, NULL},
};

static const struct config_group_key groups[] = {{"attributes", "attrib"}, {"parameters", "param"}};

static bool node_has_key(const struct config_node *node, const struct config_key *key)
{
	if (key->kind != node->kind)
		return false;
	if (!key->plugins)
		return true;
	g_auto(GStrv) plugins = g_strsplit(key->plugins, " ", -1);

	for (char **plugin = plugins; *plugin; plugin++)
		if (config_node_has_plugin(node, *plugin))
			return true;
	return false;
}

const struct config_key *config_key_at(const struct config_node *node, unsigned i)
{
	for (size_t at = 0; at < ARRAY_SIZE(keys); at++)
		if (node_has_key(node, &keys[at]) && !i--)
			return &keys[at];
	return NULL;
}

const struct model_attribute *config_key_attribute(const struct config_key *key)
{
	return model_attribute(key->kind, key->group, key->name);
}

const struct config_group_key *config_group_key_at(unsigned i)
{
	return i < ARRAY_SIZE(groups) ? &groups[i] : NULL;
}

bool config_attribute_is_saved(const struct model_attribute *attribute)
{
	return !(attribute->flags & (MODEL_READ_ONLY | MODEL_NOT_SAVED));
}

static bool is_in_group(const struct model_attribute *attribute)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (!strcmp(attribute->group, groups[i].group))
			return true;
	return false;
}

bool config_attribute_is_lio(const struct config_node *node, const struct model_attribute *attribute)
{
	const struct config_key *key;

	for (unsigned i = 0; (key = config_key_at(node, i)); i++)
		if (config_key_attribute(key) == attribute)
			return true;
	return !(attribute->flags & MODEL_OURS) && is_in_group(attribute);
}

bool config_attribute_is_chosen(const struct model_attribute *attribute)
{
	if (attribute->kind == MODEL_STORAGE)
		return attribute == config_storage_size() ||
		       attribute == model_attribute(MODEL_STORAGE, "wwn", "vpd_unit_serial");
	/* prod_mode_write_protect protects a mapped LUN for which the file says nothing. */
	return attribute == model_attribute(MODEL_TPG, "", "rtpi") ||
	       attribute == model_attribute(MODEL_MAPPED_LUN, "", "write_protect");
}

bool config_attribute_needs_new_object(const struct model_attribute *attribute)
{
	return attribute->kind == MODEL_STORAGE &&
	       (attribute->flags & MODEL_BEFORE_USE || !strcmp(attribute->group, "wwn"));
}

const struct model_attribute *config_attribute_named(enum model_kind kind, const char *name)
{
	const struct model_attribute *attribute;

	for (unsigned i = 0; (attribute = model_attribute_at(kind, i)); i++)
		if (!strcmp(attribute->name, name) && config_attribute_is_saved(attribute))
			return attribute;
	return NULL;
}

bool config_key_is_secret(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct model_attribute *attribute =
		    strcmp(keys[i].key, key) ? NULL : config_key_attribute(&keys[i]);

		if (attribute && attribute->type == MODEL_SECRET)
			return true;
	}
	for (unsigned kind = MODEL_ROOT; kind < MODEL_KINDS; kind++) {
		const struct model_attribute *attribute = config_attribute_named(kind, key);

		if (attribute && attribute->type == MODEL_SECRET)
			return true;
	}
	return false;
}

const struct model_attribute *config_key_effective(const struct config_key *key)
{
	return key->effective_name ? model_attribute(key->kind, key->effective_group, key->effective_name)
				   : NULL;
}

bool config_attribute_closes(const struct config_node *node, const struct model_attribute *attribute)
{
	if (node->kind == MODEL_ROOT || node->kind == MODEL_STORAGE ||
	    attribute->flags & (MODEL_NO_EFFECT | MODEL_TUNES))
		return false;
	return !(attribute->flags & MODEL_OURS) || attribute->flags & MODEL_RESTRICTS;
}

const struct model_attribute *config_discovery_enforce(void)
{
	return model_attribute(MODEL_ROOT, "discovery_auth", "enforce_discovery_auth");
}

bool config_object_needs_value(const struct model_object *object, const struct model_attribute *attribute)
{
	return (model_kind(object) == MODEL_STORAGE && !model_is_enabled(object) &&
		config_attribute_needs_new_object(attribute)) ||
	       model_kind(object) == MODEL_MAPPED_LUN;
}
