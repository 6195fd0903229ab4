/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A treap: a search tree by start, and at the same time a heap by a random priority, which keeps the tree
 * balanced for any order of insertion. Each node also stores the greatest end of the nodes below it, so that
 * a search can leave out branches that end before the range.
 */
#include "util/range_tree.h"

#include <stddef.h>

#include "util/bytes.h"

static uint64_t end_of(const struct range_node *node)
{
	return node ? node->max_end : 0;
}

static void update(struct range_node *node)
{
	node->max_end = MAX(node->end, MAX(end_of(node->left), end_of(node->right)));
}

/* Ranges with the same start are ordered by their address, so that the order of all nodes is defined. */
static bool is_before(const struct range_node *a, const struct range_node *b)
{
	return a->start != b->start ? a->start < b->start : (uintptr_t)a < (uintptr_t)b;
}

/* xorshift64 */
static uint64_t next_priority(struct range_tree *tree)
{
	uint64_t random = tree->random ? tree->random : 0x9e3779b97f4a7c15u;

	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	tree->random = random;
	return random;
}

/* Cuts the branch below root in two: the nodes before node, and the others. */
static void split(struct range_node *root, const struct range_node *node, struct range_node **before,
		  struct range_node **after)
{
	if (!root) {
		*before = *after = NULL;
	} else if (is_before(root, node)) {
		split(root->right, node, &root->right, after);
		update(root);
		*before = root;
	} else {
		split(root->left, node, before, &root->left);
		update(root);
		*after = root;
	}
}

/* Joins two trees. All nodes of the tree before precede all nodes of the tree after. */
static struct range_node *merge(struct range_node *before, struct range_node *after)
{
	if (!before || !after)
		return before ? before : after;
	if (before->priority > after->priority) {
		before->right = merge(before->right, after);
		update(before);
		return before;
	}
	after->left = merge(before, after->left);
	update(after);
	return after;
}

static void insert_below(struct range_node **link, struct range_node *node)
{
	struct range_node *root = *link;

	if (!root || node->priority > root->priority) {
		split(root, node, &node->left, &node->right);
		*link = node;
	} else {
		insert_below(is_before(node, root) ? &root->left : &root->right, node);
	}
	update(*link);
}

void range_tree_insert(struct range_tree *tree, struct range_node *node)
{
	node->priority = next_priority(tree);
	insert_below(&tree->root, node);
}

static void remove_below(struct range_node **link, struct range_node *node)
{
	struct range_node *root = *link;

	if (root == node) {
		*link = merge(node->left, node->right);
		return;
	}
	remove_below(is_before(node, root) ? &root->left : &root->right, node);
	update(root);
}

void range_tree_remove(struct range_tree *tree, struct range_node *node)
{
	remove_below(&tree->root, node);
}

static bool find_below(struct range_node *root, uint64_t start, uint64_t end,
		       bool (*visit)(struct range_node *node, void *arg), void *arg)
{
	if (!root || root->max_end <= start)
		return false;
	if (find_below(root->left, start, end, visit, arg))
		return true;
	if (root->start >= end)
		return false;
	if (root->end > start && visit(root, arg))
		return true;
	return find_below(root->right, start, end, visit, arg);
}

bool range_tree_find(const struct range_tree *tree, uint64_t start, uint64_t end,
		     bool (*visit)(struct range_node *node, void *arg), void *arg)
{
	return find_below(tree->root, start, end, visit, arg);
}
