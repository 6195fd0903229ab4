/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restored FILE...: the daemon reads each saveconfig.json, of which an import is expected to write it, without
 * a problem: it knows every key and takes every value, and it opens exactly the TPGs that the import wants
 * open.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/saveconfig_check.h"
#include "config/saveconfig_read.h"

#define UUID "63ae2c1f-0000-4000-8000-%012u"

/* Puts values into the place holders of a fixture. Each disk gets a serial number of its own. */
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

static unsigned print_all(const char *name, const GPtrArray *lines)
{
	for (guint i = 0; i < lines->len; i++)
		printf("%s: %s\n", name, (char *)g_ptr_array_index(lines, i));
	return lines->len;
}

/* The import's own value, or LIO's if there is none. */
static bool is_wanted_open(const struct config_node *tpg)
{
	JsonObject *lio = json_node_get_object(tpg->raw);

	return json_object_get_boolean_member(tpg->ours ? tpg->ours : lio, "enable");
}

static unsigned check_tpgs(const char *name, const struct config_node *node)
{
	unsigned faults = 0;

	if (node->kind == MODEL_TPG && (node->closed || node->enable != is_wanted_open(node))) {
		printf("%s: %s is %s\n", name, node->parent->name, node->enable ? "open" : "closed");
		faults++;
	}
	for (guint i = 0; i < node->children->len; i++)
		faults += check_tpgs(name, config_node_child(node, i));
	return faults;
}

static unsigned check(const char *path)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *raw = NULL, *text = NULL;
	struct error error = {""};
	struct config_node *root;
	unsigned faults;

	if (!g_file_get_contents(path, &raw, NULL, NULL)) {
		printf("%s: cannot be read\n", path);
		return 1;
	}
	text = fill(raw);
	root = saveconfig_read(path, text, strlen(text), lines, &error);
	if (!root) {
		printf("%s\n", error.text);
		return 1;
	}
	saveconfig_list_problems(root, lines);
	faults = print_all(path, lines) + check_tpgs(path, root);
	config_node_free(root);
	return faults;
}

int main(int argc, char **argv)
{
	unsigned faults = 0;

	for (int i = 1; i < argc; i++)
		faults += check(argv[i]);
	return faults || argc < 2 ? EXIT_FAILURE : EXIT_SUCCESS;
}
