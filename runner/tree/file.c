/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes files in the same way as configfs: a program that reads gets the text as it was at its
 * first read, and each write sets the whole value, whatever its offset. The contents of the files are left to
 * files_*.c and to the model.
 */
#include "tree/private.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The largest write that configfs accepts: a page, of which one byte is for a NUL. */
#define WRITE_MAX 4095

static const struct model_attribute *attribute_of(const struct tree_node *node)
{
	return model_attribute_at(tree_layout(node->folder->kind)->model_kind, node->index);
}

static const struct tree_file *file_of(const struct tree_node *node)
{
	return &tree_layout(node->folder->kind)->files->files[node->index];
}

/* Returns the name of the file for messages. */
static const char *node_path(const struct tree_node *node, char path[TREE_PATH_SIZE])
{
	bool is_file = node->type == TREE_NODE_FILE;
	unsigned directory = is_file ? file_of(node)->directory
				     : (unsigned)tree_directory_of(node->folder->kind, attribute_of(node));
	size_t length = strlen(tree_path(node->folder, directory, path));

	snprintf(path + length, TREE_PATH_SIZE - length, "%s%s", length ? "/" : "",
		 is_file ? file_of(node)->name : attribute_of(node)->name);
	return path;
}

/* --- opening ---------------------------------------------------------------------------------- */

/*
 * Checks whether the request may open the file. Root may open everything, but as in configfs, nobody may
 * write to a read-only file.
 */
static int check_access(const struct tree_request *request, const struct tree_node *node)
{
	mode_t mode = tree_node_mode(node);
	int access = request->flags & O_ACCMODE;

	if (!S_ISREG(mode))
		return -EISDIR;
	if ((access != O_RDONLY && !(mode & 0222)) || (access != O_WRONLY && !(mode & 0444)))
		return -EACCES;
	if (!tree_request_is_owners(request) && (access != O_RDONLY || !(mode & 0004)))
		return -EACCES;
	return 0;
}

void tree_run_open(struct tree_request *request)
{
	struct tree_node node;
	int err =
	    tree_node_find(request->tree, request->number, &node) ? check_access(request, &node) : -ENOENT;

	if (!err) {
		tree_answer_open(request);
		return;
	}
	tree_open_free(request->open);
	tree_answer(request, err);
}

void tree_run_release(struct tree_request *request)
{
	tree_open_free(request->open);
	tree_answer(request, 0);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int show(const struct tree *tree, const struct tree_node *node, FILE *out)
{
	char text[MODEL_TEXT_SIZE];

	if (node->type == TREE_NODE_FILE)
		return file_of(node)->show(tree, node->folder, file_of(node)->argument, out);
	model_get(node->folder->object, attribute_of(node), text);
	size_t length = strlen(text);
	fprintf(out, "%s%s", text, length && text[length - 1] == '\n' ? "" : "\n");
	explicit_bzero(text, sizeof(text));
	return 0;
}

static int fill(struct tree_request *request)
{
	struct tree_open *open = request->open;
	struct tree_node node;
	FILE *out;
	int err;

	if (!tree_node_find(request->tree, request->number, &node))
		return -ENOENT;
	out = open_memstream(&open->data, &open->size);
	if (!out)
		return -ENOMEM;
	err = show(request->tree, &node, out);
	if (fclose(out) && !err)
		err = -ENOMEM;
	open->is_filled = !err;
	if (err) {
		free(open->data);
		open->data = NULL;
	}
	return err;
}

void tree_run_read(struct tree_request *request)
{
	struct tree_open *open = request->open;
	int err = open->is_filled ? 0 : fill(request);

	if (err) {
		tree_answer(request, err);
		return;
	}
	size_t begin = request->offset < open->size ? (size_t)request->offset : open->size;
	size_t size = open->size - begin < request->size ? open->size - begin : request->size;
	fuse_reply_buf(request->fuse, open->data + begin, size);
	tree_request_free(request);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Removes newlines and NULs at the end. Returns false if there is a NUL in the middle. */
static bool trim(char *text, size_t size)
{
	while (size && (text[size - 1] == '\n' || text[size - 1] == '\0'))
		size--;
	text[size] = '\0';
	return strlen(text) == size;
}

static void set_word(char *text, char word)
{
	text[0] = word;
	text[1] = '\0';
}

/*
 * Converts a value to the only form that the model accepts. The kernel accepts numbers in three bases, and
 * booleans as words (kstrtobool()).
 */
static void normalize(const struct model_attribute *attribute, char *text)
{
	char *end;

	if (attribute->type == MODEL_BOOL && (!strcasecmp(text, "on") || strchr("yYtT", text[0])))
		set_word(text, '1');
	else if (attribute->type == MODEL_BOOL && (!strcasecmp(text, "off") || strchr("nNfF", text[0])))
		set_word(text, '0');
	if (attribute->type == MODEL_NUMBER && text[0] == '0' &&
	    isxdigit((unsigned char)text[strlen(text) - 1])) {
		uintmax_t number = strtoumax(text, &end, 0);

		if (!*end)
			sprintf(text, "%" PRIuMAX,
				/* A decimal number is never longer than the octal or hexadecimal one. */
				number);
	}
	/*
	 * NULL is what programs write to LIO to delete an account or a tag, because LIO does not accept an
	 * empty text.
	 */
	if ((attribute->type == MODEL_TEXT || attribute->type == MODEL_SECRET) && !strcmp(text, "NULL"))
		text[0] = '\0';
}

static void store(struct tree_request *request, const struct tree_node *node, char *text)
{
	const struct model_attribute *attribute;
	char old[MODEL_TEXT_SIZE];

	if (node->type == TREE_NODE_FILE) {
		file_of(node)->store(request, node->folder, file_of(node)->argument, text);
		return;
	}
	attribute = attribute_of(node);
	if (*text)
		normalize(attribute, text);
	/* Programs that restore a configuration also write values that an enabled device already has. */
	if (attribute->flags & MODEL_BEFORE_USE &&
	    !strcmp(model_get(node->folder->object, attribute, old), text)) {
		tree_answer_write(request);
		return;
	}
	tree_wait(request);
	model_set(node->folder->object, attribute->group, attribute->name, text, tree_done, request);
}

void tree_run_write(struct tree_request *request)
{
	char path[TREE_PATH_SIZE];
	struct tree_node node;

	if (!tree_node_find(request->tree, request->number, &node))
		tree_answer(request, -ENOENT);
	else if (request->size > WRITE_MAX)
		tree_refuse(request, EINVAL, "%s: a value has at most %d bytes, and this one has %zu",
			    node_path(&node, path), WRITE_MAX, request->size);
	else if (!trim(request->data, request->size))
		tree_refuse(request, EINVAL, "%s: the value contains a NUL", node_path(&node, path));
	else if (request->size == 0)
		tree_answer_write(request);
	else
		store(request, &node, request->data);
}
