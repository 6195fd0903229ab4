/* SPDX-License-Identifier: Apache-2.0 */
#include "config/export.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/size.h"

static int set_size(struct control_export *export, const char *value, struct error *error)
{
	if (size_parse(value, &export->spec.size) || !export->spec.size)
		return error_set(error, EINVAL, "size=%s: not a size such as 64M or 1G", value);
	return 0;
}

static int set_block_size(struct control_export *export, const char *value, struct error *error)
{
	uint64_t bytes;

	if (size_parse(value, &bytes) || (bytes != 512 && bytes != 4096))
		return error_set(error, EINVAL, "block_size=%s: neither 512 nor 4096", value);
	export->spec.block_size = (uint32_t)bytes;
	return 0;
}

static int set_read_only(struct control_export *export, const char *value, struct error *error)
{
	if (*value)
		return error_set(error, EINVAL, "ro=%s: ro takes no value", value);
	export->spec.read_only = true;
	return 0;
}

static int set_name(struct control_export *export, const char *value, struct error *error)
{
	if (!*value)
		return error_set(error, EINVAL, "name= is empty");
	export->name = value;
	return 0;
}

/* INQUIRY fields are ASCII 20h…7Eh and of fixed width (SPC-4 4.3.1, 6.6.2). */
static int check_ascii(const char *key, const char *value, size_t max, struct error *error)
{
	if (!*value || strlen(value) > max)
		return error_set(error, EINVAL, "%s=%s: not of 1 to %zu characters", key, value, max);
	for (const char *c = value; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return error_set(error, EINVAL, "%s=%s: not ASCII", key, value);
	if (!value[strspn(value, " ")])
		return error_set(error, EINVAL, "%s=%s: it consists of blanks only", key, value);
	return 0;
}

static int set_vendor(struct control_export *export, const char *value, struct error *error)
{
	export->identity.vendor = value;
	return check_ascii("vendor", value, 8, error);
}

static int set_product(struct control_export *export, const char *value, struct error *error)
{
	export->identity.product = value;
	return check_ascii("product", value, 16, error);
}

static int set_revision(struct control_export *export, const char *value, struct error *error)
{
	export->identity.revision = value;
	return check_ascii("revision", value, 4, error);
}

static int set_serial(struct control_export *export, const char *value, struct error *error)
{
	export->identity.serial = value;
	return check_ascii("serial", value, 36, error);
}

static const struct {
	const char *name;
	int (*set)(struct control_export *export, const char *value, struct error *error);
} keys[] = {
    {"size", set_size},         {"block_size", set_block_size}, {"ro", set_read_only},
    {"name", set_name},         {"vendor", set_vendor},         {"product", set_product},
    {"revision", set_revision}, {"serial", set_serial},
};

static int set_key(struct control_export *export, char *pair, struct error *error)
{
	char *eq = strchr(pair, '=');
	const char *value = eq ? eq + 1 : "";

	if (eq)
		*eq = '\0';
	if (!*pair)
		return error_set(error, EINVAL, "an option without a name");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(pair, keys[i].name))
			continue;
		if (export->given & 1u << i)
			return error_set(error, EINVAL, "%s is given twice", pair);
		export->given |= 1u << i;
		return keys[i].set(export, value, error);
	}
	for (uint32_t i = 0; i < export->spec.noptions; i++)
		if (!strcmp(pair, export->options[i].name))
			return error_set(error, EINVAL, "%s is given twice", pair);
	if (export->spec.noptions == CONTROL_EXPORT_MAX_OPTIONS)
		return error_set(error, EINVAL, "more than %d handler options", CONTROL_EXPORT_MAX_OPTIONS);
	export->options[export->spec.noptions++] = (struct tcmur_option_value){pair, value};
	return 0;
}

/* A target name from a configuration: the last path element, in the characters that an iqn may have. */
static char *name_from_config(const char *config)
{
	const char *slash = strrchr(config, '/');
	char *name = g_ascii_strdown(slash && slash[1] ? slash + 1 : config, -1);

	for (char *c = name; *c; c++)
		if (!g_ascii_isalnum(*c) && *c != '-' && *c != '.' && *c != ':')
			*c = '-';
	return name;
}

static int parse(struct control_export *export, struct error *error)
{
	char *rest = export->text;
	char *config = strsep(&rest, ",");
	const char *slash = strchr(config, '/');

	if (!slash || slash == config)
		return error_set(error, EINVAL, "no HANDLER/CONFIG");
	export->spec.config = config;
	export->spec.name = config;
	export->spec.options = export->options;
	while (rest) {
		int err = set_key(export, strsep(&rest, ","), error);

		if (err)
			return err;
	}
	if (!export->name)
		export->name = export->made_name = name_from_config(slash + 1);
	return 0;
}

int control_export_parse(struct control_export *export, const char *text, struct error *error)
{
	*export = (struct control_export){.text = g_strdup(text)};
	int err = parse(export, error);

	if (err) {
		error_prefix(error, err, "--export %s", text);
		control_export_free(export);
	}
	return err;
}

void control_export_free(struct control_export *export)
{
	g_free(export->text);
	g_free(export->made_name);
	*export = (struct control_export){0};
}
