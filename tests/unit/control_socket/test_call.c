/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls without a connection: what a daemon with the kernel front end shows of its devices, and that each
 * call is answered once. tests/control uses the daemon for everything else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "control_socket/call.h"
#include "control_socket/events.h"

struct fixture {
	struct storage_context storage;
	struct control_context context;
	struct control_peer peer;
	/* The last line that was sent. */
	char *line;
	unsigned lines, answered;
};

static void on_send(struct control_peer *peer, char *line, bool is_event)
{
	struct fixture *fixture = container_of(peer, struct fixture, peer);

	(void)is_event;
	g_free(fixture->line);
	fixture->line = line;
	fixture->lines++;
}

static void on_answered(struct control_peer *peer)
{
	container_of(peer, struct fixture, peer)->answered++;
}

/* Two devices, as kernel_service_list() shows them. */
static void list_devices(void *arg, control_device_view *view, void *view_arg)
{
	(void)arg;
	view(view_arg, &(struct control_device){.name = "user_0/good",
						.config = "alloc/good;filter=delay;read=1ms",
						.state = "served",
						.error = "",
						.minor = 3,
						.size = 4096,
						.commands = 7});
	view(view_arg, &(struct control_device){.name = "user_0/bad",
						.config = "file//bad",
						.state = "failed",
						.error = "/bad: No such file or directory"});
}

static int begin(void **state)
{
	struct fixture *fixture = g_new0(struct fixture, 1);

	fixture->storage.main = main_queue_new();
	fixture->context.model = model_new(&fixture->storage);
	control_events_begin(&fixture->context);
	fixture->peer = (struct control_peer){.send = on_send, .answered = on_answered, .refs = 1};
	list_init(&fixture->peer.subscriber);
	*state = fixture;
	return 0;
}

static int end(void **state)
{
	struct fixture *fixture = *state;

	list_del(&fixture->peer.subscriber);
	control_events_end(&fixture->context);
	model_discard(fixture->context.model);
	model_free(fixture->context.model);
	main_queue_free(fixture->storage.main);
	g_free(fixture->line);
	g_free(fixture);
	return 0;
}

static void send_line(struct fixture *fixture, const char *line)
{
	control_call_start(&fixture->context, &fixture->peer, line, strlen(line));
	while (main_queue_wait(fixture->storage.main, 0))
		;
}

/* Calls a method without parameters. The caller frees the result with json_object_unref(). */
static JsonObject *call(struct fixture *fixture, const char *method)
{
	g_autofree char *line = g_strdup_printf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}", method);
	g_autoptr(JsonParser) parser = json_parser_new();

	send_line(fixture, line);
	assert_true(json_parser_load_from_data(parser, fixture->line, -1, NULL));

	JsonObject *message = json_node_get_object(json_parser_get_root(parser));

	assert_true(json_object_has_member(message, "result"));
	return json_object_ref(json_object_get_object_member(message, "result"));
}

static void kernel_devices_are_shown(void **state)
{
	struct fixture *fixture = *state;
	JsonObject *device;

	fixture->context.devices = list_devices;

	g_autoptr(JsonObject) status = call(fixture, "status");
	JsonArray *devices = json_object_get_array_member(status, "kernel_devices");

	assert_int_equal(json_array_get_length(devices), 2);
	device = json_array_get_object_element(devices, 0);
	assert_string_equal(json_object_get_string_member(device, "name"), "user_0/good");
	assert_string_equal(json_object_get_string_member(device, "config"),
			    "alloc/good;filter=delay;read=1ms");
	assert_string_equal(json_object_get_string_member(device, "state"), "served");
	assert_int_equal(json_object_get_int_member(device, "minor"), 3);
	assert_int_equal(json_object_get_int_member(device, "size"), 4096);
	assert_int_equal(json_object_get_int_member(device, "commands"), 7);
}

/* The configuration of the kernel's device belongs to LIO, so the answer says how it is changed there. */
static void filters_of_kernel_devices_are_shown(void **state)
{
	struct fixture *fixture = *state;

	fixture->context.devices = list_devices;
	send_line(fixture, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"filters\","
			   "\"params\":{\"path\":\"user_0/good\"}}");
	assert_non_null(strstr(fixture->line, "\"filter\":\"delay\",\"options\":{\"read\":\"1ms\"}"));
	send_line(fixture, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"set_filter\",\"params\":{\"path\":"
			   "\"user_0/good\",\"filter\":\"delay\",\"option\":\"read\",\"value\":\"2ms\"}}");
	assert_non_null(strstr(fixture->line,
			       "printf %s 'alloc/good;filter=delay;read=2ms' "
			       ">/sys/kernel/config/target/core/user_0/good/attrib/dev_config"));
	send_line(fixture, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"filters\","
			   "\"params\":{\"path\":\"user_0/nosuch\"}}");
	assert_non_null(strstr(fixture->line, "there is no"));
}

