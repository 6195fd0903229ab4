/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The method status, which administrators and monitoring programs call first. It lists each storage object
 * and each kernel device with its state, and everything that is degraded, with the reason.
 */
#include <string.h>
#include <unistd.h>

#include "control_socket/methods.h"
#include "control_socket/object_json.h"
#include "control_socket/values.h"

struct status {
	JsonArray *problems;
	JsonArray *devices;
};

static void add_problem(JsonArray *problems, const char *path, const char *text)
{
	JsonObject *json = json_object_new();

	control_set_text(json, "path", path);
	control_set_text(json, "problem", text);
	json_array_add_object_element(problems, json);
}

static JsonArray *storage_list(struct model *model, JsonArray *problems)
{
	JsonArray *list = json_array_new();
	struct model_object *object = model_first(model_root(model), MODEL_STORAGE);

	for (; object; object = model_next(object)) {
		g_autofree char *problem = storage_problem(object);

		json_array_add_object_element(list, object_json(object, 0, false));
		if (problem)
			add_problem(problems, model_name(object), problem);
	}
	return list;
}

static void add_device(void *arg, const struct control_device *device)
{
	struct status *status = arg;
	JsonObject *json = json_object_new();

	control_set_text(json, "name", device->name);
	control_set_text(json, "config", device->config);
	control_set_text(json, "state", device->state);
	control_set_text(json, "error", device->error);
	json_object_set_int_member(json, "minor", device->minor);
	json_object_set_int_member(json, "size", (gint64)device->size);
	json_object_set_int_member(json, "commands", (gint64)device->commands);
	json_object_set_int_member(json, "late", (gint64)device->late);
	json_array_add_object_element(status->devices, json);
	if (*device->error)
		add_problem(status->problems, device->name, device->error);
}

static void add_entry(void *arg, const struct saveconfig_entry *entry)
{
	g_autofree char *text = g_strdup_printf("%s cannot be restored: %s", entry->place, entry->reason);

	add_problem(arg, entry->name, text);
}

static void add_refused(void *arg, const struct saveconfig_entry *entry)
{
	g_autofree char *text = g_strdup_printf("%s: %s", entry->place, entry->reason);

	add_problem(arg, entry->name, text);
}

static unsigned count(struct model *model, enum model_kind kind)
{
	unsigned n = 0;

	for (struct model_object *o = model_first(model_root(model), kind); o; o = model_next(o))
		n++;
	return n;
}

static void count_session(void *arg, const struct model_session *session)
{
	*(unsigned *)arg += !session->discovery;
}

static void set_counts(JsonObject *json, struct model *model)
{
	const struct model_front_end *front_end = model_front_end(model);
	unsigned sessions = 0;

	if (front_end)
		front_end->sessions(front_end->arg, count_session, &sessions);
	json_object_set_int_member(json, "targets", count(model, MODEL_TARGET));
	json_object_set_int_member(json, "sessions", sessions);
}

void control_method_status(struct control_call *call)
{
	struct control_context *context = call->context;
	struct status status = {json_array_new(), json_array_new()};
	JsonObject *json = json_object_new();

	control_set_text(json, "version", TCMUR_VERSION);
	json_object_set_int_member(json, "pid", getpid());
	json_object_set_int_member(json, "uptime",
				   (g_get_monotonic_time() - context->started_us) / G_USEC_PER_SEC);
	set_counts(json, context->model);
	json_object_set_array_member(json, "storage", storage_list(context->model, status.problems));
	if (context->devices)
		context->devices(context->devices_arg, add_device, &status);
	json_object_set_array_member(json, "kernel_devices", status.devices);
	saveconfig_list_failed(context->saveconfig, add_entry, status.problems);
	saveconfig_list_refused(context->saveconfig, add_refused, status.problems);
	control_set_text(json, "saveconfig", saveconfig_path(context->saveconfig));
	json_object_set_boolean_member(json, "unsaved_changes", saveconfig_has_changed(context->saveconfig));
	json_object_set_boolean_member(json, "degraded", json_array_get_length(status.problems) > 0);
	json_object_set_array_member(json, "problems", status.problems);
	control_call_finish(call, control_object_node(json));
}
