/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file control of a device: KEY=VALUE settings, separated by commas or newlines. Each plug-in of LIO has
 * its own keys; here each key sets an attribute of the model. Settings take effect one after the other, until
 * one is refused.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/spec.h"
#include "tree/private.h"
#include "util/bytes.h"

/* No plug-in of LIO has so many keys. */
#define SETTINGS_MAX 32

/* An attribute of the model and its new value. attribute is NULL if the setting has no effect here. */
struct setting {
	const char *group, *attribute;
	char value[MODEL_TEXT_SIZE];
};

struct key {
	/* The only plug-in that has the key, or NULL if all have it. */
	const char *plugin;
	const char *name;
	/* The group and the name of the attribute that is set, or NULL if there is none. */
	const char *group, *attribute;
	/*
	 * Converts LIO's value. Returns false if the value is not valid. NULL means that the value is used
	 * unchanged.
	 */
	bool (*convert)(const struct tree_folder *folder, const char *value, struct setting *setting);
};

/* --- values ----------------------------------------------------------------------------------- */

static bool read_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static bool convert_number(const struct tree_folder *folder, const char *value, struct setting *setting)
{
	uint64_t number;

	(void)folder;
	if (!read_number(value, &number))
		return false;
	snprintf(setting->value, sizeof(setting->value), "%" PRIu64, number);
	return true;
}

/* Sets the configuration HANDLER/PATH, with escapes for special characters. */
static bool set_config(const char *handler, const char *path, struct setting *setting)
{
	char *escaped = storage_spec_escape(path);
	int length =
	    snprintf(setting->value, sizeof(setting->value), "%s/%s", handler, escaped ? escaped : "");

	free(escaped);
	return escaped && length < (int)sizeof(setting->value);
}

/* Converts the path of fileio, which in LIO may also be a block device. */
static bool convert_file(const struct tree_folder *folder, const char *value, struct setting *setting)
{
	struct tree_disk disk;

	(void)folder;
	return set_config(tree_disk_find(value, &disk) ? "block" : "file", value, setting);
}

static bool convert_disk(const struct tree_folder *folder, const char *value, struct setting *setting)
{
	(void)folder;
	return set_config("block", value, setting);
}

/* Converts fd_buffered_io. The value 1 demands a write cache. Otherwise, the storage decides. */
static bool convert_buffered(const struct tree_folder *folder, const char *value, struct setting *setting)
{
	if (!convert_number(folder, value, setting))
		return false;
	if (strcmp(setting->value, "1") != 0)
		setting->attribute = NULL;
	return true;
}

/* Converts a number of pages to a size. The handler alloc provides the memory. */
static bool convert_pages(const struct tree_folder *folder, const char *value, struct setting *setting)
{
	uint64_t pages, size = (uint64_t)sysconf(_SC_PAGESIZE);

	(void)folder;
	if (!read_number(value, &pages) || pages > INT64_MAX / size)
		return false;
	snprintf(setting->value, sizeof(setting->value), "%" PRIu64, pages * size);
	return true;
}

static bool convert_nullio(const struct tree_folder *folder, const char *value, struct setting *setting)
{
	return strcmp(value, "1") ? convert_buffered(folder, value, setting)
				  : set_config("null", folder->name, setting);
}

/* Converts the largest transfer. LIO counts it in blocks, and the model in units of 512 bytes. */
static bool convert_sectors(const struct tree_folder *folder, const char *value, struct setting *setting)
{
	const struct model_attribute *row = model_attribute(MODEL_STORAGE, "control", "block_size");
	uint64_t size = model_get_number(folder->object, row), number;

	if (!read_number(value, &number) || number > UINT32_MAX)
		return false;
	snprintf(setting->value, sizeof(setting->value), "%" PRIu64, number * (size ? size / 512 : 1));
	return true;
}

/* --- keys ------------------------------------------------------------------------------------- */

