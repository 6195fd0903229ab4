/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restored FILE...: lets the daemon read each saveconfig.json that an import is expected to write. There must
 * be no problem: the daemon knows every key and accepts every value, and it opens exactly the TPGs that the
 * import wants to be open.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/saveconfig.h"
#include "config/saveconfig_read.h"

#define UUID "63ae2c1f-0000-4000-8000-%012u"

/* Replaces the place holders of a fixture. Each disk gets a serial number of its own. */
static char *fill(const char *text)
{
	g_auto(GStrv) pieces = g_strsplit(text, "@UUID@", -1);
	g_autoptr(GString) filled = g_string_new(NULL);

	for (unsigned i = 0; pieces[i]; i++) {
		if (i)
			g_string_append_printf(filled, UUID, i);
		g_string_append(filled, pieces[i]);
	}
	g_string_replace(filled, "@DIR@", "/srv", 0);
	return g_strdup(filled->str);
}

/* Prints the daemon's remarks about the file, and counts them. */
static void on_checked(void *arg, int err, const struct error *error, const char *const *lines)
{
	unsigned *faults = arg;

	for (; *lines; lines++, ++*faults)
		printf("%s\n", *lines);
	if (err) {
		printf("%s\n", error->text);
		++*faults;
	}
}

/* Returns the value that the import has set, or LIO's default. */
static bool is_wanted_open(const struct config_node *tpg)
{
	JsonObject *lio = json_node_get_object(tpg->raw);

	return json_object_get_boolean_member(tpg->ours ? tpg->ours : lio, "enable");
}

static unsigned check_tpgs(const char *name, const struct config_node *node)
{
	unsigned faults = 0;

	if (node->kind == MODEL_TPG && (node->closing_reason || node->enable != is_wanted_open(node))) {
		printf("%s: %s is %s\n", name, node->parent->name, node->enable ? "open" : "closed");
		faults++;
	}
	for (guint i = 0; i < node->children->len; i++)
		faults += check_tpgs(name, config_node_child(node, i));
	return faults;
}

static unsigned check_text(const char *path, const char *text)
{
	struct error error = {""};
	struct config_node *root = saveconfig_read(path, text, strlen(text), NULL, &error);
	unsigned faults;

	if (!root) {
		printf("%s\n", error.text);
		return 1;
	}
	faults = check_tpgs(path, root);
	config_node_free(root);
	return faults;
}

static unsigned check(const char *path)
{
	g_autofree char *raw = NULL, *text = NULL, *filled = NULL;
	unsigned faults = 0;
	int fd;

	if (!g_file_get_contents(path, &raw, NULL, NULL) ||
	    (fd = g_file_open_tmp("saveconfig-XXXXXX.json", &filled, NULL)) < 0) {
		printf("%s: cannot be read, or copied\n", path);
		return 1;
	}
	close(fd);
	text = fill(raw);
	if (g_file_set_contents_full(filled, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL))
		saveconfig_check(filled, on_checked, &faults);
	else
		faults++;
	unlink(filled);
	if (faults)
		printf("%s: %u faults\n", path, faults);
	return faults + check_text(path, text);
}

int main(int argc, char **argv)
{
	unsigned faults = 0;

	for (int i = 1; i < argc; i++)
		faults += check(argv[i]);
	return faults || argc < 2 ? EXIT_FAILURE : EXIT_SUCCESS;
}
