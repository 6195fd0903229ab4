/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses the format of Perl's Config::General, as far as targets.conf uses it: "<section name>", "key value"
 * and "key = value", quotes, comments, continued lines, and files that are included. tgt.c interprets the
 * words.
 */
#include <errno.h>
#include <glob.h>
#include <string.h>

#include "import/tgt.h"

struct parser {
	/* The open sections, beginning with the root. */
	struct node *nodes[NODE_DEPTH_MAX];
	unsigned depth;
	/* How deeply the files include each other. */
	unsigned files;
	bool in_comment;
	int *err;
	struct error *error;
};

static int parse_source(struct parser *parser, const struct source *source);

static int refuse(struct parser *parser, struct place place, const char *why)
{
	*parser->err = error_set(parser->error, EINVAL, "%s:%u: %s", place.file, place.line, why);
	return *parser->err;
}

/* --- words --- */

/* Removes a comment, which begins at a hash sign that is not escaped. */
static void cut_comment(char *line)
{
	char *out = line;

	for (const char *in = line; *in && *in != '#'; in++) {
		if (in[0] == '\\' && in[1] == '#')
			in++;
		*out++ = *in;
	}
	*out = '\0';
}

static char *cut_quotes(char *value)
{
	size_t len = strlen(value);

	if (len < 2 || (*value != '"' && *value != '\'') || value[len - 1] != *value)
		return value;
	value[len - 1] = '\0';
	return value + 1;
}

/* Splits "key value", "key = value" and "key=value". */
static struct node *add_option(struct node *parent, char *line, struct place place)
{
	char *end = line + strcspn(line, " \t="), *value = end + strspn(end, " \t");

	if (*value == '=')
		value++;
	*end = '\0';
	return node_new(parent, place, line, cut_quotes(g_strstrip(value)));
}

/* --- included files --- */

static int include_file(struct parser *parser, const char *path)
{
	struct source *source;
	int err;

	source = source_read(path, parser->err, parser->error);
	if (!source)
		return *parser->err;
	err = parse_source(parser, source);
	source_free(source);
	return err;
}

static int include(struct parser *parser, const char *pattern, struct place place)
{
	g_autofree char *folder = g_path_get_dirname(place.file);
	g_autofree char *path =
	    g_path_is_absolute(pattern) ? g_strdup(pattern) : g_build_filename(folder, pattern, NULL);
	/* If the path is a folder, all files in it are read. */
	bool is_folder = g_file_test(path, G_FILE_TEST_IS_DIR);
	g_autofree char *files = g_build_filename(path, is_folder ? "*" : NULL, NULL);
	glob_t found;
	int err = 0;

	if (!is_folder && !path[strcspn(path, "*?[")])
		return include_file(parser, path);
	if (glob(files, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc && !err; i++)
		err = include_file(parser, found.gl_pathv[i]);
	globfree(&found);
	return err;
}

/* Returns the path in "include PATH" or "<<include PATH>>", or NULL. */
static const char *included_path(char *line)
{
	size_t len = strlen(line);

	if (g_str_has_prefix(line, "<<include") && len > 11 && g_str_has_suffix(line, ">>")) {
		line[len - 2] = '\0';
		line += 2;
	}
	if (g_ascii_strncasecmp(line, "include", 7) || (line[7] != ' ' && line[7] != '\t'))
		return NULL;
	return cut_quotes(g_strstrip(line + 7));
}

/* --- sections --- */

static int begin_section(struct parser *parser, char *line, struct place place)
{
	struct node *node;

	if (parser->depth + 1 == NODE_DEPTH_MAX)
		return refuse(parser, place, "the sections are nested too deeply");
	line[strlen(line) - 1] = '\0';
	node = add_option(parser->nodes[parser->depth], g_strstrip(line + 1), place);
	parser->nodes[++parser->depth] = node;
	return 0;
}

static int end_section(struct parser *parser, char *line, struct place place)
{
	line[strlen(line) - 1] = '\0';
	if (!parser->depth || strcmp(g_strstrip(line + 2), parser->nodes[parser->depth]->name))
		return refuse(parser, place, "this is not the end of the section that is open");
	parser->depth--;
	return 0;
}

static int take_line(struct parser *parser, char *line, struct place place)
{
	const char *path = included_path(line);

	if (path)
		return include(parser, path, place);
	if (*line != '<') {
		add_option(parser->nodes[parser->depth], line, place);
		return 0;
	}
	if (!g_str_has_suffix(line, ">"))
		return refuse(parser, place, "the line begins with '<' and does not end with '>'");
	return line[1] == '/' ? end_section(parser, line, place) : begin_section(parser, line, place);
}

/*
 * Returns whether the line is in a C comment. Such a comment begins at the start of a line, and ends at the
 * end of a line.
 */
static bool is_in_comment(struct parser *parser, const char *line)
{
	bool is_comment = parser->in_comment || g_str_has_prefix(line, "/*");

	if (is_comment)
		parser->in_comment = !g_str_has_suffix(line, "*/") || strlen(line) < 4;
	return is_comment;
}

/* Removes a comment within a line. It ends at the last end of a comment in this line. */
static void cut_inner_comment(char *line)
{
	char *start = strstr(line, "/*"), *end = start ? g_strrstr(start + 2, "*/") : NULL;

	if (end)
		memmove(start, end + 2, strlen(end + 2) + 1);
}

/*
 * Removes a backslash at the end of a line. Returns whether there was one, so that the line continues in the
 * next one.
 */
static bool cut_backslash(GString *line)
{
	if (!line->len || line->str[line->len - 1] != '\\')
		return false;
	g_string_truncate(line, line->len - 1);
	return true;
}

static int parse_lines(struct parser *parser, const struct source *source)
{
	g_autoptr(GString) whole = g_string_new(NULL);
	struct place place = source_place(source, 0);

	for (unsigned i = 0; i < source->count; i++) {
		g_autofree char *line = g_strstrip(g_strdup(source->lines[i]));

		if (is_in_comment(parser, line))
			continue;
		cut_inner_comment(line);
		cut_comment(line);
		if (!whole->len)
			place = source_place(source, i);
		g_string_append(whole, g_strchomp(line));
		if (cut_backslash(whole) && i + 1 < source->count)
			continue;
		if (*g_strstrip(whole->str) && take_line(parser, whole->str, place))
			return *parser->err;
		g_string_truncate(whole, 0);
	}
	return 0;
}

static int parse_source(struct parser *parser, const struct source *source)
{
	unsigned depth = parser->depth;
	struct place end = source_place(source, source->count ? source->count - 1 : 0);
	int err;

	if (parser->files == NODE_DEPTH_MAX)
		return refuse(parser, source_place(source, 0), "the included files are nested too deeply");
	parser->files++;
	err = parse_lines(parser, source);
	parser->files--;
	if (err)
		return err;
	if (parser->in_comment)
		return refuse(parser, end, "the file ends within a comment");
	if (parser->depth != depth)
		return refuse(parser, end,
			      "the file ends within a section, or ends one that it has not begun");
	return 0;
}

struct node *tgt_parse(const struct source *source, int *err, struct error *error)
{
	g_autoptr(node_tree) root = node_new(NULL, source_place(source, 0), "", "");
	struct parser parser = {.nodes = {root}, .err = err, .error = error};

	if (parse_source(&parser, source))
		return NULL;
	return g_steal_pointer(&root);
}
