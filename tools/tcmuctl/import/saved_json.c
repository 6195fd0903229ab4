/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the result of an import in the format of rtslib-fb, with tcmu-runner's own settings
 * (docs/saveconfig.md).
 */
#include <json-glib/json-glib.h>

#include "import/saved.h"

#define TAG          "1"
#define PORT         3260
#define ALUA_GROUP   "default_tg_pt_gp"
#define OWN_VERSION  1
#define OBJECTS_PATH "/backstores/user/"

static void add_string(JsonBuilder *json, const char *name, const char *value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_string_value(json, value);
}

static void add_number(JsonBuilder *json, const char *name, uint64_t value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_int_value(json, (gint64)value);
}

static void add_bool(JsonBuilder *json, const char *name, bool value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_boolean_value(json, value);
}

static void begin_object(JsonBuilder *json, const char *name)
{
	json_builder_set_member_name(json, name);
	json_builder_begin_object(json);
}

static void begin_array(JsonBuilder *json, const char *name)
{
	json_builder_set_member_name(json, name);
	json_builder_begin_array(json);
}

/* --- the part that LIO knows --- */

static void add_storage_object(JsonBuilder *json, const struct saved_object *object)
{
	json_builder_begin_object(json);
	add_string(json, "plugin", "user");
	add_string(json, "name", object->name);
	add_string(json, "config", object->config);
	if (object->size)
		add_number(json, "size", object->size);
	if (object->wwn)
		add_string(json, "wwn", object->wwn);
	if (object->block_size) {
		g_autofree char *control = g_strdup_printf("hw_block_size=%u", object->block_size);

		add_string(json, "control", control);
	}
	json_builder_end_object(json);
}

static void add_account(JsonBuilder *json, const char *user_name, const char *secret_name,
			const struct saved_account *account)
{
	if (!saved_account_is_set(account))
		return;
	add_string(json, user_name, account->user);
	add_string(json, secret_name, account->secret);
}

static void add_accounts(JsonBuilder *json, const struct saved_target *target)
{
	add_account(json, "chap_userid", "chap_password", &target->auth.incoming);
	add_account(json, "chap_mutual_userid", "chap_mutual_password", &target->auth.outgoing);
}

static void add_mapped_lun(JsonBuilder *json, const struct saved_mapped_lun *lun)
{
	json_builder_begin_object(json);
	add_number(json, "index", lun->index);
	add_number(json, "tpg_lun", lun->tpg_lun);
	add_bool(json, "write_protect", lun->write_protect);
	json_builder_end_object(json);
}

static void add_acl(JsonBuilder *json, const struct saved_target *target, const struct saved_acl *acl)
{
	json_builder_begin_object(json);
	add_string(json, "node_wwn", acl->initiator);
	begin_object(json, "attributes");
	if (target->nopin_timeout >= 0)
		add_number(json, "nopin_timeout", (uint64_t)target->nopin_timeout);
	if (target->nopin_response_timeout >= 0)
		add_number(json, "nopin_response_timeout", (uint64_t)target->nopin_response_timeout);
	json_builder_end_object(json);
	add_accounts(json, target);
	begin_array(json, "mapped_luns");
	for (guint i = 0; i < acl->luns->len; i++)
		add_mapped_lun(json, &g_array_index(acl->luns, struct saved_mapped_lun, i));
	json_builder_end_array(json);
	json_builder_end_object(json);
}

static void add_attributes(JsonBuilder *json, const struct saved_target *target)
{
	begin_object(json, "attributes");
	add_number(json, "authentication", target->auth.required);
	if (target->queue_depth)
		add_number(json, "default_cmdsn_depth", target->queue_depth);
	/* SCST and tgt show a target only to initiators that may log in. */
	add_number(json, "demo_mode_discovery", target->demo_mode);
	add_number(json, "demo_mode_write_protect", target->demo_write_protect);
	add_number(json, "generate_node_acls", target->demo_mode);
	json_builder_end_object(json);
}

