/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the result of an import in memory. The JSON text is left to saved_json.c. */
#include "import/saved.h"

#include <string.h>

#include "model/attribute.h"

static void object_free(void *data)
{
	struct saved_object *object = data;

	g_free(object->name);
	g_free(object->config);
	g_free(object->wwn);
	g_free(object->vendor);
	g_free(object->product);
	g_free(object->revision);
	g_free(object);
}

static void account_clear(struct saved_account *account)
{
	g_clear_pointer(&account->user, g_free);
	g_clear_pointer(&account->secret, g_free);
}

static void auth_clear(struct saved_auth *auth)
{
	account_clear(&auth->incoming);
	account_clear(&auth->outgoing);
	if (auth->more)
		g_string_free(auth->more, TRUE);
	auth->more = NULL;
}

static void parameter_free(void *data)
{
	struct saved_parameter *parameter = data;

	g_free(parameter->value);
	g_free(parameter);
}

static void acl_free(void *data)
{
	struct saved_acl *acl = data;

	g_free(acl->initiator);
	g_array_unref(acl->luns);
	g_free(acl);
}

static void target_free(void *data)
{
	struct saved_target *target = data;

	g_free(target->name);
	auth_clear(&target->auth);
	g_ptr_array_unref(target->parameters);
	g_ptr_array_unref(target->portals);
	g_array_unref(target->luns);
	g_ptr_array_unref(target->acls);
	g_clear_pointer(&target->allowed, g_ptr_array_unref);
	g_clear_pointer(&target->denied, g_ptr_array_unref);
	g_free(target);
}

struct saved_config *saved_config_new(void)
{
	struct saved_config *config = g_new0(struct saved_config, 1);

	config->objects = g_ptr_array_new_with_free_func(object_free);
	config->targets = g_ptr_array_new_with_free_func(target_free);
	return config;
}

void saved_config_free(struct saved_config *config)
{
	g_ptr_array_unref(config->targets);
	g_ptr_array_unref(config->objects);
	auth_clear(&config->discovery);
	g_free(config);
}

struct saved_object *saved_object_find(const struct saved_config *config, const char *name)
{
	for (guint i = 0; i < config->objects->len; i++) {
		struct saved_object *object = g_ptr_array_index(config->objects, i);

		if (!strcmp(object->name, name))
			return object;
	}
	return NULL;
}

struct saved_object *saved_object_add(struct saved_config *config, const char *name)
{
	struct saved_object *object = g_new0(struct saved_object, 1);

	object->name = g_strdup(name);
	g_ptr_array_add(config->objects, object);
	return object;
}

struct saved_target *saved_target_find(const struct saved_config *config, const char *name)
{
	for (guint i = 0; i < config->targets->len; i++) {
		struct saved_target *target = g_ptr_array_index(config->targets, i);

		if (!g_ascii_strcasecmp(target->name, name))
			return target;
	}
	return NULL;
}

struct saved_target *saved_target_add(struct saved_config *config, const char *name)
{
	struct saved_target *target;

	if (saved_target_find(config, name))
		return NULL;
	target = g_new0(struct saved_target, 1);
	target->name = g_ascii_strdown(name, -1);
	target->enable = true;
	target->demo_write_protect = true;
	target->nopin_timeout = target->nopin_response_timeout = -1;
	target->parameters = g_ptr_array_new_with_free_func(parameter_free);
	target->portals = g_ptr_array_new_with_free_func(g_free);
	target->luns = g_array_new(FALSE, TRUE, sizeof(struct saved_lun));
	target->acls = g_ptr_array_new_with_free_func(acl_free);
	g_ptr_array_add(config->targets, target);
	return target;
}

struct saved_acl *saved_acl_find(const struct saved_target *target, const char *initiator)
{
	for (guint i = 0; i < target->acls->len; i++) {
		struct saved_acl *acl = g_ptr_array_index(target->acls, i);

		if (!g_ascii_strcasecmp(acl->initiator, initiator))
			return acl;
	}
	return NULL;
}

struct saved_acl *saved_acl_add(struct saved_target *target, const char *initiator)
{
	struct saved_acl *acl = g_new0(struct saved_acl, 1);

	acl->initiator = g_ascii_strdown(initiator, -1);
	acl->luns = g_array_new(FALSE, TRUE, sizeof(struct saved_mapped_lun));
	g_ptr_array_add(target->acls, acl);
	return acl;
}

void saved_parameter_set(struct saved_target *target, const char *name, const char *value)
{
	struct saved_parameter *parameter = NULL;

	for (guint i = 0; i < target->parameters->len && !parameter; i++) {
		struct saved_parameter *other = g_ptr_array_index(target->parameters, i);

		if (!strcmp(other->name, name))
			parameter = other;
	}
	if (!parameter) {
		parameter = g_new0(struct saved_parameter, 1);
		parameter->name = name;
		g_ptr_array_add(target->parameters, parameter);
	}
	g_free(parameter->value);
	parameter->value = g_strdup(value);
}

void saved_account_set(struct saved_account *account, const char *user, const char *secret)
{
	account_clear(account);
	account->user = g_strdup(user);
	account->secret = g_strdup(secret);
}

/* Appends a part. A comma inside the part is written twice. */
static void append_part(GString *list, const char *part)
{
	for (; *part; part++) {
		g_string_append_c(list, *part);
		if (*part == ',')
			g_string_append_c(list, ',');
	}
}

bool saved_auth_add(struct saved_auth *auth, const char *user, const char *secret)
{
	if (!auth->more)
		auth->more = g_string_new(NULL);
	gsize before = auth->more->len;

	if (before)
		g_string_append_c(auth->more, ',');
	append_part(auth->more, user);
	g_string_append_c(auth->more, ' ');
	append_part(auth->more, secret);
	if (auth->more->len < MODEL_TEXT_SIZE)
		return true;
	g_string_truncate(auth->more, before);
	return false;
}

bool saved_account_is_set(const struct saved_account *account)
{
	return account->user;
}

static bool has_ipv6(const GPtrArray *addresses)
{
	for (guint i = 0; addresses && i < addresses->len; i++) {
		const char *address = g_ptr_array_index(addresses, i);

		if (strchr(address, ':') && strcmp(address, "::/0"))
			return true;
	}
	return false;
}

/*
 * Adds the default portals. Some hosts have no IPv6, so there is a portal for IPv6 only if it is needed.
 * [::0] is LIO's spelling of [::]. Such a portal also accepts IPv4 connections, so the kernel would refuse a
 * second portal at 0.0.0.0.
 */
void saved_portal_add_default(struct saved_target *target)
{
	bool needs_ipv6 = has_ipv6(target->allowed) || has_ipv6(target->denied);

	g_ptr_array_add(target->portals, g_strdup(needs_ipv6 ? "[::0]" : "0.0.0.0"));
}

bool saved_target_needs_own_settings(const struct saved_target *target)
{
	for (guint i = 0; i < target->luns->len; i++) {
		const struct saved_lun *lun = &g_array_index(target->luns, struct saved_lun, i);

		if (lun->acl_only || lun->write_protect)
			return true;
	}
	return target->allowed || target->denied;
}
