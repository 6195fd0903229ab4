/* SPDX-License-Identifier: Apache-2.0 */
/* tcmuctl sessions and kick: list sessions, and end them. */
#include <stdio.h>
#include <string.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"

static void print_parameters(JsonObject *session)
{
	JsonNode *node = json_object_get_member(session, "parameters");
	JsonObjectIter iter;
	const char *name;
	JsonNode *value;

	if (!node || !JSON_NODE_HOLDS_OBJECT(node))
		return;
	fputs("  negotiated ", stdout);
	json_object_iter_init_ordered(&iter, json_node_get_object(node));
	while (json_object_iter_next_ordered(&iter, &name, &value)) {
		g_autofree char *text = show_value(value);

		printf(" %s=%s", name, text);
	}
	putchar('\n');
}

static void print_session(JsonObject *session)
{
	g_autofree char *initiator = show_text(session, "initiator");
	g_autofree char *alias = show_text(session, "alias");
	g_autofree char *target = show_text(session, "target");
	g_autofree char *peer = show_text(session, "peer");
	g_autofree char *local = show_text(session, "local");
	g_autofree char *isid = show_text(session, "isid");
	g_autofree char *age = show_age((uint64_t)show_number(session, "age"));
	g_autofree char *read_size = show_size((uint64_t)show_number(session, "read_bytes"));
	g_autofree char *written = show_size((uint64_t)show_number(session, "write_bytes"));

	printf("%s%s%s%s\n", initiator, *alias ? " (" : "", alias, *alias ? ")" : "");
	if (show_flag(session, "discovery"))
		puts("  target      discovery");
	else
		printf("  target      %s/tpgt_%d\n", target, (int)show_number(session, "tag"));
	printf("  address     %s to %s\n", peer, local);
	printf("  session     TSIH %d, ISID %s, for %s\n", (int)show_number(session, "tsih"), isid, age);
	printf("  commands    %" G_GINT64_FORMAT "; %s read, %s written\n", show_number(session, "commands"),
	       read_size, written);
	print_parameters(session);
}

static void print_sessions(struct cli *cli, const struct service *service, JsonObject *result)
{
	JsonArray *sessions = show_array(result, "sessions");

	(void)service;
	for (guint i = 0; !cli->json && sessions && i < json_array_get_length(sessions); i++)
		print_session(json_array_get_object_element(sessions, i));
}

enum tcmuctl_status run_sessions(char **args)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 0, 1) && cli_connect(&cli)) {
		g_autoptr(JsonObject) params = cli.nwords ? cli_params_path(cli.words[0]) : cli_params();

		if (cli.nwords)
			cli_keep_only(&cli, cli_service_of(&cli, cli.words[0]));
		cli_call_all(&cli, "sessions", params, print_sessions);
	}
	return cli_end(&cli);
}

/* --- kick -------------------------------------------------------------------------------------------- */

/* Returns whether word is the TSIH of the session, or the name of its initiator. */
static bool is_meant(JsonObject *session, const char *word)
{
	g_autofree char *tsih = g_strdup_printf("%d", (int)show_number(session, "tsih"));

	return !strcmp(word, tsih) || !strcmp(word, show_raw(session, "id")) ||
	       !g_ascii_strcasecmp(word, show_raw(session, "initiator"));
}

static bool kick(struct cli *cli, struct service *service, JsonObject *session, JsonArray *kicked)
{
	JsonObject *params = cli_params(), *result;

	json_object_set_int_member(params, "tsih", show_number(session, "tsih"));
	result = cli_call(cli, service, "kick", params);
	if (!result)
		return false;
	json_object_unref(result);
	if (!cli->json) {
		g_autofree char *initiator = show_text(session, "initiator");

		printf("the session %d of %s ends\n", (int)show_number(session, "tsih"), initiator);
	}
	json_array_add_object_element(kicked, json_object_ref(session));
	return true;
}

/* Ends the sessions in one daemon. Returns false if a call was refused. */
static bool kick_in(struct cli *cli, struct service *service, JsonArray *kicked)
{
	g_autoptr(JsonObject) result = cli_call(cli, service, "sessions", NULL);
	JsonArray *sessions = result ? show_array(result, "sessions") : NULL;

	for (guint i = 0; sessions && i < json_array_get_length(sessions); i++) {
		JsonObject *session = json_array_get_object_element(sessions, i);

		if (is_meant(session, cli->words[0]) && !kick(cli, service, session, kicked))
			return false;
	}
	return result;
}

enum tcmuctl_status run_kick(char **args)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 1, 1) && cli_connect(&cli)) {
		g_autoptr(JsonObject) document = json_object_new();
		JsonArray *kicked = json_array_new();
		bool all = true;

		json_object_set_array_member(document, "sessions", kicked);
		for (guint i = 0; all && i < cli.services->len; i++)
			all = kick_in(&cli, cli.services->pdata[i], kicked);
		if (all && !json_array_get_length(kicked))
			cli_fail(&cli, TCMUCTL_NO_OBJECT,
				 "no session has the TSIH, ID or initiator %s; \"tcmuctl sessions\" lists "
				 "the sessions",
				 cli.words[0]);
		else if (cli.json)
			cli_print_json(document);
	}
	return cli_end(&cli);
}