static const struct key keys[] = {
    {"user", "dev_config", "control", "config", NULL},
    {"user", "dev_size", "control", "size", convert_number},
    {"user", "hw_block_size", "control", "block_size", convert_number},
    {"user", "hw_max_sectors", "control", "max_sectors", convert_sectors},
    {"user", "max_data_area_mb", "attrib", "max_data_area_mb", convert_number},
    /* There is no ring of the kernel here, and the kernel sends no messages. */
    {"user", "nl_reply_supported", NULL, NULL, NULL},
    {"user", "data_pages_per_blk", NULL, NULL, convert_number},
    {"user", "cmd_ring_size_mb", NULL, NULL, convert_number},
    {"fileio", "fd_dev_name", "control", "config", convert_file},
    {"fileio", "fd_dev_size", "control", "size", convert_number},
    {"fileio", "fd_buffered_io", "attrib", "emulate_write_cache", convert_buffered},
    {"fileio", "fd_async_io", NULL, NULL, convert_number},
    {"iblock", "udev_path", "control", "config", convert_disk},
    {"iblock", "readonly", "control", "read_only", convert_number},
    {"iblock", "exclusive", NULL, NULL, convert_number},
    {"iblock", "force", NULL, NULL, NULL},
    {"rd_mcp", "rd_pages", "control", "size", convert_pages},
    {"rd_mcp", "rd_nullio", "control", "config", convert_nullio},
    /* These are the model's own names, such as read_only=1. */
    {NULL, NULL, "control", NULL, NULL},
};

/* Finds the row of a key, and fills in the attribute that it sets. */
static const struct key *find_key(const struct tree_folder *folder, const char *name, struct setting *setting)
{
	const char *plugin = tree_plugin_of(folder->parent->name);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct key *key = &keys[i];
		const char *attribute = key->name ? key->attribute : name;

		if (key->plugin &&
		    (!plugin || strcmp(key->plugin, plugin) != 0 || strcmp(key->name, name) != 0))
			continue;
		if (!key->plugin && !model_attribute(MODEL_STORAGE, key->group, name))
			continue;
		setting->group = key->group;
		setting->attribute = attribute;
		return key;
	}
	return NULL;
}

/* --- the settings of one write, one after the other ------------------------------------------- */

struct control {
	struct tree_request *request;
	uint64_t folder_id;
	/* The part of the text that is not handled yet, and the number of settings that have been handled. */
	char *rest;
	unsigned count;
};

static void end(struct control *control, int err, const struct error *error)
{
	struct tree_request *request = control->request;

	free(control);
	tree_done(request, err, error);
}

static void set_next(struct control *control);

static void on_set(void *arg, int err, const struct error *error)
{
	struct control *control = arg;

	/*
	 * If the program is interrupted, all settings of its write take effect nevertheless, and not only
	 * some of them.
	 */
	if (err || !control->request->tree)
		end(control, err, error);
	else
		set_next(control);
}

static int read_setting(const struct tree_folder *folder, char *text, struct setting *setting,
			struct error *error)
{
	char *equals = strchr(text, '='), path[TREE_PATH_SIZE];
	const struct key *key;

	if (!equals)
		return error_set(error, EINVAL, "%s/control: '%.80s' is not of the form KEY=VALUE",
				 tree_path(folder, 0, path), text);
	*equals = '\0';
	key = find_key(folder, text, setting);
	if (!key)
		return error_set(error, EINVAL, "%s/control: there is no setting '%.80s'",
				 tree_path(folder, 0, path), text);
	if (!key->convert)
		snprintf(setting->value, sizeof(setting->value), "%s", equals + 1);
	else if (!key->convert(folder, equals + 1, setting))
		return error_set(error, EINVAL, "%s/control: '%.80s' is not a value of %s",
				 tree_path(folder, 0, path), equals + 1, text);
	return 0;
}

static void set_next(struct control *control)
{
	struct tree_folder *folder = tree_folder_by_id(control->request->tree, control->folder_id);
	struct setting setting;
	struct error error;
	char *text;
	int err = 0;

	do {
		text = strsep(&control->rest, ",\n");
		if (!text) {
			end(control, 0, NULL);
			return;
		}
		setting.attribute = NULL;
		err =
		    !folder ? error_set(&error, ENOENT, "the device was deleted meanwhile")
		    : ++control->count > SETTINGS_MAX
			? error_set(&error, EINVAL, "more than %d settings are written at once", SETTINGS_MAX)
		    : *text ? read_setting(folder, text, &setting, &error)
			    : 0;
	} while (!err && !setting.attribute);
	if (err)
		end(control, err, &error);
	else
		model_set(folder->object, setting.group, setting.attribute, setting.value, on_set, control);
}

void tree_store_control(struct tree_request *request, struct tree_folder *folder, int argument, char *text)
{
	struct control *control = calloc(1, sizeof(*control));

	(void)argument;
	if (!control) {
		tree_answer(request, -ENOMEM);
		return;
	}
	control->request = request;
	control->folder_id = folder->id;
	control->rest = text;
	tree_wait(request);
	set_next(control);
}
