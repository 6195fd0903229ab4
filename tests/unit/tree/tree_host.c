/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree on a model with fake storage, without a daemon: tree_host FOLDER
 *
 * The program prints "ready" when the tree is mounted, and ends with its standard input. Each line of the
 * input is a command:
 *   create NAME, delete NAME: creates or deletes a storage object or a target, as another
 *     interface would do it
 *   hold NAME, release NAME: takes a reference to the logical unit of a storage object, as a command in
 *     flight does, or drops this reference
 *   stop x: the tree ends, but the model continues; x is ignored
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/front_end.h"
#include "tree/tree.h"
#include "util/bytes.h"

static struct main_queue *queue;

static void update(void *arg, struct main_work *done)
{
	(void)arg;
	main_queue_post(queue, done);
}

static int listen_at(void *arg, struct model_np *np, struct error *error)
{
	(void)arg;
	/* As if another program used this port. */
	return strcmp(np->text, "127.0.0.1:9") ? 0 : error_set(error, EADDRINUSE, "%s is in use", np->text);
}

static void unlisten(void *arg, struct model_np *np)
{
	(void)arg;
	(void)np;
}

static void list_sessions(void *arg, void (*fn)(void *fn_arg, const struct model_session *session),
			  void *fn_arg)
{
	const struct model_session session = {
	    .target = "iqn.2026-11.com.example:sessions",
	    .tag = 1,
	    .initiator = "iqn.2026-11.com.example:host",
	    .alias = "host",
	    .peer = "192.0.2.1:40000",
	    .local = "192.0.2.2:3260",
	    .tsih = 7,
	    .parameters = "",
	};

	(void)arg;
	fn(fn_arg, &session);
}

static void on_done(void *arg, int err, const struct error *error)
{
	printf("%s %s\n", (const char *)arg, err ? error->text : "done");
	fflush(stdout);
}

/* A reference to the logical unit, like the one that a command in flight has. */
static struct storage_lu *held;

static void hold(struct model_object *object, bool on)
{
	if (on && object)
		held = storage_lu_get(storage_served(model_storage(object)));
	else
		storage_lu_put(held);
	on_done("hold", 0, NULL);
}

static void run_command(struct model *model, struct tree **tree, char *line)
{
	struct model_object *root = model_root(model), *object;
	char *name = strchr(line, ' ');
	struct error error;

	line[strcspn(line, "\n")] = '\0';
	if (!name)
		return;
	*name++ = '\0';
	enum model_kind kind = strncmp(name, "iqn.", 4) ? MODEL_STORAGE : MODEL_TARGET;
	object = model_find(root, kind, name);
	if (!strcmp(line, "create")) {
		object = model_create(root, kind, name, NULL, &error);
		on_done("create", object ? 0 : -errno, &error);
	} else if (!strcmp(line, "delete") && object) {
		model_delete(object, true, on_done, "delete");
	} else if (!strcmp(line, "stop")) {
		tree_stop(*tree);
		*tree = NULL;
	} else {
		hold(object, !strcmp(line, "hold"));
	}
}

static void serve(struct model *model, struct tree **tree)
{
	struct pollfd fds[] = {
	    {.fd = main_queue_fd(queue), .events = POLLIN},
	    {.fd = STDIN_FILENO, .events = POLLIN},
	};
	char line[1024];

	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[0].revents)
			main_queue_run(queue);
		if (fds[1].revents && !fgets(line, sizeof(line), stdin))
			return;
		if (fds[1].revents)
			run_command(model, tree, line);
	}
}

static void on_cleared(void *arg, int err, const struct error *error)
{
	(void)err;
	(void)error;
	*(bool *)arg = true;
}

int main(int argc, char **argv)
{
	const struct model_front_end front_end = {
	    .update = update, .listen = listen_at, .unlisten = unlisten, .sessions = list_sessions};
	bool cleared = false;
	struct error error;

	setvbuf(stdin, NULL, _IONBF, 0);
	queue = main_queue_new();
	struct model *model = model_new(&(struct storage_context){.main = queue});
	model_set_front_end(model, &front_end, &error);
	struct tree *tree =
	    argc == 2 ? tree_start(&(struct tree_options){model, queue, argv[1], "1.2.3"}, &error) : NULL;
	if (!tree) {
		fprintf(stderr, "tree_host: %s\n", error.text);
		return EXIT_FAILURE;
	}
	puts("ready");
	fflush(stdout);
	serve(model, &tree);
	tree_stop(tree);
	model_clear(model, on_cleared, &cleared);
	while (!cleared)
		main_queue_wait(queue, 100);
	while (main_queue_wait(queue, 0))
		;
	model_free(model);
	main_queue_free(queue);
	return EXIT_SUCCESS;
}
