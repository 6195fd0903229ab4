/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A nested configuration as a tree. SCST's "KEYWORD arg {" and tgt's "<keyword arg>" have the same form here.
 */
#ifndef IMPORT_NODE_H
#define IMPORT_NODE_H

#include <glib.h>

#include "import/report.h"

/* Files that are nested more deeply are refused, so that functions may visit a tree recursively. */
#define NODE_DEPTH_MAX 16

struct node {
	struct place place;
	/* The first word of the line; "" for the root. */
	char *name;
	/* The rest of the line, without blanks around it and without quotes; "" if there is none. */
	char *value;
	/* An array of struct node, which is empty if the line opens no section. */
	GPtrArray *children;
};

/*
 * Adds a node. The strings are copied. If parent is NULL, the node is a root, which the caller frees together
 * with its whole tree.
 */
struct node *node_new(struct node *parent, struct place place, const char *name, const char *value);
void node_free(struct node *node);

/* Visits the children of a node. */
#define node_for_each(child, node)                                                                        \
	for (guint node_i_ = 0;                                                                           \
	     node_i_ < (node)->children->len && ((child) = g_ptr_array_index((node)->children, node_i_)); \
	     node_i_++)

typedef struct node node_tree;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(node_tree, node_free)
#endif
