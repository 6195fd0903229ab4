/* SPDX-License-Identifier: Apache-2.0 */
/* A tree on the terminal, in the form of targetcli's ls. */
#ifndef TCMUCTL_TREE_H
#define TCMUCTL_TREE_H

#include <glib.h>

struct tree;

/*
 * Adds an object. parent is NULL for the root. Both texts are copied. info is printed in brackets at the
 * right.
 */
struct tree *tree_add(struct tree *parent, const char *name, const char *info);
/* Prints the tree, and frees it. */
void tree_print(struct tree *root);
#endif
