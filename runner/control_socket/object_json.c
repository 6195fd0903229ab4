/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Converts objects and sessions to the JSON of the control socket. values.c converts the values of
 * attributes.
 */
#include "control_socket/object_json.h"

#include <string.h>

#include "control_socket/object_path.h"
#include "control_socket/values.h"
#include "util/bytes.h"

static void set_path(JsonObject *json, const char *member, const struct model_object *object)
{
	char path[MODEL_PATH_SIZE];

	control_set_text(json, member, model_path(object, path));
}

static void set_count(JsonObject *json, const char *member, uint64_t count)
{
	json_object_set_int_member(json, member, (gint64)MIN(count, (uint64_t)G_MAXINT64));
}

static void set_health(JsonObject *json, const struct storage *storage)
{
	struct storage_health health;

	storage_health(storage, &health);
	control_set_text(json, "last_error", health.last_error);
	if (health.last_error_time)
		json_object_set_int_member(json, "last_error_time", health.last_error_time);
	json_object_set_boolean_member(json, "is_short", health.is_short);
	json_object_set_boolean_member(json, "is_replaced", health.is_replaced);
}

static void set_storage(JsonObject *json, struct model_object *object)
{
	const struct storage *storage = model_storage(object);
	struct storage_view view = {0};

	if (!storage)
		return;
	storage_view(storage, &view);
	control_set_text(json, "state", storage_status_name(storage_status(storage)));
	set_count(json, "size", view.size);
	set_count(json, "block_size", view.block_size);
	control_set_text(json, "serial", view.serial);
	control_set_text(json, "options", view.options);
	json_object_set_boolean_member(json, "read_only", view.read_only);
	json_object_set_boolean_member(json, "write_cache", view.write_cache);
	set_count(json, "luns", model_users(object));
	set_count(json, "reads", view.reads);
	set_count(json, "writes", view.writes);
	set_count(json, "read_bytes", view.read_bytes);
	set_count(json, "write_bytes", view.write_bytes);
	set_count(json, "other_commands", view.others);
	set_count(json, "errors", view.errors);
	set_health(json, storage);
}

static void set_kind(JsonObject *json, struct model_object *object)
{
	switch (model_kind(object)) {
	case MODEL_STORAGE:
		json_object_set_boolean_member(json, "enabled", model_is_enabled(object));
		set_storage(json, object);
		break;
	case MODEL_TPG:
		json_object_set_boolean_member(json, "enabled", model_is_enabled(object));
		break;
	case MODEL_PORTAL:
		control_set_text(json, "state", model_portal_state(object));
		break;
	case MODEL_MAPPED_LUN:
		set_path(json, "storage", model_to(model_to(object)));
		/* fallthrough */
	case MODEL_LUN:
		set_count(json, "lun", model_number(object));
		set_path(json, "to", model_to(object));
		break;
	default:
		break;
	}
}

static void set_children(JsonObject *json, struct model_object *object, unsigned depth, bool attributes)
{
	JsonArray *children = json_array_new();

	for (int kind = MODEL_STORAGE; kind < MODEL_KINDS; kind++)
		for (struct model_object *child = model_first(object, (enum model_kind)kind); child;
		     child = model_next(child))
			json_array_add_object_element(children, object_json(child, depth - 1, attributes));
	json_object_set_array_member(json, "children", children);
}

JsonObject *object_json(struct model_object *object, unsigned depth, bool attributes)
{
	JsonObject *json = json_object_new();

	set_path(json, "path", object);
	control_set_text(json, "kind", object_kind_word(model_kind(object)));
	set_kind(json, object);
	if (attributes)
		json_object_set_object_member(json, "attributes", control_attributes(object));
	if (depth)
		set_children(json, object, depth, attributes);
	return json;
}

/* "HeaderDigest=None\nDataDigest=None\n..." */
static JsonObject *parameters_json(const char *text)
{
	JsonObject *json = json_object_new();
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (char **line = lines; *line; line++) {
		char *equals = strchr(*line, '=');

		if (!equals)
			continue;
		*equals = '\0';
		control_set_text(json, *line, equals + 1);
	}
	return json;
}

JsonObject *session_json(const struct model_session *session)
{
	const uint8_t *isid = session->isid;
	JsonObject *json = json_object_new();
	g_autofree char *isid_text =
	    g_strdup_printf("%02x%02x%02x%02x%02x%02x", isid[0], isid[1], isid[2], isid[3], isid[4], isid[5]);
	g_autofree char *id = g_strdup_printf("0x%s%04x", isid_text, session->tsih);

	control_set_text(json, "id", id);
	control_set_text(json, "initiator", session->initiator);
	control_set_text(json, "alias", session->alias);
	json_object_set_boolean_member(json, "discovery", session->discovery);
	if (!session->discovery) {
		control_set_text(json, "target", session->target);
		json_object_set_int_member(json, "tag", session->tag);
	}
	control_set_text(json, "peer", session->peer);
	control_set_text(json, "local", session->local);
	control_set_text(json, "isid", isid_text);
	json_object_set_int_member(json, "tsih", session->tsih);
	json_object_set_int_member(json, "cid", session->cid);
	set_count(json, "age", session->age);
	set_count(json, "commands", session->commands);
	set_count(json, "read_bytes", session->read_bytes);
	set_count(json, "write_bytes", session->write_bytes);
	json_object_set_object_member(json, "parameters", parameters_json(session->parameters));
	return json;
}

char *storage_problem(struct model_object *object)
{
	char text[MODEL_TEXT_SIZE];

	model_get(object, model_attribute(MODEL_STORAGE, "health", "problem"), text);
	return *text ? g_strdup(text) : NULL;
}
