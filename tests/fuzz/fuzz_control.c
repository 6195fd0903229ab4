/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends any messages to the control socket. Each line of the input is a message, and the messages are handled
 * one after another on a model with a few objects. In addition to what sanitizers find, these must hold: each
 * request is answered exactly once, with one line of JSON-RPC 2.0, and no answer, event or line of the log
 * contains a secret.
 */
#include "check.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control_socket/call.h"
#include "control_socket/events.h"
#include "control_socket/values.h"
#include "model/attribute.h"
#include "util/log.h"

#define TARGET "iqn.2026-11.com.example:disks"
#define HOST   "iqn.1994-05.com.redhat:host"
/* All secrets of the model contain this word. */
#define SECRET "Xyzzy"

struct fixture {
	struct storage_context storage;
	struct control_context context;
	struct control_peer peer;
	bool answered;
	unsigned answers;
};

/* The input contains the word itself, so an answer with the word may only quote the input. */
static bool may_quote;

static void check_line(const char *line)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	size_t len = strlen(line);

	check(len > 1 && line[len - 1] == '\n' && strchr(line, '\n') == line + len - 1);
	check(json_parser_load_from_data(parser, line, (gssize)len, NULL));
	check(JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)));
	check(may_quote || !strstr(line, SECRET));
}

static void on_send(struct control_peer *peer, char *line, bool is_event)
{
	struct fixture *fixture = container_of(peer, struct fixture, peer);

	check_line(line);
	fixture->answers += !is_event;
	g_free(line);
}

static void on_answered(struct control_peer *peer)
{
	container_of(peer, struct fixture, peer)->answered = true;
}

static void on_free(struct control_peer *peer)
{
	(void)peer;
	check(!"the daemon must not free the peer of this test");
}

static void on_log(enum log_level level, const char *line)
{
	(void)level;
	check(may_quote || !strstr(line, SECRET));
}

static void on_done(void *arg, int err, const struct error *error)
{
	(void)error;
	*(int *)arg = err;
}

static void must_set(struct model_object *object, const char *group, const char *name, const char *text)
{
	int err = 1;

	model_set(object, group, name, text, on_done, &err);
	check(!err);
}

static void must_enable(struct model_object *object)
{
	int err = 1;

	model_enable(object, true, on_done, &err);
	check(!err);
}

static void fill(struct model *model)
{
	struct model_object *root = model_root(model);
	struct model_object *disk = model_create(root, MODEL_STORAGE, "user_0/disk", NULL, NULL);
	struct model_object *target = model_create(root, MODEL_TARGET, TARGET, NULL, NULL);
	struct model_object *tpg = model_create(target, MODEL_TPG, "tpgt_1", NULL, NULL);

	must_set(disk, "control", "config", "alloc/disk");
	must_enable(disk);

	struct model_object *lun = model_create(tpg, MODEL_LUN, "lun_0", disk, NULL);
	struct model_object *acl = model_create(tpg, MODEL_ACL, HOST, NULL, NULL);

	check(lun && model_create(acl, MODEL_MAPPED_LUN, "lun_0", lun, NULL));
	must_set(acl, "auth", "password", SECRET " is a secret");
	must_set(tpg, "auth", "password", SECRET " is another");
	must_set(root, "discovery_auth", "password", SECRET " for discovery");
	must_enable(tpg);
}

static void run_queue(struct fixture *fixture)
{
	while (main_queue_wait(fixture->storage.main, 0))
		;
}

static void fixture_begin(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	log_set_sink(on_log);
	log_set_level(LOG_LEVEL_INFO);
	fixture->storage.main = main_queue_new();
	fixture->context.model = model_new(&fixture->storage);
	check(fixture->context.model);
	may_quote = true;
	fill(fixture->context.model);
	control_events_begin(&fixture->context);
	fixture->peer = (struct control_peer){
	    .uid = 1000, .pid = 1, .send = on_send, .answered = on_answered, .free = on_free, .refs = 1};
	list_init(&fixture->peer.subscriber);
}

static void fixture_end(struct fixture *fixture)
{
	int err = 1;

	list_del(&fixture->peer.subscriber);
	control_events_end(&fixture->context);
	run_queue(fixture);
	model_clear(fixture->context.model, on_done, &err);
	run_queue(fixture);
	check(!err);
	model_free(fixture->context.model);
	main_queue_free(fixture->storage.main);
}

static void handle(struct fixture *fixture, const char *line, size_t len)
{
	fixture->answered = false;
	fixture->answers = 0;
	control_call_start(&fixture->context, &fixture->peer, line, len);
	run_queue(fixture);
	check(fixture->answered && fixture->answers <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fixture fixture;
	const char *p = (const char *)data, *end = p + size;

	fixture_begin(&fixture);
	may_quote = memmem(data, size, SECRET, strlen(SECRET));
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((newline ? newline : end) - p);
		/* a copy of exactly this size, so that a sanitizer notices reading beyond it */
		char *line = malloc(len + 1);

		memcpy(line, p, len);
		line[len] = '\0';
		handle(&fixture, line, len);
		free(line);
		p += len + 1;
	}
	fixture_end(&fixture);
	return 0;
}
