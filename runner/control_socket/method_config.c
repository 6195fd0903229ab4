/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The methods for saveconfig.json: save, restore, reload, diff and forget. runner/config reads, writes and
 * applies the file.
 */
#include <errno.h>

#include "control_socket/methods.h"
#include "control_socket/values.h"

/* Is called when an operation has ended. arg is the call. The result of the call contains the lines. */
static void on_done(void *arg, int err, const struct error *error, const char *const *lines)
{
	JsonObject *result;

	if (err) {
		control_call_fail(arg, err, error, lines);
		return;
	}
	result = json_object_new();
	json_object_set_array_member(result, "lines", json_rpc_array(lines));
	control_call_finish(arg, control_object_node(result));
}

/* Tells the caller how much of its call is done. arg is the call. */
static void on_progress(void *arg, unsigned done, unsigned total)
{
	const struct control_call *call = arg;
	JsonObject *json = json_object_new();

	json_object_set_int_member(json, "done", done);
	json_object_set_int_member(json, "total", total);
	call->peer->send(call->peer, json_rpc_notification("progress", control_object_node(json)), true);
}

static saveconfig_progress *progress_of(const struct control_call *call)
{
	return control_call_flag(call, "progress") ? on_progress : NULL;
}

/*
 * Sets *file to the file that the call names, or to NULL for the daemon's own file. Returns false if the call
 * was refused.
 */
static bool find_file(struct control_call *call, const char **file)
{
	*file = control_call_text(call, "file");
	if (!*file || g_path_is_absolute(*file))
		return true;
	control_call_refuse_text(
	    call, -EINVAL, "%s is not an absolute path, and the daemon has another current folder than you",
	    *file);
	return false;
}

void control_method_save(struct control_call *call)
{
	const char *file;

	if (find_file(call, &file))
		saveconfig_save(call->context->saveconfig, file, on_done, call);
}

void control_method_restore(struct control_call *call)
{
	const char *file;

	if (find_file(call, &file))
		saveconfig_restore(call->context->saveconfig, file, progress_of(call), on_done, call);
}

void control_method_reload(struct control_call *call)
{
	const char *file;

	if (find_file(call, &file))
		saveconfig_reload(call->context->saveconfig, file, control_call_flag(call, "discard"),
				  progress_of(call), on_done, call);
}

void control_method_diff(struct control_call *call)
{
	const char *file;

	if (find_file(call, &file))
		saveconfig_diff(call->context->saveconfig, file, on_done, call);
}

void control_method_forget(struct control_call *call)
{
	struct error error = {""};
	int err = saveconfig_forget(call->context->saveconfig, control_call_text(call, "name"), &error);

	if (err)
		control_call_refuse(call, err, &error);
	else
		control_call_done(call, 0, NULL);
}