/* If tcmu-runner-iscsi.service does not run, root's tcmuctl finds the service of the kernel front end. */
static void nothing_is_created_without_an_iscsi_front_end(void **state)
{
	static const char create[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"create\","
				     "\"params\":{\"path\":\"iqn.2026-11.test:disks\"}}";
	struct fixture *fixture = *state;

	fixture->context.devices = list_devices;
	send_line(fixture, create);
	assert_non_null(strstr(fixture->line, "systemctl enable --now tcmu-runner-iscsi"));
	assert_null(model_first(model_root(fixture->context.model), MODEL_TARGET));
	fixture->context.devices = NULL;
	send_line(fixture, create);
	assert_non_null(model_first(model_root(fixture->context.model), MODEL_TARGET));
}

/* A failed device, an entry of saveconfig.json that cannot be restored, and a TPG that it closes. */
static void what_has_failed_is_degraded(void **state)
{
	struct fixture *fixture = *state;

	fixture->context.devices = list_devices;

	g_autoptr(JsonObject) status = call(fixture, "status");
	JsonArray *problems = json_object_get_array_member(status, "problems");
	JsonObject *device = json_array_get_object_element(problems, 0);
	JsonObject *entry = json_array_get_object_element(problems, 1);

	assert_true(json_object_get_boolean_member(status, "degraded"));
	assert_string_equal(json_object_get_string_member(device, "path"), "user_0/bad");
	assert_string_equal(json_object_get_string_member(device, "problem"),
			    "/bad: No such file or directory");
	assert_string_equal(json_object_get_string_member(entry, "path"), "user_0/lost");
	assert_string_equal(json_object_get_string_member(entry, "problem"),
			    "storage_objects[0] cannot be restored: there is no such handler");
	JsonObject *tpg = json_array_get_object_element(problems, 2);
	assert_string_equal(json_object_get_string_member(tpg, "path"), "iqn.2026-11.test:closed/tpgt_1");
	assert_string_equal(json_object_get_string_member(tpg, "problem"),
			    "targets[0].tpgs[0]: the TPG stays disabled: a limit is not known");
}

/* The storage "late/..." is opened when the main queue runs. */
static void a_late_end_is_answered_once(void **state)
{
	struct fixture *fixture = *state;

	send_line(fixture,
		  "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"create\",\"params\":{\"path\":\"disk\","
		  "\"enable\":true,\"attributes\":{\"control/config\":\"late/disk\"}}}");
	assert_int_equal(fixture->lines, 1);
	assert_int_equal(fixture->answered, 1);
	assert_string_equal(fixture->line, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"path\":"
					   "\"user_0/disk\",\"created\":true}}\n");
}

/*
 * If the storage of a new object cannot be opened, the object is removed. The error must not say that the
 * object does not exist.
 */
static void a_failed_creation_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;

	send_line(fixture,
		  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"create\",\"params\":{\"path\":\"disk\","
		  "\"enable\":true,\"attributes\":{\"control/config\":\"bad/disk\"}}}");
	assert_int_equal(fixture->answered, 1);
	assert_non_null(strstr(fixture->line, "\"data\":{\"errno\":\"ENOENT\"}"));
	assert_null(model_first(model_root(fixture->context.model), MODEL_STORAGE));
}

static void notifications_are_not_answered(void **state)
{
	struct fixture *fixture = *state;

	send_line(fixture, "{\"jsonrpc\":\"2.0\",\"method\":\"create\",\"params\":{\"path\":\"disk\"}}");
	send_line(fixture, "{\"jsonrpc\":\"2.0\",\"method\":\"status\"}");
	assert_int_equal(fixture->lines, 0);
	assert_int_equal(fixture->answered, 2);
	assert_non_null(model_first(model_root(fixture->context.model), MODEL_STORAGE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(kernel_devices_are_shown, begin, end),
	    cmocka_unit_test_setup_teardown(filters_of_kernel_devices_are_shown, begin, end),
	    cmocka_unit_test_setup_teardown(nothing_is_created_without_an_iscsi_front_end, begin, end),
	    cmocka_unit_test_setup_teardown(what_has_failed_is_degraded, begin, end),
	    cmocka_unit_test_setup_teardown(a_late_end_is_answered_once, begin, end),
	    cmocka_unit_test_setup_teardown(a_failed_creation_leaves_nothing, begin, end),
	    cmocka_unit_test_setup_teardown(notifications_are_not_answered, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
