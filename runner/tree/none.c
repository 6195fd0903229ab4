/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces the tree in a build without libfuse3: --tree is refused, and everything else works. */
#include <errno.h>
#include <stddef.h>

#include "tree/tree.h"

struct tree *tree_start(const struct tree_options *options, struct error *error)
{
	(void)options;
	error_set(
	    error, ENOTSUP,
	    "this tcmu-runner was built without libfuse3, so it cannot show a tree; use --saveconfig and "
	    "tcmuctl, or build it again with libfuse3");
	errno = ENOTSUP;
	return NULL;
}

/* This is never called, because there is never a tree. */
void tree_stop(struct tree *tree)
{
	(void)tree;
}
