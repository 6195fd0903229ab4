/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of ranges of numbers, which may overlap. It finds the ranges that overlap a given range. The nodes
 * are embedded in other structures. Insertion, removal and each range that is found take a number of steps
 * that grows with the logarithm of the number of ranges. The set has no lock.
 */
#ifndef UTIL_RANGE_TREE_H
#define UTIL_RANGE_TREE_H

#include <stdbool.h>
#include <stdint.h>

struct range_node {
	/*
	 * The range, from start up to but not including end. The owner sets it, and does not change it while
	 * the node is in a tree.
	 */
	uint64_t start, end;
	/* Used by the tree. */
	struct range_node *left, *right;
	/* The greatest end of this node and all nodes below it. */
	uint64_t max_end;
	uint64_t priority;
};

/* A tree that is all zero is empty. */
struct range_tree {
	struct range_node *root;
	uint64_t random;
};

void range_tree_insert(struct range_tree *tree, struct range_node *node);
void range_tree_remove(struct range_tree *tree, struct range_node *node);

/*
 * Calls visit() for the nodes that overlap the range from start to end, in ascending order, until visit()
 * returns true. Returns whether it did. visit() must neither insert nor remove nodes.
 */
bool range_tree_find(const struct range_tree *tree, uint64_t start, uint64_t end,
		     bool (*visit)(struct range_node *node, void *arg), void *arg);

static inline bool range_tree_is_empty(const struct range_tree *tree)
{
	return !tree->root;
}
#endif
