/* SPDX-License-Identifier: Apache-2.0 */
/* tcmuctl watch: prints events when they arrive, until it is interrupted or the last daemon has ended. */
#include <poll.h>
#include <stdio.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"

static void print_event(struct cli *cli, const struct service *service, JsonObject *event)
{
	if (cli->json) {
		g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

		json_object_set_string_member(event, "service", service->name);
		json_node_set_object(node, event);

		g_autofree char *line = json_to_string(node, FALSE);

		puts(line);
	} else {
		gint64 seconds = (gint64)json_object_get_double_member_with_default(event, "time", 0);
		g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);
		g_autofree char *clock = time ? g_date_time_format(time, "%F %T") : g_strdup("");
		g_autofree char *what = show_text(event, "event");
		g_autofree char *path = show_text(event, "path");
		g_autofree char *state = show_text(event, "state");

		printf("%s %s %s%s%s\n", clock, what, path, *state ? ": " : "", state);
	}
	/* If the output is a pipe, its reader gets each event at once. */
	fflush(stdout);
}

static bool subscribe(struct cli *cli)
{
	for (guint i = 0; i < cli->services->len; i++) {
		JsonObject *result = cli_call(cli, cli->services->pdata[i], "subscribe", NULL);

		if (!result)
			return false;
		json_object_unref(result);
	}
	return true;
}

/* Returns false if the daemon has ended the connection. */
static bool read_events(struct cli *cli, const struct service *service)
{
	bool alive = rpc_receive(service->rpc);
	JsonObject *event;

	while ((event = rpc_event(service->rpc))) {
		print_event(cli, service, event);
		json_object_unref(event);
	}
	return alive;
}

/* Waits for events once. */
static void watch_once(struct cli *cli)
{
	g_autofree struct pollfd *fds = g_new0(struct pollfd, cli->services->len);

	for (guint i = 0; i < cli->services->len; i++) {
		struct service *service = cli->services->pdata[i];

		fds[i] = (struct pollfd){.fd = rpc_fd(service->rpc), .events = POLLIN};
	}
	if (poll(fds, cli->services->len, -1) <= 0)
		return;
	for (guint i = cli->services->len; i--;)
		if (fds[i].revents && !read_events(cli, cli->services->pdata[i]))
			g_ptr_array_remove_index(cli->services, i);
}

enum tcmuctl_status run_watch(char **args)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 0, 0) && cli_connect(&cli) && subscribe(&cli)) {
		while (cli.services->len)
			watch_once(&cli);
		cli_fail(&cli, TCMUCTL_NO_DAEMON, "the daemon has ended");
	}
	return cli_end(&cli);
}