static void add_lun(JsonBuilder *json, const struct saved_lun *lun)
{
	g_autofree char *path = g_strconcat(OBJECTS_PATH, lun->object->name, NULL);

	json_builder_begin_object(json);
	add_number(json, "index", lun->index);
	add_string(json, "storage_object", path);
	add_string(json, "alua_tg_pt_gp_name", ALUA_GROUP);
	json_builder_end_object(json);
}

static void add_portal(JsonBuilder *json, const char *address)
{
	json_builder_begin_object(json);
	add_string(json, "ip_address", address);
	add_number(json, "port", PORT);
	add_bool(json, "iser", false);
	add_bool(json, "offload", false);
	json_builder_end_object(json);
}

static void add_parameters(JsonBuilder *json, const struct saved_target *target)
{
	begin_object(json, "parameters");
	for (guint i = 0; i < target->parameters->len; i++) {
		const struct saved_parameter *parameter = g_ptr_array_index(target->parameters, i);

		add_string(json, parameter->name, parameter->value);
	}
	json_builder_end_object(json);
}

static void add_tpg(JsonBuilder *json, const struct saved_target *target)
{
	json_builder_begin_object(json);
	add_number(json, "tag", 1);
	add_bool(json, "enable", target->enable && !saved_target_needs_own_settings(target));
	add_attributes(json, target);
	add_parameters(json, target);
	/* Initiators without an ACL use the account of the TPG. */
	if (target->demo_mode)
		add_accounts(json, target);
	begin_array(json, "luns");
	for (guint i = 0; i < target->luns->len; i++)
		add_lun(json, &g_array_index(target->luns, struct saved_lun, i));
	json_builder_end_array(json);
	begin_array(json, "node_acls");
	for (guint i = 0; i < target->acls->len; i++)
		add_acl(json, target, g_ptr_array_index(target->acls, i));
	json_builder_end_array(json);
	begin_array(json, "portals");
	for (guint i = 0; i < target->portals->len; i++)
		add_portal(json, g_ptr_array_index(target->portals, i));
	json_builder_end_array(json);
	json_builder_end_object(json);
}

static void add_target(JsonBuilder *json, const struct saved_target *target)
{
	json_builder_begin_object(json);
	add_string(json, "fabric", "iscsi");
	add_string(json, "wwn", target->name);
	begin_array(json, "tpgs");
	add_tpg(json, target);
	json_builder_end_array(json);
	json_builder_end_object(json);
}

static void add_discovery(JsonBuilder *json, const struct saved_config *config)
{
	json_builder_begin_object(json);
	add_string(json, "name", "iscsi");
	add_bool(json, "discovery_enable_auth", config->discovery.required);
	add_account(json, "discovery_userid", "discovery_password", &config->discovery.incoming);
	add_account(json, "discovery_mutual_userid", "discovery_mutual_password",
		    &config->discovery.outgoing);
	json_builder_end_object(json);
}

/* --- tcmu-runner's own settings --- */

static void add_own_object(JsonBuilder *json, const struct saved_object *object)
{
	g_autofree char *key = g_strconcat("user/", object->name, NULL);

	if (!object->has_storage && !object->read_only && !object->vendor && !object->product &&
	    !object->revision)
		return;
	begin_object(json, key);
	if (object->has_storage)
		add_bool(json, "create", false);
	if (object->read_only)
		add_bool(json, "read_only", true);
	if (object->vendor)
		add_string(json, "vendor_id", object->vendor);
	if (object->product)
		add_string(json, "product_id", object->product);
	if (object->revision)
		add_string(json, "revision", object->revision);
	json_builder_end_object(json);
}

static void add_addresses(JsonBuilder *json, const char *name, const GPtrArray *addresses)
{
	if (!addresses)
		return;
	begin_array(json, name);
	for (guint i = 0; i < addresses->len; i++)
		json_builder_add_string_value(json, g_ptr_array_index(addresses, i));
	json_builder_end_array(json);
}

