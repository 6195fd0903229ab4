/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugins of storage objects in rtslib-fb's format, and the handlers that serve them here: "user" names
 * a handler itself, and LIO's own kinds of storage become the handlers file, block, alloc and null.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/saveconfig_keys.h"
#include "config/saveconfig_ours.h"
#include "storage/spec.h"
#include "util/bytes.h"

struct plugin {
	const char *name, *folder;
	int (*read)(struct config_node *node, JsonObject *entry, struct error *error);
	/* Writes the plugin's keys. config is the dev_config string. See config_plugin_write(). */
	bool (*write)(const struct config_node *node, const char *config, JsonObject *entry);
};

static const struct model_attribute *control(const char *name)
{
	return model_attribute(MODEL_STORAGE, "control", name);
}

const struct model_attribute *config_storage_config(void)
{
	return control("config");
}

const struct model_attribute *config_storage_size(void)
{
	return control("size");
}

const struct model_attribute *config_storage_read_only(void)
{
	return control("read_only");
}

const struct model_attribute *config_storage_create(void)
{
	return control("create");
}

bool config_plugin_writes(const struct model_attribute *attribute)
{
	return attribute == model_attribute(MODEL_STORAGE, "attrib", "block_size");
}

bool config_plugin_has(const struct config_node *node, const struct model_attribute *attribute)
{
	return attribute == control("config") || attribute == control("block_size") ||
	       (attribute == control("max_sectors") && config_node_has_plugin(node, "user"));
}

/* Sets the dev_config string to HANDLER/REST, with the necessary escapes in REST. */
static int set_config(struct config_node *node, const char *handler, const char *rest, struct error *error)
{
	char *escaped = storage_spec_escape(rest);

	if (!escaped)
		return error_set(error, ENOMEM, "out of memory");
	g_autofree char *config = g_strconcat(handler, "/", escaped, NULL);

	free(escaped);
	config_node_set(node, config_storage_config(), config);
	return 0;
}

/* Returns PATH if config is HANDLER/PATH without options, otherwise NULL. The caller frees it. */
static char *plain_path(const char *config, const char *handler)
{
	g_autofree char *prefix = g_strconcat(handler, "/", NULL);
	struct storage_spec spec;
	char *path = NULL;

	if (!g_str_has_prefix(config, prefix) || strchr(config, ';') ||
	    storage_spec_parse(&spec, config, NULL))
		return NULL;
	path = g_strdup(spec.config + strlen(prefix));
	storage_spec_free(&spec);
	return path;
}

/* --- user --- */

#define SECTOR         512
#define HW_BLOCK_SIZE  "hw_block_size"
#define HW_MAX_SECTORS "hw_max_sectors"

static guint64 number_of(const struct config_node *node, const char *name)
{
	const struct config_value *value = config_node_value(node, control(name));

	return value ? g_ascii_strtoull(value->text, NULL, 10) : 0;
}

static void set_number(struct config_node *node, const char *name, guint64 number)
{
	char text[24];

	g_snprintf(text, sizeof(text), "%" G_GUINT64_FORMAT, number);
	config_node_set(node, control(name), text);
}

/* Finds the block size in text such as "hw_block_size=512,max_data_area_mb=8". */
static void read_control(struct config_node *node, const char *text)
{
	g_auto(GStrv) pairs = g_strsplit(text, ",", -1);

	for (char **pair = pairs; *pair; pair++)
		if (g_str_has_prefix(*pair, HW_BLOCK_SIZE "="))
			config_node_set(node, control("block_size"), *pair + strlen(HW_BLOCK_SIZE "="));
}

