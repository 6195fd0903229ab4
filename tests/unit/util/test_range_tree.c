/* SPDX-License-Identifier: Apache-2.0 */
/* The range tree finds all overlaps, compared with a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/bytes.h"
#include "util/range_tree.h"

#define N 2000u

static struct range_node nodes[N];
static bool is_in[N], is_found[N];
static uint64_t last_start;

static bool mark_found(struct range_node *node, void *arg)
{
	unsigned *nfound = arg;

	assert_true(node->start >= last_start);
	last_start = node->start;
	assert_false(is_found[node - nodes]);
	is_found[node - nodes] = true;
	++*nfound;
	return false;
}

/* The tree finds the same ranges as a search of all nodes. */
static void check_against_all(const struct range_tree *tree, uint64_t start, uint64_t end)
{
	unsigned nfound = 0;

	memset(is_found, 0, sizeof(is_found));
	last_start = 0;
	assert_false(range_tree_find(tree, start, end, mark_found, &nfound));
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(is_found[i], is_in[i] && nodes[i].start < end && start < nodes[i].end);
}

static void finds_what_overlaps(void **state)
{
	struct range_tree tree = {0};
	unsigned seed = 1;

	(void)state;
	memset(is_in, 0, sizeof(is_in));
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = (unsigned)rand_r(&seed) % N;
		uint64_t start = (unsigned)rand_r(&seed) % 5000;
		uint64_t len = 1 + (unsigned)rand_r(&seed) % (step % 7 ? 20 : 3000);

		if (is_in[i]) {
			range_tree_remove(&tree, &nodes[i]);
		} else {
			nodes[i].start = start;
			nodes[i].end = start + len;
			range_tree_insert(&tree, &nodes[i]);
		}
		is_in[i] = !is_in[i];
		if (step % 10 == 0)
			check_against_all(&tree, start, start + len);
	}
	for (unsigned i = 0; i < N; i++)
		if (is_in[i])
			range_tree_remove(&tree, &nodes[i]);
	assert_true(range_tree_is_empty(&tree));
}

static unsigned depth_of(const struct range_node *node)
{
	return node ? 1 + MAX(depth_of(node->left), depth_of(node->right)) : 0;
}

static bool stop_at_first(struct range_node *node, void *arg)
{
	*(struct range_node **)arg = node;
	return true;
}

/*
 * The depth of the tree, which determines the cost of all operations, stays small in each order of
 * insertion.
 */
static void stays_shallow(void **state)
{
	(void)state;
	for (int order = 0; order < 3; order++) {
		struct range_tree tree = {0};
		struct range_node *first = NULL;

		for (unsigned i = 0; i < N; i++) {
			nodes[i].start = order == 0 ? i : order == 1 ? N - i : 7;
			nodes[i].end = nodes[i].start + 1;
			range_tree_insert(&tree, &nodes[i]);
		}
		assert_uint_in_range(depth_of(tree.root), 11, 60);
		assert_true(range_tree_find(&tree, 7, 8, stop_at_first, &first));
		assert_int_equal(first->start, 7);
		assert_false(range_tree_find(&tree, N + 1, 2 * N, stop_at_first, &first));
		for (unsigned i = 0; i < N; i++)
			range_tree_remove(&tree, &nodes[i]);
		assert_true(range_tree_is_empty(&tree));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_what_overlaps),
	    cmocka_unit_test(stays_shallow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
