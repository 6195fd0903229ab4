/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a nested configuration. The importers interpret its words. */
#include "import/node.h"

struct node *node_new(struct node *parent, struct place place, const char *name, const char *value)
{
	struct node *node = g_new0(struct node, 1);

	node->place = place;
	node->name = g_strdup(name);
	node->value = g_strdup(value);
	node->children = g_ptr_array_new_with_free_func((GDestroyNotify)node_free);
	if (parent)
		g_ptr_array_add(parent->children, node);
	return node;
}

void node_free(struct node *node)
{
	g_free(node->name);
	g_free(node->value);
	g_ptr_array_unref(node->children);
	g_free(node);
}