/* LIO counts the largest transfer in blocks, and the attribute counts it in units of 512 bytes. */
static int read_user(struct config_node *node, JsonObject *entry, struct error *error)
{
	const char *config = saveconfig_json_string(entry, "config");
	const char *pairs = saveconfig_json_string(entry, "control");
	guint64 blocks;

	if (!config || !strchr(config, '/'))
		return error_set(error, EINVAL, "\"config\" is not HANDLER/CONFIG");
	config_node_set(node, config_storage_config(), config);
	if (pairs)
		read_control(node, pairs);
	if (!json_object_has_member(entry, HW_MAX_SECTORS) ||
	    json_object_get_null_member(entry, HW_MAX_SECTORS))
		return 0;
	if (!saveconfig_json_number(entry, HW_MAX_SECTORS, G_MAXUINT32, &blocks))
		return error_set(error, EINVAL, "\"" HW_MAX_SECTORS "\" is not a number of blocks");
	set_number(node, "max_sectors", blocks * MAX(number_of(node, "block_size"), SECTOR) / SECTOR);
	return 0;
}

static void add_pair(GString *text, const char *pair)
{
	g_string_append_printf(text, "%s%s", text->len ? "," : "", pair);
}

/* Writes the block size into "control", and leaves its other pairs unchanged. */
static void write_control(const struct config_node *node, JsonObject *entry)
{
	const char *old = saveconfig_json_string(entry, "control");
	g_auto(GStrv) pairs = g_strsplit(old ? old : "", ",", -1);
	guint64 block_size = number_of(node, "block_size");
	g_autofree char *fresh = g_strdup_printf(HW_BLOCK_SIZE "=%" G_GUINT64_FORMAT, block_size);
	g_autoptr(GString) text = g_string_new("");
	bool is_written = !block_size;

	for (char **pair = pairs; *pair; pair++) {
		bool is_block_size = g_str_has_prefix(*pair, HW_BLOCK_SIZE "=");

		if (**pair && (!is_block_size || !is_written))
			add_pair(text, is_block_size ? fresh : *pair);
		is_written |= is_block_size;
	}
	if (!is_written)
		add_pair(text, fresh);
	if (old || text->len)
		json_object_set_string_member(entry, "control", text->str);
}

static bool write_user(const struct config_node *node, const char *config, JsonObject *entry)
{
	guint64 sectors = number_of(node, "max_sectors");

	json_object_set_string_member(entry, "config", config);
	write_control(node, entry);
	if (sectors)
		json_object_set_int_member(
		    entry, HW_MAX_SECTORS,
		    (gint64)(sectors * SECTOR / MAX(number_of(node, "block_size"), SECTOR)));
	return true;
}

/* --- LIO's own kinds of storage: the block size is an attribute --- */

static int read_block_size(struct config_node *node, JsonObject *entry, struct error *error)
{
	JsonObject *attributes = saveconfig_json_object(entry, "attributes");
	guint64 size;

	if (!attributes || !json_object_has_member(attributes, "block_size"))
		return 0;
	/* With another block size, the blocks of the disk would be in other places. */
	if (!saveconfig_json_number(attributes, "block_size", G_MAXUINT32, &size) || !size)
		return error_set(error, EINVAL, "\"block_size\" is not a number of bytes");
	set_number(node, "block_size", size);
	return 0;
}

static void write_block_size(const struct config_node *node, JsonObject *entry)
{
	JsonObject *attributes = saveconfig_json_object(entry, "attributes");
	guint64 size = number_of(node, "block_size");

	if (!size)
		return;
	if (!attributes) {
		attributes = json_object_new();
		json_object_set_object_member(entry, "attributes", attributes);
	}
	json_object_set_int_member(attributes, "block_size", (gint64)size);
}

/* --- fileio and block --- */

/* Returns whether the path is a block device. If nothing exists at the path, its name decides. */
static bool is_block_device(const char *path)
{
	struct stat st;

	if (!stat(path, &st))
		return S_ISBLK(st.st_mode);
	return g_str_has_prefix(path, "/dev/") && !g_str_has_prefix(path, "/dev/shm/");
}

/*
 * Returns whether the settings under tcmu_runner, which are read later, say which storage it is. LIO knows
 * neither options nor another handler than that of the plugin, so such an entry needs no path for LIO.
 */
