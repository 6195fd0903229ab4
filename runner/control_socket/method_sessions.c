/* SPDX-License-Identifier: Apache-2.0 */
/* The methods for sessions: "sessions" lists them, and "kick" ends one. */
#include <errno.h>

#include "control_socket/methods.h"
#include "control_socket/object_json.h"
#include "control_socket/object_path.h"
#include "control_socket/values.h"

/* The selection of sessions that are listed. */
struct listing {
	JsonArray *sessions;
	/* The name of a target, or NULL for the sessions of all targets and for discovery sessions. */
	const char *target;
	/* The tag of a TPG, or 0 for the sessions of all TPGs. */
	unsigned tag;
};

static void add_session(void *arg, const struct model_session *session)
{
	struct listing *listing = arg;

	if (listing->target && (session->discovery || g_ascii_strcasecmp(listing->target, session->target)))
		return;
	if (listing->tag && listing->tag != session->tag)
		return;
	json_array_add_object_element(listing->sessions, session_json(session));
}

/* Selects the sessions of the object at this path. Returns 0, or -errno with error set. */
static int choose(struct listing *listing, struct model *model, const char *path, struct error *error)
{
	struct model_object *object = object_find_target(model, path, error);
	char whole[MODEL_PATH_SIZE];

	if (!object)
		return -errno;
	switch (model_kind(object)) {
	case MODEL_ROOT:
		return 0;
	case MODEL_TPG:
		listing->tag = model_number(object);
		object = model_parent(object);
		break;
	case MODEL_TARGET:
		break;
	default:
		return error_set(error, EINVAL, "%s is a %s; sessions belong to targets and TPGs",
				 model_path(object, whole), model_kind_name(model_kind(object)));
	}
	listing->target = model_name(object);
	return 0;
}

void control_method_sessions(struct control_call *call)
{
	const struct model_front_end *front_end = model_front_end(call->context->model);
	const char *path = control_call_text(call, "path");
	struct listing listing = {0};
	struct error error = {""};
	int err = choose(&listing, call->context->model, path ? path : "", &error);

	if (err) {
		control_call_refuse(call, err, &error);
		return;
	}

	JsonObject *result = json_object_new();

	listing.sessions = json_array_new();
	if (front_end)
		front_end->sessions(front_end->arg, add_session, &listing);
	json_object_set_array_member(result, "sessions", listing.sessions);
	control_call_finish(call, control_object_node(result));
}

void control_method_kick(struct control_call *call)
{
	const struct model_front_end *front_end = model_front_end(call->context->model);
	uint64_t tsih = 0;

	control_call_number(call, "tsih", &tsih);

	int err = front_end && tsih <= UINT16_MAX ? front_end->kick(front_end->arg, (uint16_t)tsih) : -ENOENT;

	if (err)
		control_call_refuse_text(call, err, "there is no session with the TSIH %" G_GUINT64_FORMAT,
					 tsih);
	else
		control_call_finish(call, control_object_node(json_object_new()));
}
