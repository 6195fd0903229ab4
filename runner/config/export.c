/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses one --export: HANDLER/CONFIG and the daemon's own keys. Keys that the daemon does not know are left
 * to the handler. export_list.c handles several exports together.
 */
#include "config/export.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "model/lun.h"
#include "util/bytes.h"
#include "util/size.h"

static int set_size(struct config_export *export, const char *value, struct error *error)
{
	if (size_parse(value, &export->spec.size) || !export->spec.size)
		return error_set(error, EINVAL,
				 "size=%s is not a number of bytes; use for example 4096, 64M or 1G", value);
	return 0;
}

static int set_block_size(struct config_export *export, const char *value, struct error *error)
{
	uint64_t bytes;

	if (size_parse(value, &bytes) || (bytes != 512 && bytes != 4096))
		return error_set(error, EINVAL, "block_size=%s is neither 512 nor 4096", value);
	export->spec.block_size = (uint32_t)bytes;
	return 0;
}

static int set_read_only(struct config_export *export, const char *value, struct error *error)
{
	if (*value)
		return error_set(error, EINVAL, "ro=%s: ro takes no value", value);
	export->spec.read_only = true;
	return 0;
}

static int set_create(struct config_export *export, const char *value, struct error *error)
{
	if (*value)
		return error_set(error, EINVAL, "create=%s: create takes no value", value);
	export->spec.create = true;
	return 0;
}

static int set_name(struct config_export *export, const char *value, struct error *error)
{
	if (!*value)
		return error_set(error, EINVAL, "name= is empty");
	export->name = value;
	export->has_name = true;
	return 0;
}

static int set_lun(struct config_export *export, const char *value, struct error *error)
{
	gint64 lun;

	if (!g_ascii_string_to_signed(value, 10, 0, MODEL_LUN_MAX, &lun, NULL))
		return error_set(error, EINVAL, "lun=%s is not a number from 0 to %d", value, MODEL_LUN_MAX);
	export->lun = (unsigned)lun;
	export->has_lun = true;
	return 0;
}

/*
 * Checks a field of INQUIRY, which consists of ASCII 20h to 7Eh and has a fixed width (SPC-4 4.3.1, 6.6.2). A
 * field of blanks is refused, because it would be empty.
 */
static int check_ascii(const char *key, const char *value, size_t max, struct error *error)
{
	if (!*value || strlen(value) > max)
		return error_set(error, EINVAL, "%s=%s does not have 1 to %zu characters", key, value, max);
	for (const char *c = value; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return error_set(error, EINVAL, "%s=%s has a character that is not printable ASCII",
					 key, value);
	if (!value[strspn(value, " ")])
		return error_set(error, EINVAL, "%s=%s has only blanks", key, value);
	return 0;
}

static int set_vendor(struct config_export *export, const char *value, struct error *error)
{
	export->identity.vendor = value;
	return check_ascii("vendor", value, 8, error);
}

static int set_product(struct config_export *export, const char *value, struct error *error)
{
	export->identity.product = value;
	return check_ascii("product", value, 16, error);
}

static int set_revision(struct config_export *export, const char *value, struct error *error)
{
	export->identity.revision = value;
	return check_ascii("revision", value, 4, error);
}

static int set_serial(struct config_export *export, const char *value, struct error *error)
{
	export->identity.serial = value;
	return check_ascii("serial", value, 36, error);
}

static const struct {
	const char *name;
	int (*set)(struct config_export *export, const char *value, struct error *error);
} keys[] = {
    {"size", set_size},     {"block_size", set_block_size},
    {"ro", set_read_only},  {"create", set_create},
    {"name", set_name},     {"lun", set_lun},
    {"vendor", set_vendor}, {"product", set_product},
    {"serial", set_serial}, {"revision", set_revision},
};

/* Adds an option, which was written after a comma, to dev_config. */
static void add_to_dev_config(struct config_export *export, const char *name, const char *value)
{
	char *text = export->dev_config, *escaped = storage_spec_escape(value);
	/*
	 * Options after a filter would belong to this filter, so the option is inserted before the filters.
	 */
	const char *filters = text + storage_spec_filters_at(text);
	g_autofree char *before = g_strndup(text, (size_t)(filters - text));

	export->dev_config = g_strconcat(before, ";", name, *value ? "=" : "", escaped, filters, NULL);
	free(escaped);
	g_free(text);
}

static int set_key(struct config_export *export, char *pair, struct error *error)
{
	char *eq = strchr(pair, '=');
	const char *value = eq ? eq + 1 : "";

	if (eq)
		*eq = '\0';
	if (!*pair)
		return error_set(error, EINVAL, "a key has no name");
	if (!strcmp(pair, "filter"))
		return error_set(
		    error, EINVAL,
		    "filter=%s: a filter is a part of the storage and follows a ';', for example "
		    "alloc/a;filter=delay;delay=10ms,size=1G",
		    value);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(pair, keys[i].name))
			continue;
		if (export->given & 1u << i)
			return error_set(error, EINVAL, "%s is given twice", pair);
		export->given |= 1u << i;
		return keys[i].set(export, value, error);
	}
	add_to_dev_config(export, pair, value);
	return 0;
}