static bool has_own_config(const struct config_node *node)
{
	JsonObject *ours = saveconfig_json_object(json_node_get_object(node->parent->raw), OURS_KEY);
	JsonObject *all = ours ? saveconfig_json_object(ours, ours_container(MODEL_STORAGE)) : NULL;
	JsonObject *own = all ? saveconfig_json_object(all, node->name) : NULL;

	return own && saveconfig_json_string(own, config_storage_config()->name);
}

static int read_device(struct config_node *node, JsonObject *entry, struct error *error)
{
	const char *path = saveconfig_json_string(entry, "dev");
	bool is_missing = !json_object_has_member(entry, "dev") && has_own_config(node);

	if (!is_missing && (!path || path[0] != '/'))
		return error_set(error, EINVAL, "\"dev\" is not an absolute path");
	int err = read_block_size(node, entry, error);

	if (err || is_missing)
		return err;
	return set_config(node, is_block_device(path) ? "block" : "file", path, error);
}

static bool write_device(const struct config_node *node, const char *config, JsonObject *entry)
{
	g_autofree char *file = plain_path(config, "file");
	g_autofree char *block = plain_path(config, "block");
	const char *path = file ? file : block;

	write_block_size(node, entry);
	if (!path)
		return false;
	json_object_set_string_member(entry, "dev", path);
	return is_block_device(path) == (path == block);
}

/* --- ramdisk --- */

static int read_ramdisk(struct config_node *node, JsonObject *entry, struct error *error)
{
	JsonNode *nullio = json_object_get_member(entry, "nullio");
	g_autofree char *text = nullio ? saveconfig_json_text(nullio) : NULL;
	bool is_null = text && strcmp(text, "0") && *text;
	int err = read_block_size(node, entry, error);

	return err ? err : set_config(node, is_null ? "null" : "alloc", strchr(node->name, '/') + 1, error);
}

static bool write_ramdisk(const struct config_node *node, const char *config, JsonObject *entry)
{
	g_autofree char *null = plain_path(config, "null");
	g_autofree char *memory = plain_path(config, "alloc");
	const char *name = null ? null : memory;

	write_block_size(node, entry);
	if (null)
		json_object_set_boolean_member(entry, "nullio", TRUE);
	else
		json_object_remove_member(entry, "nullio");
	return name && !strcmp(name, strchr(node->name, '/') + 1);
}

/* --- the table of plugins --- */

static const struct plugin plugins[] = {
    {"user", "user", read_user, write_user},
    {"fileio", "fileio", read_device, write_device},
    {"block", "iblock", read_device, write_device},
    {"ramdisk", "rd_mcp", read_ramdisk, write_ramdisk},
};

static const struct plugin *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(plugins); i++)
		if (!strcmp(plugins[i].name, name))
			return &plugins[i];
	return NULL;
}

const char *config_plugin_folder(const char *name)
{
	const struct plugin *plugin = find(name);

	return plugin ? plugin->folder : NULL;
}

const char *config_plugin_of_folder(const char *folder)
{
	for (size_t i = 0; i < ARRAY_SIZE(plugins); i++)
		if (!strcmp(plugins[i].folder, folder))
			return plugins[i].name;
	return NULL;
}

bool config_node_has_plugin(const struct config_node *node, const char *plugin)
{
	size_t len = strlen(plugin);

	return node->kind == MODEL_STORAGE && !strncmp(node->name, plugin, len) && node->name[len] == '/';
}

static const struct plugin *plugin_of(const struct config_node *node)
{
	for (size_t i = 0; i < ARRAY_SIZE(plugins); i++)
		if (config_node_has_plugin(node, plugins[i].name))
			return &plugins[i];
	return NULL;
}

int config_plugin_read(struct config_node *node, JsonObject *entry, struct error *error)
{
	return plugin_of(node)->read(node, entry, error);
}

bool config_plugin_write(const struct config_node *node, JsonObject *entry)
{
	const struct config_value *config = config_node_value(node, config_storage_config());

	return plugin_of(node)->write(node, config ? config->text : "", entry);
}
