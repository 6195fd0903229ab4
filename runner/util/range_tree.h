/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of ranges of numbers, which may overlap. It finds those that overlap a given range. The nodes
 * are embedded in their owners. Insertion, removal and each range that is found take a number of
 * steps that grows with the logarithm of the number of ranges. No locking.
 */
#ifndef UTIL_RANGE_TREE_H
#define UTIL_RANGE_TREE_H

#include <stdbool.h>
#include <stdint.h>

struct range_node {
	/* The owner sets these: from start to before end. They do not change while the node is in a
	 * tree. */
	uint64_t start, end;
	/* Belong to the tree. */
	struct range_node *left, *right;
	/* The greatest end of this node and all nodes below it. */
	uint64_t max_end;
	uint64_t priority;
};

/* All zero is an empty tree. */
struct range_tree {
	struct range_node *root;
	uint64_t random;
};

void range_tree_insert(struct range_tree *tree, struct range_node *node);
void range_tree_remove(struct range_tree *tree, struct range_node *node);

/*
 * Calls visit() for the nodes that overlap [start, end), in ascending order, until it returns true. Returns
 * whether it did. visit() must neither insert nor remove nodes.
 */
bool range_tree_find(const struct range_tree *tree, uint64_t start, uint64_t end,
		     bool (*visit)(struct range_node *node, void *arg), void *arg);

static inline bool range_tree_is_empty(const struct range_tree *tree)
{
	return !tree->root;
}
#endif
