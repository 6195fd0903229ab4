/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notifies subscribers of changes of the model: one notification for each change. Peers that do not read
 * their notifications are left to client.c.
 */
#include "control_socket/events.h"

#include "control_socket/object_path.h"
#include "control_socket/values.h"

static JsonNode *describe(enum model_event event, struct model_object *object)
{
	static const char *const names[] = {
	    [MODEL_CREATED] = "created",
	    [MODEL_DELETED] = "deleted",
	    [MODEL_CHANGED] = "changed",
	};
	char path[MODEL_PATH_SIZE];
	enum model_kind kind = model_kind(object);
	JsonObject *json = json_object_new();

	control_set_text(json, "event", names[event]);
	control_set_text(json, "kind", object_kind_word(kind));
	control_set_text(json, "path", model_path(object, path));
	if (event != MODEL_DELETED && (kind == MODEL_STORAGE || kind == MODEL_TPG))
		json_object_set_boolean_member(json, "enabled", model_is_enabled(object));
	if (event != MODEL_DELETED && model_storage(object))
		control_set_text(json, "state", storage_status_name(storage_status(model_storage(object))));
	json_object_set_double_member(json, "time", (double)g_get_real_time() / G_USEC_PER_SEC);
	return control_object_node(json);
}

static void on_change(struct model_watch *watch, enum model_event event, struct model_object *object)
{
	struct control_context *context = container_of(watch, struct control_context, watch);
	struct list *node, *next;

	if (list_empty(&context->subscribers))
		return;

	g_autofree char *line = json_rpc_notification("event", describe(event, object));

	list_for_each (&context->subscribers, node, next) {
		struct control_peer *peer = list_entry(node, struct control_peer, subscriber);

		peer->send(peer, g_strdup(line), true);
	}
}

void control_events_begin(struct control_context *context)
{
	list_init(&context->subscribers);
	context->watch.fn = on_change;
	model_watch(context->model, &context->watch);
}

void control_events_end(struct control_context *context)
{
	model_unwatch(&context->watch);
}

void control_method_subscribe(struct control_call *call)
{
	list_del(&call->peer->subscriber);
	list_add_tail(&call->context->subscribers, &call->peer->subscriber);
	control_call_finish(call, control_object_node(json_object_new()));
}
