/* SPDX-License-Identifier: Apache-2.0 */
/* tcmuctl status: shows each daemon with its disks, and everything that is degraded. */
#include <stdio.h>

#include "tcmuctl/cli.h"
#include "tcmuctl/commands.h"
#include "tcmuctl/show.h"

static void print_disk(JsonObject *disk, const char *name_member, const char *kind)
{
	g_autofree char *name = show_text(disk, name_member);
	g_autofree char *state = show_text(disk, "state");
	g_autofree char *size = show_disk_size(disk);

	printf("  %-14s %-28s %-13s %s\n", kind, name, state, size);
}

static void print_disks(JsonObject *status, const char *member, const char *name_member, const char *kind)
{
	JsonArray *disks = show_array(status, member);

	for (guint i = 0; disks && i < json_array_get_length(disks); i++)
		print_disk(json_array_get_object_element(disks, i), name_member, kind);
}

static void print_problems(JsonObject *status)
{
	JsonArray *problems = show_array(status, "problems");

	for (guint i = 0; problems && i < json_array_get_length(problems); i++) {
		JsonObject *problem = json_array_get_object_element(problems, i);
		g_autofree char *path = show_text(problem, "path");
		g_autofree char *text = show_text(problem, "problem");

		/* Errors of storage already begin with the name of the object. */
		if (g_str_has_prefix(text, path) && text[strlen(path)] == ':')
			printf("  DEGRADED: %s\n", text);
		else
			printf("  DEGRADED: %s: %s\n", path, text);
	}
}

static void print_unsaved(JsonObject *status)
{
	g_autofree char *file = show_text(status, "saveconfig");

	if (!show_flag(status, "unsaved_changes"))
		return;
	if (*file)
		puts("  There are changes that are not saved: \"tcmuctl diff\" shows them, \"tcmuctl save\" "
		     "saves them.");
	else
		puts("  The daemon was started without --saveconfig, so this configuration ends with it: "
		     "\"tcmuctl save FILE\" writes a file for this option.");
}

static void print_status(struct cli *cli, const struct service *service, JsonObject *status)
{
	g_autofree char *version = show_text(status, "version");
	g_autofree char *age = show_age((uint64_t)show_number(status, "uptime"));

	if (show_flag(status, "degraded") && cli->status == TCMUCTL_DONE)
		cli->status = TCMUCTL_DEGRADED;
	if (cli->json)
		return;
	printf("%s: version %s, process %d, running for %s; targets: %d, sessions: %d\n", service->name,
	       version, (int)show_number(status, "pid"), age, (int)show_number(status, "targets"),
	       (int)show_number(status, "sessions"));
	print_disks(status, "storage", "path", "storage object");
	print_disks(status, "kernel_devices", "name", "kernel device");
	print_problems(status);
	print_unsaved(status);
}

enum tcmuctl_status run_status(char **args)
{
	struct cli cli;

	if (cli_begin(&cli, args, NULL, 0, 0) && cli_connect(&cli))
		cli_call_all(&cli, "status", NULL, print_status);
	return cli_end(&cli);
}
