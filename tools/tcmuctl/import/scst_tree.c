/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses the nested form of scst.conf (scst.conf(5)) into a tree: sections "KEYWORD arg {" and "}",
 * attributes, quotes and comments. scst_sysfs.c interprets the words.
 */
#include <errno.h>
#include <string.h>

#include "import/scst.h"

/*
 * Removes a comment. The manual says: "A hash sign removes itself, the rest of the line, and the character
 * before it." A backslash before the hash sign prevents this.
 */
static void cut_comment(char *line)
{
	char *out = line;

	if (line[strspn(line, " \t")] == '#') {
		*line = '\0';
		return;
	}
	for (const char *in = line; *in; in++) {
		if (in[0] == '\\' && in[1] == '#')
			in++;
		else if (*in == '#') {
			out -= out > line;
			break;
		}
		*out++ = *in;
	}
	*out = '\0';
}

static void cut_quotes(char *value)
{
	size_t len = strlen(value);

	if (len < 2 || value[0] != '"' || value[len - 1] != '"')
		return;
	memmove(value, value + 1, len - 2);
	value[len - 2] = '\0';
}

/* Splits "name value". */
static struct node *add_line(struct node *parent, char *line, struct place place)
{
	char *value = line + strcspn(line, " \t");

	if (*value)
		*value++ = '\0';
	g_strstrip(value);
	cut_quotes(value);
	return node_new(parent, place, line, value);
}

struct stack {
	struct node *nodes[NODE_DEPTH_MAX];
	unsigned depth;
};

static int take_line(struct stack *stack, char *line, struct place place, struct error *error)
{
	size_t len = strlen(line);
	struct node *node;

	if (!strcmp(line, "}")) {
		if (!stack->depth)
			return error_set(error, EINVAL, "%s:%u: this '}' ends no section", place.file,
					 place.line);
		stack->depth--;
		return 0;
	}
	if (line[len - 1] != '{') {
		add_line(stack->nodes[stack->depth], line, place);
		return 0;
	}
	if (stack->depth + 1 == NODE_DEPTH_MAX)
		return error_set(error, EINVAL, "%s:%u: the sections are nested more than %d levels deep",
				 place.file, place.line, NODE_DEPTH_MAX - 1);
	line[len - 1] = '\0';
	node = add_line(stack->nodes[stack->depth], g_strstrip(line), place);
	stack->nodes[++stack->depth] = node;
	return 0;
}

struct node *scst_parse_tree(const struct source *source, struct error *error)
{
	g_autoptr(node_tree) root = node_new(NULL, source_place(source, 0), "", "");
	struct stack stack = {.nodes = {root}};

	for (unsigned i = 0; i < source->count; i++) {
		g_autofree char *line = g_strdup(source->lines[i]);

		cut_comment(line);
		g_strstrip(line);
		if (*line && take_line(&stack, line, source_place(source, i), error))
			return NULL;
	}
	if (stack.depth) {
		error_set(error, EINVAL, "%s:%u: the section that begins here is not ended by a '}'",
			  source->name, stack.nodes[stack.depth]->place.line);
		return NULL;
	}
	return g_steal_pointer(&root);
}