/*
 * Makes a target name from a configuration: the last path element, with only those characters that an iqn may
 * have.
 */
static char *name_from_config(const char *config)
{
	const char *slash = strrchr(config, '/');
	char *name = g_ascii_strdown(slash && slash[1] ? slash + 1 : config, -1);

	for (char *c = name; *c; c++)
		if (!g_ascii_isalnum(*c) && *c != '-' && *c != '.' && *c != ':')
			*c = '-';
	return name;
}

/*
 * Returns the next field, and advances *rest, like strsep(). Two commas in a row mean one comma in the value.
 */
static char *next_field(char **rest)
{
	char *field = *rest, *to = field, *from = field;

	for (; *from && !(from[0] == ',' && from[1] != ','); from++) {
		if (from[0] == ',')
			from++;
		*to++ = *from;
	}
	*rest = *from ? from + 1 : NULL;
	*to = '\0';
	return field;
}

static int parse(struct config_export *export, struct error *error)
{
	char *rest = export->text;
	const char *config = next_field(&rest);
	const char *slash = strchr(config, '/');
	int err = 0;

	if (slash == config)
		return error_set(error, EINVAL,
				 "the handler is missing before the path; did you mean file/%s?", config);
	if (!slash)
		return error_set(error, EINVAL, "this is not of the form HANDLER/CONFIG[,KEY=VALUE]...");
	export->dev_config = g_strdup(config);
	err = storage_spec_check_literal(config, ".", error);
	while (rest && !err)
		err = set_key(export, next_field(&rest), error);
	if (!err)
		err = storage_spec_parse(&export->storage, export->dev_config, error);
	if (err)
		return err;
	export->spec.config = export->spec.name = export->storage.config;
	export->spec.options = export->storage.options;
	export->spec.noptions = export->storage.noptions;
	export->spec.filters = export->storage.backstore_filters;
	export->spec.nfilters = export->storage.nfilters;
	if (!export->name)
		export->name = export->made_name = name_from_config(strchr(export->spec.config, '/') + 1);
	return 0;
}

int config_export_parse(struct config_export *export, const char *text, struct error *error)
{
	*export = (struct config_export){.text = g_strdup(text)};
	int err = parse(export, error);

	if (err) {
		error_prefix(error, err, "--export %s", text);
		config_export_free(export);
	}
	return err;
}

void config_export_free(struct config_export *export)
{
	storage_spec_free(&export->storage);
	g_free(export->text);
	g_free(export->made_name);
	g_free(export->dev_config);
	g_free(export->target);
	*export = (struct config_export){0};
}