static void add_own_lun(JsonBuilder *json, const struct saved_lun *lun)
{
	g_autofree char *key = g_strdup_printf("%u", lun->index);

	begin_object(json, key);
	if (lun->acl_only)
		add_bool(json, "acl_only", true);
	if (lun->write_protect)
		add_bool(json, "write_protect", true);
	json_builder_end_object(json);
}

static void add_own_luns(JsonBuilder *json, const struct saved_target *target)
{
	bool is_open = false;

	for (guint i = 0; i < target->luns->len; i++) {
		const struct saved_lun *lun = &g_array_index(target->luns, struct saved_lun, i);

		if (!lun->acl_only && !lun->write_protect)
			continue;
		if (!is_open)
			begin_object(json, "luns");
		is_open = true;
		add_own_lun(json, lun);
	}
	if (is_open)
		json_builder_end_object(json);
}

static void add_more_accounts(JsonBuilder *json, const struct saved_auth *auth)
{
	if (auth->required && auth->more)
		add_string(json, "more_accounts", auth->more->str);
}

static void add_own_acls(JsonBuilder *json, const struct saved_target *target)
{
	if (!target->auth.more || !target->acls->len)
		return;
	begin_object(json, "node_acls");
	for (guint i = 0; i < target->acls->len; i++) {
		begin_object(json, ((struct saved_acl *)g_ptr_array_index(target->acls, i))->initiator);
		add_more_accounts(json, &target->auth);
		json_builder_end_object(json);
	}
	json_builder_end_object(json);
}

static void add_own_target(JsonBuilder *json, const struct saved_target *target)
{
	if (!saved_target_needs_own_settings(target) && !target->auth.more)
		return;
	begin_object(json, target->name);
	begin_object(json, "tpgs");
	begin_object(json, TAG);
	add_bool(json, "enable", target->enable);
	add_addresses(json, "allowed_addresses", target->allowed);
	add_addresses(json, "denied_addresses", target->denied);
	add_own_luns(json, target);
	if (target->demo_mode)
		add_more_accounts(json, &target->auth);
	add_own_acls(json, target);
	json_builder_end_object(json);
	json_builder_end_object(json);
	json_builder_end_object(json);
}

static void add_own_settings(JsonBuilder *json, const struct saved_config *config)
{
	begin_object(json, "tcmu_runner");
	add_number(json, "version", OWN_VERSION);
	add_more_accounts(json, &config->discovery);
	begin_object(json, "storage_objects");
	for (guint i = 0; i < config->objects->len; i++)
		add_own_object(json, g_ptr_array_index(config->objects, i));
	json_builder_end_object(json);
	begin_object(json, "targets");
	for (guint i = 0; i < config->targets->len; i++)
		add_own_target(json, g_ptr_array_index(config->targets, i));
	json_builder_end_object(json);
	json_builder_end_object(json);
}

/* --- the whole file --- */

static char *print(JsonBuilder *json)
{
	g_autoptr(JsonGenerator) generator = json_generator_new();
	g_autoptr(JsonNode) root = json_builder_get_root(json);
	g_autofree char *text = NULL;

	json_generator_set_pretty(generator, TRUE);
	json_generator_set_indent(generator, 2);
	json_generator_set_root(generator, root);
	text = json_generator_to_data(generator, NULL);
	return g_strconcat(text, "\n", NULL);
}

char *saved_json(const struct saved_config *config)
{
	g_autoptr(JsonBuilder) json = json_builder_new();

	json_builder_begin_object(json);
	begin_array(json, "fabric_modules");
	if (config->discovery.required)
		add_discovery(json, config);
	json_builder_end_array(json);
	begin_array(json, "storage_objects");
	for (guint i = 0; i < config->objects->len; i++)
		add_storage_object(json, g_ptr_array_index(config->objects, i));
	json_builder_end_array(json);
	begin_array(json, "targets");
	for (guint i = 0; i < config->targets->len; i++)
		add_target(json, g_ptr_array_index(config->targets, i));
	json_builder_end_array(json);
	add_own_settings(json, config);
	json_builder_end_object(json);
	return print(json);
}
