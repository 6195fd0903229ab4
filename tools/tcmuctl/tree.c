/* SPDX-License-Identifier: Apache-2.0 */
/* Prints trees: one object on each line, with lines to its children and dots before its description. */
#include "tcmuctl/tree.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MIN     80
#define COLUMNS_DEFAULT 100

struct tree {
	char *name, *info;
	GPtrArray *children;
};

static void tree_free(void *data)
{
	struct tree *tree = data;

	g_ptr_array_unref(tree->children);
	g_free(tree->name);
	g_free(tree->info);
	g_free(tree);
}

struct tree *tree_add(struct tree *parent, const char *name, const char *info)
{
	struct tree *tree = g_new(struct tree, 1);

	*tree = (struct tree){g_strdup(name), g_strdup(info), g_ptr_array_new_with_free_func(tree_free)};
	if (parent)
		g_ptr_array_add(parent->children, tree);
	return tree;
}

static int terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < COLUMNS_MIN)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

/* Prints a line. Names may be longer than the width of the terminal. */
static void print_line(const struct tree *tree, const char *prefix, int columns)
{
	glong used =
	    g_utf8_strlen(prefix, -1) + g_utf8_strlen(tree->name, -1) + g_utf8_strlen(tree->info, -1) + 7;

	printf("%so- %s ", prefix, tree->name);
	do
		putchar('.');
	while (++used < columns);
	printf(" [%s]\n", tree->info);
}

/*
 * Prints an object and those below it. prefix is the text before the "o-" of this line, with a "|" for each
 * object above whose parent has more children. is_last says that the parent has no more children after this
 * one.
 */
static void print_below(const struct tree *tree, const char *prefix, bool is_last, int columns)
{
	g_autofree char *below = g_strconcat(prefix, is_last ? "  " : "| ", NULL);

	print_line(tree, prefix, columns);
	for (guint i = 0; i < tree->children->len; i++)
		print_below(tree->children->pdata[i], below, i + 1 == tree->children->len, columns);
}

void tree_print(struct tree *root)
{
	print_below(root, "", true, terminal_columns());
	tree_free(root);
}
